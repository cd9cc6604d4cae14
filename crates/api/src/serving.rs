//! The API on a socket: so many connections, and no waiting without an end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::access::Token;
use crate::doors::Doors;
use crate::router::router;

/// Connections open at one time; others wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 512;
/// From one request's end, or the connection's beginning, to the end of the next request's header.
const HEADER_WITHIN: Duration = Duration::from_secs(15);
/// A client that takes nothing of an answer for so long is cut off (TCP_USER_TIMEOUT).
const UNREAD_FOR: Duration = Duration::from_secs(30);
/// How long answers under way may take to finish when the program stops.
const FINISHED_WITHIN: Duration = Duration::from_secs(2);
/// After a failed accept (out of file descriptors, most likely) others get time to close theirs.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Answers the API on `listener` until `stop` ends; answers under way then may finish.
pub async fn serve(listener: TcpListener, doors: Doors, token: Token, stop: impl Future<Output = ()> + Send) {
    let service = TowerToHyperService::new(router(doors, token));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = GracefulShutdown::new();
    let accepting = async {
        loop {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("an HTTP connection could not be taken: {error}");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            };
            let Some(io) = prepared(stream) else { continue };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_WITHIN)
                .serve_connection(io, service.clone());
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                // What a client does wrong with its connection is its own affair.
                let _ = connection.await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    let _ = tokio::time::timeout(FINISHED_WITHIN, connections.shutdown()).await;
}

/// None when the client has gone already.
fn prepared(stream: TcpStream) -> Option<TokioIo<TcpStream>> {
    SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_FOR)).ok()?;
    stream.set_nodelay(true).ok()?;
    Some(TokioIo::new(stream))
}
