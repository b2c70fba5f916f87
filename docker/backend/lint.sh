#!/bin/sh
# Stands in for the compiler of this crate (RUSTC_WORKSPACE_WRAPPER). The tests are compiled by Clippy: types, lints and tests in one
# pass, where `cargo clippy` would look at every dependency once more, for a minute, to find the same. The program is compiled by the
# compiler itself, since Clippy leaves optimisations out. Both get the C library linked into them: the image has none.
set -eu
case " $* " in
*" --crate-name backend "*" --test "*) exec clippy-driver "$@" --deny warnings -C target-feature=+crt-static ;;
*" --crate-name backend "*) exec "$@" -C target-feature=+crt-static ;;
*) exec "$@" ;; # Cargo asks what the compiler is and can
esac
