//! Servers and certificates of openssl's making, greeted by this module.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;

use camino::Utf8PathBuf;
use tempfile::TempDir;

use super::super::testing::{closed_port, runner, serve};
use super::*;
use crate::stack::probe::Probe;

/// A folder with a CA and a certificate for `queue` that it signed, valid for three days.
struct Authority(TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(TempDir::new().expect("a folder"));
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc";
        authority.openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 30 -subj /CN=testing"));
        let names = "-addext subjectAltName=DNS:queue,IP:127.0.0.1";
        authority.openssl(&format!(
            "req -x509 {key} -CA ca.crt -CAkey ca.key -keyout own.key -out own.crt -days 3 -subj /CN=queue {names} \
             -addext basicConstraints=critical,CA:FALSE"
        ));
        authority
    }

    fn openssl(&self, arguments: &str) {
        let ran = Command::new(PROGRAM).args(arguments.split_whitespace()).current_dir(self.0.path()).output().expect("openssl");
        assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.0.path().join(name)).expect("UTF-8")
    }

    /// A server that is killed when it is dropped.
    fn serve(&self, options: &str) -> Server {
        let port = closed_port();
        let arguments = format!("s_server -accept 127.0.0.1:{port} -cert own.crt -key own.key -quiet -www {options}");
        let mut command = Command::new(PROGRAM);
        command.args(arguments.split_whitespace()).current_dir(self.0.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("openssl");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
        Server { child, port }
    }
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn told(port: u16, ca: Option<Utf8PathBuf>, tls: Tls) -> Vec<String> {
    let address = "127.0.0.1".to_owned();
    let tls = Tls { ca: ca.is_some().then(|| "ca.crt".into()), ..tls };
    let target = Target {
        service: "queue".into(),
        address,
        port,
        ca,
        probe: Probe { tls: Some(tls.clone()), ..Probe::default() },
        ..Target::default()
    };
    match attempt(&runner(), &target, &tls, Duration::from_secs(10)) {
        Ok(passed) => vec![passed],
        Err(wrong) => wrong.into_iter().map(|one| format!("{}, got {}", one.expected, one.actual)).collect(),
    }
}

#[test]
fn a_server_is_known_by_its_authority_and_its_name() {
    let authority = Authority::new();
    let server = authority.serve("");
    let ca = || Some(authority.file("ca.crt"));
    let passed = told(server.port, ca(), Tls { days: 2, ..Tls::default() });
    assert!(passed[0].starts_with("TLS 1.3, valid until "), "{passed:?}");
    assert_eq!(told(server.port, ca(), Tls { name: Some("127.0.0.1".into()), ..Tls::default() }), passed);

    let other = told(server.port, ca(), Tls { name: Some("other".into()), ..Tls::default() });
    assert_eq!(other, ["a certificate for `other`, got one for `queue`, `127.0.0.1`"]);
    let soon = told(server.port, ca(), Tls { days: 14, ..Tls::default() });
    assert!(soon[0].starts_with("a certificate that is valid for another 14 days, got one that ends in "), "{soon:?}");
    let stranger = told(server.port, None, Tls::default());
    assert!(stranger[0].starts_with("a certificate that this machine trusts, got "), "{stranger:?}");
    assert!(stranger[0].ends_with("it was signed by `CN=testing`"), "{stranger:?}");
}

#[test]
fn an_older_version_that_is_accepted_is_told() {
    let authority = Authority::new();
    let server = authority.serve("");
    let told = |tls| told(server.port, Some(authority.file("ca.crt")), tls);
    let modern = told(Tls { min_version: Version::Tls13, ..Tls::default() });
    assert_eq!(modern, ["nothing older than TLS 1.3, got TLS 1.2 is accepted"]);
    let server = authority.serve("-tls1_2");
    let told =
        super::tests::told(server.port, Some(authority.file("ca.crt")), Tls { min_version: Version::Tls13, ..Tls::default() });
    assert_eq!(told, ["nothing older than TLS 1.3, got TLS 1.2"]);
}

#[test]
fn what_is_no_tls_server_is_told() {
    let web = serve(|mut stream, _| {
        let _client_gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        thread::sleep(Duration::from_millis(500));
    });
    let silent = serve(|stream, _| drop(stream));
    let told = |port| told(port, None, Tls::default()).join("; ");
    assert_eq!(told(closed_port()), "a TLS server, got connection refused");
    assert_eq!(told(web), "a TLS server, got something that is not TLS");
    assert!(told(silent).starts_with("a TLS server, got a connection that is closed"), "{}", told(silent));
}
