#!/usr/bin/env bash
# `make test`: sets up what the tests need, then runs them all (or the arguments given to pytest).
# The reports are in tests/report/: NAME.xml, NAME.log, and what the browser tests put there.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/engine.sh"
"$ROOT/scripts/setup.sh"
"$ROOT/scripts/images.sh"

find_chromium() {
    local candidate
    for candidate in ${VITRINE_CHROMIUM:-} chromium chromium-browser google-chrome; do
        command -v "$candidate" && return 0
    done
    return 1
}
find_chromium >/dev/null || apt_install "a browser for the tests" chromium
VITRINE_CHROMIUM=$(find_chromium) || die "no Chromium: set VITRINE_CHROMIUM to one"
export VITRINE_CHROMIUM

find_postgresql() { find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | head -n 1; }
[ -n "$(find_postgresql)" ] || apt_install "PostgreSQL for the contract tests" postgresql
[ -n "$(find_postgresql)" ] || die "no PostgreSQL in /usr/lib/postgresql: the contract tests need one"

mkdir -p tests/report
started=$SECONDS
status=0
# The containers' side of the tests needs the engine and folders of other accounts: root, as make demo.
prefix=$(engine_prefix)
run_tests() { # NAME, pytest's arguments: one report
    local name=$1 ended=0
    shift
    # shellcheck disable=SC2086
    $prefix .venv/bin/python -m pytest --junit-xml="tests/report/$name.xml" --durations=15 "$@" 2>&1 |
        tee "tests/report/$name.log" || ended=$?
    [ "$ended" = 0 ] || status=$ended
}
if [ $# -gt 0 ]; then
    run_tests pytest "$@"
else
    # What starts containers is alone on the machine: it measures ends in seconds.
    run_tests parts -m "not containers" --numprocesses auto --dist loadfile
    run_tests containers -m containers
fi
say "Tests took $((SECONDS - started))s; reports in tests/report/"
exit "$status"
