//! `x-xtask.certs` of a service: the names under which it is reached, and how it takes a new certificate while it runs. What a
//! certificate is made from stands beside its secret, in [`super::secret`].

use std::net::IpAddr;

use serde::Deserialize;

use super::extension::{KEY, placed};
use super::model::{Service, Stack};
use super::secret::SecretKind;
use super::source::{Step, steps};
use super::suite::arguments;
use crate::error::Error;

/// `x-xtask.certs` of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CertsExtension {
    /// The secret that holds its private key and certificate, which it is given; of the kind `certificate`.
    pub secret: String,
    /// The DNS names and addresses by which clients reach it; the service's name if none is given.
    pub names: Vec<String>,
    /// How long a certificate is valid, in days; 397 if not given.
    pub days: Option<u16>,
    /// What makes it read a new certificate while it runs. Without it the service is started again.
    pub reload: Option<Reload>,
}

/// How a service is told to read its certificate again: by a signal or by a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// The signal for its first process, such as `SIGHUP`.
    pub signal: Option<String>,
    /// The command that is run in its container.
    #[serde(deserialize_with = "arguments")]
    pub run: Vec<String>,
}

/// What a certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The DNS names and addresses, each once.
    pub names: Vec<String>,
    /// How many days it is valid.
    pub days: u16,
}

/// Days for which a certificate is valid if nothing is declared: a year and a month to renew it in, as public authorities had it.
pub const DAYS: u16 = 397;

/// The most days that clients accept from an authority of one's own (Apple's limit).
const LONGEST: u16 = 825;

impl CertsExtension {
    /// What the certificate of a service is to say.
    fn request(&self, service: &str) -> Request {
        let mut names = if self.names.is_empty() { vec![service.to_owned()] } else { self.names.clone() };
        names.sort();
        names.dedup();
        Request { names, days: self.days.unwrap_or(DAYS) }
    }

    /// What is wrong with it by itself, and under which key.
    fn wrong(&self, service: &str) -> Option<(&'static str, String)> {
        if let Some(name) = self.request(service).names.iter().find(|name| !is_name(name)) {
            let remedy = if self.names.is_empty() { "give `names`" } else { "write it without port and scheme" };
            let wrong = format!("`{}` is no DNS name and no address: {remedy}", name.escape_debug());
            return Some(("names", wrong));
        }
        if let Some(days) = self.days.filter(|days| !(1..=LONGEST).contains(days)) {
            return Some(("days", format!("a certificate is valid for 1 to {LONGEST} days, not {days}")));
        }
        let reload = self.reload.as_ref()?;
        let is_signal = |signal: &String| signal.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !signal.is_empty();
        match (&reload.signal, reload.run.first()) {
            (Some(signal), None) if is_signal(signal) => None,
            (Some(signal), None) => Some(("reload", format!("`{}` is no signal: `SIGHUP` is one", signal.escape_debug()))),
            (None, Some(program)) if !program.is_empty() => None,
            _ => Some(("reload", "`reload` needs `signal: SIGHUP` or `run: [COMMAND, ARGUMENT, …]`".to_owned())),
        }
    }
}

/// Whether it is a DNS name, with a wildcard in front perhaps, or an address. What is not would be read as something else in a
/// program's configuration.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let bare = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && bare.split('.').all(label))
}

/// Tells each certificate's secret what it is to say, and checks what the types cannot.
pub fn gather(stack: &mut Stack, errors: &mut Vec<Error>) {
    for (name, service) in &stack.services {
        let Some(certs) = &service.extension.certs else { continue };
        let wrong = certs.wrong(name).or_else(|| unfit(stack, service, certs).map(|wrong| ("secret", wrong)));
        if let Some((key, wrong)) = wrong {
            let at = [steps(["services", name, KEY, "certs"]), vec![Step::Key(key.to_owned())]].concat();
            errors.push(placed(Error::cannot(format!("certificate of `{name}`: {wrong}")), &at, &stack.sources));
        }
    }
    let declared = stack.services.iter().filter_map(|(name, service)| Some((name, service.extension.certs.as_ref()?)));
    let requests: Vec<(String, Request)> = declared.map(|(name, certs)| (certs.secret.clone(), certs.request(name))).collect();
    for (secret, request) in requests {
        let Some(secret) = stack.secrets.get_mut(&secret) else { continue };
        // Services that share a certificate are all reached by it.
        let shared = secret.extension.certificate.get_or_insert_with(|| request.clone());
        shared.days = shared.days.min(request.days);
        shared.names.extend(request.names);
        shared.names.sort();
        shared.names.dedup();
    }
    errors.extend(stack.secrets.keys().filter_map(|name| misplaced(stack, name)));
}

/// What is wrong with the secret that a service names.
fn unfit(stack: &Stack, service: &Service, certs: &CertsExtension) -> Option<String> {
    let name = &certs.secret;
    if name.is_empty() {
        return Some("`certs` needs `secret: NAME`, the secret that holds key and certificate".to_owned());
    }
    match stack.secrets.get(name).map(|secret| secret.extension.kind(name)) {
        None => return Some(format!("no secret is called `{name}`")),
        Some(SecretKind::Certificate) => {}
        Some(kind) => return Some(format!("the secret `{name}` is `{kind}`, not `certificate`")),
    }
    let given = service.secrets.iter().any(|used| used.source == *name);
    (!given).then(|| format!("the service is not given the secret `{name}`: name it among its `secrets`"))
}

/// A certificate that no service declares, or an authority that a service could read.
fn misplaced(stack: &Stack, name: &str) -> Option<Error> {
    let secret = &stack.secrets[name];
    let wrong = match secret.extension.kind(name) {
        SecretKind::Certificate if secret.extension.certificate.is_none() => {
            format!("secret `{name}` is the certificate of no service: `x-xtask.certs` of the service names it")
        }
        SecretKind::Authority => {
            let user = stack.services.iter().find(|(_, service)| reaches(stack, service, name))?.0;
            format!("`{user}` can read `{name}`, with which anybody can sign certificates: keep its file away from every service")
        }
        _ => return None,
    };
    Some(placed(Error::cannot(wrong), &steps(["secrets", name]), &stack.sources))
}

/// Whether a service is given a secret, by this name or another, or a folder that its file lies in.
fn reaches(stack: &Stack, service: &Service, name: &str) -> bool {
    let file = stack.secrets[name].file.as_deref();
    let same = |other: &str| {
        other == name
            || file.is_some_and(|file| stack.secrets.get(other).is_some_and(|other| other.file.as_deref() == Some(file)))
    };
    let mounts = service.volumes.iter().filter(|mount| mount.kind == "bind").filter_map(|mount| mount.source.as_deref());
    let mounted = || file.is_some_and(|file| mounts.into_iter().any(|source| file.starts_with(source)));
    service.secrets.iter().any(|used| same(&used.source)) || mounted()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::parse;
    use crate::stack::source::Sources;

    fn parsed(certs: &str, service: &str) -> Result<Stack, Vec<String>> {
        let text = format!(
            "services:\n  web: {{image: x, secrets: [{{source: tls}}], x-xtask: {{certs: {certs}}}}}\n{service}secrets:\n  \
             ca: {{file: /p/ca/a.pem, x-xtask: {{generate: authority}}}}\n  \
             tls: {{file: /p/tls.pem, x-xtask: {{generate: certificate, of: ca}}}}\n  pw: {{file: /p/pw}}\n"
        );
        parse(&text, Sources::default()).map_err(|error| error.all().map(|one| one.message.clone()).collect())
    }

    fn problems(certs: &str, service: &str) -> Vec<String> {
        parsed(certs, service).err().unwrap_or_default()
    }

    #[test]
    fn a_certificate_says_the_names_of_the_services_that_share_it() {
        let request = |certs, service| parsed(certs, service).expect("right").secrets["tls"].extension.certificate.clone();
        let told = |names: &[&str], days| Some(Request { names: names.iter().map(|name| (*name).to_owned()).collect(), days });
        assert_eq!(request("{secret: tls}", ""), told(&["web"], 397));
        let other =
            "  api: {image: x, secrets: [{source: tls}], x-xtask: {certs: {secret: tls, names: [b, '::1', b], days: 30}}}\n";
        assert_eq!(request("{secret: tls, names: ['*.example.org']}", other), told(&["*.example.org", "::1", "b"], 30));
    }

    #[test]
    fn what_the_types_cannot_say_is_told() {
        for (certs, told) in [
            (
                "{secret: tls, names: ['a b']}",
                "certificate of `web`: `a b` is no DNS name and no address: write it without port and scheme",
            ),
            (
                "{secret: tls, names: ['a,DNS:b']}",
                "certificate of `web`: `a,DNS:b` is no DNS name and no address: write it without port and scheme",
            ),
            ("{secret: tls, days: 900}", "certificate of `web`: a certificate is valid for 1 to 825 days, not 900"),
            (
                "{secret: tls, reload: {}}",
                "certificate of `web`: `reload` needs `signal: SIGHUP` or `run: [COMMAND, ARGUMENT, …]`",
            ),
            ("{secret: tls, reload: {signal: --x}}", "certificate of `web`: `--x` is no signal: `SIGHUP` is one"),
            (
                "{secret: tls, reload: {signal: HUP, run: [x]}}",
                "certificate of `web`: `reload` needs `signal: SIGHUP` or `run: [COMMAND, ARGUMENT, …]`",
            ),
        ] {
            assert_eq!(problems(certs, ""), [told], "{certs}");
        }
        let unused = "secret `tls` is the certificate of no service: `x-xtask.certs` of the service names it";
        for (certs, told) in [
            ("{}", "certificate of `web`: `certs` needs `secret: NAME`, the secret that holds key and certificate"),
            ("{secret: nope}", "certificate of `web`: no secret is called `nope`"),
            ("{secret: pw}", "certificate of `web`: the secret `pw` is `hex`, not `certificate`"),
        ] {
            assert_eq!(problems(certs, ""), [told, unused], "{certs}");
        }
        let bare = "  api: {image: x, x-xtask: {certs: {secret: tls}}}\n";
        let told = "certificate of `api`: the service is not given the secret `tls`: name it among its `secrets`";
        assert_eq!(problems("{secret: tls}", bare), [told]);
    }

    #[test]
    fn only_an_authority_signs() {
        let text = "services:\n  web: {image: x, secrets: [{source: tls}], x-xtask: {certs: {secret: tls}}}\nsecrets:\n  \
                    key: {file: /k, x-xtask: {generate: rsa}}\n  tls: {file: /t, x-xtask: {generate: certificate, of: key}}\n";
        let error = parse(text, Sources::default()).expect_err("no authority");
        assert_eq!(error.message, "secret `tls`: `key` is `rsa`, and only an `authority` signs certificates");
        assert_eq!(error.also.len(), 0);
    }

    #[test]
    fn an_authority_is_kept_away_from_services() {
        let told = "`api` can read `ca`, with which anybody can sign certificates: keep its file away from every service";
        for service in ["secrets: [{source: ca}]", "volumes: [{type: bind, source: /p/ca, target: /x}]"] {
            assert_eq!(problems("{secret: tls}", &format!("  api: {{image: x, {service}}}\n")), [told], "{service}");
        }
        let beside =
            "  api: {image: x, volumes: [{type: bind, source: /p/cart, target: /x}, {type: volume, source: /p, target: /y}]}\n";
        assert_eq!(problems("{secret: tls}", beside), [] as [&str; 0]);
    }
}
