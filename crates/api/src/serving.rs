//! The API on a socket.

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

use crate::access::Token;
use crate::doors::Doors;
use crate::router::router;

/// Answers the API on `listener` until `stop` ends; requests under way then may finish.
pub async fn serve(
    listener: TcpListener,
    doors: Doors,
    token: Token,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(doors, token)).with_graceful_shutdown(stop).await
}
