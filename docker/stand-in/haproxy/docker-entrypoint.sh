#!/bin/sh
# Arguments that are options are haproxy's own; it runs in the foreground with a master that reloads on SIGUSR2.
set -eu
case ${1:-} in
-*) set -- haproxy "$@" ;;
esac
if [ "${1:-}" = haproxy ]; then
    shift
    set -- haproxy -W -db "$@"
fi
exec "$@"
