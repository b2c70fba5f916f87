//! Where Redis is and who asks it, as a URL says it.

use percent_encoding::percent_decode_str;

/// The port that Redis listens on unless told otherwise.
const PORT: u16 = 6379;

/// A URL taken apart.
#[derive(Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Address {
    /// A name or an address, without brackets.
    pub host: String,
    /// 6379 if the URL names none.
    pub port: u16,
    /// The user; none for the default one.
    pub user: Option<String>,
    /// The password, if one is to be sent.
    pub password: Option<String>,
    /// The number of the database; none for the first.
    pub database: Option<u32>,
}

impl Address {
    /// Takes `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]` apart.
    ///
    /// # Errors
    /// What is wrong with it, without its secrets.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let rest = url.strip_prefix("redis://").ok_or("it does not begin with `redis://`")?;
        if rest.contains(['?', '#']) {
            return Err("it has a query or a fragment");
        }
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = host_and_port(place)?;
        let database = match database {
            "" => None,
            number => Some(number.parse().map_err(|_| "its database is no number")?),
        };
        Ok(Self { host, port, user: decoded(user)?, password: decoded(password)?, database })
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), &'static str> {
    // The colons of an address in brackets are its own.
    let (host, port) = match place.strip_prefix('[').map(|place| place.split_once(']').ok_or("a bracket is not closed")) {
        Some(parts) => {
            let (host, rest) = parts?;
            (host, rest.strip_prefix(':').map_or_else(|| rest.is_empty().then_some("").ok_or("it has no port"), Ok)?)
        }
        None => place.split_once(':').unwrap_or((place, "")),
    };
    if host.is_empty() {
        return Err("it names no host");
    }
    let port = if port.is_empty() { PORT } else { port.parse().map_err(|_| "its port is none")? };
    Ok((host.to_owned(), port))
}

/// A part without its percent signs; none if it is empty.
fn decoded(part: &str) -> Result<Option<String>, &'static str> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| "its user or password is not UTF-8")?;
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port, ..Address::default() }
    }

    #[test]
    fn a_url_is_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        for (url, expected) in [
            ("redis://cache", at("cache", 6379)),
            ("redis://cache:7000/", at("cache", 7000)),
            ("redis://[::1]", at("::1", 6379)),
            ("redis://[::1]:7000/2", Address { database: Some(2), ..at("::1", 7000) }),
            ("redis://:p%40ss:word@cache", Address { password: some("p@ss:word"), ..at("cache", 6379) }),
            (
                "redis://app:p@ss@cache/0",
                Address { user: some("app"), password: some("p@ss"), database: Some(0), ..at("cache", 6379) },
            ),
        ] {
            assert_eq!(Address::parse(url).as_ref(), Ok(&expected), "{url}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for url in [
            "rediss://cache",
            "redis://",
            "redis://:7000",
            "redis://[::1",
            "redis://[::1]7000",
            "redis://cache:port",
            "redis://cache:70000",
            "redis://cache/main",
            "redis://cache/1/2",
            "redis://cache?protocol=resp3",
            "redis://:%ff@cache",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
