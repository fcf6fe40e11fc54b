#!/usr/bin/env bash
# vitrine.sh COMMAND…: the `vitrine` command inside the running stack.
# Files among the arguments are handed in: documents (*.yaml) through standard input, a source file (or a
# folder of Parquet files) and its dictionary by way of the warehouse's incoming folder.
. "$(dirname "$0")/lib.sh"

service=portal
case "${1:-} ${2:-}" in
    source\ * | extract\ *) service=sweeper ;;
esac

container=$(engine ps -q --filter "label=com.docker.compose.project=${VITRINE_PROJECT:-vitrine}" \
    --filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False)
[ -n "$container" ] || die "the stack is not running: make demo or make up"

incoming="$DATA/warehouse/incoming"
hand_in() {
    as_root install -d -m 0700 -o 990 -g 990 "$incoming"
    as_root install -m 0400 -o 990 -g 990 "$1" "$incoming/$(basename "$1")"
    printf '/srv/vitrine/warehouse/incoming/%s' "$(basename "$1")"
}

hand_in_folder() {
    as_root install -d -m 0700 -o 990 -g 990 "$incoming" "$incoming/$(basename "$1")"
    as_root install -m 0400 -o 990 -g 990 "$1"/*.parquet "$incoming/$(basename "$1")/"
    printf '/srv/vitrine/warehouse/incoming/%s' "$(basename "$1")"
}

arguments=()
document=
for argument in "$@"; do
    if [ -f "$argument" ] && [ "$service" = sweeper ]; then
        arguments+=("$(hand_in "$argument")")
    elif [ -d "$argument" ] && [ "${1:-}" = source ]; then
        arguments+=("$(hand_in_folder "$argument")")
    elif [ -f "$argument" ] && [ -z "$document" ]; then
        document=$argument
        arguments+=(-)
    else
        arguments+=("$argument")
    fi
done

status=0
environment=(--env "VITRINE_LOCALE=${VITRINE_LOCALE:-${LC_ALL:-${LANG:-en}}}")
if [ -n "$document" ]; then
    environment+=(--env "VITRINE_STDIN_NAME=$(basename "$document")")
    engine exec -i "${environment[@]}" "$container" vitrine "${arguments[@]}" <"$document" || status=$?
else
    engine exec "${environment[@]}" "$container" vitrine "${arguments[@]}" || status=$?
fi
[ "$service" = portal ] || as_root rm -rf -- "$incoming"
exit "$status"
