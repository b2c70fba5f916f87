//! Servers on loopback for the tests of probes. Each ends with the test program.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Target;
use crate::exec::Runner;
use crate::exec::cancel::Cancel;
use crate::stack::probe::Probe;
use crate::ui::{Surroundings, Ui};

/// Serves every connection in a thread of its own with `with`, which is also told how many came before. Gives the port.
pub fn serve(with: impl Fn(TcpStream, usize) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for (visit, stream) in listener.incoming().flatten().enumerate() {
            let with = with.clone();
            thread::spawn(move || with(stream, visit));
        }
    });
    port
}

/// Reads a request and writes a whole answer; `headers` are complete lines.
pub fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    if request(stream).is_empty() {
        return;
    }
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    let _client_gone = stream.write_all((head + body).as_bytes());
}

/// The lines of a request's head.
pub fn request(stream: &TcpStream) -> Vec<String> {
    BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect()
}

/// A port on which nothing listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}

/// A GET of a service named `web`.
pub fn http_target(port: u16, path: &str) -> Target {
    let probe = Probe { http: Some(path.to_owned()), port: Some(port), ..Probe::default() };
    Target { service: "web".to_owned(), address: "127.0.0.1".to_owned(), port, probe, ..Target::default() }
}

/// A TCP connect to a service named `web`.
pub fn tcp_target(port: u16) -> Target {
    let probe = Probe { tcp: Some(port), ..Probe::default() };
    Target { service: "web".to_owned(), address: "127.0.0.1".to_owned(), port, probe, ..Target::default() }
}

/// A runner that says nothing.
pub fn runner() -> Runner {
    Runner::new(Ui::new(Surroundings { quiet: true, ..Surroundings::default() }, 0), Cancel::default())
}
