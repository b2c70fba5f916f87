#!/bin/sh
# Brings a Docker engine with Compose and Buildx to this machine, from its distribution's own packages.
#
#   install-engine.sh plan      print one `step:` line for each thing `install` would do; change nothing
#   install-engine.sh install   do it, printing the same lines; at the end the engine answers on its socket
#   install-engine.sh packages NAME...
#                             install these packages of the distribution
#   install-engine.sh stop      end the engine that `install` started by itself (never one that systemd runs)
#
# Exit codes: 0 done, 2 cannot; the reason and its remedy are one `error:` line on stderr.
# Runs on Debian 12 and later and Ubuntu 22.04 and later, with systemd and without. What already suffices is left alone.
# INSTALL_ENGINE_AS, when set, is the command line that messages name instead of this script's.
#
# One file, because it is also run from standard input (`sh -s -- install`), where it has no neighbours.
# Not here: pulling or building images, and what to do when no image registry answers.
set -eu

ENGINE_MIN=24.0 COMPOSE_MIN=2.24 BUILDX_MIN=0.13
SOCKET=/var/run/docker.sock
PID_FILE=/run/xtask-engine.pid
ENGINE_LOG=/var/log/xtask-engine.log
DROP_IN=/etc/systemd/system/docker.service.d/xtask-engine.conf
DAEMON_CONFIG=/etc/docker/daemon.json
START_DEADLINE_S=60
LOCK_FILE=/run/xtask-engine.lock
INSTALL_LOG=/var/log/xtask-engine-install.log
SOURCE_FILE=/etc/apt/sources.list.d/xtask-engine.sources
PIN_FILE=/etc/apt/preferences.d/xtask-engine
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# made by install-engine.sh for one installation'
NEXT_RELEASE=trixie
NEXT_RELEASE_PACKAGES='docker.io docker-cli docker-compose docker-buildx containerd'
FREE_KIB_NEEDED=1048576 # packages unpack to about 400 MB; the rest is room for a first image

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
SELF=${INSTALL_ENGINE_AS:-"sh $0 install"}

die() {
    echo "error: $*" >&2
    exit 2
}

note() { echo "note: $*"; }

# step PREDICATE LINE ACTION: when the predicate holds, says the line and, unless only planning, acts.
step() {
    "$1" || return 0
    echo "step: $2"
    [ "$MODE" = plan ] || "$3"
}

# ---- what the machine has ----

# at_least MINIMUM: succeeds when the first x.y number on stdin is not below it.
at_least() {
    sed -n 's/[^0-9]*\([0-9]\{1,\}\)\.\([0-9]\{1,\}\).*/\1 \2/p' | awk -v minimum="$1" '
        NR == 1 { split(minimum, m, "."); ok = $1 > m[1] || ($1 == m[1] && $2 >= m[2]) }
        END { exit !ok }'
}

has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
runs_systemd() { [ -d /run/systemd/system ]; }
server_version() { has docker && timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }
engine_answers() { server_version >/dev/null; }
engine_silent() { ! engine_answers; }
start_wanted() { engine_silent || [ "$INSTALLS_ENGINE" = yes ]; } # systemd starts a fresh engine without our options

lacks_cli() { ! { has docker && docker --version | at_least $ENGINE_MIN; }; }
lacks_engine() { ! { engine_answers || { has dockerd && dockerd --version | at_least $ENGINE_MIN; }; }; }
lacks_compose() { ! { docker compose version --short 2>/dev/null | at_least $COMPOSE_MIN; }; }
lacks_buildx() { ! { docker buildx version 2>/dev/null | at_least $BUILDX_MIN; }; }

read_distribution() {
    DISTRIBUTION=unknown RELEASE=0
    if [ -r /etc/os-release ]; then
        # shellcheck source=/dev/null
        DISTRIBUTION=$(. /etc/os-release && echo "${ID:-unknown}")
        # shellcheck source=/dev/null
        RELEASE=$(. /etc/os-release && echo "${VERSION_ID:-999}") # Debian testing has no number and is newer than any
    fi
    case $DISTRIBUTION in
    debian) oldest=12.0 ;;
    ubuntu) oldest=22.04 ;;
    *) oldest=9999.0 ;;
    esac
    case $RELEASE in *.*) ;; *) RELEASE=$RELEASE.0 ;; esac
    echo "$RELEASE" | at_least $oldest ||
        die "\`$DISTRIBUTION ${RELEASE%.0}\` is not supported (Debian 12+, Ubuntu 22.04+ are): install Docker engine $ENGINE_MIN+, Compose $COMPOSE_MIN+ and Buildx $BUILDX_MIN+ by hand"
}

# Sets PACKAGES to what must be installed; empty when everything is there.
choose_packages() {
    PACKAGES='' INSTALLS_ENGINE=no
    if lacks_engine; then PACKAGES='docker.io ca-certificates' INSTALLS_ENGINE=yes; fi
    if [ "$DISTRIBUTION" = ubuntu ]; then
        compose=docker-compose-v2
        if lacks_cli; then PACKAGES='docker.io ca-certificates'; fi
    else
        compose=docker-compose
        if lacks_cli; then PACKAGES="$PACKAGES docker-cli"; fi
    fi
    if lacks_compose; then PACKAGES="$PACKAGES $compose"; fi
    if lacks_buildx; then PACKAGES="$PACKAGES docker-buildx"; fi
    PACKAGES=${PACKAGES# }
}

# Refuses what no step can mend.
check_environment() {
    if [ -n "${DOCKER_HOST:-}" ] && has docker && engine_silent; then
        die "no engine answers at DOCKER_HOST=\`$DOCKER_HOST\`: start it, or \`unset DOCKER_HOST\` to use this machine's"
    fi
    if engine_answers && ! server_version | at_least $ENGINE_MIN; then
        die "engine $(server_version) answers but $ENGINE_MIN is needed: stop it (\`systemctl disable --now docker\`), then run \`$SELF\`"
    fi
    if [ -S $SOCKET ] && [ ! -w $SOCKET ]; then
        die "no permission to use \`$SOCKET\`: run \`sudo $SELF\`, or \`sudo usermod -aG docker $(id -un)\` and log in again"
    fi
}

# ---- packages ----

packages_wanted() { [ -n "$PACKAGES" ]; }

# Debian 12's own engine and Compose are too old; a source once written is kept for updates.
next_release_wanted() { packages_wanted && [ "$DISTRIBUTION-$RELEASE" = debian-12.0 ] && ! [ -s $SOURCE_FILE ]; }

# The mirror this machine already uses for Debian itself, whichever format its sources are written in; needs package lists.
own_mirror() {
    # shellcheck disable=SC2016 # apt expands this
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' 'Component: main' |
        head -n 1
}

add_next_release() {
    mirror=$(own_mirror)
    if [ -z "$mirror" ]; then
        update_lists
        mirror=$(own_mirror)
    fi
    [ -n "$mirror" ] || die "apt reaches no source for Debian 12's main component ($(first_complaint)): mend \`/etc/apt/sources.list.d\`, then run \`$SELF\` again"
    # The pin comes first: a source without it would offer the whole release to the next upgrade.
    cat >$PIN_FILE <<PIN
# Only the engine and its plugins come from $NEXT_RELEASE; everything else stays on this machine's release.
Package: *
Pin: release o=Debian,n=$NEXT_RELEASE
Pin-Priority: -1

Package: $NEXT_RELEASE_PACKAGES
Pin: release o=Debian,n=$NEXT_RELEASE
Pin-Priority: 990
PIN
    # Whoever else asks apt meanwhile sees it whole.
    cat >$SOURCE_FILE.new <<SOURCE
Types: deb
URIs: $mirror
Suites: $NEXT_RELEASE
Components: main
Targets: Packages
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
    mv $SOURCE_FILE.new $SOURCE_FILE
}

# Keeps package scripts from starting services where no systemd does it; an administrator's own policy stays.
forbid_service_starts() {
    if runs_systemd || [ -e $POLICY ]; then return 0; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >$POLICY
    chmod 755 $POLICY
}

allow_service_starts() {
    if grep -qsF "$POLICY_MARK" $POLICY; then rm -f $POLICY; fi
}

apt() {
    apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
        "$@" >>$INSTALL_LOG 2>&1 9>&- </dev/null
}

# The line of apt's log that names the source and what is wrong with it.
first_complaint() { grep -m 1 -E '^(Err:|[EW]: )' $INSTALL_LOG || echo "see \`$INSTALL_LOG\`"; }

# Ends with what went wrong in the installation so far, its evidence first.
die_of_packages() {
    tail -n 12 $INSTALL_LOG | sed 's/^/  /' >&2
    if grep -q 'No space left on device' $INSTALL_LOG; then
        die "the disk is full: free 1 GB on \`/usr\` and \`/var\`, then run \`$SELF\` again"
    fi
    die "apt-get cannot install \`$PACKAGES\`: $(first_complaint); mend the package source (\`apt-get update\` shows it), then run \`$SELF\` again"
}

# A source this task does not need may be broken, so a failed update only counts when the installation fails too.
update_lists() { apt update || note "\`apt-get update\` failed in part: $(first_complaint)"; }

install_packages() {
    trap allow_service_starts EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    allow_service_starts # what a killed run left
    forbid_service_starts
    update_lists
    # shellcheck disable=SC2086 # a list of words
    apt install --yes --no-install-recommends $PACKAGES || die_of_packages
    allow_service_starts
}

# ---- kernel and daemon options ----

# daemon_option KEY: succeeds when the user's own daemon configuration speaks of it; dockerd refuses to hear it twice.
daemon_option() { grep -qs "\"$1\"" $DAEMON_CONFIG; }

data_root() {
    root=$(sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' $DAEMON_CONFIG 2>/dev/null) || root=
    echo "${root:-/var/lib/docker}"
}

# union_mounts COMMAND...: tries a union mount where images will live.
union_mounts() {
    trial=$(mktemp -d "$(data_root)/trial.XXXXXX")
    mkdir "$trial/lower" "$trial/upper" "$trial/work" "$trial/merged"
    worked=1
    if "$@" -o "lowerdir=$trial/lower,upperdir=$trial/upper,workdir=$trial/work" "$trial/merged" >>$ENGINE_LOG 2>&1; then
        if touch "$trial/merged/file"; then worked=0; fi
        umount "$trial/merged"
    fi
    rm -rf "$trial"
    return $worked
}

# Adds the storage driver to OPTIONS. A data root in use keeps the driver its images are in.
choose_storage() {
    mkdir -p "$(data_root)"
    if daemon_option storage-driver || [ -d "$(data_root)/image" ]; then return 0; fi
    if union_mounts mount -t overlay overlay; then
        driver=overlay2
    elif has_fuse && union_mounts fuse-overlayfs; then
        driver=fuse-overlayfs
        note "the kernel refuses overlay mounts in \`$(data_root)\`: storage driver fuse-overlayfs (slower)"
    else
        driver=vfs
        note "neither overlay nor fuse-overlayfs mounts in \`$(data_root)\`: storage driver vfs (slow, every layer is a full copy)"
    fi
    OPTIONS="$OPTIONS --storage-driver=$driver"
}

has_fuse() {
    [ -e /dev/fuse ] || return 1
    has fuse-overlayfs || apt install --yes --no-install-recommends fuse-overlayfs
}

# filters IPTABLES: tries, in a network namespace of its own, the kinds of rule the engine writes.
filters() {
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --net sh -ec '
        "$1" -t nat -N TRIAL
        "$1" -t nat -A TRIAL -m addrtype --dst-type LOCAL -j RETURN
        "$1" -t nat -A POSTROUTING ! -o lo -j MASQUERADE
        "$1" -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' sh "$1" >>$ENGINE_LOG 2>&1
}

# Makes `iptables` the variant this kernel understands, or tells the engine to do without.
choose_iptables() {
    if daemon_option iptables; then return 0; fi
    if ! filters iptables; then
        for variant in iptables-nft iptables-legacy; do
            if filters $variant; then
                update-alternatives --set iptables "/usr/sbin/$variant" >>$ENGINE_LOG 2>&1
                note "this kernel understands \`$variant\`: made it the machine's iptables"
                break
            fi
        done
    fi
    if ! filters iptables; then
        OPTIONS="$OPTIONS --iptables=false"
        note "the kernel filters no packets for iptables: containers reach nothing outside unless they use the host's network"
    fi
    if ! daemon_option ip6tables && ! filters ip6tables; then
        OPTIONS="$OPTIONS --ip6tables=false"
    fi
}

# Containers must not send larger packets than the way out carries; user-made networks do not inherit --mtu.
choose_mtu() {
    device=$(ip -4 route show default 2>/dev/null | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
    if [ -z "$device" ]; then device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route); fi
    if [ -z "$device" ] || daemon_option mtu; then return 0; fi
    mtu=$(cat "/sys/class/net/$device/mtu")
    if [ "$mtu" -ge 1500 ]; then return 0; fi
    OPTIONS="$OPTIONS --mtu=$mtu"
    if ! daemon_option default-network-opts; then
        OPTIONS="$OPTIONS --default-network-opt=bridge=com.docker.network.driver.mtu=$mtu"
    fi
}

check_dns() {
    if [ -e /run/systemd/resolve/resolv.conf ] || daemon_option dns; then return 0; fi
    if ! grep -E '^nameserver' /etc/resolv.conf 2>/dev/null | grep -qvE '[[:space:]](127\.|::1)'; then
        note "\`/etc/resolv.conf\` names no server that containers can reach: set \"dns\" in \`$DAEMON_CONFIG\` if builds cannot resolve names"
    fi
}

# Without an init system nobody may have mounted control groups, or this shell sits in a group that must have none.
prepare_cgroups() {
    groups=/sys/fs/cgroup
    if ! grep -qE ' cgroup2? ' /proc/mounts; then
        mount -t cgroup2 cgroup2 $groups || die "control groups are not mounted and \`mount -t cgroup2 cgroup2 $groups\` fails: use a kernel or container that allows it"
        note "mounted control groups (version 2) at \`$groups\`"
    fi
    [ -e $groups/cgroup.subtree_control ] || return 0 # version 1 or hybrid: nothing to delegate
    controllers=$(sed 's/\([a-z]\)/+\1/; s/ \([a-z]\)/ +\1/g' $groups/cgroup.controllers)
    if ! echo "$controllers" 2>/dev/null >$groups/cgroup.subtree_control; then
        mkdir -p $groups/init
        while read -r process; do
            echo "$process" >$groups/init/cgroup.procs || note "process $process stays in the root control group"
        done <$groups/cgroup.procs
        echo "$controllers" >$groups/cgroup.subtree_control || note "control groups cannot be delegated: limits of containers may not hold"
    fi
}

# ---- start and stop ----

choose_options() {
    OPTIONS=
    choose_storage
    choose_iptables
    choose_mtu
    check_dns
}

start_engine() {
    touch $ENGINE_LOG
    choose_options
    if runs_systemd; then start_with_systemd; else start_alone; fi
    wait_for_engine
}

# The unit's own command line with OPTIONS appended goes into a drop-in; package upgrades leave that alone.
start_with_systemd() {
    ENGINE_PID=
    if [ -n "$OPTIONS" ]; then
        unit=$(systemctl show --property FragmentPath --value docker.service)
        mkdir -p "${DROP_IN%/*}"
        printf '[Service]\nExecStart=\nExecStart=%s%s\n' "$(sed -n 's/^ExecStart=//p' "$unit")" "$OPTIONS" >$DROP_IN
        systemctl daemon-reload
    fi
    systemctl enable docker.service >>$ENGINE_LOG 2>&1
    if [ -n "$OPTIONS" ] || engine_silent; then
        systemctl restart docker.service >>$ENGINE_LOG 2>&1 || die_of_start "\`systemctl status docker.service\` says why"
    fi
}

start_alone() {
    prepare_cgroups
    forget_dead dockerd /var/run/docker.pid
    forget_dead containerd /var/run/docker/containerd/containerd.pid
    runs_process containerd || rm -f /run/containerd/containerd.sock
    # shellcheck disable=SC2086 # a list of words
    setsid dockerd $OPTIONS </dev/null >>$ENGINE_LOG 2>&1 9>&- &
    ENGINE_PID=$!
    echo $ENGINE_PID >$PID_FILE
}

# forget_dead NAME FILE: after a crash the number in a pid file may belong to another program, which stops a new start.
forget_dead() {
    if [ -s "$2" ] && ! is_running "$(cat "$2")" "$1"; then rm -f "$2"; fi
}

# is_running PID [NAME]: that process lives (under that name); one that only waits to be reaped does not.
is_running() {
    awk -v name="${2:-}" '
        $1 == "Name:" { named = name == "" || $2 == name }
        $1 == "State:" { dead = $2 == "Z" || $2 == "X" }
        END { exit !(named && !dead) }' "/proc/$1/status" 2>/dev/null
}

runs_process() { grep -qsx "$1" /proc/[0-9]*/comm; }

socket_answers() { timeout 5 docker --host "unix://$SOCKET" version >/dev/null 2>&1; }

wait_for_engine() {
    waited=0
    until socket_answers; do
        if [ -n "$ENGINE_PID" ] && ! is_running "$ENGINE_PID"; then die_of_start "it ended"; fi
        [ $waited -lt $((START_DEADLINE_S * 10)) ] || die_of_start "no answer on \`$SOCKET\` in $START_DEADLINE_S s"
        sleep 0.1
        waited=$((waited + 1))
    done
}

die_of_start() {
    tail -n 12 $ENGINE_LOG | sed 's/^/  /' >&2
    if [ -n "$ENGINE_PID" ] && is_running "$ENGINE_PID"; then kill "$ENGINE_PID"; fi
    rm -f $PID_FILE
    die "the engine did not start ($1): mend what \`$ENGINE_LOG\` shows, then run \`$SELF\` again"
}

stop() {
    is_root || die "stopping the engine needs root: run \`sudo sh $0 stop\`"
    [ -s $PID_FILE ] || { note "no engine that this script started"; return 0; }
    pid=$(cat $PID_FILE)
    if is_running "$pid" dockerd; then
        echo "step: stop the engine (process $pid)"
        kill "$pid"
        waited=0
        while is_running "$pid" dockerd; do
            [ $waited -lt $((START_DEADLINE_S * 10)) ] || die "the engine (process $pid) did not end in $START_DEADLINE_S s: \`kill -9 $pid\` ends it, containers included"
            sleep 0.1
            waited=$((waited + 1))
        done
    fi
    rm -f $PID_FILE
}

# ---- the whole way ----

steps() {
    step next_release_wanted "add Debian $NEXT_RELEASE as a package source for $NEXT_RELEASE_PACKAGES only (\`$SOURCE_FILE\`)" add_next_release
    step packages_wanted "install $PACKAGES (apt-get)" install_packages
    step start_wanted "start the engine" start_engine
}

nothing_to_do() { [ -z "$PACKAGES" ] && engine_answers; }

survey() {
    check_environment
    read_distribution
    choose_packages
}

check_room() {
    packages_wanted || return 0
    for place in /usr /var; do
        free=$(df -Pk $place | awk 'NR == 2 { print $4 }')
        [ "$free" -ge $FREE_KIB_NEEDED ] || die "$((free / 1024)) MB free on \`$place\`, 1 GB is needed: free some, then run \`$SELF\` again"
    done
}

# begin WHAT: makes this the only installation under way.
begin() {
    is_root || die "installing $1 needs root: run \`sudo $SELF\`"
    exec 9>$LOCK_FILE
    flock --timeout 600 9 || die "another installation has held \`$LOCK_FILE\` for 10 minutes: end it, then run \`$SELF\` again"
    : >$INSTALL_LOG
}

install() {
    survey
    if nothing_to_do; then return 0; fi
    begin "an engine"
    survey # another run may have done it all meanwhile
    check_room
    steps
    survey
    nothing_to_do || die "after installation these are still too old or missing: ${PACKAGES:-engine}; install Compose $COMPOSE_MIN+ and Buildx $BUILDX_MIN+ by hand"
}

# install_named PACKAGE...
install_named() {
    PACKAGES=$*
    begin "\`$PACKAGES\`"
    check_room
    step packages_wanted "install $PACKAGES (apt-get)" install_packages
}

MODE=${1:-}
case $MODE in
plan)
    survey
    steps
    ;;
install) install ;;
packages)
    shift
    install_named "$@"
    ;;
stop) stop ;;
*) die "usage: install-engine.sh plan | install | packages NAME... | stop" ;;
esac
