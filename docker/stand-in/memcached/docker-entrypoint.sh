#!/bin/sh
# Arguments that are options are memcached's own.
set -eu
case ${1:-} in
-*) set -- memcached "$@" ;;
esac
exec "$@"
