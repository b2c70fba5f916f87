//! TCP probes: whether something listens on a port. Knows nothing of what is spoken there.

use std::io::{self, ErrorKind, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Attempt, Mismatch, Target};
use crate::stack::Span;

/// How long an open connection is watched. An engine's proxy accepts on behalf of every published port and hangs up at once
/// where nothing listens in the container; a real server either speaks first or waits.
const WATCH: Duration = Duration::from_millis(150);

/// What is expected, in words.
pub fn expected(closed: bool) -> &'static str {
    if closed { "a closed port" } else { "an open port" }
}

/// Tries once.
pub fn attempt(target: &Target, timeout: Duration) -> Attempt {
    match (knock(&target.address, target.port, timeout), target.probe.closed) {
        (Ok(()), false) => Ok("open".to_owned()),
        (Err(_), true) => Ok("closed".to_owned()),
        (Ok(()), true) => Err(vec![Mismatch::new(expected(true), "an open one")]),
        (Err(why), false) => Err(vec![Mismatch::new(expected(false), why)]),
    }
}

/// Connects and watches; says in words why nothing listens.
fn knock(address: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let words = |error: io::Error| words(&error, timeout);
    let mut stream = connect(address, port, timeout)?;
    stream.set_read_timeout(Some(WATCH.min(timeout))).map_err(words)?;
    match stream.read(&mut [0]) {
        Ok(0) => Err("a connection that is closed at once: nothing listens behind it".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if is_timeout(&error) => Ok(()),
        Err(error) => Err(words(error)),
    }
}

/// Connects; says in words why it cannot.
pub fn connect(address: &str, port: u16, timeout: Duration) -> Result<TcpStream, String> {
    let words = |error: io::Error| words(&error, timeout);
    let mut addresses = (address, port).to_socket_addrs().map_err(words)?;
    let first = addresses.next().ok_or_else(|| format!("no address for `{address}`"))?;
    TcpStream::connect_timeout(&first, timeout).map_err(words)
}

/// An I/O error of a connection as a person would say it.
pub fn words(error: &io::Error, timeout: Duration) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "connection reset".to_owned(),
        ErrorKind::UnexpectedEof => "a connection that is closed before the answer is complete".to_owned(),
        _ if is_timeout(error) => format!("no answer within {}", Span(timeout)),
        _ => error.to_string(),
    }
}

/// A read that takes too long is one or the other, depending on the system.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::Shutdown;
    use std::thread;

    use super::super::testing::{closed_port, serve, tcp_target};
    use super::*;

    fn told(port: u16, closed: bool) -> String {
        let mut target = tcp_target(port);
        target.probe.closed = closed;
        match attempt(&target, Duration::from_secs(2)) {
            Ok(passed) => passed,
            Err(wrong) => wrong.into_iter().map(|one| format!("expected {}, got {}", one.expected, one.actual)).collect(),
        }
    }

    #[test]
    fn one_who_speaks_first_and_one_who_waits_are_open() {
        let speaks = serve(|mut stream, _| stream.write_all(b"220 hello\r\n").expect("client listens"));
        let waits = serve(|stream, _| {
            thread::sleep(Duration::from_secs(2));
            drop(stream);
        });
        for port in [speaks, waits] {
            assert_eq!(told(port, false), "open");
            assert_eq!(told(port, true), "expected a closed port, got an open one");
        }
    }

    #[test]
    fn one_who_hangs_up_at_once_is_an_engine_s_proxy_with_nothing_behind() {
        let port = serve(|stream, _| stream.shutdown(Shutdown::Both).expect("connected"));
        assert_eq!(told(port, true), "closed");
        assert!(told(port, false).ends_with("nothing listens behind it"), "{}", told(port, false));
    }

    #[test]
    fn a_port_without_listener_is_closed() {
        let port = closed_port();
        assert_eq!(told(port, true), "closed");
        assert_eq!(told(port, false), "expected an open port, got connection refused");
    }
}
