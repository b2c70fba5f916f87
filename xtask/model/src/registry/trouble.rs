//! What goes wrong between us and a registry, and the words for it.

use std::time::Duration;

use super::challenge;
use super::curl::{Outcome, Response};
use super::manifest::refusals;
use super::retry::{self, TRIES};
use crate::error::Error;
use crate::moment::Moment;

/// Why a registry did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing answers there.
    Down(String),
    /// The answer took too long.
    Slow,
    /// The connection broke.
    Broken(String),
    /// Its certificate is not one that this machine believes.
    Untrusted(String),
    /// It does not speak TLS as we do, or not at all.
    Tls(String),
    /// It sends us in circles.
    Circles,
    /// What answers is no registry.
    NotARegistry(String),
    /// It wants to know who asks, and nobody told it; its status says so as 401 or 403.
    Nobody(u16),
    /// It does not know who asks, or not any more.
    Unknown(String),
    /// It knows who asks, who may not do this.
    Forbidden(Vec<String>),
    /// It has no such thing.
    Absent,
    /// It wants to be asked less often; perhaps it says after how long again.
    Limited(Option<Duration>),
    /// It is at fault itself; perhaps it says after how long to ask again.
    Faulty(u16, Vec<String>, Option<Duration>),
    /// Its disk is full.
    Full(Vec<String>),
    /// What it gives is not what was asked for.
    WrongDigest {
        /// What was asked for, or what it said it gives.
        expected: String,
        /// What it gave.
        actual: String,
    },
    /// The service that gives tokens for it, by its host, makes trouble itself.
    Tokens(String, Box<Trouble>),
    /// Anything else.
    Refused(u16, Vec<String>),
    /// Anything else that keeps a transfer from ending well.
    Other(String),
}

impl Trouble {
    /// What the end of a transfer without an answer means.
    pub fn of_transfer(outcome: &Outcome) -> Self {
        let said = outcome.message.clone();
        match outcome.code {
            5..=7 | 97 => Self::Down(said),
            28 if said.contains("onnection timed out") || said.contains("onnect to") => Self::Down(said),
            28 => Self::Slow,
            16 | 18 | 52 | 55 | 56 | 92 => Self::Broken(said),
            51 | 60 => Self::Untrusted(said),
            35 | 53 | 54 | 58 | 59 | 64 | 66 | 77 | 80 | 82 | 83 | 90 | 91 => Self::Tls(said),
            47 => Self::Circles,
            _ => Self::Other(format!("curl ended with {}: {said}", outcome.code)),
        }
    }

    /// What an answer means that does not say yes. `known` is whether the question carried a login.
    pub fn of_answer(answer: &Response, known: bool, now: Moment) -> Self {
        let said = refusals(&answer.body);
        let after = answer.header("retry-after").and_then(|value| retry::retry_after(value, now));
        match answer.status {
            status @ (401 | 403) if !known => Self::Nobody(status),
            401 => Self::Unknown(unknown(answer, &said)),
            403 => Self::Forbidden(said),
            404 => Self::Absent,
            408 => Self::Slow,
            429 => Self::Limited(after),
            507 => Self::Full(said),
            500.. if said.iter().any(|said| said.contains("no space left")) => Self::Full(said),
            status @ 500.. => Self::Faulty(status, said, after),
            _ if is_page(answer) => Self::NotARegistry(format!("it answers {} with a web page", answer.status)),
            status => Self::Refused(status, said),
        }
    }

    /// What the engine's words at the end of a push mean, the surest sign first.
    pub fn of_engine(said: &str) -> Self {
        let has = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
        let words = || vec![said.to_owned()];
        match said {
            _ if has(&["no space left"]) => Self::Full(words()),
            _ if has(&["toomanyrequests", "429 Too Many", "Too Many Requests"]) => Self::Limited(None),
            _ if has(&["x509:"]) => Self::Untrusted(said.to_owned()),
            _ if has(&["tls:", "HTTP response to HTTPS client"]) => Self::Tls(said.to_owned()),
            _ if has(&["no basic auth credentials", "authentication required"]) => Self::Nobody(401),
            _ if has(&["unauthorized", "401 Unauthorized"]) => Self::Unknown(said.to_owned()),
            _ if has(&["denied", "403 Forbidden"]) => Self::Forbidden(words()),
            _ if has(&["HTTP status: 5", "Internal Server Error", "Bad Gateway", "Service Unavailable", "blob upload"]) => {
                Self::Faulty(500, words(), None)
            }
            _ if has(&[
                "EOF",
                "reset by peer",
                "broken pipe",
                "timeout",
                "deadline exceeded",
                "connection refused",
                "digest",
            ]) =>
            {
                Self::Broken(said.to_owned())
            }
            _ => Self::Other(said.to_owned()),
        }
    }

    /// The same of a token service at `url`. Whether it knows who asks is a matter of the login for the registry.
    pub fn of_tokens(self, url: &str) -> Self {
        match self {
            Self::Nobody(_) | Self::Unknown(_) | Self::Forbidden(_) => self,
            other => {
                let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
                Self::Tokens(rest.split(['/', '?']).next().unwrap_or(rest).to_owned(), Box::new(other))
            }
        }
    }

    /// How often something that ends so is tried.
    pub fn tries(&self) -> u32 {
        match self {
            Self::Broken(_) | Self::Limited(_) | Self::Faulty(..) => TRIES,
            // Each of these has taken half a minute already.
            Self::Slow => 2,
            _ => 1,
        }
    }

    /// After how long the registry wants to be asked again.
    pub fn asked(&self) -> Option<Duration> {
        match self {
            Self::Limited(after) | Self::Faulty(_, _, after) => *after,
            _ => None,
        }
    }

    /// The error for a person. `what` is what was tried, such as ``cannot read `a:1` ``.
    pub fn error(&self, registry: &str, what: &str) -> Error {
        if let Self::Tokens(host, trouble) = self {
            return trouble.error(host, &format!("{what}: no token for `{registry}`"));
        }
        let (why, evidence): (String, Vec<String>) = match self {
            Self::Down(said) => (format!("nothing answers at `{registry}`"), vec![said.clone()]),
            Self::Slow => (format!("`{registry}` takes too long to answer"), Vec::new()),
            Self::Broken(said) => (format!("`{registry}` breaks the connection off"), vec![said.clone()]),
            Self::Untrusted(said) => (format!("this machine does not trust the certificate of `{registry}`"), vec![said.clone()]),
            Self::Tls(said) => (format!("no TLS connection to `{registry}` comes about"), vec![said.clone()]),
            Self::Circles => (format!("`{registry}` redirects in circles"), Vec::new()),
            Self::NotARegistry(said) => (format!("what answers at `{registry}` is no registry"), vec![said.clone()]),
            Self::Nobody(status) => (format!("`{registry}` wants a login ({status})"), Vec::new()),
            Self::Unknown(why) => (format!("`{registry}` does not accept the login (401): {why}"), Vec::new()),
            Self::Forbidden(said) => (format!("`{registry}` does not allow it to this login (403)"), said.clone()),
            Self::Absent => (format!("`{registry}` has no such repository, tag or digest (404)"), Vec::new()),
            Self::Limited(Some(after)) => {
                (format!("`{registry}` allows no more requests for another {} s (429)", after.as_secs()), Vec::new())
            }
            Self::Limited(None) => (format!("`{registry}` allows no more requests for now (429)"), Vec::new()),
            Self::Faulty(status, said, _) => (format!("`{registry}` is at fault itself ({status})"), said.clone()),
            Self::Full(said) => (format!("the disk of `{registry}` is full"), said.clone()),
            Self::WrongDigest { expected, actual } => {
                (format!("`{registry}` gives something else than it says: `{actual}` instead of `{expected}`"), Vec::new())
            }
            Self::Refused(status, said) => (format!("`{registry}` refuses with {status}"), said.clone()),
            Self::Other(said) => (format!("`{registry}`: {said}"), Vec::new()),
            Self::Tokens(host, _) => (format!("`{host}` gives no token"), Vec::new()),
        };
        let error = Error::cannot(format!("{what}: {why}"));
        let error = error.evidence("it said", evidence.into_iter().filter(|line| !line.is_empty()));
        match self.help(registry) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    fn help(&self, registry: &str) -> Option<String> {
        let login = if registry == "docker.io" { "docker login".to_owned() } else { format!("docker login {registry}") };
        Some(match self {
            Self::Down(_) => "check the name and the port, and that the registry runs".to_owned(),
            Self::Untrusted(_) => format!(
                "put the certificate of its authority at `/etc/docker/certs.d/{registry}/ca.crt`, which the engine reads too"
            ),
            Self::Tls(_) => {
                "a registry without TLS that is not on this machine belongs under `insecure-registries` of the engine".to_owned()
            }
            Self::Circles => "the registry, or a proxy before it, has a wrong address in its settings".to_owned(),
            Self::NotARegistry(_) => "check the address; a proxy or a login page may answer in the registry's place".to_owned(),
            Self::Nobody(_) | Self::Unknown(_) => format!("log in with `{login} --username NAME --password-stdin`"),
            Self::Forbidden(_) => {
                format!("give this login the right to write to the repository, or log in as another with `{login}`")
            }
            Self::Limited(_) | Self::Slow | Self::Broken(_) | Self::Faulty(..) => "run the same command again later".to_owned(),
            Self::Full(_) => "free some space for the registry, then run the same command again".to_owned(),
            Self::WrongDigest { .. } => "something between here and the registry changes what it sends; do not use it".to_owned(),
            Self::Absent | Self::Refused(..) | Self::Other(_) | Self::Tokens(..) => return None,
        })
    }
}

/// Why a login is not accepted: what the challenge says (RFC 6750), or else what the registry says.
fn unknown(answer: &Response, said: &[String]) -> String {
    let challenges = challenge::parse(answer.header("www-authenticate").unwrap_or_default());
    let param = |name| challenges.iter().find_map(|challenge| challenge.param(name));
    match param("error") {
        Some("invalid_token") => "its token is not valid or has expired".to_owned(),
        Some("insufficient_scope") => match param("scope") {
            Some(scope) => format!("its token lacks the scope `{scope}`"),
            None => "its token lacks a scope".to_owned(),
        },
        _ if said.is_empty() => "the name or the password is wrong, or has expired".to_owned(),
        _ => said.join("; "),
    }
}

/// Whether an answer is a page for people.
pub fn is_page(answer: &Response) -> bool {
    answer.header("content-type").is_some_and(|told| told.contains("html")) || answer.body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, body: body.into() }
    }

    fn told(trouble: &Trouble) -> String {
        let error = trouble.error("r.example", "cannot read `a:1`");
        let said = error.evidence.iter().flat_map(|one| one.lines.clone()).collect::<Vec<_>>().join(" ");
        format!("{} [{said}] {}", error.message, error.help.unwrap_or_default())
    }

    #[test]
    fn each_trouble_has_its_own_words() {
        let denied = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
        let of =
            |status, headers: &[(&str, &str)], body| told(&Trouble::of_answer(&answer(status, headers, body), true, Moment(0)));
        for (seen, expected) in [
            (told(&Trouble::Nobody(401)), "wants a login (401)"),
            (of(401, &[], ""), "the name or the password is wrong, or has expired"),
            (of(401, &[("www-authenticate", "Bearer realm=\"x\",error=\"invalid_token\"")], ""), "has expired"),
            (
                of(
                    401,
                    &[("www-authenticate", "Bearer realm=\"x\",error=\"insufficient_scope\",scope=\"repository:a:push\"")],
                    "",
                ),
                "lacks the scope `repository:a:push`",
            ),
            (of(403, &[], denied), "does not allow it to this login (403) [DENIED: no]"),
            (of(429, &[("retry-after", "200")], ""), "for another 200 s (429)"),
            (of(503, &[], ""), "is at fault itself (503)"),
            (
                of(500, &[], r#"{"errors":[{"code":"UNKNOWN","message":"write: no space left on device"}]}"#),
                "disk of `r.example` is full",
            ),
            (of(400, &[("content-type", "text/html")], "<html>"), "is no registry"),
            (of(400, &[], denied), "refuses with 400 [DENIED: no]"),
        ] {
            assert!(seen.contains(expected), "{seen}");
        }
    }

    #[test]
    fn a_token_service_is_told_apart_from_the_registry() {
        let of = |trouble: Trouble| told(&trouble.of_tokens("https://auth.example:5/token?x=/y"));
        assert!(of(Trouble::Slow).contains("no token for `r.example`: `auth.example:5` takes too long"));
        assert!(of(Trouble::Nobody(401)).contains("`r.example` wants a login (401)"));
    }

    #[test]
    fn the_engines_words_have_a_meaning() {
        let of = Trouble::of_engine;
        assert!(matches!(of("received unexpected HTTP status: 503 Service Unavailable"), Trouble::Faulty(..)));
        assert!(matches!(of("Put \"http://r/v2/x\": EOF"), Trouble::Broken(_)));
        assert!(matches!(of("denied: requested access to the resource is denied"), Trouble::Forbidden(_)));
        assert!(matches!(of("write /x: no space left on device"), Trouble::Full(_)));
        assert_eq!(of("toomanyrequests: slow down"), Trouble::Limited(None));
        assert_eq!(of("no basic auth credentials"), Trouble::Nobody(401));
        assert_eq!(of("something new").tries(), 1);
    }

    #[test]
    fn the_end_of_a_transfer_has_a_meaning() {
        let of = |code, message: &str| Trouble::of_transfer(&Outcome { number: 0, code, status: 0, message: message.into() });
        assert!(told(&of(7, "refused")).contains("nothing answers at `r.example` [refused]"));
        assert!(told(&of(60, "self-signed")).contains("/etc/docker/certs.d/r.example/ca.crt"));
        assert!(told(&of(47, "")).contains("redirects in circles"));
        assert_eq!(of(28, "Operation timed out after 60000 milliseconds").tries(), 2);
        assert_eq!((of(56, "").tries(), of(7, "").tries()), (TRIES, 1));
        assert!(matches!(of(28, "Connection timed out after 10001 milliseconds"), Trouble::Down(_)));
        assert!(matches!(of(2, ""), Trouble::Other(_)));
    }
}
