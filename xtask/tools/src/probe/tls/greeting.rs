//! A TLS handshake as openssl's client makes it: its arguments, and what it prints of the server.

use std::net::Ipv6Addr;

use camino::Utf8Path;

use super::super::http::short;
use super::PROGRAM;
use crate::stack::probe::Version;

/// What a server has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The version that both agreed on.
    pub version: Version,
    /// Its certificate.
    pub pem: String,
    /// Why the certificate is not trusted; none if it is.
    pub distrust: Option<String>,
}

impl Greeting {
    /// Reads what `openssl s_client` prints; none if there was no handshake.
    pub fn parse(printed: &str) -> Option<Self> {
        let agreed = printed.lines().find_map(|line| line.strip_prefix("New, TLSv")?.split(',').next())?;
        // Both are written without the zero of `1.0`.
        let version =
            Version::ALL.into_iter().find(|version| version.number().trim_end_matches(".0") == agreed.trim_end_matches(".0"))?;
        let begin = printed.find("-----BEGIN CERTIFICATE-----")?;
        let end = printed.find("-----END CERTIFICATE-----")?;
        let pem = format!("{}-----END CERTIFICATE-----\n", printed.get(begin..end)?);
        let verdict = printed.lines().rev().find_map(|line| line.trim().strip_prefix("Verify return code: "));
        let (code, why) = verdict?.split_once(' ')?;
        let distrust = (code != "0").then(|| why.trim_matches(['(', ')']).to_owned());
        Some(Self { version, pem, distrust })
    }
}

/// A handshake with the newest version that both know. `ca` is all that is trusted; without it what the machine trusts.
pub fn newest(address: &str, port: u16, name: Option<&str>, ca: Option<&Utf8Path>) -> Vec<String> {
    let mut argv = client(address, port, name);
    if let Some(ca) = ca {
        argv.extend(["-no-CApath", "-no-CAstore", "-CAfile", ca.as_str()].map(str::to_owned));
    }
    argv
}

/// A handshake with `newest` or an older version, and with ciphers that a client would not offer any more.
pub fn at_most(address: &str, port: u16, name: Option<&str>, newest: Version) -> Vec<String> {
    let newest = format!("TLSv{}", newest.number().trim_end_matches(".0"));
    let limits = ["-min_protocol", "TLSv1", "-max_protocol", &newest, "-cipher", "DEFAULT@SECLEVEL=0"].map(str::to_owned);
    [client(address, port, name), limits.to_vec()].concat()
}

fn client(address: &str, port: u16, name: Option<&str>) -> Vec<String> {
    let address = if address.parse::<Ipv6Addr>().is_ok() { format!("[{address}]") } else { address.to_owned() };
    let connect = format!("{address}:{port}");
    let named = name.map_or(vec!["-noservername"], |name| vec!["-servername", name]);
    [&[PROGRAM, "s_client", "-connect", &connect, "-verify_quiet"], &named[..]].concat().into_iter().map(str::to_owned).collect()
}

/// Why there was no handshake, by the last lines on stderr.
pub fn refusal(stderr: &[String]) -> String {
    // THREAD:error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE
    let reason = |line: &String| line.split_once(":error:").and_then(|(_, rest)| rest.split(':').nth(3)).map(str::to_owned);
    match stderr.iter().find_map(reason).as_deref() {
        Some("wrong version number" | "packet length too long" | "http request") => "something that is not TLS".to_owned(),
        Some("unexpected eof while reading") => "a connection that is closed during the handshake".to_owned(),
        Some(reason) => format!("a handshake that fails: {}", short(reason)),
        None => "a connection that is closed before the handshake".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "CONNECTED(00000003)\n---\nServer certificate\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n\
                           ---\nNew, TLSv1.2, Cipher is ECDHE\n    Verify return code: 20 (unable to get local issuer certificate)\n";

    #[test]
    fn a_greeting_is_read() {
        let greeting = Greeting::parse(PRINTED).expect("a greeting");
        assert_eq!(greeting.version, Version::Tls12);
        assert_eq!(greeting.pem, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
        assert_eq!(greeting.distrust.as_deref(), Some("unable to get local issuer certificate"));
        let trusted = Greeting::parse(&PRINTED.replace("20 (unable to get local issuer certificate)", "0 (ok)"));
        assert_eq!(trusted.expect("a greeting").distrust, None);
        assert_eq!(Greeting::parse(&PRINTED.replace("TLSv1.2", "TLSv1")).expect("a greeting").version, Version::Tls10);
        assert_eq!(Greeting::parse(&PRINTED.replace("TLSv1.2", "(NONE)")), None);
        assert_eq!(Greeting::parse(""), None);
    }

    #[test]
    fn a_handshake_is_asked_for_as_it_would_be_typed() {
        let typed = |argv: Vec<String>| argv.join(" ");
        assert_eq!(
            typed(newest("127.0.0.1", 1, Some("queue"), Some(Utf8Path::new("/c/ca.crt")))),
            "openssl s_client -connect 127.0.0.1:1 -verify_quiet -servername queue -no-CApath -no-CAstore -CAfile /c/ca.crt"
        );
        assert_eq!(
            typed(at_most("::1", 1, None, Version::Tls10)),
            "openssl s_client -connect [::1]:1 -verify_quiet -noservername -min_protocol TLSv1 -max_protocol TLSv1 \
             -cipher DEFAULT@SECLEVEL=0"
        );
    }

    #[test]
    fn a_refusal_is_told_in_words() {
        let told = |line: &str| refusal(&["CONNECTED".to_owned(), line.to_owned()]);
        let error = |reason: &str| format!("40:error:0A00010B:SSL routines:f:{reason}:../ssl/f.c:354:");
        assert_eq!(told(&error("wrong version number")), "something that is not TLS");
        assert_eq!(told(&error("unexpected eof while reading")), "a connection that is closed during the handshake");
        assert_eq!(told(&error("tlsv1 alert internal error")), "a handshake that fails: tlsv1 alert internal error");
        assert_eq!(told("write:errno=104"), "a connection that is closed before the handshake");
    }
}
