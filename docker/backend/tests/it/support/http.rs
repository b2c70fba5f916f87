//! A small HTTP client: one request, one connection, one answer.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use super::PATIENCE;

/// A request to be sent.
pub struct Request {
    head: String,
    body: String,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: String,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        Self { head, body: String::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    /// Adds a session's token.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(&body.to_string())
    }

    /// Adds a body of no type.
    pub fn body(mut self, body: &str) -> Self {
        self.head += &format!("content-length: {}\r\n", body.len());
        body.clone_into(&mut self.body);
        self
    }

    /// Sends it and reads the answer.
    pub fn send(self, to: SocketAddr) -> Response {
        self.try_send(to).unwrap_or_else(|error| panic!("no answer from {to}: {error}"))
    }

    /// Sends it and reads the answer, or says why there is none.
    pub fn try_send(self, to: SocketAddr) -> io::Result<Response> {
        let mut stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{}\r\n{}", self.head, self.body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Response::parse(&answer).ok_or_else(|| io::Error::other(format!("not HTTP: {answer:?}")))
    }
}

impl Response {
    fn parse(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
            .collect::<Option<_>>()?;
        Some(Self { status, headers, body: body.to_owned() })
    }

    /// The body as JSON.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an error answer.
    pub fn error_code(&self) -> String {
        self.value()["error"]["code"].as_str().unwrap_or_else(|| panic!("no error code: {self:?}")).to_owned()
    }
}
