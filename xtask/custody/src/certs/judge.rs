//! What is wrong with a certificate, and when it expires.

use serde::Serialize;

use super::is_one;
use crate::certificate::Certificate;
use crate::context::Context;
use crate::error::{Error, Place, Result};
use crate::load::Loaded;
use crate::moment::Moment;
use crate::program;
use crate::report::finding::Finding;
use crate::secret::{Value, folder};
use crate::secrets::issue;
use crate::stack::Stack;
use crate::stack::secret::SecretKind;

/// Days before its end at which a certificate is to be renewed; less where a third of its time is less.
const SOON: i64 = 30;

/// A certificate that is there.
#[derive(Debug, Default, Serialize)]
pub struct Judged {
    /// The secret that holds it.
    pub secret: String,
    /// What it is.
    pub kind: Option<SecretKind>,
    /// The services that are known by it.
    pub services: Vec<String>,
    /// What it says; none where it cannot be read.
    #[serde(flatten)]
    pub says: Option<Says>,
    /// What is wrong with it; not in the answer, where all findings stand together.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// That it expires soon.
    #[serde(skip)]
    pub soon: Option<Finding>,
}

/// What a certificate says.
#[derive(Debug, Serialize)]
pub struct Says {
    /// The names that it is valid for.
    pub names: Vec<String>,
    /// Its last moment.
    pub until: String,
    /// Whole days that are left; negative once it has expired.
    pub days: i64,
}

impl Judged {
    /// What is wrong, and what soon will be.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(&self.soon)
    }
}

/// Judges every certificate that is there.
///
/// # Errors
/// A file that cannot be read; `openssl` is missing.
pub fn judge(ctx: &Context, loaded: &Loaded) -> Result<Vec<Judged>> {
    let mut judged = Vec::new();
    for name in loaded.stack.secrets.keys().filter(|name| is_one(&loaded.stack, name)) {
        let Some(value) = value(&loaded.stack, name)? else { continue };
        program::ready(ctx, "openssl", "openssl")?;
        ctx.runner.redact(&String::from_utf8_lossy(value.expose()));
        judged.push(one(ctx, loaded, name, &value)?);
    }
    Ok(judged)
}

/// The certificate that expires first, and the whole days that it has left.
pub fn next(judged: &[Judged]) -> Option<(&str, i64)> {
    let dated = judged.iter().filter_map(|one| Some((one.secret.as_str(), one.says.as_ref()?.days)));
    dated.min_by_key(|(_, days)| *days)
}

/// A finding as a sentence.
pub fn told(finding: &Finding) -> String {
    format!("certificate `{}`: {}, expected {}: {}", finding.subject, finding.actual, finding.expected, finding.fix)
}

fn value(stack: &Stack, name: &str) -> Result<Option<Value>> {
    let file = stack.secrets.get(name).filter(|secret| !secret.external).and_then(|secret| secret.file.as_deref());
    Ok(file.map(folder::read).transpose()?.flatten())
}

fn one(ctx: &Context, loaded: &Loaded, name: &str, value: &Value) -> Result<Judged> {
    let secret = &loaded.stack.secrets[name];
    let kind = secret.extension.kind(name);
    let mut judged =
        Judged { secret: name.to_owned(), kind: Some(kind), services: services(&loaded.stack, name), ..Judged::default() };
    let finding = |(rule, expected, actual): Wrong| Finding {
        subject: name.to_owned(),
        rule,
        place: secret.file.as_deref().map(|file| Place::file(loaded.shown(file))),
        expected: expected.to_owned(),
        actual,
        fix: format!("`cargo xtask certs renew {name}`"),
    };
    let Ok(certificate) = issue::read(ctx, value) else {
        let unreadable = ("certificate", "a certificate", "nothing that `openssl` reads as one".to_owned());
        judged.findings.push(finding(unreadable));
        return Ok(judged);
    };
    let signer = match secret.extension.of.as_deref() {
        Some(of) => self::value(&loaded.stack, of)?,
        // An authority has signed itself.
        None => Some(value.clone()),
    };
    let now = Moment::now();
    let wanted: &[String] = secret.extension.certificate.as_ref().map_or(&[], |request| &request.names);
    let wrong = [mismatch(ctx, kind, value, signer.as_ref())?, unnamed(&certificate, wanted), untimely(&certificate, now)];
    judged.findings = wrong.into_iter().flatten().map(finding).collect();
    let days = certificate.days_left(now);
    let is_soon = judged.findings.is_empty() && days < soon(&certificate);
    judged.soon = is_soon.then(|| finding(("expiry", "renewed in time", format!("expires in {days} days"))));
    let names = certificate.names.iter().map(ToString::to_string).collect();
    judged.says = Some(Says { names, until: certificate.not_after.to_string(), days });
    Ok(judged)
}

/// A rule that is broken: what is expected, and what was seen.
type Wrong = (&'static str, &'static str, String);

/// How a certificate does not fit its key and its signer. Where the signer is kept elsewhere nothing is known.
fn mismatch(ctx: &Context, kind: SecretKind, value: &Value, signer: Option<&Value>) -> Result<Option<Wrong>> {
    let Some(signer) = signer else { return Ok(None) };
    if kind == SecretKind::Public {
        let is_copy = issue::public(ctx, signer).is_ok_and(|public| public == *value);
        return Ok((!is_copy).then(|| ("copy", "the certificate of its authority", "another one".to_owned())));
    }
    let objection = issue::objection(ctx, value, signer, kind)?;
    Ok(objection.map(|why| ("chain", "fits its key and is signed by its authority", why)))
}

/// The declared names that a certificate is not for.
fn unnamed(certificate: &Certificate, wanted: &[String]) -> Option<Wrong> {
    let lacking: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| !certificate.is_for(name)).collect();
    (!lacking.is_empty()).then(|| ("names", "every declared name", format!("none for {}", lacking.join(", "))))
}

/// What is expected and seen of a certificate that is not valid now.
fn untimely(certificate: &Certificate, now: Moment) -> Option<Wrong> {
    if now > certificate.not_after {
        return Some(("expiry", "valid now", format!("expired on {}", certificate.not_after)));
    }
    // It was made by a clock that was ahead, or this one was set back since.
    let early = || format!("not valid before {}, and the clock says {now}", certificate.not_before);
    (now < certificate.not_before).then(|| ("expiry", "valid now", early()))
}

/// The days before its end at which a certificate is to be renewed.
fn soon(certificate: &Certificate) -> i64 {
    SOON.min(certificate.not_before.days_until(certificate.not_after) / 3)
}

fn services(stack: &Stack, secret: &str) -> Vec<String> {
    let known = |certs: &crate::stack::certs::CertsExtension| certs.secret == secret;
    let by_it = stack.services.iter().filter(|(_, service)| service.extension.certs.as_ref().is_some_and(known));
    by_it.map(|(name, _)| name.clone()).collect()
}

/// The error of a certificate that is to be renewed and is not there.
pub fn missing(name: &str) -> Error {
    Error::cannot(format!("the certificate `{name}` is not there")).help("`cargo xtask certs init` makes it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(from: i64, to: i64) -> Certificate {
        let at = |day: i64| Moment(day * 86_400);
        Certificate { subject: String::new(), issuer: String::new(), names: Vec::new(), not_before: at(from), not_after: at(to) }
    }

    #[test]
    fn a_certificate_is_due_a_month_or_a_third_of_its_time_before_its_end() {
        assert_eq!((soon(&certificate(0, 397)), soon(&certificate(0, 90)), soon(&certificate(0, 3))), (30, 30, 1));
    }

    #[test]
    fn the_next_to_expire_is_the_one_with_the_fewest_days() {
        let judged = |days: i64| {
            let says = Some(Says { names: Vec::new(), until: String::new(), days });
            Judged { secret: format!("c{days}"), says, ..Judged::default() }
        };
        assert_eq!(next(&[judged(90), Judged::default(), judged(-4)]), Some(("c-4", -4)));
        assert_eq!(next(&[Judged::default()]), None);
    }

    #[test]
    fn a_clock_in_the_past_is_told_from_an_expired_certificate() {
        let told = |day: i64| untimely(&certificate(10, 20), Moment(day * 86_400)).map(|(.., actual)| actual);
        assert_eq!(told(9).as_deref(), Some("not valid before 1970-01-11T00:00:00Z, and the clock says 1970-01-10T00:00:00Z"));
        assert_eq!((told(10), told(20)), (None, None));
        assert_eq!(told(21).as_deref(), Some("expired on 1970-01-21T00:00:00Z"));
    }
}
