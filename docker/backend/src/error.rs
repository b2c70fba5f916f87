//! Why a command ended without success, and the exit code that says so. Errors of single requests live in `http::error`.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// The work was started and failed, or the backend is unhealthy.
const FAILED: u8 = 1;
/// Nothing was started: wrong usage or configuration.
const USAGE: u8 = 2;

/// Why the process ends with a code other than 0.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
    to_log: bool,
}

impl Failure {
    /// Wrong arguments or configuration: told on standard error, exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message, USAGE, false)
    }

    /// A failure before or without logging: told on standard error, exit code 1.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::new(message, FAILED, false)
    }

    /// A failure of a running service: told in its log, exit code 1.
    pub fn logged(message: impl Into<String>) -> Self {
        Self::new(message, FAILED, true)
    }

    fn new(message: impl Into<String>, code: u8, to_log: bool) -> Self {
        Self { message: message.into(), code, to_log }
    }

    /// Tells the failure where it belongs and gives the exit code.
    pub fn report(&self) -> ExitCode {
        if self.to_log {
            tracing::error!("{self}");
        } else {
            // With standard error closed, the exit code is all that is left to speak with.
            let _ = writeln!(io::stderr(), "backend: {self}");
        }
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// An error with everything that caused it, in one line: libraries keep the useful half in the source.
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Some errors already print their cause.
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        formatter.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error, &'static str);

    impl fmt::Display for Outer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.1)
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        let refused = || io::Error::other("connection refused");
        assert_eq!(Chain(&Outer(refused(), "cannot connect")).to_string(), "cannot connect: connection refused");
        assert_eq!(
            Chain(&Outer(refused(), "cannot connect (connection refused)")).to_string(),
            "cannot connect (connection refused)"
        );
    }
}
