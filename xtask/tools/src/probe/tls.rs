//! TLS probes: whom a server says it is, who vouches for that, for how long, and which versions it accepts. The handshakes are
//! openssl's; what is asked of it and what it prints is in [`greeting`].

mod greeting;

use std::net::IpAddr;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use super::{Attempt, Mismatch, Target, tcp};
use crate::certificate::{self, Certificate};
use crate::error::Error;
use crate::exec::{Call, Runner};
use crate::moment::Moment;
use crate::stack::probe::{Tls, Version};
use greeting::Greeting;

/// The program that everything here rests on.
pub const PROGRAM: &str = "openssl";

/// Everything that is expected, in words.
pub fn expected(target: &Target, tls: &Tls) -> String {
    [vouched(target, tls), named(target, tls), lasting(tls), modern(tls)].join("\n")
}

/// Greets the server as it is to be greeted, and at the same time with what it must not accept.
pub fn attempt(runner: &Runner, target: &Target, tls: &Tls, timeout: Duration) -> Attempt {
    let no_greeting = |why| vec![Mismatch::new("a TLS server", why)];
    let until = Instant::now() + timeout;
    let left = || until.saturating_duration_since(Instant::now()).max(Duration::from_millis(100));
    tcp::connect(&target.address, target.port, timeout).map_err(no_greeting)?;
    let (greeted, older) = std::thread::scope(|scope| {
        let older = scope.spawn(|| accepted(runner, target, tls, left()));
        let greeted = greet(runner, target, tls, left())
            .and_then(|greeting| show(runner, &greeting.pem, left()).map(|certificate| (greeting, certificate)));
        (greeted, older.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let (greeting, certificate) = greeted.map_err(no_greeting)?;
    let mut wrong = judge(target, tls, &greeting, &certificate, Moment::now());
    if greeting.version >= tls.min_version {
        // One that was not answered in time has not been refused.
        let older = older.map(|version| version.map(|version| format!("{version} is accepted")));
        wrong.extend(older.unwrap_or_else(Some).map(|seen| Mismatch::new(modern(tls), seen)));
    }
    let passed = || format!("{}, valid until {}", greeting.version, certificate.not_after);
    if wrong.is_empty() { Ok(passed()) } else { Err(wrong) }
}

fn greet(runner: &Runner, target: &Target, tls: &Tls, timeout: Duration) -> Result<Greeting, String> {
    let name = Some(name(target, tls)).filter(|name| name.parse::<IpAddr>().is_err());
    let argv = greeting::newest(&target.address, target.port, name, target.ca.as_deref());
    // As it is: where a certificate is a secret of the stack, the lines that all of them have in common would be blanked out.
    let finished = runner.finish(Call::new(argv).verbatim().deadline(timeout)).map_err(said)?;
    Greeting::parse(&finished.stdout).ok_or_else(|| greeting::refusal(&finished.stderr))
}

/// The newest version below the oldest allowed one that the server accepts, if it accepts any; or why that cannot be said.
fn accepted(runner: &Runner, target: &Target, tls: &Tls, timeout: Duration) -> Result<Option<Version>, String> {
    let Some(below) = Version::ALL.into_iter().take_while(|version| *version < tls.min_version).last() else {
        return Ok(None);
    };
    let name = Some(name(target, tls)).filter(|name| name.parse::<IpAddr>().is_err());
    let argv = greeting::at_most(&target.address, target.port, name, below);
    let finished = runner.finish(Call::new(argv).verbatim().deadline(timeout)).map_err(said)?;
    Ok(Greeting::parse(&finished.stdout).map(|greeting| greeting.version))
}

fn show(runner: &Runner, pem: &str, timeout: Duration) -> Result<Certificate, String> {
    let argv = [&[PROGRAM, "x509"], &certificate::SHOW[..]].concat();
    let printed = runner.read(Call::new(argv).stdin(pem).deadline(timeout)).map_err(said)?;
    Certificate::parse(&printed).map_err(|error| error.to_string())
}

fn said(error: Error) -> String {
    error.message
}

/// Every way in which the server is not the expected one, its older versions left aside.
fn judge(target: &Target, tls: &Tls, greeting: &Greeting, certificate: &Certificate, now: Moment) -> Vec<Mismatch> {
    let mut wrong = Vec::new();
    let left = certificate.days_left(now);
    // A certificate that has ended is told by its days, not as an untrusted one too.
    let ended = !certificate.is_valid_at(now);
    if let Some(why) = greeting.distrust.as_ref().filter(|_| !ended) {
        wrong.push(Mismatch::new(vouched(target, tls), format!("{why}: it was signed by `{}`", certificate.issuer)));
    }
    if !certificate.is_for(name(target, tls)) {
        let names: Vec<String> = certificate.names.iter().map(|name| format!("`{name}`")).collect();
        let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
        wrong.push(Mismatch::new(named(target, tls), format!("one for {names}")));
    }
    if ended || left < i64::from(tls.days) {
        wrong.push(Mismatch::new(lasting(tls), lifetime(certificate, left, now)));
    }
    if greeting.version < tls.min_version {
        wrong.push(Mismatch::new(modern(tls), greeting.version.to_string()));
    }
    wrong
}

fn lifetime(certificate: &Certificate, left: i64, now: Moment) -> String {
    let days = |days: i64| format!("{days} day{}", if days == 1 { "" } else { "s" });
    match now {
        now if now < certificate.not_before => format!("one that begins at {}", certificate.not_before),
        now if now > certificate.not_after => format!("one that ended at {}", certificate.not_after),
        _ => format!("one that ends in {}, at {}", days(left), certificate.not_after),
    }
}

/// The name that the certificate must be valid for.
fn name<'a>(target: &'a Target, tls: &'a Tls) -> &'a str {
    tls.name.as_deref().unwrap_or(&target.service)
}

fn vouched(target: &Target, tls: &Tls) -> String {
    match (&tls.ca, &target.ca) {
        (Some(ca), _) | (None, Some(ca)) => format!("a certificate that `{ca}` vouches for"),
        (None, None) => "a certificate that this machine trusts".to_owned(),
    }
}

fn named(target: &Target, tls: &Tls) -> String {
    format!("a certificate for `{}`", name(target, tls))
}

fn lasting(tls: &Tls) -> String {
    match tls.days {
        0 => "a certificate that is valid".to_owned(),
        1 => "a certificate that is valid for another day".to_owned(),
        days => format!("a certificate that is valid for another {days} days"),
    }
}

fn modern(tls: &Tls) -> String {
    format!("nothing older than {}", tls.min_version)
}

#[cfg(test)]
mod tests;
