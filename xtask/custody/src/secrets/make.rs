//! A secret's value by its kind. Random ones are made here; keys and hashes are made by the programs whose field that is, which
//! get what they need on stdin or in a 0600 file, never as an argument.

use std::collections::BTreeMap;
use std::io::Write;

use super::issue;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::program;
use crate::secret::{Value, random};
use crate::stack::secret::{SecretExtension, SecretKind};

/// The cost of a bcrypt hash: 2^12 rounds, a quarter of a second.
const COST: &str = "12";

/// The bytes of a password that bcrypt looks at; it ignores the rest without a word.
const BCRYPT: usize = 72;

/// The values that others are made from, by secret.
pub type Values = BTreeMap<String, Value>;

/// Makes a value, which is never shown from then on. Those that it is made from must be among `known`.
///
/// # Errors
/// A text, which only a person can give; a program that is missing or fails.
pub fn make(ctx: &Context, name: &str, declared: &SecretExtension, known: &Values) -> Result<Value> {
    let value = match declared.kind(name) {
        SecretKind::Hex => random::hex(declared.bytes.unwrap_or(SecretExtension::BYTES).into()),
        SecretKind::Base64 => random::base64(declared.bytes.unwrap_or(SecretExtension::BYTES).into()),
        SecretKind::Password => {
            let alphabet = declared.alphabet.as_deref().map_or(random::ALPHABET, str::as_bytes);
            random::password(declared.length.unwrap_or(SecretExtension::LENGTH).into(), alphabet)
        }
        SecretKind::Uuid => random::uuid(),
        SecretKind::Text => Err(Error::cannot(format!("`{name}` is a text that only a person can give"))),
        SecretKind::Ed25519 => openssl(ctx, &["genpkey", "-algorithm", "ed25519"], None),
        SecretKind::Rsa => {
            let bits = format!("rsa_keygen_bits:{}", declared.bits.unwrap_or(SecretExtension::BITS));
            openssl(ctx, &["genpkey", "-algorithm", "RSA", "-pkeyopt", &bits], None)
        }
        SecretKind::Public => public(ctx, source(name, declared, known)?),
        SecretKind::Authority => issue::authority(ctx),
        SecretKind::Certificate => {
            let request = declared.certificate.as_ref();
            let request = request.ok_or_else(|| Error::cannot(format!("`{name}` is the certificate of no service")))?;
            issue::certificate(ctx, request, source(name, declared, known)?)
        }
        SecretKind::Bcrypt => bcrypt(ctx, name, source(name, declared, known)?),
        SecretKind::Htpasswd => htpasswd(ctx, name, declared, known),
        SecretKind::Mosquitto => mosquitto(ctx, name, declared, known),
    }?;
    ctx.runner.redact(&String::from_utf8_lossy(value.expose()));
    Ok(value)
}

fn source<'a>(name: &str, declared: &SecretExtension, known: &'a Values) -> Result<&'a Value> {
    known_value(name, declared.of.as_deref().unwrap_or_default(), known)
}

fn known_value<'a>(name: &str, of: &str, known: &'a Values) -> Result<&'a Value> {
    known.get(of).ok_or_else(|| Error::cannot(format!("`{name}` is made from `{of}`, which has no value")))
}

/// A password as programs read one: a line.
fn line<'a>(name: &str, value: &'a Value) -> Result<&'a [u8]> {
    let password = value.expose().strip_suffix(b"\n").unwrap_or(value.expose());
    if password.is_empty() || password.iter().any(u8::is_ascii_control) {
        return Err(Error::cannot(format!("`{name}` is made from a password that is empty or holds control characters")));
    }
    Ok(password)
}

/// The certificate of an authority, or the public key of any other private key.
fn public(ctx: &Context, of: &Value) -> Result<Value> {
    if String::from_utf8_lossy(of.expose()).contains("BEGIN CERTIFICATE-----") {
        return issue::public(ctx, of);
    }
    openssl(ctx, &["pkey", "-pubout"], Some(of))
}

/// What `openssl` prints; what it is given on stdin and what it prints is shown to nobody.
pub fn openssl(ctx: &Context, args: &[&str], stdin: Option<&Value>) -> Result<Value> {
    program::ready(ctx, "openssl", "openssl")?;
    let call = Call::new([&["openssl"], args].concat()).verbatim();
    let call = stdin.into_iter().fold(call, |call, value| call.stdin(value.expose()));
    ctx.runner.read(call).map(Value::new)
}

/// The hash alone: the program prints it behind a user's name and a colon.
fn bcrypt(ctx: &Context, name: &str, password: &Value) -> Result<Value> {
    program::ready(ctx, "htpasswd", "apache2-utils")?;
    let password = line(name, password)?;
    if password.len() > BCRYPT {
        return Err(Error::cannot(format!("`{name}` is made from more than the {BCRYPT} bytes that bcrypt looks at")));
    }
    let call = Call::new(["htpasswd", "-niBC", COST, "user"]).verbatim().stdin(password);
    let told = ctx.runner.read(call)?;
    let hash = told.trim().strip_prefix("user:").filter(|hash| hash.starts_with("$2"));
    hash.map(Value::new).ok_or_else(|| Error::cannot("`htpasswd` printed no bcrypt hash"))
}

/// SHA-512 crypt, which servers verify through the C library. Its 5,000 rounds are few for a weak password and enough for a
/// generated one; more would cost the server as much on every request.
fn htpasswd(ctx: &Context, name: &str, declared: &SecretExtension, known: &Values) -> Result<Value> {
    let mut file = String::new();
    for (user, of) in &declared.users {
        let password = Value::new(line(name, known_value(name, of, known)?)?);
        let hash = openssl(ctx, &["passwd", "-6", "-stdin"], Some(&password))?;
        file += &format!("{user}:{}\n", String::from_utf8_lossy(hash.expose()).trim());
    }
    Ok(Value::new(file))
}

/// The broker's own program turns a file of passwords into one of hashes, in place.
fn mosquitto(ctx: &Context, name: &str, declared: &SecretExtension, known: &Values) -> Result<Value> {
    program::ready(ctx, "mosquitto_passwd", "mosquitto")?;
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot use a temporary file for `{name}`: {error}"));
    // Such a file is 0600 and goes away with its handle.
    let mut file = tempfile::NamedTempFile::new().map_err(cannot)?;
    for (user, of) in &declared.users {
        let password = line(name, known_value(name, of, known)?)?;
        file.write_all(&[user.as_bytes(), b":", password, b"\n"].concat()).map_err(cannot)?;
    }
    let path = file.path().to_string_lossy().into_owned();
    let call = Call::new(["mosquitto_passwd", "-U", &path]).verbatim();
    ctx.runner.read(call)?;
    // Read by its name: the program may have put another file in its place.
    let hashes = std::fs::read(&path).map_err(cannot)?;
    let hashed = String::from_utf8_lossy(&hashes).lines().all(|line| line.contains(":$"));
    if hashed && !hashes.is_empty() {
        return Ok(Value::new(hashes));
    }
    Err(Error::cannot("`mosquitto_passwd` left passwords unhashed"))
}
