#!/usr/bin/env bash
# bench.sh NAME: runs benchmarks/NAME.py; `-` and `_` are the same. Its last line is the figure, as JSON.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

name=${1:-}
name=${name//-/_}
if [ -z "$name" ] || [ ! -f "benchmarks/$name.py" ]; then
    # shellcheck disable=SC2012  # names are ours
    die "no benchmark '${1:-}'. There are: $(ls benchmarks/*.py 2>/dev/null | sed 's|.*/||; s|\.py$||; s|_|-|g' | xargs)"
fi
shift
"$ROOT/scripts/setup.sh" >&2
prefix=""
if [ "$name" = desk_open ]; then  # the others start no container
    "$ROOT/scripts/engine.sh" >&2
    "$ROOT/scripts/images.sh" >&2
    prefix=$(engine_prefix)
fi
# shellcheck disable=SC2086
exec $prefix .venv/bin/python "benchmarks/$name.py" "$@"
