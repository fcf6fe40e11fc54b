#!/usr/bin/env bash
# stack.sh up | down | remove-data | wait: the containers of docker-compose.yml, the desks beside them, their data.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROJECT=${VITRINE_PROJECT:-vitrine}
READY_SECONDS=${VITRINE_READY_SECONDS:-240}
KEPT=(downloads log)

compose() { "$ROOT/scripts/compose.sh" "$@"; }

# Folders and secrets belong to the services' account, so it takes root; the originals stay the caller's.
prepare() { as_root "$ROOT/.venv/bin/python" "$ROOT/scripts/prepare_data.py" "$DATA" --owner "$(id -u)"; }

# `service state health` of each container of the stack, one a line.
states() {
    local ids
    mapfile -t ids < <(engine ps -aq --filter "label=com.docker.compose.project=$PROJECT" \
        --filter label=com.docker.compose.oneoff=False)
    [ "${#ids[@]}" -eq 0 ] || engine inspect --format \
        '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' \
        "${ids[@]}"
}

# What the services that are not well said last, and the end.
give_up() {
    local service broken
    # The ones that are merely starting say nothing of use, unless nothing else is wrong.
    broken=$(states | awk '$2 != "running" || $3 == "unhealthy" { print $1 }' | sort | xargs)
    for service in ${broken:-$(unwell)}; do
        printf '  %s, its last lines:\n' "$service" >&2
        compose logs --tail 15 --no-color "$service" 2>/dev/null | sed 's/^/    | /' >&2
    done
    die "$1: ${broken:-$(unwell)}"
}

unwell() { states | awk '$2 != "running" || $3 != "healthy" { print $1 }' | sort | xargs; }

wait_healthy() {
    local started=$SECONDS beat=$SECONDS waiting
    while :; do
        waiting=$(unwell)
        [ -n "$waiting" ] || [ -z "$(states)" ] || break
        if [ $((SECONDS - started)) -ge "$READY_SECONDS" ]; then
            printf '\n' >&2
            give_up "not ready after ${READY_SECONDS}s"
        fi
        if [ -t 1 ]; then
            printf '\r\033[K  waiting for: %s … %ds' "$waiting" $((SECONDS - started))
        elif [ $((SECONDS - beat)) -ge 20 ]; then
            beat=$SECONDS
            say "  waiting for: $waiting … $((SECONDS - started))s"
        fi
        sleep 0.5
    done
    [ -t 1 ] && printf '\r\033[K'
    say "  all services healthy: $((SECONDS - started))s"
}

# The database first, then its tables, then everything that reads them.
up() {
    prepare
    if [ "$(states | awk '$2 == "running" && $3 == "healthy"' | wc -l)" -ne 6 ] || [ "$(mark)" != "$(seen)" ]; then
        run_logged "database" compose compose up -d db
        run_logged "database tables" compose compose run --rm -T sweeper vitrine db upgrade
    fi
    run_logged "services" compose compose up -d || give_up "services did not start"
    wait_healthy
    mark >"$DATA/stack.mark"
}

# Changes when there may be tables to change: another image, or another data directory.
mark() { engine image inspect --format '{{.Id}}' vitrine-hub vitrine-db; }
seen() { cat "$DATA/stack.mark" 2>/dev/null || true; }

# Desks of this data directory: another stack on this machine keeps its own.
desks() {
    local ids
    mapfile -t ids < <(engine ps -aq --filter label=vitrine.desk)
    [ "${#ids[@]}" -eq 0 ] || engine inspect --format \
        '{{.Id}}{{range .Mounts}} {{.Source}}{{end}}' "${ids[@]}" |
        awk -v data="$DATA/" '{ for (i = 2; i <= NF; i++) if (index($i, data) == 1) { print $1; break } }'
}

down() {
    local found
    # The hub first, or it would start a desk again while they are being stopped.
    run_logged "stopping the services" compose compose down --remove-orphans
    mapfile -t found < <(desks)
    if [ "${#found[@]}" -gt 0 ]; then
        run_logged "stopping ${#found[@]} desk(s)" compose engine rm -f "${found[@]}"
    fi
}

# Removes what the data directory holds, only where prepare_data.py has left its mark.
remove_data() {
    local entry name removed=()
    if [ ! -e "$DATA/.vitrine-data" ]; then
        say "No data in $DATA: nothing to remove."
        return
    fi
    for entry in "$DATA"/* "$DATA"/.vitrine-data; do
        name=$(basename "$entry")
        [[ " ${KEPT[*]} " == *" $name "* ]] || [ ! -e "$entry" ] || removed+=("$name")
    done
    say "Removing from $DATA: ${removed[*]}"
    say "Kept: ${KEPT[*]} (public files and logs), the images and .venv."
    (cd "$DATA" && as_root rm -rf --one-file-system -- "${removed[@]}")
}

case "${1:-}" in
    up) up ;;
    down) down ;;
    remove-data) remove_data ;;
    wait) wait_healthy ;;
    *) die "stack.sh up | down | remove-data | wait" ;;
esac
