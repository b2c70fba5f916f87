#!/bin/sh
# Gives the broker's folders to the user it drops to, then starts the command.
set -eu
if [ "$(id -u)" = 0 ]; then chown -R mosquitto:mosquitto /mosquitto; fi
exec "$@"
