#!/bin/sh
# Makes the password file from the backend's secret and from a password for the health check that nobody else knows and that ends with
# this container, then starts the broker. The passwords stand in files of the memory only, never in an argument: printf is the
# shell's own.
set -eu
umask 077

passwords=/tmp/passwords
probe=$(head -c 18 /dev/urandom | base64)
printf 'backend:%s\nhealth:%s\n' "$(cat /run/secrets/mqtt_password)" "$probe" >"$passwords"
mosquitto_passwd -U "$passwords"

mkdir -p "$XDG_CONFIG_HOME"
printf '%s\n' '-h localhost' '-p 8883' '--cafile /run/secrets/authority_certificate' '-u health' "-P $probe" \
    >"$XDG_CONFIG_HOME/mosquitto_sub"

exec "$@"
