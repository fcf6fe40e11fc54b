#!/usr/bin/env bash
# A container engine that answers, and a compose. Uses what is there; installs Debian's or Ubuntu's otherwise.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WAIT=${VITRINE_ENGINE_WAIT:-60}

# is_packaged PACKAGE: whether the distribution has it. (Not `apt-cache … | grep -q`: under pipefail the pipe
# that grep closes early would count as a no.)
is_packaged() { [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }

# A fresh machine may never have fetched the lists of packages.
know_packages() {
    have apt-cache || die "$1 is missing, and this is no Debian or Ubuntu: install it yourself"
    is_packaged docker.io || run_logged "apt-get update" apt as_root apt-get -qq update
}

# The name of the first of these packages that the distribution has.
first_available() {
    local package
    for package in "$@"; do
        if is_packaged "$package"; then
            printf '%s' "$package"
            return
        fi
    done
    printf '%s' "$1"
}

forbidden() {
    die "$1, and VITRINE_INSTALL=no forbids installing or starting it. Do it yourself, then run this again:
    apt-get install $2
    systemctl start docker     (or: service docker start)"
}

wait_for_engine() {
    local until=$((SECONDS + $1))
    while [ $SECONDS -lt $until ]; do
        engine_answers && return 0
        sleep 0.5
    done
    return 1
}

# Each way in turn, until the engine answers: systemd where it runs, the init script, the daemon itself.
start_engine() {
    say "The container engine does not run: starting it."
    if [ -d /run/systemd/system ] && have systemctl; then
        as_root systemctl start docker >/dev/null 2>&1 && wait_for_engine "$WAIT" && return 0
    fi
    if have service && [ -e "${VITRINE_INITD:-/etc/init.d}/docker" ]; then
        # Its own ulimit call fails in some virtual machines; the daemon by hand does not need it.
        as_root service docker start >/dev/null 2>&1 && wait_for_engine 20 && return 0
    fi
    have dockerd || return 1
    mkdir -p "$LOGS"
    say "  by hand: dockerd, its log in $LOGS/dockerd.log"
    # A pid file left by a machine that lost power would stop the daemon; it refuses by itself to run twice.
    # shellcheck disable=SC2016  # $1 is for the inner shell
    as_root sh -c 'setsid dockerd >>"$1" 2>&1 </dev/null &' sh "$LOGS/dockerd.log"
    wait_for_engine "$WAIT"
}

if ! have docker || { ! engine_answers && ! have dockerd; }; then
    may_install || forbidden "there is no container engine here" "docker.io docker-compose"
    know_packages "a container engine"
    # Since Debian 13 the client is a package of its own, which docker.io only recommends.
    packages=(docker.io)
    if is_packaged docker-cli; then packages+=(docker-cli); fi
    apt_install "a container engine" "${packages[@]}" iptables
fi
if ! compose_command >/dev/null; then
    may_install || forbidden "there is no docker compose here" "docker-compose"
    know_packages "docker compose"
    apt_install "docker compose" "$(first_available docker-compose-v2 docker-compose docker-compose-plugin)"
fi
if ! engine_answers; then
    may_install || forbidden "the container engine does not answer" "docker.io docker-compose"
    start_engine || die "the container engine does not start. Its last words:
$(tail -n 15 "$LOGS/dockerd.log" 2>/dev/null || true)"
fi
say "  engine $(engine version --format '{{.Server.Version}}'), $(compose_command)"
