//! `x-xtask` of a secret: what kind of value it is, what it is made from, and how a new one reaches the service that stores it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::certs::Request;
use super::extension::{KEY, placed};
use super::model::Stack;
use super::source::{Step, steps};
use super::suite::{arguments, undoubled};
use crate::error::Error;

/// `x-xtask` of a secret.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SecretExtension {
    /// What kind of value is made when there is none; guessed from the name if not given.
    pub generate: Option<SecretKind>,
    /// How many random bytes `hex` and `base64` have; 32 if not given.
    pub bytes: Option<u16>,
    /// How many characters `password` has; 32 if not given.
    pub length: Option<u16>,
    /// The characters of a `password`; letters and digits if not given.
    #[serde(deserialize_with = "text")]
    pub alphabet: Option<String>,
    /// The size of an `rsa` key; 3072 if not given.
    pub bits: Option<u16>,
    /// The secret that `public`, `bcrypt` and `certificate` are made from.
    pub of: Option<String>,
    /// The users in a password file, each with the secret that is its password.
    pub users: BTreeMap<String, String>,
    /// What tells a new value to the service that keeps it in its own data.
    pub rotate: Option<RotateExtension>,
    /// What a `certificate` is to say; it stands beside the services that have it.
    #[serde(skip)]
    pub certificate: Option<Request>,
}

/// A kind of secret value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SecretKind {
    /// Random bytes as hexadecimal digits
    Hex,
    /// Random bytes as Base64
    Base64,
    /// Random characters, safe in any connection string unless the alphabet says otherwise
    Password,
    /// A random UUID (version 4)
    Uuid,
    /// What a person or another program gives: nothing can be made up
    Text,
    /// An Ed25519 private key in PEM
    Ed25519,
    /// An RSA private key in PEM
    Rsa,
    /// The public key of a private one, or the certificate of an authority, in PEM
    Public,
    /// A certificate authority: its private key and its own certificate, in PEM
    Authority,
    /// A server's certificate and its private key, in PEM
    Certificate,
    /// A bcrypt hash of a password
    Bcrypt,
    /// A file of users and SHA-512 crypt hashes for HTTP basic authentication
    Htpasswd,
    /// A password file of the Mosquitto broker
    Mosquitto,
}

/// `x-xtask.rotate` of a secret that a service stores in its own data, such as the password of a database's role, or that cannot be
/// replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RotateExtension {
    /// The service that stores it. It is not restarted.
    pub service: String,
    /// The command that stores the value it is given on stdin, run in the service's container. Run twice, it does the same.
    #[serde(deserialize_with = "arguments")]
    pub run: Vec<String>,
    /// Why a new value must not simply take the old one's place, such as data that is encrypted with it.
    pub refuse: Option<String>,
}

impl SecretKind {
    /// Whether it is made from other secrets.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::Public | Self::Certificate | Self::Bcrypt | Self::Htpasswd | Self::Mosquitto)
    }

    /// Whether it is a private key in PEM, or holds one.
    pub fn is_key(self) -> bool {
        matches!(self, Self::Ed25519 | Self::Rsa | Self::Authority | Self::Certificate)
    }

    /// Whether it is one line of text, after which a line end would be a surprise.
    pub fn is_line(self) -> bool {
        matches!(self, Self::Hex | Self::Base64 | Self::Password | Self::Uuid | Self::Bcrypt)
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl SecretExtension {
    /// Random bytes of a value whose `bytes` are not declared: 256 bits.
    pub const BYTES: u16 = 32;

    /// Characters of a password whose `length` is not declared: 32 of 62 kinds are 190 bits.
    pub const LENGTH: u16 = 32;

    /// Bits of an RSA key whose `bits` are not declared: as strong as 128 bits (NIST SP 800-57 part 1, table 2).
    pub const BITS: u16 = 3072;

    /// The kind that is declared, or the one that the secret's name suggests.
    pub fn kind(&self, name: &str) -> SecretKind {
        let name = name.to_ascii_lowercase();
        let guessed = match &name {
            name if name.contains("pass") => SecretKind::Password,
            name if name.contains("uuid") => SecretKind::Uuid,
            _ => SecretKind::Hex,
        };
        self.generate.unwrap_or(guessed)
    }

    /// The secrets that it is made from.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.of.iter().chain(self.users.values()).map(String::as_str)
    }

    /// What is wrong with it and under which key, if anything.
    fn wrong(&self, name: &str, kind_of: &dyn Fn(&str) -> Option<SecretKind>) -> Option<(&'static str, String)> {
        let kind = self.kind(name);
        if let Some((key, _, kinds)) = self.keys().into_iter().find(|(_, given, kinds)| *given && !kinds.contains(&kind)) {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            return Some((key, format!("`{key}` is for secrets that are {}, and this one is `{kind}`", kinds.join(" or "))));
        }
        self.wrong_number(kind).or_else(|| self.wrong_source(kind, kind_of)).or_else(|| self.wrong_rotation(kind))
    }

    /// Every key that not all kinds know, whether it is given, and the kinds that know it.
    fn keys(&self) -> [(&'static str, bool, &'static [SecretKind]); 6] {
        use SecretKind::{Base64, Bcrypt, Certificate, Hex, Htpasswd, Mosquitto, Password, Public, Rsa};
        [
            ("bytes", self.bytes.is_some(), &[Hex, Base64]),
            ("length", self.length.is_some(), &[Password]),
            ("alphabet", self.alphabet.is_some(), &[Password]),
            ("bits", self.bits.is_some(), &[Rsa]),
            ("of", self.of.is_some(), &[Public, Bcrypt, Certificate]),
            ("users", !self.users.is_empty(), &[Htpasswd, Mosquitto]),
        ]
    }

    fn wrong_number(&self, kind: SecretKind) -> Option<(&'static str, String)> {
        if let Some(alphabet) = &self.alphabet {
            let mut letters = alphabet.as_bytes().to_vec();
            letters.sort_unstable();
            letters.dedup();
            if letters.len() != alphabet.len() || letters.len() < 2 || !letters.iter().all(u8::is_ascii_graphic) {
                return Some(("alphabet", "an alphabet is two or more different visible ASCII characters".to_owned()));
            }
        }
        let out_of = |key, number: Option<u16>, from: u16, to: u16| {
            let number = number.filter(|number| !(from..=to).contains(number))?;
            Some((key, format!("`{key}` of a `{kind}` secret is between {from} and {to}, not {number}")))
        };
        out_of("bytes", self.bytes, 1, 4096)
            .or_else(|| out_of("length", self.length, 1, 4096))
            .or_else(|| out_of("bits", self.bits, 2048, 8192))
    }

    fn wrong_source(&self, kind: SecretKind, kind_of: &dyn Fn(&str) -> Option<SecretKind>) -> Option<(&'static str, String)> {
        let (key, none) = match kind {
            SecretKind::Public | SecretKind::Bcrypt | SecretKind::Certificate => ("of", self.of.is_none()),
            SecretKind::Htpasswd | SecretKind::Mosquitto => ("users", self.users.is_empty()),
            _ => return None,
        };
        if none {
            return Some(("generate", format!("a `{kind}` secret needs `{key}`: the secrets that it is made from")));
        }
        if let Some(user) = self.users.keys().find(|user| user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()))
        {
            return Some(("users", format!("a user of a password file cannot be called `{}`", user.escape_debug())));
        }
        self.sources().find_map(|source| match kind_of(source) {
            None => Some((key, format!("no secret is called `{source}`"))),
            Some(found) => unfit(kind, found).map(|wrong| (key, format!("`{source}` is `{found}`, {wrong}"))),
        })
    }

    fn wrong_rotation(&self, kind: SecretKind) -> Option<(&'static str, String)> {
        let rotate = self.rotate.as_ref()?;
        if rotate.refuse.is_some() && (!rotate.service.is_empty() || !rotate.run.is_empty()) {
            return Some(("rotate", "`rotate` either says how (`service`, `run`) or why not (`refuse`)".to_owned()));
        }
        if rotate.refuse.is_some() {
            return None;
        }
        if rotate.service.is_empty() || rotate.run.first().is_none_or(String::is_empty) {
            return Some(("rotate", "`rotate` needs `service: NAME` and `run: [COMMAND, ARGUMENT, …]`".to_owned()));
        }
        kind.is_derived().then(|| ("rotate", format!("a `{kind}` secret changes with those it is made from")))
    }
}

/// Why a secret of one kind is not made from one of another.
fn unfit(kind: SecretKind, source: SecretKind) -> Option<&'static str> {
    match kind {
        SecretKind::Public if !source.is_key() || source.is_derived() => Some("and only a private key has a public one"),
        SecretKind::Certificate if source != SecretKind::Authority => Some("and only an `authority` signs certificates"),
        SecretKind::Public | SecretKind::Certificate => None,
        _ => (source.is_derived() || source.is_key()).then_some("which is no password"),
    }
}

/// A text as it was written.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(|text| undoubled(&text)))
}

/// Checks what the types cannot say.
pub fn check_secrets(stack: &Stack, errors: &mut Vec<Error>) {
    let kind_of = |name: &str| stack.secrets.get(name).map(|secret| secret.extension.kind(name));
    for (name, secret) in &stack.secrets {
        let at = |key: &str| [steps(["secrets", name]), vec![Step::Key(KEY.into()), Step::Key(key.into())]].concat();
        if name.contains('/') || matches!(name.as_str(), "." | "..") {
            let wrong = Error::cannot(format!("a secret cannot be called `{name}`: it becomes a file of that name"));
            errors.push(placed(wrong, &steps(["secrets", name]), &stack.sources));
        }
        if let Some((key, wrong)) = secret.extension.wrong(name, &kind_of) {
            errors.push(placed(Error::cannot(format!("secret `{name}`: {wrong}")), &at(key), &stack.sources));
        }
        let rotate = secret.extension.rotate.as_ref().filter(|rotate| !rotate.service.is_empty());
        // One in a profile that is off is in the files only.
        let unknown = |service: &String| !stack.services.contains_key(service) && stack.sources.service(service).is_none();
        if let Some(rotate) = rotate.filter(|rotate| unknown(&rotate.service)) {
            let wrong = Error::cannot(format!("secret `{name}` is stored by `{}`, which is no service", rotate.service));
            errors.push(placed(wrong, &at("rotate"), &stack.sources));
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::stack::parse;
    use crate::stack::source::{Source, Sources};

    fn problems(secrets: &str) -> Vec<String> {
        let text = format!(
            "services: {{db: {{image: x}}}}\nsecrets:\n  pw: {{file: /pw}}\n  key: {{file: /k, x-xtask: {{generate: rsa}}}}\n{secrets}"
        );
        match parse(&text, Sources::default()) {
            Ok(_) => Vec::new(),
            Err(error) => error.all().map(|one| one.message.clone()).collect(),
        }
    }

    fn one(extension: &str) -> Vec<String> {
        problems(&format!("  s: {{file: /s, x-xtask: {extension}}}\n"))
    }

    #[test]
    fn right_ones_have_no_problems() {
        for extension in [
            "{generate: hex, bytes: 32}",
            "{generate: password, length: 20, alphabet: 'abc$$ef'}",
            "{generate: uuid}",
            "{generate: text}",
            "{generate: public, of: key}",
            "{generate: bcrypt, of: pw}",
            "{generate: mosquitto, users: {a: pw, b: pw}}",
            "{rotate: {service: db, run: [sh, -c, 'echo $$x']}}",
            "{rotate: {refuse: data is encrypted with it}}",
        ] {
            assert_eq!(one(extension), [] as [&str; 0], "{extension}");
        }
    }

    #[test]
    fn what_the_types_cannot_say_is_told() {
        for (extension, told) in [
            (
                "{generate: uuid, bytes: 3}",
                "secret `s`: `bytes` is for secrets that are `hex` or `base64`, and this one is `uuid`",
            ),
            ("{bytes: 0}", "secret `s`: `bytes` of a `hex` secret is between 1 and 4096, not 0"),
            ("{generate: password, alphabet: aa}", "secret `s`: an alphabet is two or more different visible ASCII characters"),
            ("{generate: bcrypt}", "secret `s`: a `bcrypt` secret needs `of`: the secrets that it is made from"),
            ("{generate: bcrypt, of: nope}", "secret `s`: no secret is called `nope`"),
            ("{generate: bcrypt, of: key}", "secret `s`: `key` is `rsa`, which is no password"),
            ("{generate: public, of: pw}", "secret `s`: `pw` is `hex`, and only a private key has a public one"),
            ("{generate: htpasswd, users: {'a:b': pw}}", "secret `s`: a user of a password file cannot be called `a:b`"),
            ("{rotate: {service: db}}", "secret `s`: `rotate` needs `service: NAME` and `run: [COMMAND, ARGUMENT, …]`"),
            ("{rotate: {refuse: x, run: [x]}}", "secret `s`: `rotate` either says how (`service`, `run`) or why not (`refuse`)"),
            ("{rotate: {service: nope, run: [x]}}", "secret `s` is stored by `nope`, which is no service"),
        ] {
            assert_eq!(one(extension), [told], "{extension}");
        }
        assert_eq!(problems("  ..: {file: /s}\n"), ["a secret cannot be called `..`: it becomes a file of that name"]);
    }

    #[test]
    fn a_secret_may_be_stored_by_a_service_whose_profile_is_off() {
        let text = "services:\n  db: {image: x, profiles: [extra]}\nsecrets:\n  s: {file: /s, x-xtask: {rotate: {service: db, run: [x]}}}\n";
        let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), text)]);
        let resolved = text.replace("  db: {image: x, profiles: [extra]}\n", "  web: {image: web}\n");
        assert!(parse(&resolved, sources).is_ok());
    }

    #[test]
    fn a_kind_is_guessed_from_the_name() {
        let guess = |name| SecretExtension::default().kind(name);
        assert_eq!(guess("DB_PASSWORD"), SecretKind::Password);
        assert_eq!(guess("install_uuid"), SecretKind::Uuid);
        assert_eq!(guess("jwt_secret"), SecretKind::Hex);
        assert_eq!(SecretKind::Ed25519.to_string(), "ed25519");
    }
}
