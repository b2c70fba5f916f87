#!/bin/sh
# Gives the broker's files to the user it drops to, then starts the command.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R mosquitto:mosquitto /mosquitto || echo "$0: read-only files keep their owner"
fi
exec "$@"
