#!/usr/bin/env bash
# The images: debian:trixie-slim, then vitrine-base, vitrine-hub, vitrine-db and vitrine-desk.
# Each carries a label with the digest of what it was made from; an image whose label still fits is left alone.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SITE="$ROOT/images/base/site"
LABEL=vitrine.inputs
DEBIAN=debian:trixie-slim
PULL_SECONDS=${VITRINE_PULL_SECONDS:-60}

label_of() { engine image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null || true; }
identity_of() { engine image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }

# The site's authority, when this machine trusts one: the images must trust it too, or nothing downloads.
copy_certificates() {
    local certificate name fresh
    fresh=$(mktemp -d)
    for certificate in "${VITRINE_CA_DIR:-/usr/local/share/ca-certificates}"/*.crt \
        "${VITRINE_CA_DIR:-/usr/local/share/ca-certificates}"/*/*.crt ${VITRINE_CA_FILE:+"$VITRINE_CA_FILE"}; do
        [ -r "$certificate" ] || continue
        name=$(basename "$certificate")
        cp "$certificate" "$fresh/${name%.*}.crt"
    done
    if [ -n "${VITRINE_CA_FILE:-}" ] && [ ! -r "$VITRINE_CA_FILE" ]; then
        die "VITRINE_CA_FILE=$VITRINE_CA_FILE cannot be read"
    fi
    chmod 0644 "$fresh"/*.crt 2>/dev/null || true
    find "$SITE" -name '*.crt' -delete
    find "$fresh" -name '*.crt' -exec cp {} "$SITE/" \;
    rm -rf "$fresh"
}

# usable_index URL: a registry that a container can reach too (not a folder, not this machine's loopback).
usable_index() {
    case "$1" in
        *127.0.0.1* | *localhost* | *'[::1]'*) return 1 ;;
        http://* | https://*) return 0 ;;
        *) return 1 ;;
    esac
}

# What this machine says about proxies and registries, as build arguments. Never written into an image's
# files: arguments of a stage live as long as the stage.
build_arguments() {
    local name value
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        value=${!name:-}
        [ -n "$value" ] && printf -- '--build-arg\n%s\n' "$name"
    done
    value=${PIP_INDEX_URL:-$("$ROOT/.venv/bin/pip" config get global.index-url 2>/dev/null || true)}
    usable_index "$value" && printf -- '--build-arg\nPIP_INDEX_URL=%s\n' "$value"
    value=${NPM_CONFIG_REGISTRY:-${npm_config_registry:-}}
    usable_index "$value" &&
        printf -- '--build-arg\nNPM_CONFIG_REGISTRY=%s\n--build-arg\nYARN_NPM_REGISTRY_SERVER=%s\n' "$value" "$value"
    value=${VITRINE_APT_MIRROR:-}
    [ -n "$value" ] && printf -- '--build-arg\nVITRINE_APT_MIRROR=%s\n' "$value"
    return 0
}

# Without a registry, Debian's own packages make the same thing.
make_debian() {
    local archive="$DATA/debian-trixie.tar"
    have mmdebstrap || apt_install "mmdebstrap, to make $DEBIAN without a registry" \
        mmdebstrap debian-archive-keyring
    rm -f "$archive"
    run_logged "$DEBIAN with mmdebstrap" debian \
        as_root mmdebstrap --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        trixie "$archive" ${VITRINE_APT_MIRROR:+"$VITRINE_APT_MIRROR"}
    run_logged "$DEBIAN import" debian engine import --change 'CMD ["bash"]' "$archive" "$DEBIAN"
    as_root rm -f "$archive"
}

debian() {
    [ -n "$(identity_of "$DEBIAN")" ] && return 0
    if run_logged "$DEBIAN from a registry" pull timeout "$PULL_SECONDS" "${PULL[@]}" 2>/dev/null; then
        return 0
    fi
    say "  no registry answers: making it from Debian's packages"
    make_debian
}

# image NAME DOCKERFILE CONTEXT BASE INPUT…: builds vitrine-NAME unless its label fits the inputs and the base.
image() {
    local name="vitrine-$1" log="image-$1" dockerfile=$2 context=$3 base=$4 inputs before after
    shift 4
    inputs=$(printf '%s\n' "$(digest "$@")" "$(base_mark "$base")" "${ARGUMENTS[@]}" | sha256sum | cut -d' ' -f1)
    NUMBER=$((NUMBER + 1))
    if [ "$(label_of "$name")" = "$inputs" ]; then
        say "  [$NUMBER/$IMAGES] $name: unchanged"
        return
    fi
    before=$(identity_of "$name")
    run_logged "[$NUMBER/$IMAGES] $name" "$log" \
        engine build --label "$LABEL=$inputs" --tag "$name" --file "$ROOT/$dockerfile" ${TARGET:+--target "$TARGET"} \
        "${ARGUMENTS[@]}" "$ROOT/$context"
    after=$(identity_of "$name")
    # The image it replaces, unless a container still runs from it.
    if [ -n "$before" ] && [ "$before" != "$after" ]; then
        engine image rm "$before" >/dev/null 2>&1 || true
    fi
}

# What an image stands on: the label of one of ours (stable over rebuilds with the same result), or Debian's id.
base_mark() {
    local mark
    mark=$(label_of "$1")
    printf '%s' "${mark:-$(identity_of "$1")}"
}

main() {
    local wanted=" ${*:-base hub db desk} "
    mapfile -t ARGUMENTS < <(build_arguments)
    # shellcheck disable=SC2046
    mapfile -t PULL < <(printf '%s\n' $(engine_prefix) docker pull --quiet "$DEBIAN")
    NUMBER=0
    IMAGES=$(wc -w <<<"$wanted")
    copy_certificates
    debian
    [[ $wanted != *" base "* ]] || image base images/base/Dockerfile images/base "$DEBIAN" images/base
    [[ $wanted != *" hub "* ]] || image hub images/hub/Dockerfile . vitrine-base \
        images/hub hub policies examples jupyterhub_config.py requirements/hub.lock requirements/hub.in \
        pyproject.toml LICENSE .dockerignore
    [[ $wanted != *" db "* ]] || image db images/db/Dockerfile images/db vitrine-base images/db
    [[ $wanted != *" desk "* ]] || image desk images/desk/Dockerfile . vitrine-base \
        images/desk extensions .dockerignore
    # The stage that builds the extension, for its own tests.
    [[ $wanted != *" extension "* ]] || TARGET=extension image extension images/desk/Dockerfile . vitrine-base \
        images/desk extensions .dockerignore
}

# Sourced by the tests, run by everyone else.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    main "$@"
fi
