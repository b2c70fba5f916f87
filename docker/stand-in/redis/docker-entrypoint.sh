#!/bin/sh
# Starts redis-server (arguments that are options or a configuration file are its own) as the user `redis`.
set -eu

case ${1:-} in
-* | *.conf) set -- redis-server "$@" ;;
esac

# settles NAME ARGUMENT...: an argument, or the configuration file among them, speaks of this setting.
settles() {
    name=$1
    shift
    for argument in "$@"; do
        case $argument in
        --"$name") return 0 ;;
        *.conf) if grep -qs "^[[:space:]]*${name}[[:space:]]" "$argument"; then return 0; fi ;;
        esac
    done
    return 1
}

if [ "${1:-}" = redis-server ]; then
    # The upstream image answers other containers without further configuration.
    settles protected-mode "$@" || set -- "$@" --protected-mode no
    if [ "$(id -u)" = 0 ]; then
        find . \! -user redis -exec chown redis '{}' +
        exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
    fi
    umask 0077
fi
exec "$@"
