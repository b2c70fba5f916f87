//! `certs` from outside: what is made is what clients accept, what is wrong is found, and a pair is never half.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fakes::Machine;
use crate::mode;
use crate::support::{Project, Ran};

/// A project with an authority, its copy for clients, and a service with a certificate.
fn compose(certs: &str, folder: &str) -> String {
    format!(
        "services:
  web:
    image: app:1
    secrets: [{{source: tls}}]
    x-xtask: {{certs: {certs}}}
secrets:
  ca: {{file: {folder}s/ca/ca.pem, x-xtask: {{generate: authority}}}}
  ca_certificate: {{file: {folder}s/ca.crt, x-xtask: {{generate: public, of: ca}}}}
  tls: {{file: {folder}s/tls.pem, x-xtask: {{generate: certificate, of: ca}}}}
"
    )
}

/// The same as a project.
pub fn project(certs: &str) -> Project {
    Project::new(&[("compose.yaml", &compose(certs, ""))])
}

/// Runs openssl in a project.
fn openssl(project: &Project, args: &[&str]) -> Ran {
    Ran::from(Command::new("openssl").current_dir(project.root()).args(args).output().expect("openssl starts"))
}

/// The rules that `certs check` finds broken, with their subjects.
fn found(project: &Project) -> Vec<String> {
    let answer = project.xtask(&["certs", "check", "--format", "json"]).json();
    let findings = answer["findings"].as_array().expect("findings").iter();
    let word = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    findings.map(|one| format!("{} {}", word(one, "subject"), word(one, "rule"))).collect()
}

#[test]
fn a_certificate_is_accepted_by_openssl_and_is_for_a_server_only() {
    let project = project("{secret: tls, names: [web, '*.example.org', 127.0.0.1, '::1'], days: 90}");
    project.xtask(&["certs", "init"]).exits(0);
    let verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "s/ca.crt"];
    openssl(&project, &[&verify[..], &["-verify_hostname", "a.example.org", "s/tls.pem"]].concat()).exits(0);
    openssl(&project, &[&verify[..], &["-verify_ip", "::1", "s/tls.pem"]].concat()).exits(0);
    openssl(&project, &[&verify[..], &["-verify_hostname", "other", "s/tls.pem"]].concat()).exits(2);
    openssl(&project, &["verify", "-purpose", "sslclient", "-CAfile", "s/ca.crt", "s/tls.pem"]).exits(2);
    let shown = openssl(&project, &["x509", "-in", "s/tls.pem", "-noout", "-text"]).exits(0).stdout;
    for part in [
        "Basic Constraints: critical\n                CA:FALSE",
        "Key Usage: critical\n                Digital Signature\n",
        "Extended Key Usage: \n                TLS Web Server Authentication\n",
        "DNS:*.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:web",
        "NIST CURVE: P-256",
        "Subject Key Identifier",
        "Authority Key Identifier",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let authority = openssl(&project, &["x509", "-in", "s/ca.crt", "-noout", "-text"]).exits(0).stdout;
    assert!(authority.contains("CA:TRUE, pathlen:0") && authority.contains("Certificate Sign, CRL Sign"), "{authority}");
    for file in ["s/ca/ca.pem", "s/ca.crt", "s/tls.pem"] {
        assert_eq!(mode(&project.file(file)), 0o600, "{file}");
    }
    assert_eq!((mode(&project.file("s/ca")), found(&project)), (0o700, Vec::new()));
    let again = project.xtask(&["certs", "init"]).exits(0);
    assert_eq!(again.stdout.matches("kept").count(), 3, "{}", again.stdout);
}

#[test]
fn a_client_of_tls_1_3_accepts_it() {
    let project = project("{secret: tls, names: [localhost]}");
    project.xtask(&["certs", "init"]).exits(0);
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let mut server = Command::new("openssl");
    let arguments = ["s_server", "-quiet", "-www", "-cert", "s/tls.pem", "-key", "s/tls.pem", "-accept"];
    server.args(arguments).arg(format!("127.0.0.1:{port}")).current_dir(project.root());
    let mut server = server.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("openssl starts");
    let address = format!("127.0.0.1:{port}");
    let client = ["s_client", "-connect", &address, "-tls1_3", "-CAfile", "s/ca.crt", "-verify_return_error", "-brief"];
    let connect = |name: &str| {
        let mut command = Command::new("openssl");
        command.args(client).args(["-verify_hostname", name]).current_dir(project.root()).stdin(Stdio::null());
        Ran::from(command.output().expect("openssl starts"))
    };
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(&address).is_err() && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (right, wrong) = (connect("localhost"), connect("elsewhere"));
    server.kill().expect("ended");
    server.wait().expect("ended");
    let told = right.exits(0);
    assert!(format!("{}{}", told.stdout, told.stderr).contains("Verification: OK"), "{}", told.stderr);
    wrong.exits(1);
}

#[test]
fn what_is_wrong_is_found_and_renewed() {
    let project = project("{secret: tls}");
    project.xtask(&["certs", "init"]).exits(0);
    let first = fs::read(project.file("s/tls.pem")).expect("there");
    project.xtask(&["certs", "renew", "--files-only"]).exits(0).says(&["none is due", "`tls` in 39"]);
    assert_eq!(fs::read(project.file("s/tls.pem")).expect("there"), first, "what is not due stays");

    project.write("compose.yaml", &compose("{secret: tls, names: [web, other]}", ""));
    assert_eq!(found(&project), ["tls names"]);
    project.xtask(&["certs", "renew", "--files-only"]).exits(0).says(&["renewed", "s/tls.previous.pem"]);
    assert_eq!(found(&project), [] as [&str; 0]);
    assert_eq!(fs::read(project.file("s/tls.previous.pem")).expect("kept"), first);

    let key = openssl(&project, &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]).exits(0).stdout;
    let pair = fs::read_to_string(project.file("s/tls.pem")).expect("there");
    let (certificate, _) = pair.split_once("-----BEGIN PRIVATE").expect("a key behind it");
    project.write("s/tls.pem", &format!("{certificate}{key}"));
    assert_eq!(found(&project), ["tls chain"]);
    project.write("s/tls.pem", "-----BEGIN CERTIFICATE-----\nnonsense\n");
    assert_eq!(found(&project), ["tls certificate"]);
    let told = project.xtask(&["secrets", "check"]).exits(1).stdout;
    assert!(told.contains("nothing that `openssl` reads as one"), "{told}");
    project.xtask(&["certs", "renew", "--files-only"]).exits(0);
    assert_eq!(found(&project), [] as [&str; 0]);

    fs::remove_file(project.file("s/ca.crt")).expect("removed");
    assert_eq!(found(&project), ["ca_certificate present"]);
    project
        .xtask(&["certs", "renew", "--files-only", "tlss"])
        .exits(2)
        .says(&["no certificate is called `tlss`", "did you mean `tls`?"]);
    project.xtask(&["certs", "renew", "--files-only", "ca_certificate"]).exits(2).says(&["is not there", "certs init"]);
}

#[test]
fn what_expires_is_told_everywhere() {
    let project = project("{secret: tls, days: 90}");
    project.xtask(&["certs", "init"]).exits(0);
    let extensions = "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\n\
                      subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\nsubjectAltName = DNS:web\n";
    project.write("extensions", extensions);
    openssl(&project, &["req", "-new", "-subj", "/CN=web", "-key", "s/tls.pem", "-out", "request"]).exits(0);
    let reissue = |days: &str| {
        let signer = ["-CA", "s/ca/ca.pem", "-CAkey", "s/ca/ca.pem", "-extfile", "extensions"];
        let made = [&["x509", "-req", "-in", "request", "-days", days][..], &signer].concat();
        let certificate = openssl(&project, &made).exits(0).stdout;
        let pair = fs::read_to_string(project.file("s/tls.pem")).expect("there");
        let key = pair.split_once("-----BEGIN PRIVATE").expect("a key").1;
        project.write("s/tls.pem", &format!("{certificate}-----BEGIN PRIVATE{key}"));
    };
    reissue("1");
    let soon = project.xtask(&["certs", "check"]).exits(0);
    assert!(!soon.stderr.contains("expires in"), "a day is not a third of a day: {}", soon.stderr);
    reissue("-1");
    assert_eq!(found(&project), ["tls expiry"]);
    for task in ["certs", "secrets"] {
        let told = project.xtask(&[task, "check"]).exits(1).stdout;
        assert!(told.contains("expired on"), "{told}");
    }
    project.xtask(&["certs", "renew", "--files-only"]).exits(0);
    assert_eq!(found(&project), [] as [&str; 0]);
}

#[test]
fn an_authority_keeps_its_key_and_its_certificates_stay_valid() {
    let project = project("{secret: tls}");
    project.xtask(&["certs", "init"]).exits(0);
    let before = fs::read(project.file("s/tls.pem")).expect("there");
    let old = fs::read(project.file("s/ca.crt")).expect("there");
    project.xtask(&["certs", "renew", "--files-only", "ca", "--force"]).exits(0);
    assert_ne!(fs::read(project.file("s/ca.crt")).expect("there"), old, "clients get the new certificate");
    assert_eq!(fs::read(project.file("s/tls.pem")).expect("there"), before);
    assert_eq!(found(&project), [] as [&str; 0]);
    fs::write(project.file("old.crt"), old).expect("written");
    project.xtask(&["certs", "renew", "--files-only", "tls", "--force"]).exits(0);
    openssl(&project, &["verify", "-x509_strict", "-CAfile", "old.crt", "s/tls.pem"]).exits(0);
    project.xtask(&["secrets", "rotate", "tls"]).exits(2).says(&["made from `ca`", "certs renew tls --force"]);
}

#[test]
fn what_cannot_be_made_is_told_and_nothing_is_written_through_a_link() {
    let project = project("{secret: tls}");
    fs::create_dir_all(project.file("s")).expect("made");
    symlink("/nowhere/at/all", project.file("s/tls.pem")).expect("planted");
    project.xtask(&["certs", "init"]).exits(2).says(&["s/tls.pem", "is a symbolic link"]);
    fs::remove_file(project.file("s/tls.pem")).expect("removed");
    project.write("s/ca/ca.pem", "nothing of the kind");
    project.xtask(&["certs", "init"]).exits(2).says(&["openssl"]);
    assert!(!project.file("s/tls.pem").exists());
    let machine = Machine::with_docker(&[]);
    machine.write("compose.yaml", &compose("{secret: tls}", &machine.path("")));
    let machine = machine.with("sh").with("cat").with("git").only_fakes();
    machine.run(&["certs", "init"]).exits(2).says(&["`openssl` is not on PATH", "in the package `openssl`"]);
}

/// How often a renewal is killed.
const TIMES: u64 = 60;

#[test]
fn renew_killed_at_any_moment_leaves_a_pair_that_fits() {
    let machine = Machine::with_docker(&[]);
    machine.write("compose.yaml", &compose("{secret: tls}", &machine.path("")));
    machine.write("no-engine", "");
    machine.run(&["certs", "init"]).exits(0);
    let started = std::time::Instant::now();
    machine.run(&["certs", "renew", "--files-only", "--force"]).exits(0);
    let whole = started.elapsed();
    let pair = || fs::read_to_string(machine.file("s/tls.pem")).expect("there");
    let (mut before, mut renewed) = (pair(), 0);
    for round in 0..TIMES {
        let mut child = machine.start(&["certs", "renew", "--files-only", "--force"]);
        // Up to twice as long as one takes: others on the machine may slow down those that are killed.
        std::thread::sleep(whole.mul_f64(2.0 * round as f64 / TIMES as f64));
        child.kill().expect("killed or ended");
        child.wait().expect("ended");
        let after = pair();
        renewed += u64::from(after != before);
        if after != before {
            assert!(fits(&machine.path("s/tls.pem")), "key and certificate are of one pair: {after}");
            assert_eq!(fs::read_to_string(machine.file("s/tls.previous.pem")).expect("kept"), before);
        }
        before = after;
    }
    assert!(renewed > 0 && renewed < TIMES, "{renewed} of {TIMES} were renewed");
    machine.run(&["certs", "renew", "--files-only", "--force"]).exits(0);
    assert_eq!(crate::names(&machine.file("s")), ["ca", "ca.crt", "tls.pem", "tls.previous.pem"]);
}

/// Whether a file's key and certificate are of one pair.
fn fits(file: &str) -> bool {
    let public = |args: &[&str]| Command::new("openssl").args(args).args(["-in", file]).output().expect("openssl starts").stdout;
    let key = public(&["pkey", "-pubout"]);
    !key.is_empty() && key == public(&["x509", "-noout", "-pubkey"])
}
