//! The environments a project is run in.

use clap::ValueEnum;

/// Which overlay and variables a stack is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// The development overlay
    #[value(alias = "dev")]
    Development,
    /// The production overlay
    #[value(alias = "prod")]
    Production,
}

impl Environment {
    /// The full name, as it stands in file names such as `.env.production`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }

    /// The prefix of this environment's tasks.
    pub fn short(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Production => "prod",
        }
    }
}
