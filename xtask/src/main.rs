//! `xtask`: the program as a Cargo workspace runs it, through the alias in `.cargo/config.toml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
