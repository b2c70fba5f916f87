//! A token service for the registry behind a [`Proxy`](super::proxy::Proxy): it gives tokens to the user `me` with the password
//! `right`, and says what the registry would say of a token that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::proxy::{Fault, Seen};

/// `me:right`, as docker's configuration and HTTP have it.
pub const LOGIN: &str = "bWU6cmlnaHQ=";

/// A token service. Its threads end with the test.
#[derive(Clone)]
pub struct Tokens {
    /// `127.0.0.1:PORT`
    pub address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What each token allows, such as `repository:a/b:pull`.
    given: BTreeMap<String, BTreeSet<String>>,
    expired: BTreeSet<String>,
    /// Whether it gives tokens that allow to write.
    writers: bool,
}

impl Tokens {
    /// A service that allows everything.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(State { writers: true, ..State::default() }));
        let tokens = Self { address, state };
        let service = tokens.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // What breaks between the two is the client's to tell.
                let _gone = service.serve(&client);
            }
        });
        tokens
    }

    /// From now on tokens allow to read alone.
    pub fn read_only(&self) {
        self.state.lock().expect("whole").writers = false;
    }

    /// The tokens that were given are worth nothing any more.
    pub fn expire(&self) {
        let mut state = self.state.lock().expect("whole");
        state.expired = state.given.keys().cloned().collect();
    }

    /// The tokens that were given.
    pub fn given(&self) -> Vec<String> {
        self.state.lock().expect("whole").given.keys().cloned().collect()
    }

    /// What the registry says of a request without a token that allows it; nothing of one that has it.
    pub fn judge(&self, seen: &Seen<'_>) -> Option<Fault> {
        let state = self.state.lock().expect("whole");
        let token = seen.authorization.strip_prefix("Bearer ").unwrap_or_default();
        let wanted = scope(seen);
        let error = match state.given.get(token) {
            None => "",
            Some(_) if state.expired.contains(token) => ",error=\"invalid_token\"",
            Some(allowed) if wanted.as_ref().is_none_or(|wanted| allowed.contains(wanted)) => return None,
            Some(_) => ",error=\"insufficient_scope\"",
        };
        let scope = wanted.map(|wanted| format!(",scope=\"{wanted}\"")).unwrap_or_default();
        let realm = format!("Bearer realm=\"http://{}/token\",service=\"test\"{scope}{error}", self.address);
        Some(Fault::Answer("401 Unauthorized", format!("WWW-Authenticate: {realm}\r\n"), "{}"))
    }

    fn serve(&self, mut client: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(client).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let headers: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let is_known = headers.iter().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Basic {LOGIN}")));
        let (status, body) = if is_known { ("200 OK", self.give(&first)) } else { ("401 Unauthorized", "{}".to_owned()) };
        let length = body.len();
        write!(
            client,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    }

    /// A new token for the scopes of a question.
    fn give(&self, first: &str) -> String {
        let query = first.split(' ').nth(1).and_then(|path| path.split_once('?')).map_or("", |(_, query)| query);
        let plain = |value: &str| value.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",");
        let scopes = query.split('&').filter_map(|pair| pair.strip_prefix("scope=")).map(plain);
        let mut state = self.state.lock().expect("whole");
        let mut allowed = BTreeSet::new();
        for scope in scopes {
            let (repository, actions) = scope.rsplit_once(':').expect("a scope");
            let actions = actions.split(',').filter(|action| *action == "pull" || state.writers);
            allowed.extend(actions.map(|action| format!("{repository}:{action}")));
        }
        let token = format!("token-{:04}", state.given.len());
        let body = format!("{{\"token\":\"{token}\",\"expires_in\":300}}");
        state.given.insert(token, allowed);
        body
    }
}

/// What a request needs; nothing where it is about no repository.
fn scope(seen: &Seen<'_>) -> Option<String> {
    let path = seen.path.strip_prefix("/v2/")?.split('?').next()?;
    let end = ["/manifests/", "/blobs/", "/tags/", "/referrers/"].iter().find_map(|part| path.find(part))?;
    let action = if matches!(seen.method, "GET" | "HEAD") { "pull" } else { "push" };
    Some(format!("repository:{}:{action}", &path[..end]))
}
