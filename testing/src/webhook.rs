//! A receiver of webhooks on the loopback address, which answers as it is told and keeps what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A message is here within that.
const SOON: Duration = Duration::from_secs(30);

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// By lower-case names.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a message is JSON")
    }

    /// Whether it is signed with this secret, as <https://www.standardwebhooks.com> says.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret = secret.strip_prefix("whsec_").expect("a secret says what it is");
        let octets = STANDARD.decode(secret).expect("a secret is base64");
        let signed = format!("{}.{}.{}", self.headers["webhook-id"], self.headers["webhook-timestamp"], self.body);
        let signature = STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &octets), signed.as_bytes()));
        self.headers["webhook-signature"] == format!("v1,{signature}")
    }
}

pub struct Webhook {
    address: SocketAddr,
    status: Arc<Mutex<&'static str>>,
    received: Receiver<Received>,
}

impl Webhook {
    /// One that answers `204 No Content`.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let status = Arc::new(Mutex::new("204 No Content"));
        let (told, received) = mpsc::channel();
        let answering = status.clone();
        // It ends with the test, whose threads nobody waits for.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who goes away in the midst of a request has sent nothing.
                let _ = answer(&stream, &answering, &told);
            }
        });
        Self { address, status, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Has requests answered with this from now on, such as `503 Service Unavailable`.
    pub fn answer_with(&self, status: &'static str) {
        *self.status.lock().expect("nobody panics with it") = status;
    }

    /// The next request.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn next(&self) -> Received {
        self.received.recv_timeout(SOON).expect("a message comes in time")
    }

    /// The next request that tells of an event of this kind; others before it are passed over.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn next_about(&self, kind: &str) -> Received {
        loop {
            let received = self.next();
            let groups = received.json()["data"]["groups"].as_array().cloned().unwrap_or_default();
            if groups.iter().any(|group| group["kind"] == kind) {
                return received;
            }
        }
    }

    /// What has come and was not asked for yet.
    pub fn rest(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

fn answer(stream: &TcpStream, status: &Mutex<&'static str>, told: &Sender<Received>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(SOON))?;
    let mut reader = BufReader::new(stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    reader.read_line(&mut line)?;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let status = *status.lock().expect("nobody panics with it");
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    // Nobody may wait for it any more.
    let _ = told.send(Received { headers, body: String::from_utf8_lossy(&body).into_owned() });
    Ok(())
}
