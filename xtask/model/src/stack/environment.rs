//! The environments a project is run in.

/// Which overlay and variables a stack is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The development overlay.
    Development,
    /// The production overlay.
    Production,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Development, Self::Production];

    /// The one with this full or short name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|environment| name == environment.name() || name == environment.short())
    }

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
