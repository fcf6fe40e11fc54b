#!/usr/bin/env bash
# compose.sh ARGUMENT…: `docker compose` or `docker-compose`, whichever is there, on this stack.
# VITRINE_PROJECT names the stack, so that two can live on one machine (with another port and data directory).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export VITRINE_HOST_DATA="$DATA"
export VITRINE_BIND="${VITRINE_BIND:-127.0.0.1}" VITRINE_PORT="${VITRINE_PORT:-8000}"
export VITRINE_PUBLIC_URL="${VITRINE_PUBLIC_URL:-http://127.0.0.1:$VITRINE_PORT}"

compose=$(compose_command) || die "there is no docker compose: run scripts/engine.sh"
# $compose is one word or two, and either may follow sudo.
# shellcheck disable=SC2086
exec $(engine_prefix) $compose --project-name "${VITRINE_PROJECT:-vitrine}" \
    --file "$ROOT/docker-compose.yml" --project-directory "$ROOT" "$@"
