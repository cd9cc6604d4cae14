//! The API and the console on sockets: so many connections, and no waiting without an end.
//!
//! Besides the address that is configured there is a socket in the data directory, for the command line on this machine: who
//! may open it is a matter of the directory's rights, and nobody else can take its place when the server is gone.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::crowd::{Crowd, Seat};
use crate::doors::Doors;
use crate::front::{Connection, Front};
use crate::https::Https;
use crate::router::router;

/// Connections open at one time; others wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 512;
/// From one request's end, or the connection's beginning, to the end of the next request's header.
const HEADER_WITHIN: Duration = Duration::from_secs(15);
/// For the TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A client that takes nothing of an answer for so long is cut off (TCP_USER_TIMEOUT).
const UNREAD_FOR: Duration = Duration::from_secs(30);
/// How long answers under way may take to finish when the program stops.
const FINISHED_WITHIN: Duration = Duration::from_secs(2);
/// After a failed accept (out of file descriptors, most likely) others get time to close theirs.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Where requests come from.
pub struct Listeners {
    pub tcp: TcpListener,
    /// Set when TLS is spoken there, and then nothing else.
    pub https: Option<Https>,
    /// For this machine; none where it could not be made.
    pub local: Option<UnixListener>,
}

/// Answers on `listeners` until `stop` ends; answers under way then may finish.
pub async fn serve(listeners: Listeners, doors: Doors, front: Front, stop: impl Future<Output = ()> + Send) {
    let Listeners { tcp, https, local } = listeners;
    let crowd = (Crowd::default(), front.clone());
    let router = router(doors, front);
    let connections = GracefulShutdown::new();
    let taking = Taking { router: &router, connections: &connections, crowd: &crowd };
    let (places, local_places) = (Semaphore::new(CONNECTIONS_MAX), Semaphore::new(CONNECTIONS_MAX));
    let (places, local_places) = (Arc::new(places), Arc::new(local_places));
    tokio::select! {
        () = taking.take_from_network(tcp, https, places) => {}
        () = taking.take_from_this_machine(local, local_places) => {}
        () = stop => {}
    }
    let _ = tokio::time::timeout(FINISHED_WITHIN, connections.shutdown()).await;
}

struct Taking<'a> {
    router: &'a axum::Router,
    connections: &'a GracefulShutdown,
    crowd: &'a (Crowd, Front),
}

impl Taking<'_> {
    async fn take_from_network(&self, listener: TcpListener, https: Option<Https>, places: Arc<Semaphore>) {
        loop {
            let place = place(&places).await;
            let Some((stream, peer)) = taken(listener.accept().await).await else { continue };
            let (crowd, front) = self.crowd;
            // Whoever has too many is cut off at once, and nobody else waits for them.
            let Some(seat) = crowd.seat(peer.ip(), front).filter(|_| prepared(&stream)) else { continue };
            let (router, watcher) = (self.router.clone(), self.connections.watcher());
            let connection = Connection { peer: Some(peer), is_secure: https.is_some() };
            let https = https.clone();
            tokio::spawn(async move {
                let place = (place, Some(seat));
                let Some(https) = https else { return answer(stream, connection, router, watcher, place).await };
                let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, https.shake_hands(stream)).await;
                // What a client does wrong with its connection is its own affair.
                if let Ok(Ok(stream)) = shaken {
                    answer(stream, connection, router, watcher, place).await;
                }
            });
        }
    }

    async fn take_from_this_machine(&self, listener: Option<UnixListener>, places: Arc<Semaphore>) {
        let Some(listener) = listener else { return std::future::pending().await };
        loop {
            let place = place(&places).await;
            let Some((stream, _)) = taken(listener.accept().await).await else { continue };
            let (router, watcher) = (self.router.clone(), self.connections.watcher());
            let connection = Connection { peer: None, is_secure: false };
            tokio::spawn(answer(stream, connection, router, watcher, (place, None)));
        }
    }
}

async fn place(places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    places.clone().acquire_owned().await.expect("the semaphore is never closed")
}

async fn taken<T>(accepted: io::Result<T>) -> Option<T> {
    match accepted {
        Ok(taken) => Some(taken),
        Err(error) => {
            tracing::warn!("an HTTP connection could not be taken: {error}");
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            None
        }
    }
}

async fn answer<S>(
    stream: S,
    connection: Connection,
    router: axum::Router,
    watcher: Watcher,
    place: (OwnedSemaphorePermit, Option<Seat>),
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(Extension(connection)));
    let answering = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    let _ = watcher.watch(answering).await;
    drop(place);
}

/// No when the client has gone already.
fn prepared(stream: &TcpStream) -> bool {
    SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_FOR)).is_ok() && stream.set_nodelay(true).is_ok()
}
