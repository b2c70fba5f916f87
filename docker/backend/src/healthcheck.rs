//! Asking a running backend how it is: the image has no shell and no curl, so its health check is the program itself.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use crate::{cli, config::HealthcheckConfig, error::Failure};

/// What is asked when nothing is named.
const DEFAULT_PATH: &str = "/ready";

/// The longest each step may take: connecting, sending, reading.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The most that is read of an answer, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// The most that is shown of an answer, in characters.
const SHOWN: usize = 500;

/// Where to ask, and what.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    authority: String,
    path: String,
}

/// Asks, and prints one line.
///
/// # Errors
/// A failure that says why when the answer is not a success, or there is none.
pub fn run(config: &HealthcheckConfig, target: Option<&str>) -> Result<(), Failure> {
    let target = Target::parse(target.unwrap_or(DEFAULT_PATH), config.health)?;
    let url = format!("http://{}{}", target.authority, target.path);
    let started = Instant::now();
    let answer = ask(&target).map_err(|error| Failure::plain(format!("unhealthy: {url}: {error}")))?;
    let (status, body) =
        understood(&answer).ok_or_else(|| Failure::plain(format!("unhealthy: {url}: the answer is not HTTP")))?;
    if (200..300).contains(&status) {
        let milliseconds = started.elapsed().as_millis();
        cli::print(&format!("healthy: {url}: {status} in {milliseconds} ms\n"))
    } else {
        let shown: String = body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        Err(Failure::plain(format!("unhealthy: {url}: {status} {shown}")))
    }
}

impl Target {
    /// Reads a path, which is asked of `health`, or a whole URL.
    fn parse(text: &str, health: SocketAddr) -> Result<Self, Failure> {
        if text.starts_with('/') {
            return Ok(Self { authority: health.to_string(), path: text.to_owned() });
        }
        let Some(rest) = text.strip_prefix("http://").filter(|rest| !rest.is_empty()) else {
            return Err(Failure::usage(format!("`{text}` is neither a path nor an `http://` URL")));
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Self {
            authority: if has_port { authority.to_owned() } else { format!("{authority}:80") },
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }
}

/// Sends the request and gives all of the answer.
fn ask(target: &Target) -> io::Result<Vec<u8>> {
    let mut outcome = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for address in target.authority.to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, TIMEOUT);
        if outcome.is_ok() {
            break;
        }
    }
    let mut stream = outcome?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: backend-healthcheck\r\nConnection: close\r\n\r\n",
        target.path, target.authority
    )?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The status code and the body of an answer.
fn understood(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(String, String), String> {
        Target::parse(text, SocketAddr::from(([127, 0, 0, 1], 3001)))
            .map(|target| (target.authority, target.path))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_target_is_a_path_or_a_url() {
        let target = |authority: &str, path: &str| Ok((authority.to_owned(), path.to_owned()));
        assert_eq!(parsed("/health"), target("127.0.0.1:3001", "/health"));
        assert_eq!(parsed("http://[::1]:9/a/b"), target("[::1]:9", "/a/b"));
        assert_eq!(parsed("http://backend"), target("backend:80", "/"));
        assert_eq!(parsed("health"), Err("`health` is neither a path nor an `http://` URL".into()));
        assert!(parsed("http://").is_err());
    }

    #[test]
    fn an_answer_is_understood_or_not() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(understood(answer), Some((503, "{}".into())));
        assert_eq!(understood(b"SSH-2.0-server\r\n"), None);
        assert_eq!(understood(b""), None);
    }
}
