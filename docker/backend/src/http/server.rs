//! Accepting connections and letting them end in peace. Which path leads where is none of its business.

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::ServiceExt;

use crate::error::Failure;

/// How long a client may take to send a request's head, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of the connection a request came by.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// A bound address and what to answer there.
pub struct Server {
    listener: TcpListener,
    routes: Router,
}

impl Server {
    /// Takes the address; clients can connect from now on.
    ///
    /// # Errors
    /// A failure when the address is taken or not this machine's.
    pub async fn bind(address: SocketAddr, routes: Router) -> Result<Self, Failure> {
        let listener =
            TcpListener::bind(address).await.map_err(|error| Failure::logged(format!("cannot listen on {address}: {error}")))?;
        Ok(Self { listener, routes })
    }

    /// Answers until `stop` is done, then takes no more connections and returns when the last request was answered.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => serve(stream, Peer(peer), self.routes.clone(), &connections),
                    Err(error) => {
                        tracing::warn!("cannot accept a connection: {error}");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = &mut stop => break,
            }
        }
        drop(self.listener);
        connections.shutdown().await;
    }
}

/// Answers the requests of one connection in a task of its own.
fn serve(stream: TcpStream, peer: Peer, routes: Router, connections: &GracefulShutdown) {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answered = routes.clone().oneshot(request.map(Body::new));
        async move { Ok::<_, Infallible>(answered.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            // Clients go away, send nonsense or fall silent: nothing that this side could mend.
            tracing::debug!("a connection ended early: {error}");
        }
    });
}
