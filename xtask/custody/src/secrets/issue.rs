//! Certificates, made by `openssl`. A private key reaches it on stdin and leaves it on stdout, so that it lies in no file but its
//! own; requests, settings and certificates, which everybody may see, go through a temporary folder. Which are to be made is
//! decided elsewhere.

use std::net::IpAddr;

use camino::Utf8PathBuf;

use super::make::openssl;
use crate::certificate::{Certificate, SHOW};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::moment::Moment;
use crate::secret::{Value, random};
use crate::stack::certs::Request;
use crate::stack::secret::SecretKind;

/// Days for which an authority's own certificate is valid: ten years.
const AUTHORITY_DAYS: u16 = 3650;

/// The longest common name (RFC 5280, ub-common-name).
const COMMON_NAME: usize = 64;

/// What only an authority may do, and that no other may be below it.
const AUTHORITY: &str = "basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid";

/// What a server's certificate is for, and nothing else.
const SERVER: &str = "basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid";

/// A new authority: its certificate and its private key.
pub fn authority(ctx: &Context) -> Result<Value> {
    let key = key(ctx)?;
    // Two authorities of one name would be taken for each other.
    let name = format!("local authority {}", text(&random::hex(4)?));
    let days = AUTHORITY_DAYS.to_string();
    let desk = Desk::new()?;
    let settings = desk.put("settings", &settings(&name, "x509_extensions = usage", AUTHORITY))?;
    let serial = serial()?;
    let args = ["-new", "-x509", "-sha256", "-days", &days, "-set_serial", &serial, "-config", settings.as_str()];
    let certificate = openssl(ctx, &[&["req", "-batch"], &args[..], &["-key", "/dev/stdin"]].concat(), Some(&key))?;
    Ok(joined(&certificate, &key))
}

/// The same authority with a certificate that is valid from now on: what it has signed stays valid, and so does what it signs from
/// now on for those who know only the old certificate.
pub fn authority_again(ctx: &Context, authority: &Value) -> Result<Value> {
    let desk = Desk::new()?;
    let old = desk.put("authority", &text(&public(ctx, authority)?))?;
    let (serial, days) = (serial()?, AUTHORITY_DAYS.to_string());
    let args = ["x509", "-sha256", "-in", old.as_str(), "-days", &days, "-set_serial", &serial, "-signkey", "/dev/stdin"];
    let certificate = openssl(ctx, &args, Some(authority))?;
    Ok(joined(&certificate, &private(ctx, authority)?))
}

/// A server's certificate that this authority has signed, and its new private key. It ends no later than the authority.
pub fn certificate(ctx: &Context, request: &Request, authority: &Value) -> Result<Value> {
    let left = read(ctx, authority)?.days_left(Moment::now());
    if left < 1 {
        return Err(Error::cannot("the authority that is to sign a certificate has expired")
            .help("`cargo xtask certs renew` renews it, and all that are due"));
    }
    let key = key(ctx)?;
    let desk = Desk::new()?;
    let name = &request.names[0][..request.names[0].len().min(COMMON_NAME)];
    let usage = format!("{SERVER}\nsubjectAltName = {}", alternatives(&request.names));
    let settings = desk.put("settings", &settings(name, "", &usage))?;
    let asked = ["req", "-batch", "-new", "-sha256", "-config", settings.as_str(), "-key", "/dev/stdin"];
    let asked = desk.put("request", &text(&openssl(ctx, &asked, Some(&key))?))?;
    let signer = desk.put("authority", &text(&public(ctx, authority)?))?;
    let (serial, days) = (serial()?, left.min(request.days.into()).to_string());
    let what = ["x509", "-req", "-sha256", "-in", asked.as_str(), "-days", &days, "-set_serial", &serial];
    let how = ["-extfile", settings.as_str(), "-extensions", "usage", "-CA", signer.as_str(), "-CAkey", "/dev/stdin"];
    let certificate = openssl(ctx, &[&what[..], &how[..]].concat(), Some(authority))?;
    Ok(joined(&certificate, &key))
}

/// What a certificate says.
pub fn read(ctx: &Context, pair: &Value) -> Result<Certificate> {
    let printed = openssl(ctx, &[&["x509"], &SHOW[..]].concat(), Some(pair))?;
    Certificate::parse(&text(&printed)).map_err(|error| Error::cannot(error.to_string()))
}

/// Why a certificate would not be accepted by who trusts this authority, leaving aside when; none if it would.
pub fn objection(ctx: &Context, pair: &Value, authority: &Value, kind: SecretKind) -> Result<Option<String>> {
    let Ok(key) = openssl(ctx, &["pkey", "-pubout", "-in", "/dev/stdin"], Some(pair)) else {
        return Ok(Some("there is no private key beside it".to_owned()));
    };
    if key != openssl(ctx, &["x509", "-noout", "-pubkey"], Some(pair))? {
        return Ok(Some("the private key beside it is another one's".to_owned()));
    }
    let Ok(authority) = public(ctx, authority) else { return Ok(Some("its authority cannot be read".to_owned())) };
    let desk = Desk::new()?;
    let trusted = desk.put("authority", &text(&authority))?;
    let judged = desk.put("certificate", &text(&public(ctx, pair)?))?;
    let purpose: &[&str] = if kind == SecretKind::Certificate { &["-purpose", "sslserver"] } else { &[] };
    let how = ["openssl", "verify", "-x509_strict", "-no_check_time", "-no-CApath", "-CAfile", trusted.as_str()];
    let call = Call::new([&how[..], purpose, &[judged.as_str()]].concat());
    let finished = ctx.runner.finish(call)?;
    let why = finished.stderr.iter().find_map(|line| line.split_once("lookup: ").map(|(_, why)| why.trim().to_owned()));
    Ok((!finished.ok()).then(|| why.unwrap_or_else(|| "`openssl verify` does not accept it".to_owned())))
}

/// The certificate without the key beside it.
pub fn public(ctx: &Context, pair: &Value) -> Result<Value> {
    openssl(ctx, &["x509"], Some(pair))
}

/// The private key without the certificate beside it.
fn private(ctx: &Context, pair: &Value) -> Result<Value> {
    openssl(ctx, &["pkey", "-in", "/dev/stdin"], Some(pair))
}

/// A key on the curve that every TLS client knows.
fn key(ctx: &Context) -> Result<Value> {
    openssl(ctx, &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], None)
}

/// A positive number of 16 bytes; all but the first two bits are random.
fn serial() -> Result<String> {
    let digits = text(&random::hex(16)?);
    let first = u8::from_str_radix(&digits[..1], 16).unwrap_or_default();
    Ok(format!("0x{:x}{}", first & 7 | 4, &digits[1..]))
}

/// The certificate first: some servers read no further for it.
fn joined(certificate: &Value, key: &Value) -> Value {
    Value::new([certificate.expose(), key.expose()].concat())
}

fn settings(name: &str, of_request: &str, usage: &str) -> String {
    format!("[req]\nprompt = no\ndistinguished_name = name\n{of_request}\n[name]\nCN = {name}\n[usage]\n{usage}\n")
}

fn alternatives(names: &[String]) -> String {
    let one = |name: &String| match name.parse::<IpAddr>() {
        Ok(address) => format!("IP:{address}"),
        Err(_) => format!("DNS:{name}"),
    };
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.expose()).into_owned()
}

/// A folder for what everybody may see; it goes away with its handle.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Result<Self> {
        tempfile::tempdir().map(Self).map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))
    }

    fn put(&self, name: &str, text: &str) -> Result<Utf8PathBuf> {
        let path = Utf8PathBuf::from_path_buf(self.0.path().join(name))
            .map_err(|path| Error::cannot(format!("the path of a temporary file is not UTF-8: {}", path.display())))?;
        std::fs::write(&path, text).map_err(|error| Error::cannot(format!("cannot write `{path}`: {error}")))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        let names = ["queue", "*.example.org", "127.0.0.1", "::1"].map(str::to_owned);
        assert_eq!(alternatives(&names), "DNS:queue, DNS:*.example.org, IP:127.0.0.1, IP:::1");
    }

    #[test]
    fn a_serial_number_is_positive_and_always_as_long() {
        for _ in 0..64 {
            let serial = serial().expect("random");
            let digits = serial.strip_prefix("0x").expect("hexadecimal");
            assert!(digits.len() == 32 && ('4'..'8').contains(&digits.chars().next().expect("a digit")), "{serial}");
        }
    }
}
