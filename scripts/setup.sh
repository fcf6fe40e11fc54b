#!/usr/bin/env bash
# `make setup`: .venv with everything in requirements/dev.lock and the `vitrine` command.
# A second run with nothing changed does nothing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

IDENTITY='import sys; print(sys.version, sys.base_prefix)'
NEEDED='import sys; raise SystemExit(sys.version_info < (3, 11))'

find_python() {
    local candidate
    for candidate in ${VITRINE_PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
        if have "$candidate" && "$candidate" -c "$NEEDED" 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
}

python=$(find_python)
if [ -z "$python" ]; then
    apt_install "Python" python3 python3-venv
    python=$(find_python)
    [ -n "$python" ] || die "Python 3.11 or newer is needed; this distribution's is older. Set VITRINE_PYTHON."
fi

stamp="$ROOT/.venv/.vitrine-$(
    {
        "$python" -c "$IDENTITY"
        printf '%s\n' "$ROOT"
        digest requirements/dev.lock requirements/hub.in pyproject.toml
    } | sha256sum | cut -c1-16
)"
[ -e "$stamp" ] && exit 0

# Debian ships the venv module without pip's bundle unless python3-venv is installed.
"$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install "Python's venv module" python3-venv
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "$python has no venv module: install the python3-venv package that goes with it"

# An environment of the same interpreter is brought up to date in place (something may be running from it);
# one of another, or a broken one, is made anew.
same_interpreter() {
    [ "$("$ROOT/.venv/bin/python" -c "$IDENTITY" 2>/dev/null)" = "$("$python" -c "$IDENTITY")" ]
}

build() {
    rm -f "$ROOT"/.venv/.vitrine-* &&
        { same_interpreter || "$python" -m venv --clear "$ROOT/.venv"; } &&
        "$ROOT/.venv/bin/python" -m pip install --disable-pip-version-check --require-hashes \
            --only-binary :all: -r "$ROOT/requirements/dev.lock" &&
        "$ROOT/.venv/bin/python" -m pip install --disable-pip-version-check --no-deps \
            --no-build-isolation --no-index --editable "$ROOT"
}
run_logged "Python environment (.venv)" setup build
touch "$stamp"
