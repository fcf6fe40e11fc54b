#!/usr/bin/env bash
# The demo's people, source and project, loaded inside the stack by the `vitrine` command. Safe to run again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

as_root "$ROOT/.venv/bin/python" "$ROOT/scripts/demo_logins.py" "$DATA" --owner "$(id -u)"
chmod -R a+rX "$DATA/downloads"

loaded="$DATA/demo.mark"
image=$(engine image inspect --format '{{.Id}}' vitrine-hub)
if [ "$(cat "$loaded" 2>/dev/null || true)" != "$image" ]; then
    run_logged "people, source, project, extract" demo \
        "$ROOT/scripts/compose.sh" run --rm -T --volume "$DATA/downloads:/srv/downloads:ro" \
        sweeper vitrine demo load --downloads /srv/downloads
    printf '%s\n' "$image" >"$loaded"
fi
