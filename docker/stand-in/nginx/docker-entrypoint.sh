#!/bin/sh
# Runs the scripts in /docker-entrypoint.d, in order of their names, before nginx starts; any other command starts at once.
# `*.envsh` are read into this shell and may set variables for the scripts after them; `*.sh` are run when executable.
set -e # not -u: `*.envsh` of a project run in this shell

say() { [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"; }

case ${1:-} in
nginx | nginx-debug)
    for script in /docker-entrypoint.d/*; do
        case $script in
        *.envsh)
            say "reading $script"
            # shellcheck source=/dev/null
            . "$script"
            ;;
        *.sh)
            if [ -x "$script" ]; then
                say "running $script"
                "$script"
            else
                say "ignoring $script, not executable"
            fi
            ;;
        *) say "ignoring $script" ;;
        esac
    done
    ;;
esac
exec "$@"
