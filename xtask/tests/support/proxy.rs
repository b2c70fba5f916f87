//! A proxy before a registry that does harm when it is told to. One request a connection; what it lets through, it passes on byte by
//! byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with a status line, headers and a body, and not passed on.
    Answer(&'static str, String, &'static str),
    /// The connection is closed without an answer.
    Reset,
    /// It is passed on as far as this many bytes of its body, then the connection is closed.
    Cut(u64),
    /// Nothing happens for this long; then the connection is closed.
    Hang(Duration),
    /// It is sent to where it is.
    Circles,
    /// It is passed on, and a blank is added to the end of the answer.
    Altered,
}

/// A request as a rule sees it.
pub struct Seen<'a> {
    /// `GET`, `PUT` and so on.
    pub method: &'a str,
    /// The path and the query.
    pub path: &'a str,
    /// What it shows to be let in; empty where there is nothing.
    pub authorization: &'a str,
}

type Rule = dyn Fn(&Seen<'_>) -> Option<Fault> + Send + Sync;

/// A proxy. Its threads end with the test.
pub struct Proxy {
    /// `127.0.0.1:PORT`
    pub address: String,
    rule: Arc<Mutex<Arc<Rule>>>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy that does no harm yet.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let rule: Arc<Mutex<Arc<Rule>>> = Arc::new(Mutex::new(Arc::new(|_: &Seen<'_>| None)));
        let log = Arc::new(Mutex::new(Vec::new()));
        let proxy = Self { address, rule: rule.clone(), log: log.clone() };
        let upstream = upstream.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (rule, log, upstream) = (rule.clone(), log.clone(), upstream.clone());
                // What breaks between the two is what such a proxy is for.
                std::thread::spawn(move || drop(serve(client, &upstream, &rule, &log)));
            }
        });
        proxy
    }

    /// From now on requests fare as the rule says.
    pub fn harm(&self, rule: impl Fn(&Seen<'_>) -> Option<Fault> + Send + Sync + 'static) {
        *self.rule.lock().expect("no rule has panicked") = Arc::new(rule);
    }

    /// Does no harm any more.
    pub fn heal(&self) {
        self.harm(|_| None);
    }

    /// The requests since this was asked last, such as `GET /v2/`.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().expect("no rule has panicked"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        super::forget(&self.address);
    }
}

fn serve(client: TcpStream, upstream: &str, rule: &Mutex<Arc<Rule>>, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    log.lock().expect("no rule has panicked").push(format!("{method} {path}"));
    let rule = rule.lock().expect("no rule has panicked").clone();
    let answer = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        (&client).write_all(text.as_bytes())?;
        client.shutdown(Shutdown::Write)?;
        // What is still on its way is taken, or the client would see a reset in place of the answer.
        client.set_read_timeout(Some(Duration::from_secs(5)))?;
        std::io::copy(&mut (&client), &mut std::io::sink()).map(drop)
    };
    let (mut most, mut altered) = (u64::MAX, false);
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let authorization = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map_or("", |(_, value)| value);
    match rule(&Seen { method, path, authorization }) {
        Some(Fault::Answer(status, headers, body)) => return answer(status, &headers, body),
        Some(Fault::Circles) => return answer("307 Temporary Redirect", &format!("Location: {path}\r\n"), ""),
        Some(Fault::Reset) => return Ok(()),
        Some(Fault::Hang(time)) => {
            std::thread::sleep(time);
            return Ok(());
        }
        Some(Fault::Cut(bytes)) => most = bytes,
        Some(Fault::Altered) => altered = true,
        None => {}
    }
    let mut server = TcpStream::connect(upstream)?;
    let lines = head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let forwarded: String = lines.map(|line| format!("{line}\r\n")).collect();
    server.write_all(format!("{forwarded}Connection: close\r\n\r\n").as_bytes())?;
    let (mut to_server, to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let passed = std::io::copy(&mut reader.take(most), &mut to_server);
        if most < u64::MAX && passed.is_ok() {
            let _both = (to_client.shutdown(Shutdown::Both), to_server.shutdown(Shutdown::Both));
        }
    });
    if altered {
        let mut whole = Vec::new();
        server.read_to_end(&mut whole)?;
        let text = String::from_utf8_lossy(&whole).replacen("\"schemaVersion\": 2", "\"schemaVersion\":  2", 1);
        let text = text.replacen("\"schemaVersion\":2", "\"schemaVersion\": 2", 1);
        let lines = text.split("\r\n").filter(|line| !line.starts_with("Content-Length: "));
        let lines: Vec<&str> = lines.collect();
        (&client).write_all(lines.join("\r\n").as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    std::io::copy(&mut server, &mut (&client))?;
    client.shutdown(Shutdown::Both)
}
