//! The API's connections: bounded, and never waiting without an end.
//!
//! Where a test pauses time, deadlines come as soon as nothing else is going on.

#![allow(clippy::unwrap_used)]

mod fake;

use std::net::SocketAddr;
use std::time::Duration;

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
async fn a_body_that_comes_too_slowly_is_said_to_be_and_ends_its_connection() {
    let (address, _stop, _serving) = started().await;
    let json = "Content-Type: application/json\r\n";
    let program = format!("Authorization: Bearer {}\r\n", fake::TOKEN);
    let browser = format!("Cookie: secondo={}\r\n", fake::SESSION);
    for (asked, headers, is_page) in [
        ("POST /api/v1/zones", format!("{program}{json}"), false),
        ("POST /api/v1/zones", format!("{program}{json}Idempotency-Key: one\r\n"), false),
        ("PATCH /api/v1/zones/slow.example", format!("{program}{json}"), false),
        // A body that may be missing.
        ("POST /api/v1/zones/slow.example/refresh", format!("{program}{json}"), false),
        ("POST /api/v1/zones/slow.example/refresh", format!("{program}{json}Prefer: respond-async\r\n"), false),
        ("POST /api/v1/zones/import", format!("{program}Content-Type: text/plain\r\n"), false),
        ("POST /sign-in", String::new(), true),
        ("POST /o/1/zones/new", browser, true),
    ] {
        let head = format!(
            "{asked} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        );
        let mut stream = sending(address, head.as_bytes()).await;
        until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
        stream.write_all(b"{\"name\":").await.unwrap();
        let began = tokio::time::Instant::now();
        tokio::time::pause();
        let answer = rest(&mut stream).await;
        // Before anybody's patience ends with the whole of the answer.
        assert!(began.elapsed() < Duration::from_secs(25), "{asked}: {:?}", began.elapsed());
        tokio::time::resume();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{asked}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{asked}: {answer}");
        let said = if is_page { "<p role=\"alert\">The body did not come within 20 s" } else { "\"body_too_slow\"" };
        assert!(answer.contains(said), "{asked}: {answer}");
    }
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
