//! A connection between the backend and a service that can be cut and mended, as an outage of that service.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Forwards connections while it is open. Closed, it ends those there are and every new one at once.
pub struct Gate {
    /// Where to connect.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    open: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Gate {
    /// A gate in front of `target`, open or closed.
    pub fn new(target: String, open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = Arc::new(State { open: AtomicBool::new(open), ..State::default() });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                shared.forward(client.expect("a connection"), &target);
            }
        });
        Self { address, state }
    }

    /// Cuts all connections.
    pub fn close(&self) {
        self.state.open.store(false, Ordering::SeqCst);
        for stream in self.state.streams.lock().expect("no panic").drain(..) {
            // Fails when the other side was faster.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.state.open.store(true, Ordering::SeqCst);
    }
}

impl State {
    fn forward(&self, client: TcpStream, target: &str) {
        let mut streams = self.streams.lock().expect("no panic");
        if !self.open.load(Ordering::SeqCst) {
            return;
        }
        let server = TcpStream::connect(target).expect("the service behind the gate answers");
        for (from, to) in [(&client, &server), (&server, &client)] {
            pump(duplicate(from), duplicate(to));
        }
        streams.extend([client, server]);
    }
}

/// Copies in a thread of its own until one side is gone, then ends both.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        // An error is an end like any other: these connections are there to be cut.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

fn duplicate(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("another handle")
}
