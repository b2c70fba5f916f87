#!/bin/sh
# The command of the development image: builds and runs the backend from the source in the working directory, and does both again
# when the source changes. It looks for changes every second, because a bind mount does not report those made on the host on every
# system. A debugger can attach to the running program through the port DEBUG_PORT.
#
# What the service does and how the image is built are said elsewhere.
set -eu

debug_port=${DEBUG_PORT:-9229}
program=$CARGO_TARGET_DIR/release/backend
backend=
debugger=

# A fingerprint of all that goes into the program.
fingerprint() {
    find Cargo.toml Cargo.lock docker/backend/Cargo.toml docker/backend/src docker/backend/migrations \
        -type f -printf '%p %s %T@\n' | sort | cksum
}

# A shell handles signals while it waits, but not while it runs a command: all that takes time is waited for.
build() {
    cargo --config docker/backend/development.toml build --locked --release --package backend &
    wait $!
}

start() {
    "$program" serve &
    backend=$!
}

# A debugger connects with `target extended-remote` and then attaches to the backend by its process id.
listen_for_debuggers() {
    gdbserver --multi "0.0.0.0:$debug_port" &
    debugger=$!
}

is_running() {
    [ -n "$1" ] && kill -0 "$1" 2>/dev/null
}

# Ends the program as its container would be ended, and waits for it.
stop() {
    if is_running "$backend"; then
        kill -TERM "$backend"
        wait "$backend" || echo "development: the backend ended with code $?" >&2
    fi
    backend=
}

finish() {
    stop
    exit 0
}

trap finish TERM INT
seen=
while true; do
    now=$(fingerprint)
    if [ "$now" != "$seen" ]; then
        seen=$now
        # The program in use goes on serving while its successor is built, and stays if that does not build.
        if build; then
            stop
            start
        else
            echo "development: the build failed; waiting for a change" >&2
        fi
    fi
    # The debug server may end with its last connection.
    is_running "$debugger" || listen_for_debuggers
    sleep 1 &
    wait $!
done
