#!/usr/bin/env bash
# `make lock`: requirements/*.lock from requirements/*.in, with hashes, for every platform from Python 3.11 on.
# Asks the public index only, so that the hashes hold everywhere. `--upgrade` as argument takes new versions.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

for name in hub dev acro; do
    constraint=()
    [ "$name" = dev ] && constraint=(--constraint requirements/hub.lock)
    env -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS .venv/bin/uv --no-config pip compile --quiet \
        --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        "${constraint[@]}" "$@" "requirements/$name.in" --output-file "requirements/$name.lock"
done
