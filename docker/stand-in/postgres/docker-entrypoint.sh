#!/bin/bash
# Makes a database cluster in $PGDATA when there is none, from POSTGRES_* variables and the files in
# /docker-entrypoint-initdb.d, then becomes postgres. As root it first gives the folders to the user `postgres`.
set -eo pipefail # not -u: `*.sh` of a project are read into this shell

INIT_FOLDER=/docker-entrypoint-initdb.d
SOCKET_FOLDER=/var/run/postgresql

say() { echo "$0: $*"; }

die() {
    say "error: $*" >&2
    exit 1
}

# from_file NAME: takes NAME from the file that NAME_FILE names; both at once contradict each other.
from_file() {
    local name=$1 file_name=$1_FILE
    if [ -n "${!file_name}" ]; then
        [ -z "${!name}" ] || die "$name and $file_name are both set"
        export "$name=$(<"${!file_name}")"
    fi
    unset "$file_name"
}

# only_asks ARGUMENT...: the server would print something about itself and needs no cluster.
only_asks() {
    local argument
    for argument; do
        case $argument in
        -\? | --help | --describe-config | -V | --version) return 0 ;;
        esac
    done
    return 1
}

# Folders that mounts may have brought as root's. Runs as root, then again as postgres; only an owner changes the mode,
# which needs no capability.
prepare_folders() {
    mkdir -p "$PGDATA" $SOCKET_FOLDER ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"}
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" $SOCKET_FOLDER ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} \! -user postgres -exec chown postgres '{}' +
    fi
    if [ -O "$PGDATA" ]; then chmod 0700 "$PGDATA"; fi
    if [ -O $SOCKET_FOLDER ]; then chmod 3775 $SOCKET_FOLDER; fi
}

read_environment() {
    local name
    for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file $name; done
    export POSTGRES_USER=${POSTGRES_USER:-postgres}
    export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        die "a new database needs POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE (POSTGRES_HOST_AUTH_METHOD=trust lets anyone in)"
    fi
}

# read_arguments: the project's arguments for initdb in `initdb_arguments`, and `sync`: whether what is made here is to be on the disk
# before anything else happens, which one of them may decline.
read_arguments() {
    local argument
    eval "initdb_arguments=($POSTGRES_INITDB_ARGS)" # words as a shell would split them
    sync=on
    for argument in "${initdb_arguments[@]}"; do
        case $argument in -N | --no-sync) sync=off ;; esac
    done
    if [ -n "$POSTGRES_INITDB_WALDIR" ]; then initdb_arguments+=(--waldir "$POSTGRES_INITDB_WALDIR"); fi
}

# make_cluster OPTION...: an empty cluster; network clients authenticate by the method the server's options choose.
make_cluster() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-}
    initdb --username "$POSTGRES_USER" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") "${initdb_arguments[@]}"
    if [ -z "$method" ]; then method=$(postgres -C password_encryption "$@"); fi
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# run_sql [ARGUMENT...]: psql as the owner, over the socket, stopping at the first error.
run_sql() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"
}

# make_database OPTION...: the project's database. No server has to be started for it: the program does it alone, as the cluster's owner,
# and ends with an error where it cannot.
make_database() {
    [ "$POSTGRES_DB" != postgres ] || return 0
    echo "CREATE DATABASE \"${POSTGRES_DB//\"/\"\"}\"" | postgres --single -c fsync="$sync" "$@" -c exit_on_error=on postgres >/dev/null
}

has_init_files() {
    local files=("$INIT_FOLDER"/*)
    [ -e "${files[0]}" ]
}

run_init_files() {
    local file
    for file in "$INIT_FOLDER"/*; do
        case $file in
        *.sh)
            say "running $file"
            # shellcheck source=/dev/null
            if [ -x "$file" ]; then "$file"; else . "$file"; fi
            ;;
        *.sql) say "running $file" && run_sql --dbname "$POSTGRES_DB" --file "$file" ;;
        *.sql.gz) say "running $file" && gunzip --stdout "$file" | run_sql --dbname "$POSTGRES_DB" ;;
        *.sql.xz) say "running $file" && xzcat "$file" | run_sql --dbname "$POSTGRES_DB" ;;
        *.sql.zst) say "running $file" && zstd --decompress --stdout "$file" | run_sql --dbname "$POSTGRES_DB" ;;
        *) say "ignoring $file" ;;
        esac
    done
}

# initialise OPTION...: the cluster, its database, and the project's files with a server that no network client reaches.
initialise() {
    local initdb_arguments=() sync
    read_environment
    read_arguments
    make_cluster "$@"
    make_database "$@"
    if has_init_files; then
        export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
        pg_ctl start --wait --silent --options "$(printf '%q ' -c fsync="$sync" "$@" -c listen_addresses=)"
        run_init_files
        pg_ctl stop --wait --silent --mode fast
    fi
    unset PGPASSWORD POSTGRES_PASSWORD # the server and its children need neither
    say "database \`$POSTGRES_DB\` is made, starting the server"
}

case ${1:-} in
-*) set -- postgres "$@" ;;
esac

if [ "$1" = postgres ] && ! only_asks "$@"; then
    prepare_folders
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    if [ -s "$PGDATA/PG_VERSION" ]; then
        say "$PGDATA holds a database, nothing to initialise"
    else
        initialise "${@:2}"
    fi
fi
exec "$@"
