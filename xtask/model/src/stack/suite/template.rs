//! Text with placeholders for what is known only once services run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::undoubled;

/// A value with placeholders in braces; a brace that is meant stands twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(Placeholder),
}

/// What stands in for something that is known later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// Where a port of a service is reached from this machine.
    Address {
        /// The service.
        service: String,
        /// The container's port.
        port: u16,
        /// What of the address is wanted.
        part: Part,
    },
    /// The path of a file that holds a secret's value.
    Secret(String),
}

/// A part of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `HOST:PORT`
    Whole,
    /// The host
    Host,
    /// The port
    Port,
}

impl Template {
    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Placeholder(placeholder) => Some(placeholder),
        })
    }

    /// The text, with each placeholder replaced by what `fill` gives for it.
    ///
    /// # Errors
    /// The first that `fill` gives.
    pub fn filled<E>(&self, mut fill: impl FnMut(&Placeholder) -> Result<String, E>) -> Result<String, E> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Placeholder(placeholder) => fill(placeholder),
        };
        self.0.iter().map(text).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let Some((inner, after)) = rest.split_once('}').filter(|_| brace == "{") else {
                return Err(format!("a lone `{brace}` in `{text}`; write `{brace}{brace}` where a brace is meant"));
            };
            pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
            pieces.push(Piece::Placeholder(inner.parse()?));
            rest = after;
        }
        plain.push_str(rest);
        pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
        Ok(Self(pieces))
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        undoubled(&String::deserialize(from)?).parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Placeholder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{{{text}}}` is no placeholder; known are `{{SERVICE:PORT}}`, `{{SERVICE:PORT.host}}`, `{{SERVICE:PORT.port}}` \
                     and `{{secret:NAME}}`"
            )
        };
        let (name, rest) = text.split_once(':').filter(|(name, rest)| !name.is_empty() && !rest.is_empty()).ok_or_else(wrong)?;
        if name == "secret" {
            return Ok(Self::Secret(rest.to_owned()));
        }
        let (port, part) = match rest.split_once('.') {
            None => (rest, Part::Whole),
            Some((port, "host")) => (port, Part::Host),
            Some((port, "port")) => (port, Part::Port),
            Some(_) => return Err(wrong()),
        };
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        Ok(Self::Address { service: name.to_owned(), port, part })
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "{{secret:{name}}}"),
            Self::Address { service, port, part } => {
                let part = match part {
                    Part::Whole => "",
                    Part::Host => ".host",
                    Part::Port => ".port",
                };
                write!(f, "{{{service}:{port}{part}}}")
            }
        }
    }
}
