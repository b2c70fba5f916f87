#!/bin/sh
# Stands in for the compiler of this crate while its tests are built (RUSTC_WORKSPACE_WRAPPER), and has Clippy compile instead:
# types, lints and tests in one pass. `cargo clippy` would look at every dependency once more, for a minute, to find the same.
set -eu
exec clippy-driver "$@" --deny warnings
