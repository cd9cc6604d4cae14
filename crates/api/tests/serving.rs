//! The API's connections: bounded, and never waiting without an end.
//!
//! Where a test pauses time, deadlines come as soon as nothing else is going on.

#![allow(clippy::unwrap_used)]

mod fake;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

async fn started() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stops) = oneshot::channel();
    let listeners = api::Listeners { tcp: listener, https: None, local: None };
    let serving = tokio::spawn(api::serve(listeners, fake::doors(), api::Front::default(), async move {
        stops.await.unwrap();
    }));
    (address, stop, serving)
}

async fn sending(address: SocketAddr, octets: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(octets).await.unwrap();
    stream
}

/// Reads just as much as ends in `end`.
async fn until(stream: &mut TcpStream, end: &str) {
    let mut text = String::new();
    while !text.ends_with(end) {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_header_is_cut_off() {
    let (address, _stop, _serving) = started().await;
    for unfinished in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = sending(address, unfinished.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200 OK"), "{unfinished:?}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_serves_more_than_one_request_and_is_closed_when_it_idles() {
    let (address, _stop, _serving) = started().await;
    let mut stream = sending(address, b"").await;
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        until(&mut stream, "\r\n\r\n\"ok\"").await;
    }
    tokio::time::pause();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_body_that_never_comes_has_its_deadline_too() {
    let (address, _stop, _serving) = started().await;
    let token = fake::TOKEN;
    let head = format!(
        "POST /api/v1/zones HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut stream = sending(address, head.as_bytes()).await;
    until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    tokio::time::pause();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"timed_out\""), "{answer}");
}

#[tokio::test]
async fn when_told_to_stop_it_takes_no_more_and_ends_also_under_clients_that_stay() {
    let (address, stop, serving) = started().await;
    let mut finished = sending(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until(&mut finished, "\"ok\"").await;
    let _staying = sending(address, b"GET /heal").await;
    tokio::time::pause();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
