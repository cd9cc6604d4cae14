//! Sending letters: each is tried by itself, and again after longer and longer, until it is sent or there is no use in it.
//!
//! A server that answers with 5yz has said that it never will (RFC 5321 §4.2.1), and is not asked again. Whatever else goes
//! wrong may be over soon.

use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::letter::Letter;
use crate::{NotSent, whole};

/// Where servers take letters by TLS from the first octet on (RFC 8314 §3.3); for STARTTLS it is 587.
pub const TLS_PORT: u16 = 465;

/// Letters that wait or are being sent; further ones are not taken.
const WAITING_MAX: usize = 1_000;
/// Connections at a time: servers of providers take few from one customer.
const AT_ONCE: usize = 4;
/// A try has so long. RFC 5321 §4.5.3.2 has minutes for each step, for servers that lie behind a telephone line.
const TRY_WITHIN: Duration = Duration::from_secs(60);
/// How long it is waited before the tries after the first one: 42 minutes in all, of the hour that the shortest link lasts.
const TRIED_AGAIN_AFTER: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
];

/// How a conversation with the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the beginning on.
    Implicit,
    /// From STARTTLS on (RFC 3207), without which nothing is sent.
    StartTls,
    /// Not at all.
    Off,
}

/// Who we are to the server.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Through which server letters go, and from whom they are.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// A name or an address.
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<Login>,
    /// `dns@example.net`, or `Secondo <dns@example.net>`.
    pub from: String,
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Post(Arc<Office>);

struct Office {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: String,
    waiting: Arc<Semaphore>,
    at_once: Semaphore,
    again_after: Vec<Duration>,
}

impl Post {
    /// Nothing is asked of the server before there is a letter.
    ///
    /// # Errors
    /// When the system's authorities cannot be read, in words.
    pub fn open(settings: MailSettings) -> Result<Self, String> {
        Self::trying_again_after(settings, TRIED_AGAIN_AFTER.to_vec())
    }

    /// The same with other patience.
    fn trying_again_after(settings: MailSettings, again_after: Vec<Duration>) -> Result<Self, String> {
        let MailSettings { host, port, encryption, login, from } = settings;
        let parameters = || {
            TlsParameters::builder(host.clone())
                .build_rustls()
                .map_err(|error| format!("TLS to the mail server {host} cannot be had: {error}"))
        };
        let tls = match encryption {
            Encryption::Implicit => Tls::Wrapper(parameters()?),
            Encryption::StartTls => Tls::Required(parameters()?),
            Encryption::Off => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            .port(port)
            .tls(tls)
            .timeout(Some(TRY_WITHIN));
        if let Some(Login { user, password }) = login {
            transport = transport.credentials(Credentials::new(user, password));
        }
        let (waiting, at_once) = (Arc::new(Semaphore::new(WAITING_MAX)), Semaphore::new(AT_ONCE));
        Ok(Self(Arc::new(Office { transport: transport.build(), from, waiting, at_once, again_after })))
    }

    /// Has the letter sent some time soon; needs a Tokio runtime. What becomes of it is in the log.
    pub fn send(&self, letter: Letter) {
        let Ok(place) = self.0.waiting.clone().try_acquire_owned() else {
            tracing::error!(
                to = %letter.to(),
                subject = letter.subject(),
                "a mail is not sent, because {WAITING_MAX} others wait: is the mail server slow, or does it not answer?"
            );
            return;
        };
        let office = self.0.clone();
        tokio::spawn(async move {
            office.deliver(&letter).await;
            drop(place);
        });
    }

    /// Sends the letter now, or says why not.
    ///
    /// # Errors
    /// In words.
    pub async fn try_once(&self, letter: &Letter) -> Result<(), NotSent> {
        self.0.attempt(letter).await
    }
}

impl Office {
    async fn deliver(&self, letter: &Letter) {
        let (to, subject) = (letter.to(), letter.subject());
        let mut waits = self.again_after.iter();
        loop {
            match (self.attempt(letter).await, waits.next()) {
                (Ok(()), _) => return tracing::info!(%to, subject, "a mail is sent"),
                (Err(NotSent::Now(why)), Some(wait)) => {
                    tracing::warn!(%to, subject, "a mail cannot be sent, and is tried again in {} s: {why}", wait.as_secs());
                    sleep(*wait).await;
                }
                (Err(NotSent::Now(why)), None) => {
                    return tracing::error!(
                        %to,
                        subject,
                        "a mail is not sent, and not tried again: {why}; see [mail] in the configuration, and the server's log"
                    );
                }
                (Err(NotSent::Ever(why)), _) => {
                    return tracing::error!(%to, subject, "a mail is not sent, because the mail server refuses it: {why}");
                }
            }
        }
    }

    async fn attempt(&self, letter: &Letter) -> Result<(), NotSent> {
        let message = letter.message(&self.from).map_err(NotSent::Ever)?;
        let place = self.at_once.acquire().await;
        let sent = timeout(TRY_WITHIN, self.transport.send(message)).await;
        drop(place);
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(NotSent::Ever(whole(&error))),
            Ok(Err(error)) => Err(NotSent::Now(whole(&error))),
            Err(_) => Err(NotSent::Now(format!("the mail server was not done after {} s", TRY_WITHIN.as_secs()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::{Encryption, Letter, MailSettings, Post, WAITING_MAX};

    fn post(port: u16, tries: usize) -> Post {
        let (host, from) = ("127.0.0.1".to_owned(), "dns@example.net".to_owned());
        let settings = MailSettings { host, port, encryption: Encryption::Off, login: None, from };
        Post::trying_again_after(settings, vec![Duration::from_millis(1); tries]).unwrap()
    }

    fn letter(to: &str) -> Letter {
        Letter::new(to, "Hello", "One line.\n.\nAnother.\n".to_owned()).unwrap()
    }

    /// A server that answers RCPT with each of these in turn, one conversation each, and tells what it was sent.
    async fn server(answers: &'static [&'static str]) -> (u16, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = listener.accept().await.unwrap();
                converse(stream, answer, &told).await;
            }
        });
        (port, heard)
    }

    async fn converse(stream: TcpStream, to_rcpt: &str, told: &mpsc::UnboundedSender<String>) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 here\r\n").await.unwrap();
        let mut is_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = told.send(line.clone());
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "." if is_data => "250 taken",
                _ if is_data => continue,
                "RCPT" => to_rcpt,
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 well",
            };
            is_data = answer.starts_with("354");
            if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn all(mut heard: mpsc::UnboundedReceiver<String>) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = heard.recv().await {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn a_letter_that_cannot_be_taken_now_is_tried_again_until_it_is() {
        let (port, heard) = server(&["451 later", "421 not now", "250 well"]).await;
        post(port, 5).send(letter("alice@example.org"));
        let lines = all(heard).await;
        let asked = lines.iter().filter(|line| *line == "RCPT TO:<alice@example.org>").count();
        assert_eq!((asked, lines.iter().filter(|line| *line == "DATA").count()), (3, 1), "{lines:#?}");
        // A line of one dot is none that ends the letter (RFC 5321 §4.5.2).
        assert!(lines.contains(&"..".to_owned()) && lines.contains(&"Another.".to_owned()), "{lines:#?}");
    }

    #[tokio::test]
    async fn a_letter_that_is_refused_for_good_is_not_sent_again_and_does_not_hold_up_others() {
        let (port, heard) = server(&["550 nobody here", "250 well"]).await;
        let post = post(port, 5);
        post.send(letter("nobody@example.org"));
        while post.0.waiting.available_permits() < WAITING_MAX {
            tokio::task::yield_now().await;
        }
        post.send(letter("alice@example.org"));
        let lines = all(heard).await;
        let asked: Vec<_> = lines.iter().filter(|line| line.starts_with("RCPT")).collect();
        assert_eq!(asked, ["RCPT TO:<nobody@example.org>", "RCPT TO:<alice@example.org>"]);
    }

    #[tokio::test]
    async fn without_a_server_a_letter_is_given_up_and_nobody_has_waited() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let post = post(port, 2);
        for _ in 0..WAITING_MAX + 10 {
            post.send(letter("alice@example.org"));
        }
        assert_eq!(post.0.waiting.available_permits(), 0, "so many wait, and no more");
        while post.0.waiting.available_permits() < WAITING_MAX {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nothing_is_said_to_a_server_without_tls_where_tls_is_wanted() {
        let (port, heard) = server(&["250 well"]).await;
        let (host, from) = ("127.0.0.1".to_owned(), "dns@example.net".to_owned());
        let settings = MailSettings { host, port, encryption: Encryption::StartTls, login: None, from };
        let post = Post::trying_again_after(settings, Vec::new()).unwrap();
        post.send(letter("alice@example.org"));
        let lines = all(heard).await;
        assert!(lines.iter().all(|line| !line.starts_with("MAIL") && !line.starts_with("AUTH")), "{lines:#?}");
    }
}
