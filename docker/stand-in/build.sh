#!/bin/sh
# Builds stand-ins for upstream images from Debian packages, in parallel, and leaves them in the engine.
#
#   build.sh TARGET=REFERENCE...    e.g. build.sh postgres=postgres:17.11-bookworm redis=redis:8.0.2-bookworm
#   build.sh base                   only what all are made from: assembled at once, given to the engine when a line on stdin says
#                                   that there is one
#
# TARGET is one of families.yaml. stdout carries a `step:` line before each step and, at the end, for each image
# `image: REFERENCE PACKAGE=VERSION`; the builder's progress goes to stderr.
# Exit codes: 0 done, 2 cannot; the reason and its remedy are one `error:` line on stderr.
#
# STAND_IN_MIRROR   the Debian mirror; default: the one this machine's apt uses, else mmdebstrap's own
# STAND_IN_PROGRESS how the builder shows progress (auto, plain, rawjson); default auto
#
# Not here: which references a project needs, and whether a registry has the real images.
set -eu

RELEASE=trixie
BASE=stand-in/base:$RELEASE
LISTS=stand-in/lists:$RELEASE
MADE_LABEL=dev.xtask.stand-in.made
LISTS_CACHE=/var/lib/apt/lists/srcpkgcache.bin # what apt makes of the lists, which takes it longer than most installations
LISTS_MAX_AGE_S=86400 # a mirror keeps what its lists name for at least a day after the next update
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
FOLDER=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "error: $*" >&2
    exit 2
}

# quietly COMMAND...: shows what the command printed only when it fails.
quietly() {
    "$@" >"$WORK/log" 2>&1 9>&- && return 0
    tail -n 12 "$WORK/log" | sed 's/^/  /' >&2
    return 1
}

# ---- the two images everything is built from ----

lists_are_fresh() {
    docker image inspect $BASE >/dev/null 2>&1 || return 1
    made=$(docker image inspect --format "{{index .Config.Labels \"$MADE_LABEL\"}}" $LISTS 2>/dev/null) || return 1
    [ $(($(date +%s) - made)) -lt $LISTS_MAX_AGE_S ]
}

install_mmdebstrap() {
    ! command -v mmdebstrap >/dev/null || return 0
    [ "$(id -u)" = 0 ] || die "mmdebstrap is missing and installing it needs root: run \`sudo apt-get install mmdebstrap debian-archive-keyring\`"
    echo "step: install mmdebstrap (apt-get)"
    quietly env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends \
        mmdebstrap debian-archive-keyring ||
        die "apt-get cannot install mmdebstrap: run \`apt-get update\` and see what it says"
}

# The mirror this machine uses for Debian itself; nothing on another distribution.
own_mirror() {
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt expands this
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $codename" 'Component: main' |
        head -n 1
}

# Assembles a minimal Debian, and the package lists that every stand-in installs from. Needs no engine.
assemble() {
    install_mmdebstrap
    mirror=${STAND_IN_MIRROR:-$(own_mirror)}
    echo "step: assemble a minimal Debian $RELEASE (mmdebstrap)"
    # Syncing each unpacked file to disk is wasted on an image.
    quietly env TMPDIR="$WORK" mmdebstrap --variant=minbase \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="chroot \"\$1\" apt-cache --option Dir::Cache::srcpkgcache=$LISTS_CACHE gencaches" \
        --customize-hook="tar-out /var/lib/apt/lists '$WORK/lists.tar'" \
        --customize-hook="rm \"\$1$LISTS_CACHE\"" \
        $RELEASE "$WORK/base.tar" ${mirror:+"$mirror"} ||
        die "mmdebstrap cannot assemble Debian $RELEASE from \`${mirror:-its default mirror}\`: set STAND_IN_MIRROR to a Debian mirror this machine reaches"
}

# Makes the two images of what was assembled.
import() {
    quietly docker import "$WORK/base.tar" $BASE || die "the engine cannot import the base image"
    mkdir "$WORK/context"
    mv "$WORK/lists.tar" "$WORK/context/"
    printf 'FROM %s\nADD lists.tar /var/lib/apt/\nLABEL %s=%s\n' $BASE $MADE_LABEL "$(date +%s)" >"$WORK/context/Dockerfile"
    quietly docker buildx build --builder default --tag $LISTS "$WORK/context" || die "the engine cannot build the image of package lists"
    rm -rf "$WORK/base.tar" "$WORK/context"
}

# ---- the stand-ins ----

# field TARGET KEY: a value from families.yaml.
field() {
    awk -v target="$1" -v key="$2:" '
        $1 == "-" { found = $3 == target }
        found && $1 == key { print $2; exit }' "$FOLDER/families.yaml"
}

# Writes PACKAGE=VERSION for each package given, as the lists have it.
versions() {
    docker run --rm --network none $LISTS apt-cache --option "Dir::Cache::srcpkgcache=$LISTS_CACHE" \
        show --no-all-versions "$@" |
        awk '$1 == "Package:" { package = $2 } $1 == "Version:" { print package "=" $2 }'
}

repository() { echo "$1" | sed 's/@.*//; s/:[^/:]*$//; s|^docker\.io/||; s|^library/||'; }

# 5:8.0.2-3+deb13u2 is what upstream calls 8.0.2.
upstream_version() { echo "$1" | sed 's/^.*=//; s/^[0-9]*://; s/[-+~].*//'; }

# Writes the bake file's entry for TARGET=REFERENCE.
bake_target() {
    package=$(grep "^$(field "${1%%=*}" package)=" "$WORK/versions")
    proxies=
    for name in http_proxy https_proxy no_proxy; do
        eval "value=\${$name:-}"
        [ -z "$value" ] || proxies="$proxies, \"$name\": \"$value\""
    done
    cat <<TARGET
{
  "context": "$FOLDER",
  "dockerfile": "$(field "${1%%=*}" dockerfile)",
  "target": "${1%%=*}",
  "tags": ["${1#*=}"],
  "args": {"BASE": "$BASE", "LISTS": "$LISTS", "VERSION": "$(upstream_version "$package")"$proxies},
  "labels": {"dev.xtask.stand-in": "$(repository "${1#*=}")", "dev.xtask.stand-in.packages": "$package"},
  "secret": ["id=ca,src=$CA_BUNDLE"],
  "output": ["type=docker"]
}
TARGET
}

bake_file() {
    count=0 targets=
    for request; do
        count=$((count + 1))
        targets="$targets\"image-$count\": $(bake_target "$request"), "
    done
    names=$(seq 1 $count | sed 's/.*/"image-&"/' | paste -sd,)
    echo "{\"group\": {\"default\": {\"targets\": [$names]}}, \"target\": {${targets%, }}}"
}

build() {
    echo "step: build $# stand-ins from Debian $RELEASE packages"
    for request; do field "${request%%=*}" package; done | sort -u >"$WORK/packages"
    # shellcheck disable=SC2046 # one word for each package
    versions $(cat "$WORK/packages") >"$WORK/versions"
    bake_file "$@" >"$WORK/bake.json"
    docker buildx bake --builder default --progress "${STAND_IN_PROGRESS:-auto}" --file "$WORK/bake.json" 1>&2 ||
        die "a stand-in does not build; the builder's last lines say why"
    for request; do
        echo "image: ${request#*=} $(grep "^$(field "${request%%=*}" package)=" "$WORK/versions")"
    done
}

[ $# -gt 0 ] || die "usage: build.sh base | TARGET=REFERENCE..."
[ "$1" = base ] || for request; do
    [ -n "$(field "${request%%=*}" package)" ] || die "no stand-in is known as \`${request%%=*}\`: families.yaml lists them"
done
WORK=$(mktemp -d /var/tmp/stand-in.XXXXXX)
trap 'trap "" INT TERM; rm -rf "$WORK"' EXIT # a second signal must not end the removal
trap 'exit 130' INT
trap 'exit 143' TERM
exec 9>/var/tmp/stand-in.lock
flock 9 # two runs at once make one base
if [ "$1" = base ]; then
    assemble
    read -r _ || die "no engine came to be: install one"
    import
    exit
fi
lists_are_fresh || {
    assemble
    import
}
flock --unlock 9
build "$@"
