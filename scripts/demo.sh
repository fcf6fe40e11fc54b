#!/usr/bin/env bash
# `make demo`: from a fresh machine to a desk one can sign in to.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

STEPS=6
step() { say "[$1/$STEPS] $2"; }

export VITRINE_SIGNIN="${VITRINE_SIGNIN:-demo}"
export VITRINE_BIND="${VITRINE_BIND:-127.0.0.1}" VITRINE_PORT="${VITRINE_PORT:-8000}"
export VITRINE_PUBLIC_URL="${VITRINE_PUBLIC_URL:-http://127.0.0.1:$VITRINE_PORT}"

is_loopback() {
    case "$1" in
        localhost | ::1 | '[::1]') return 0 ;;
        127.*) [[ $1 =~ ^127(\.[0-9]{1,3}){3}$ ]] ;;
        *) return 1 ;;
    esac
}

if [ "$VITRINE_SIGNIN" = demo ]; then
    host=${VITRINE_PUBLIC_URL#*://}
    host=${host%%/*}
    [[ $host == \[* ]] && host="${host%%]*}]" || host=${host%%:*}
    for address in "$VITRINE_BIND" "$host"; do
        is_loopback "$address" ||
            die "demo sign-in only serves this machine: $address is not a loopback address.
    Unset VITRINE_BIND and VITRINE_PUBLIC_URL, or sign people in another way (README, production)."
    done
fi

step 1 "Container engine"
"$ROOT/scripts/engine.sh"
step 2 "Python environment"
"$ROOT/scripts/setup.sh"
step 3 "Images"
"$ROOT/scripts/images.sh"
step 4 "Source of the demo (public microdata)"
mkdir -p "$DATA/downloads"
run_logged "CPS tax units" fetch "$ROOT/.venv/bin/python" "$ROOT/examples/cps/fetch.py" "$DATA/downloads"
step 5 "Services"
"$ROOT/scripts/stack.sh" up
step 6 "People, source and project"
"$ROOT/scripts/demo_load.sh"

say ""
say "Vitrine is open: $VITRINE_PUBLIC_URL"
say "Logins: $DATA/secrets/demo-logins.txt   (ana researcher · bob admin · chloe, denis checkers · eve auditor)"
say "make down stops it and keeps the data; make clean-demo removes the data too. Took ${SECONDS}s."
