//! `cargo-xtask`: the program as Cargo finds it when it is installed, so that `cargo xtask` works in any repository.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
