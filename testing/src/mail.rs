//! A real mail server, aiosmtpd, that delivers to the test: in clear text, by STARTTLS, or by TLS from the first octet on.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::python;

/// A letter is here within that.
const SOON: Duration = Duration::from_secs(30);

/// Prints its port, and each sender and each letter as a line of JSON.
const SERVER: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP
protection, certificate, key = (sys.argv + ["", "", ""])[1:4]
context = None
if protection:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
class Handler:
    async def handle_exception(self, error):
        # Of a client that leaves in the midst of TLS.
        return "421 gone"
    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        print(json.dumps({"sender": address, "tls": session.ssl is not None or protection == "implicit"}), flush=True)
        return "250 well"
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({"to": envelope.rcpt_tos, "from": envelope.mail_from, "subject": message["subject"],
            "headers": message.keys(), "text": message.get_content()}), flush=True)
        return "250 taken"
async def main():
    loop = asyncio.get_running_loop()
    starttls = {"tls_context": context, "require_starttls": True} if protection == "starttls" else {}
    make = lambda: SMTP(Handler(), enable_SMTPUTF8=True, **starttls)
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=context if protection == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"#;

/// How conversations with it are protected.
pub enum Protection {
    None,
    /// By these files, a certificate and its key.
    StartTls(PathBuf, PathBuf),
    Implicit(PathBuf, PathBuf),
}

/// Letter boxes of everybody.
pub struct MailServer {
    child: Child,
    /// As configurations have it.
    tls: &'static str,
    port: u16,
    letters: Receiver<Value>,
    /// Those that came while another was waited for.
    waiting: Mutex<Vec<Value>>,
}

impl MailServer {
    /// Starts it in clear text.
    ///
    /// # Panics
    /// When it cannot be.
    pub fn start() -> Self {
        Self::protected(&Protection::None)
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be.
    pub fn protected(protection: &Protection) -> Self {
        let (tls, files) = match protection {
            Protection::None => ("off", None),
            Protection::StartTls(certificate, key) => ("starttls", Some((certificate, key))),
            Protection::Implicit(certificate, key) => ("implicit", Some((certificate, key))),
        };
        let mut program = python::program(SERVER);
        if let Some((certificate, key)) = files {
            program.arg(tls).arg(certificate).arg(key);
        }
        let mut child = program.stdout(Stdio::piped()).spawn().expect("python starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = lines.next().and_then(Result::ok).and_then(|line| line.parse().ok()).expect("it says its port");
        let (told, letters) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = told.send(serde_json::from_str(&line).expect("a letter is a line of JSON"));
            }
        });
        Self { child, tls, port, letters, waiting: Mutex::default() }
    }

    /// What has a program send its mails here.
    pub fn configuration(&self) -> String {
        let Self { port, tls, .. } = self;
        format!("[mail]\nserver = \"127.0.0.1:{port}\"\ntls = \"{tls}\"\nfrom = \"Secondo <dns@example.net>\"\n")
    }

    /// Senders that were named to it so far, and whether that was said within TLS. Letters that came are passed over.
    ///
    /// # Panics
    /// When a test asks for it in two threads at a time.
    pub fn senders(&self) -> Vec<Value> {
        let mut waiting = self.waiting.lock().expect("one test asks");
        waiting.extend(self.letters.try_iter());
        waiting.iter().filter(|line| line["sender"].is_string()).cloned().collect()
    }

    /// The next letter to the address, with this subject.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn letter(&self, to: &str, subject: &str) -> Value {
        let deadline = Instant::now() + SOON;
        let mut waiting = self.waiting.lock().expect("one test asks");
        loop {
            let meant = |letter: &Value| letter["to"] == serde_json::json!([to]) && letter["subject"] == subject;
            if let Some(at) = waiting.iter().position(meant) {
                return waiting.remove(at);
            }
            match self.letters.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(letter) => waiting.push(letter),
                Err(_) => panic!("no letter {subject:?} to {to} has come, but {waiting:#?}"),
            }
        }
    }

    /// The path of the link in the next letter to the address with this subject.
    #[track_caller]
    pub fn link(&self, to: &str, subject: &str) -> String {
        let letter = self.letter(to, subject);
        let text = letter["text"].as_str().expect("a letter has a text");
        let (_, secret) = text.split_once("/link/").unwrap_or_else(|| panic!("there is no link in {text}"));
        format!("/link/{}", secret.split_whitespace().next().unwrap_or_default())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
