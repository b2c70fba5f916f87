//! Secret values: a type that cannot be printed by accident. How values are made, judged and kept in files lives in the modules
//! below; which secrets there are is the stack's business, and asking for or handing out values the tasks'.

pub mod archive;
pub mod folder;
pub mod forms;
pub mod judge;
pub mod random;
pub mod search;

use std::fmt;

/// A secret's value. Debug and Display print `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Vec<u8>);

impl Value {
    /// Wraps a value.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The value itself, for the one place it must go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_printed() {
        let value = Value::new("hunter2");
        assert_eq!(format!("{value} {value:?}"), "[redacted] [redacted]");
    }
}
