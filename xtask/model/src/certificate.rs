//! Certificates as openssl shows them: the arguments that make it show one, and what it prints as typed data. Running it, and
//! making certificates, is the tasks'.

use std::fmt;
use std::net::IpAddr;

use crate::moment::Moment;

/// What follows `openssl x509` for [`Certificate::parse`] to read what it prints; before it the certificate, on stdin or with
/// `-in FILE`. Names are written in one way by every version.
pub const SHOW: [&str; 7] =
    ["-noout", "-subject", "-issuer", "-dates", "-ext=subjectAltName", "-nameopt", "RFC2253,utf8,-esc_msb"];

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is about, such as `CN=queue,O=Example`.
    pub subject: String,
    /// Who signed it, in the same way.
    pub issuer: String,
    /// What clients may know its owner by: the subject's alternative names. A common name counts for nobody any more.
    pub names: Vec<Name>,
    /// The first moment at which it is valid.
    pub not_before: Moment,
    /// The last moment at which it is valid.
    pub not_after: Moment,
}

/// A name that a certificate is valid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A host's name; its first label may be `*`.
    Host(String),
    /// An address.
    Address(IpAddr),
    /// Something else, such as `URI:spiffe://a/b`.
    Other(String),
}

/// What is wrong with what openssl printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "openssl shows no `{}` of the certificate", self.0)
    }
}

impl Certificate {
    /// Reads what `openssl x509` prints with [`SHOW`].
    ///
    /// # Errors
    /// A part that is missing or no such thing.
    pub fn parse(printed: &str) -> Result<Self, Unreadable> {
        let find = |key: &str| printed.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim);
        let part = |key: &str| find(key).ok_or_else(|| Unreadable(key.to_owned()));
        let moment = |key: &str| part(key).and_then(|text| Moment::parse(text).ok_or_else(|| Unreadable(key.to_owned())));
        Ok(Self {
            subject: part("subject")?.to_owned(),
            issuer: part("issuer")?.to_owned(),
            names: names(printed),
            not_before: moment("notBefore")?,
            not_after: moment("notAfter")?,
        })
    }

    /// Whole days that it is still valid at a moment; negative once it has expired.
    pub fn days_left(&self, now: Moment) -> i64 {
        now.days_until(self.not_after)
    }

    /// Whether it is valid at a moment.
    pub fn is_valid_at(&self, now: Moment) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether it is valid for a host's name or address.
    pub fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| name.is_for(host))
    }
}

impl Name {
    /// Reads what openssl prints of one name.
    fn parse(printed: &str) -> Self {
        let host = printed.strip_prefix("DNS:").map(|host| Self::Host(host.to_owned()));
        let address = || Some(Self::Address(printed.strip_prefix("IP Address:")?.parse().ok()?));
        host.or_else(address).unwrap_or_else(|| Self::Other(printed.to_owned()))
    }

    /// Whether it stands for a host's name or address. `*.a.b` stands for one label: `x.a.b`, neither `a.b` nor `y.x.a.b`.
    fn is_for(&self, host: &str) -> bool {
        match self {
            Self::Address(address) => host.parse() == Ok(*address),
            Self::Host(name) => match (name.strip_prefix("*."), host.split_once('.')) {
                (Some(domain), Some((label, rest))) => !label.is_empty() && domain.eq_ignore_ascii_case(rest),
                (Some(_), None) => false,
                (None, _) => name.eq_ignore_ascii_case(host),
            },
            Self::Other(_) => false,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) | Self::Other(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// The names stand in the line after their heading; a certificate without any has neither.
fn names(printed: &str) -> Vec<Name> {
    let mut lines = printed.lines().skip_while(|line| !line.starts_with("X509v3 Subject Alternative Name:")).skip(1);
    let names = lines.next().unwrap_or_default().split(", ").map(str::trim);
    names.filter(|name| !name.is_empty()).map(Name::parse).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRINTED: &str = "\
subject=CN=queue,O=Example\\, Inc.
issuer=CN=Example CA
notBefore=Nov 21 07:07:12 2026 GMT
notAfter=Dec  1 07:07:12 2026 GMT
X509v3 Subject Alternative Name: 
    DNS:queue, DNS:*.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://a/b
";

    fn certificate() -> Certificate {
        Certificate::parse(PRINTED).expect("readable")
    }

    fn at(text: &str) -> Moment {
        Moment::parse(text).expect("a moment")
    }

    #[test]
    fn every_part_is_read() {
        let certificate = certificate();
        assert_eq!(certificate.subject, "CN=queue,O=Example\\, Inc.");
        assert_eq!(certificate.issuer, "CN=Example CA");
        assert_eq!(certificate.not_before.to_string(), "2026-11-21T07:07:12Z");
        assert_eq!(certificate.not_after.to_string(), "2026-12-01T07:07:12Z");
        let names: Vec<String> = certificate.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["queue", "*.example.org", "127.0.0.1", "::1", "URI:spiffe://a/b"]);
    }

    #[test]
    fn one_without_names_has_none() {
        let without = PRINTED.lines().take(4).collect::<Vec<_>>().join("\n");
        assert_eq!(Certificate::parse(&without).expect("readable").names, []);
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |printed: &str| Certificate::parse(printed).expect_err("unreadable").to_string();
        assert_eq!(told(""), "openssl shows no `subject` of the certificate");
        assert_eq!(told(&PRINTED.replace("Dec  1", "Someday")), "openssl shows no `notAfter` of the certificate");
    }

    #[test]
    fn days_left_are_whole_and_end() {
        let certificate = certificate();
        assert_eq!(certificate.days_left(at("Nov 21 07:07:12 2026 GMT")), 10);
        assert_eq!(certificate.days_left(at("Nov 30 07:07:13 2026 GMT")), 0);
        assert_eq!(certificate.days_left(at("Dec  1 07:07:13 2026 GMT")), -1);
        assert!(certificate.is_valid_at(at("Dec  1 07:07:12 2026 GMT")));
        assert!(!certificate.is_valid_at(at("Dec  1 07:07:13 2026 GMT")));
        assert!(!certificate.is_valid_at(at("Nov 21 07:07:11 2026 GMT")));
    }

    #[test]
    fn names_and_addresses_are_matched() {
        let certificate = certificate();
        for host in ["queue", "QUEUE", "a.example.org", "127.0.0.1", "::1"] {
            assert!(certificate.is_for(host), "{host}");
        }
        for host in ["example.org", "b.a.example.org", ".example.org", "127.0.0.2", "spiffe://a/b", "*", ""] {
            assert!(!certificate.is_for(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn nothing_printed_makes_it_panic(before in ".*", after in ".*", host in ".*") {
            let _any = Certificate::parse(&format!("{before}\n{PRINTED}\n{after}")).map(|certificate| certificate.is_for(&host));
            let _any = Certificate::parse(&after);
        }
    }
}
