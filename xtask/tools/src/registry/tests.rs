//! The client against a registry of a few lines that answers whatever a test wants, on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::error::Error;
use crate::exec::cancel::Cancel;
use crate::stack::ImageRef;
use crate::ui::Surroundings;

/// What a test's registry answers: given the number of the request, its first line and its `Authorization`.
type Script = dyn Fn(usize, &str, &str) -> String + Send + Sync;

struct Fake {
    registry: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(script: impl Fn(usize, &str, &str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let registry = listener.local_addr().expect("an address").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (script.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &script, &log));
            }
        });
        Self { registry, asked }
    }

    fn client(config: &str) -> Client {
        let ui = Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0);
        let runner = Runner::new(ui.clone(), Cancel::default());
        Client::with(runner, ui, Logins::of(config).expect("a configuration"))
    }

    fn image(&self, tag: &str) -> ImageRef {
        format!("{}/a/b:{tag}", self.registry).parse().expect("a reference")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test has failed").clone()
    }
}

fn serve(stream: TcpStream, script: &Arc<Script>, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let (mut first, mut authorization, mut length) = (String::new(), String::new(), 0);
    let _gone = reader.read_line(&mut first);
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = value.to_owned(),
            "content-length" => length = value.parse().expect("a length"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let number = {
        let mut log = log.lock().expect("no test has failed");
        log.push(first.trim().trim_end_matches(" HTTP/1.1").to_owned());
        log.len()
    };
    let answer = script(number, first.trim(), &authorization);
    let _gone = (&stream).write_all(answer.as_bytes());
}

fn says(status: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"digest":"sha256:1","size":1},"layers":[]}"#;

fn manifest() -> String {
    says("200 OK", &["Content-Type: application/vnd.oci.image.manifest.v1+json"], MANIFEST)
}

fn only<T>(answers: Result<Vec<T>>) -> T {
    answers.expect("asked").pop().expect("an answer")
}

#[test]
fn faults_are_tried_again_and_the_registry_says_when() {
    let fake = Fake::new(|number, _, _| match number {
        1 => says("503 Service Unavailable", &[], ""),
        2 => String::new(),
        3 => says("429 Too Many Requests", &["Retry-After: 0"], ""),
        _ => manifest(),
    });
    let read = only(Fake::client("").manifests(&[fake.image("1")])).expect("a manifest");
    assert_eq!(read.digest, super::manifest::digest(MANIFEST.as_bytes()));
    assert_eq!(fake.asked(), ["GET /v2/a/b/manifests/1"; 4]);
}

#[test]
fn what_stands_by_asks_as_what_is_started_does() {
    let fake = Fake::new(|_, _, _| manifest());
    let client = Fake::client("");
    client.stand_by(3).expect("started");
    for _ in 0..5 {
        only(client.manifests(&[fake.image("1")])).expect("a manifest");
    }
    assert_eq!(fake.asked().len(), 5);
}

#[test]
fn what_stands_by_before_an_interrupt_is_not_what_asks_after_it() {
    let fake = Fake::new(|_, _, _| manifest());
    let client = Fake::client("");
    client.stand_by(1).expect("started");
    let unstoppable = client.unstoppable();
    unstoppable.stand_by(1).expect("started");
    client.runner.cancel().set();
    assert_eq!(client.manifests(&[fake.image("1")]).expect_err("interrupted"), Error::interrupted());
    only(unstoppable.manifests(&[fake.image("1")])).expect("a manifest");
}

#[test]
fn what_will_not_pass_is_told_at_once() {
    let circles = || says("307 Temporary Redirect", &["Location: /v2/a/b/manifests/circles"], "");
    let fake = Fake::new(move |_, first, _| match first {
        first if first.contains("/html ") => says("200 OK", &["Content-Type: text/html"], "<html>"),
        first if first.contains("/circles ") => circles(),
        first if first.contains("/other ") => says("200 OK", &["Docker-Content-Digest: sha256:00"], MANIFEST),
        first if first.contains("/denied ") => says("403 Forbidden", &[], ""),
        _ => says("404 Not Found", &[], ""),
    });
    let images = ["html", "circles", "other", "denied", "absent"].map(|tag| fake.image(tag));
    let troubles: Vec<_> = Fake::client("").manifests(&images).expect("asked").into_iter().map(Result::unwrap_err).collect();
    assert!(matches!(troubles[0], Trouble::NotARegistry(_)), "{troubles:?}");
    assert_eq!(troubles[1], Trouble::Circles);
    assert!(matches!(troubles[2], Trouble::WrongDigest { .. }), "{troubles:?}");
    assert_eq!(troubles[3..], [Trouble::Nobody(403), Trouble::Absent]);
}

#[test]
fn nothing_there_is_told_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let image = format!("{}/a:1", listener.local_addr().expect("an address")).parse().expect("a reference");
    drop(listener);
    assert!(matches!(only(Fake::client("").find(&[image])), Err(Trouble::Down(_))));
}

#[test]
fn a_login_goes_where_it_is_wanted() {
    let fake = Fake::new(|_, _, authorization| match authorization {
        "Basic dTpw" => says("201 Created", &[], ""),
        _ => says("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"x\""], ""),
    });
    let put = |login: &str| {
        let config = format!(r#"{{"auths": {{"{}": {{"auth": "{login}"}}}}}}"#, fake.registry);
        let manifest = super::manifest::Manifest::parse(None, MANIFEST.into()).expect("a manifest");
        only(Fake::client(&config).tag(&[(fake.image("1"), &manifest)]))
    };
    assert_eq!(put("dTpw"), Ok(()));
    assert!(matches!(put("dTp3"), Err(Trouble::Unknown(_))));
    assert!(matches!(only(Fake::client("").find(&[fake.image("1")])), Err(Trouble::Nobody(401))));
}

#[test]
fn a_token_is_fetched_once_for_each_scope_and_anew_when_it_has_expired() {
    let port = Arc::new(Mutex::new(String::new()));
    let realm = port.clone();
    let fake = Fake::new(move |number, first, authorization| match (first, authorization) {
        (first, "Basic dTpw") if first.starts_with("GET /token?") => says("200 OK", &[], &format!("{{\"token\":\"t{number}\"}}")),
        (_, "Bearer t3") if number < 8 => manifest(),
        (_, authorization) if number >= 8 && authorization.starts_with("Bearer ") && authorization != "Bearer t3" => manifest(),
        _ => {
            let realm = realm.lock().expect("no test has failed");
            let challenge =
                format!("WWW-Authenticate: Bearer realm=\"http://{realm}/token\",service=\"s\",error=\"invalid_token\"");
            says("401 Unauthorized", &[&challenge], "")
        }
    });
    port.lock().expect("nobody else").clone_from(&fake.registry);
    let client = Fake::client(&format!(r#"{{"auths": {{"{}": {{"auth": "dTpw"}}}}}}"#, fake.registry));
    let both = [fake.image("1"), fake.image("2")];
    assert!(client.manifests(&both).expect("asked").iter().all(Result::is_ok));
    assert!(client.manifests(&both).expect("asked").iter().all(Result::is_ok));
    let tokens = || fake.asked().iter().filter(|asked| asked.contains("scope=repository%3Aa%2Fb%3Apull")).count();
    assert_eq!((tokens(), fake.asked().len()), (1, 7));
    assert!(client.manifests(&both).expect("asked").iter().all(Result::is_ok));
    assert_eq!(tokens(), 2, "{:?}", fake.asked());
}

#[test]
fn a_blob_that_is_there_is_not_sent_again() {
    let fake = Fake::new(|_, first, _| match first {
        first if first.starts_with("HEAD") && first.contains(&super::manifest::digest(b"old")) => says("200 OK", &[], ""),
        first if first.starts_with("POST") => says("202 Accepted", &["Location: /upload?state=1"], ""),
        first if first.starts_with("PUT /upload?state=1&digest=sha256:") => says("201 Created", &[], ""),
        _ => says("404 Not Found", &[], ""),
    });
    let client = Fake::client("");
    for (bytes, requests) in [(b"old", 1), (b"new", 4)] {
        let put = client.put_blob(&fake.image("1"), bytes).expect("asked");
        assert_eq!((put, fake.asked().len()), (Ok(super::manifest::digest(bytes)), requests));
    }
}

#[test]
fn a_helper_that_is_missing_is_named() {
    let client = Fake::client(r#"{"credsStore": "no-such-helper"}"#);
    let error: Error = client.engine_login("r.example").expect_err("there is none");
    assert!(error.help.is_some_and(|help| help.contains("`docker-credential-no-such-helper`")));
}

/// A registry that takes everything; of referrers it says what `list` is.
fn takes_everything(list: Option<&'static str>) -> Fake {
    Fake::new(move |_, first, _| match first {
        first if first.starts_with("HEAD") => says("404 Not Found", &[], ""),
        first if first.starts_with("POST") => says("202 Accepted", &["Location: /upload?state=1"], ""),
        first if first.starts_with("PUT") => says("201 Created", &[], ""),
        first if first.contains("/referrers/") && list.is_some() => says("200 OK", &[], list.unwrap_or_default()),
        _ => says("404 Not Found", &[], ""),
    })
}

fn attach(fake: &Fake) -> Vec<String> {
    let subject = super::manifest::Manifest::parse(None, MANIFEST.into()).expect("a manifest");
    let document = referrers::Document { media_type: "application/x".to_owned(), bytes: b"text".to_vec() };
    let attached = Fake::client("").attach(&fake.image("1"), &subject, &[document]).expect("asked");
    assert_eq!(attached, Ok(()));
    fake.asked().into_iter().filter(|asked| asked.contains("PUT /v2/a/b/manifests/")).collect()
}

#[test]
fn a_document_is_listed_under_a_tag_only_where_the_registry_does_not_list_it() {
    let digest = super::manifest::digest(MANIFEST.as_bytes());
    let put = attach(&takes_everything(Some(r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}"#)));
    assert!(put.len() == 1 && put[0].contains("/manifests/sha256:"), "{put:?}");
    let put = attach(&takes_everything(None));
    assert!(put.len() == 2 && put[1].ends_with(&referrers::tag(&digest)), "{put:?}");
}

#[test]
fn a_document_is_read_from_the_registrys_own_list() {
    let layer = super::manifest::digest(b"text");
    let referrer = format!(r#"{{"config":{{"digest":"sha256:1","size":2}},"layers":[{{"digest":"{layer}","size":4}}]}}"#);
    let digest = super::manifest::digest(referrer.as_bytes());
    let list = format!(r#"{{"manifests":[{{"digest":"{digest}","artifactType":"application/x"}}]}}"#);
    let fake = Fake::new(move |_, first, _| match first {
        first if first.contains("/referrers/sha256:0 ") => says("200 OK", &[], &list),
        first if first.contains(&format!("/manifests/{digest} ")) => says("200 OK", &[], &referrer),
        first if first.contains("/blobs/") => says("200 OK", &[], "text"),
        _ => says("404 Not Found", &[], ""),
    });
    let (client, image) = (Fake::client(""), fake.image("1"));
    let found = client.referrers(&image, "sha256:0").expect("asked").expect("a list");
    assert_eq!(found[0].artifact_type.as_deref(), Some("application/x"));
    assert_eq!(client.document(&image, &found[0]).expect("asked"), Ok(b"text".to_vec()));
    assert_eq!(client.referrers(&image, "sha256:9").expect("asked"), Ok(Vec::new()), "neither list knows it");
}
