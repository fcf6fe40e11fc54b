# shellcheck shell=bash
# Shared by the scripts here: where things are, how they speak, how they install a Debian package.
# Sourced, not run.

set -euo pipefail

# Debian keeps dockerd and others out of an ordinary account's PATH.
PATH="$PATH:${VITRINE_SBIN:-/usr/local/sbin:/usr/sbin:/sbin}"

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# Everything that lives longer than a container. On the host; inside the containers it is /srv/vitrine.
DATA="${VITRINE_HOST_DATA:-$ROOT/var}"
LOGS="$DATA/log"
export ROOT DATA LOGS

say() { printf '%s\n' "$*"; }
die() {
    printf 'vitrine: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: runs it, through sudo when we are not root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root: run it as root, or install sudo ($*)"
    fi
}

may_install() { [ "${VITRINE_INSTALL:-yes}" != no ]; }

# apt_install WHY PACKAGE…: says so first; VITRINE_INSTALL=no prints what to do and stops.
apt_install() {
    local why=$1
    shift
    if ! may_install; then
        die "$why is missing and VITRINE_INSTALL=no forbids installing it. Do it yourself: apt-get install $*"
    fi
    have apt-get || die "$why is missing and there is no apt-get here. Install it yourself: $*"
    say "Installing $* from the distribution ($why). VITRINE_INSTALL=no forbids this."
    run_logged "apt-get install $*" apt \
        as_root env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get -qq update && apt-get -y -q install --no-install-recommends "$@"' sh "$@"
}

# The build step a log has come to, where it is the log of an image; else nothing.
build_step() {
    tail -n 300 "$1" | grep -oE '^(Step [0-9]+/[0-9]+|#[0-9]+ \[[^]]*\])' | tail -n 1 || true
}

# run_logged TITLE LOG COMMAND…: output goes to var/log/LOG.log, a line with the elapsed time to the screen.
# On a terminal the line counts; elsewhere it is repeated every 20 s, so that a long step shows it is alive.
run_logged() {
    local title=$1 log="$LOGS/$2.log" started=$SECONDS beat=$SECONDS status=0 process
    shift 2
    mkdir -p "$LOGS"
    # One run's worth is kept, and what fits before it.
    if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 2000000 ]; then rm -f "$log"; fi
    printf '\n=== %s  %s\n' "$(date -u +%FT%TZ)" "$title" >>"$log"
    "$@" >>"$log" 2>&1 &
    process=$!
    # An interrupted step must not go on behind the prompt.
    trap 'kill '"$process"' 2>/dev/null || true; exit 130' INT TERM
    while kill -0 "$process" 2>/dev/null; do
        if [ -t 1 ]; then
            printf '\r\033[K  %s … %ds %s' "$title" $((SECONDS - started)) "$(build_step "$log")"
        elif [ $((SECONDS - beat)) -ge 20 ]; then
            beat=$SECONDS
            printf '  %s … %ds %s\n' "$title" $((SECONDS - started)) "$(build_step "$log")"
        fi
        sleep 0.3
    done
    wait "$process" || status=$?
    trap - INT TERM
    [ -t 1 ] && printf '\r\033[K'
    if [ "$status" -ne 0 ]; then
        printf '  %s: failed after %ds. The end of %s:\n' "$title" $((SECONDS - started)) "$log" >&2
        tail -n 25 "$log" | sed 's/^/    | /' >&2
        return "$status"
    fi
    printf '  %s: %ds\n' "$title" $((SECONDS - started))
}

# digest FILE…: one SHA-256 over names and contents, in a stable order. Folders are walked.
digest() {
    (
        cd "$ROOT"
        find "$@" -type f \
            -not -path '*/node_modules/*' -not -path '*/__pycache__/*' -not -path '*/lib/*' \
            -not -path '*/labextension/*' -not -path '*/.yarn/*' -not -name '*.pyc' -not -name '*.tsbuildinfo' \
            -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d' ' -f1
    )
}

# compose_command: prints `docker compose` or `docker-compose`; status 1 when there is neither.
compose_command() {
    if docker compose version >/dev/null 2>&1; then
        printf 'docker compose'
    elif have docker-compose; then
        printf 'docker-compose'
    else
        return 1
    fi
}

# engine_prefix: prints what must stand before a docker command: nothing, or sudo where the engine's socket
# is not ours. (-E: compose reads VITRINE_* from the environment.)
engine_prefix() {
    if [ "$(id -u)" -ne 0 ] && have sudo && ! docker info >/dev/null 2>&1; then
        printf 'sudo -E'
    fi
}

# engine COMMAND…: docker, as whoever may speak to the engine.
engine() {
    # shellcheck disable=SC2046  # nothing, or two words
    $(engine_prefix) docker "$@"
}

engine_answers() { engine info >/dev/null 2>&1; }
