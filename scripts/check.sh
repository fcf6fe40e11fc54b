#!/usr/bin/env bash
# `make check`: the fast gate. Runs everything, then fails if anything failed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

failed=()
look() {
    local title=$1
    shift
    say "— $title"
    "$@" || failed+=("$title")
}

look "ruff" .venv/bin/ruff check .
look "ruff format" .venv/bin/ruff format --check .
look "mypy" .venv/bin/mypy
look "architecture" .venv/bin/python -m pytest -q tests/architecture
look "generated pages" .venv/bin/vitrine docs --check
if have shellcheck; then
    look "shellcheck" shellcheck -x -P scripts scripts/*.sh images/db/entry
fi
[ "${#failed[@]}" -eq 0 ] || die "failed: ${failed[*]}"
say "All checks pass."
