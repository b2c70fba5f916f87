//! `curl`, which speaks for us: its configuration as text, and what it tells of each transfer. Everything goes to its stdin, so that
//! no address, header or credential stands in a process list.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::secret::Value;

/// The longest time that connecting may take, in seconds.
const CONNECT: u32 = 10;

/// The longest time that a transfer of a manifest may take, in seconds. What is sent may take a second more for each
/// [`SLOWEST`] bytes; layers are not sent by us.
const TOTAL: usize = 30;

/// The slowest line that is put up with, in bytes a second.
const SLOWEST: usize = 32 << 10;

/// How many redirects are followed.
const REDIRECTS: u32 = 5;

/// The largest answer that is taken, in bytes: registries refuse manifests of more than 4 MiB.
pub const LARGEST: u64 = 16 << 20;

/// What is done with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Only headers are wanted.
    Head,
    /// The document is wanted.
    Get,
    /// A document is put there.
    Put,
    /// Something is begun there.
    Post,
}

/// A question to a registry or to a token service.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// With which address.
    pub url: String,
    /// Further headers. Those that must stay unknown are given beside it.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without further headers or a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: None }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a body of this media type.
    pub fn sends(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", media_type)
    }
}

/// Where a transfer's parts are, beside the request itself.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The file with the request's body.
    pub sent: String,
    /// The file that takes the answer's headers.
    pub headers: String,
    /// The file that takes the answer's body; stdout where there is none, for an answer that no file may hold.
    pub body: Option<String>,
    /// A certificate authority of the registry's own.
    pub authority: Option<String>,
}

/// The configuration of one transfer. `credential` is the whole value of `Authorization`; `number` is told back in [`Outcome`].
pub fn transfer(number: usize, request: &Request, credential: Option<&Value>, files: &Files) -> Value {
    let mut text = String::new();
    let mut set = |name: &str, value: &str| {
        let _infallible = writeln!(text, "{name} = \"{}\"", escaped(value));
    };
    set("url", &request.url);
    set("dump-header", &files.headers);
    set("output", files.body.as_deref().unwrap_or("-"));
    let to = if files.body.is_some() { "" } else { "%{stderr}" };
    set("write-out", &format!("{to}{number} %{{exitcode}} %{{response_code}} %{{errormsg}}\\n"));
    set("connect-timeout", &CONNECT.to_string());
    let total = TOTAL + request.body.as_ref().map_or(0, Vec::len) / SLOWEST;
    set("max-time", &total.to_string());
    set("max-redirs", &REDIRECTS.to_string());
    set("max-filesize", &LARGEST.to_string());
    // What was asked for over TLS is never fetched without.
    set("proto-redir", if request.url.starts_with("https:") { "=https" } else { "=http,https" });
    set("header", "Expect:");
    request.headers.iter().for_each(|(name, value)| set("header", &format!("{name}: {value}")));
    if let Some(credential) = credential {
        set("header", &format!("Authorization: {}", String::from_utf8_lossy(credential.expose())));
    }
    if let Some(authority) = &files.authority {
        set("cacert", authority);
    }
    if is_here(&request.url) {
        set("noproxy", "*");
    }
    if request.body.is_some() || request.method == Method::Post {
        set("data-binary", &format!("@{}", files.sent));
    }
    match request.method {
        Method::Put => set("request", "PUT"),
        Method::Get if request.body.is_some() => set("request", "GET"),
        Method::Head | Method::Get | Method::Post => {}
    }
    text += "location\ngloboff\n";
    if request.method == Method::Head {
        text += "head\n";
    }
    Value::new(text)
}

/// The configuration of several transfers in one process.
pub fn configuration(transfers: &[Value]) -> Value {
    let mut text = b"silent\nno-progress-meter\n".to_vec();
    if transfers.len() > 1 {
        text.extend_from_slice(b"parallel\nparallel-max = 16\n");
    }
    for (number, transfer) in transfers.iter().enumerate() {
        if number > 0 {
            text.extend_from_slice(b"next\n");
        }
        text.extend_from_slice(transfer.expose());
    }
    Value::new(text)
}

/// The command line: nobody's own settings hold, and everything else comes on stdin.
pub fn command() -> Vec<String> {
    ["curl", "--disable", "--config", "-"].map(str::to_owned).to_vec()
}

/// Whether an address is on this machine, which no proxy is asked about.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    super::endpoint::is_loopback(rest.split(['/', '?']).next().unwrap_or(rest))
}

/// A value as it stands between quotes in curl's configuration.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        match c {
            '"' => text += "\\\"",
            '\\' => text += "\\\\",
            '\n' => text += "\\n",
            '\r' => text += "\\r",
            '\t' => text += "\\t",
            c => text.push(c),
        }
    }
    text
}

/// How a transfer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which one.
    pub number: usize,
    /// Curl's exit code for it; 0 where there was an answer.
    pub code: u32,
    /// The last answer's status; 0 where there was none.
    pub status: u16,
    /// What curl says of a failure.
    pub message: String,
}

/// Reads a line that curl writes at a transfer's end.
pub fn outcome(line: &str) -> Option<Outcome> {
    let mut words = line.trim_end().splitn(4, ' ');
    let mut word = || words.next();
    let number = word()?.parse().ok()?;
    Some(Outcome {
        number,
        code: word()?.parse().ok()?,
        status: word()?.parse().ok()?,
        message: word().unwrap_or_default().to_owned(),
    })
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case; of those that come twice, both, with a comma between.
    pub headers: BTreeMap<String, String>,
    /// The document.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the registry did what it was asked.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The headers of the last answer in what curl dumped: those of redirects stand before it.
pub fn headers(dumped: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for line in dumped.lines() {
        if line.starts_with("HTTP/") {
            headers.clear();
        } else if let Some((name, value)) = line.split_once(':') {
            let join = |before: &mut String| *before = format!("{before}, {}", value.trim());
            headers.entry(name.trim().to_ascii_lowercase()).and_modify(join).or_insert_with(|| value.trim().to_owned());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(value.expose().to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_transfer_is_told_in_curls_words() {
        let files =
            Files { sent: "/t/0".into(), headers: "/t/h".into(), body: Some("/t/b".into()), authority: Some("/ca".into()) };
        let request = Request::new(Method::Put, "https://r.example/v2/a/manifests/1").sends("a/b", "{}");
        let told = text(&transfer(7, &request, Some(&Value::new("Bearer \"x\\\n")), &files));
        for line in [
            "url = \"https://r.example/v2/a/manifests/1\"",
            "request = \"PUT\"",
            "data-binary = \"@/t/0\"",
            "header = \"Content-Type: a/b\"",
            "header = \"Authorization: Bearer \\\"x\\\\\\n\"",
            "proto-redir = \"=https\"",
            "cacert = \"/ca\"",
            "write-out = \"7 %{exitcode} %{response_code} %{errormsg}\\\\n\"",
        ] {
            assert!(told.lines().any(|told| told == line), "{line} is not in\n{told}");
        }
        assert!(!told.contains("noproxy"));
        let head = text(&transfer(0, &Request::new(Method::Head, "http://127.0.0.1:5000/v2/"), None, &files));
        assert!(head.contains("\nhead\n") && head.contains("noproxy") && !head.contains("data-binary"), "{head}");
        let both = text(&configuration(&[Value::new("a\n"), Value::new("b\n")]));
        assert!(both.ends_with("\na\nnext\nb\n"), "{both}");
    }

    #[test]
    fn the_end_of_a_transfer_is_read() {
        assert_eq!(outcome("3 0 200 "), Some(Outcome { number: 3, code: 0, status: 200, message: String::new() }));
        let failed = outcome("0 7 000 Failed to connect to x").expect("a line");
        assert_eq!((failed.code, failed.status, failed.message.as_str()), (7, 0, "Failed to connect to x"));
        assert_eq!((outcome(""), outcome("curl: (2) x")), (None, None));
    }

    #[test]
    fn headers_are_those_of_the_last_answer() {
        let dumped = "HTTP/1.1 307 x\r\nLocation: /a\r\n\r\nHTTP/1.1 200 OK\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Bearer a=b\r\n\r\n";
        let headers = headers(dumped);
        assert_eq!((headers.len(), headers["www-authenticate"].as_str()), (1, "Basic, Bearer a=b"));
    }
}
