#!/bin/sh
# Lets a container take node's own arguments (`docker run node -e …`, `docker run node app.js`) or any other command.
set -eu
case ${1:-} in
-*) set -- node "$@" ;;
*)
    program=$(command -v "${1:-node}") || program=
    # A script that is not executable is node's to read.
    if [ ! -x "$program" ]; then set -- node "$@"; fi
    ;;
esac
exec "$@"
