//! Webhooks: a message is sent to a URL that somebody has named, signed so that its receiver knows from whom it is.
//!
//! Headers and signature are those of <https://www.standardwebhooks.com>: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, which is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`.
//!
//! Invariants: nothing is sent to an address that the judge refuses, whatever a name led to when the URL was typed, and wherever a
//! receiver redirects to; nothing that a receiver answers is shown to anybody but its status, because it may be somebody's who
//! did not ask for it. Each try has a deadline.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, StatusCode, Url};

use crate::NotSent;

/// A try has so long, with all redirects.
const TRY_WITHIN: Duration = Duration::from_secs(15);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A receiver that moves about more than that is not looked for.
const REDIRECTS_MAX: usize = 3;
/// A URL's length in octets.
const URL_MAX: usize = 2_000;
/// What is before a secret's base64, so that people see what it is.
const SECRET_PREFIX: &str = "whsec_";
/// Of a new secret, as long as what it is for (RFC 2104 §3).
const SECRET_OCTETS: usize = 32;

/// Says why nothing may be sent to an address, if nothing may.
pub type Judge = Arc<dyn Fn(IpAddr) -> Result<(), String> + Send + Sync>;

/// Whether others on the way may read what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    Refused,
    /// `http://` will do: whoever names URLs runs this machine.
    Allowed,
}

/// What webhooks' deliveries are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// A new one.
    ///
    /// # Panics
    /// Without randomness.
    pub fn generate() -> Self {
        let mut octets = vec![0; SECRET_OCTETS];
        aws_lc_rs::rand::fill(&mut octets).expect("the system has randomness");
        Self(octets)
    }

    /// Reads what [`WebhookSecret::to_text`] gave.
    pub fn read(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok().map(Self)
    }

    /// As receivers are given it.
    pub fn to_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn signature(&self, message: &Message<'_>) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let signed = format!("{}.{}.{}", message.id, message.at_secs, message.body);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())))
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The same at each try: its receiver may get it twice.
    pub id: &'a str,
    /// Of this try, in Unix seconds, so that a receiver can refuse what somebody has kept.
    pub at_secs: u64,
    /// JSON.
    pub body: &'a str,
}

/// Sends messages to webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    client: Client,
    judge: Judge,
    clear_text: ClearText,
}

impl Webhooks {
    /// # Errors
    /// When there can be no client, in words.
    pub fn new(judge: Judge, clear_text: ClearText, tls: rustls::ClientConfig) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(concat!("Secondo/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            // Each redirect is judged here. A proxy would connect to wherever it likes.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Connections to strangers are not kept: what was judged is what is connected to now.
            .pool_max_idle_per_host(0)
            .dns_resolver(Judged(judge.clone()))
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| format!("there can be no HTTP client: {}", crate::whole(&error)))?;
        Ok(Self { client, judge, clear_text })
    }

    /// The URL as it is kept, if anything may be sent there.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn check_url(&self, text: &str) -> Result<String, String> {
        self.read_url(text.trim()).map(Url::into)
    }

    /// Sends the message, once; with the status that it was answered.
    ///
    /// # Errors
    /// Why it is not known to have come, in words.
    pub async fn send(&self, url: &str, message: Message<'_>, secret: &WebhookSecret) -> Result<String, NotSent> {
        match tokio::time::timeout(TRY_WITHIN, self.follow(url, message, secret)).await {
            Ok(answered) => answered,
            Err(_) => Err(NotSent::Now(format!("it was not done after {} s", TRY_WITHIN.as_secs()))),
        }
    }

    async fn follow(&self, url: &str, message: Message<'_>, secret: &WebhookSecret) -> Result<String, NotSent> {
        let signature = secret.signature(&message);
        let mut url = self.read_url(url).map_err(NotSent::Now)?;
        for _ in 0..=REDIRECTS_MAX {
            let request = self
                .client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .header("webhook-id", message.id)
                .header("webhook-timestamp", message.at_secs)
                .header("webhook-signature", &signature)
                .body(message.body.to_owned());
            let answer = request.send().await.map_err(|error| NotSent::Now(not_reached(error)))?;
            let status = answer.status();
            match status {
                _ if status.is_success() => return Ok(status.to_string()),
                // The receiver is not there any more (RFC 9110 §15.5.11).
                StatusCode::GONE => return Err(NotSent::Ever(format!("{status}: the receiver is gone for good"))),
                // What is sent again to another place is the same (RFC 9110 §15.4.8, §15.4.9); by other redirects it would be a
                // request for a page.
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
                    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                    let to = to.and_then(|to| url.join(to).ok());
                    let to = to.ok_or_else(|| NotSent::Now(format!("{status}, and not to where")))?;
                    let judged = self.read_url(to.as_str());
                    url =
                        judged.map_err(|why| NotSent::Now(format!("{status} to what nothing is sent to: {why}")))?;
                }
                _ if status.is_redirection() => {
                    return Err(NotSent::Now(format!(
                        "{status}: messages follow the redirects 307 and 308 alone; give the URL to which it leads"
                    )));
                }
                _ => return Err(NotSent::Now(status.to_string())),
            }
        }
        Err(NotSent::Now(format!("it redirects more than {REDIRECTS_MAX} times")))
    }

    fn read_url(&self, text: &str) -> Result<Url, String> {
        if text.len() > URL_MAX {
            return Err(format!("a URL of {} octets is too long: {URL_MAX} at the most", text.len()));
        }
        let url = Url::parse(text).map_err(|error| {
            format!("{text:?} is no URL ({error}): write it like https://hooks.example.net/secondo")
        })?;
        match (url.scheme(), self.clear_text) {
            ("https", _) | ("http", ClearText::Allowed) => {}
            ("http", ClearText::Refused) => {
                return Err(format!("{text:?} would be sent to in clear text: use https"));
            }
            (scheme, _) => return Err(format!("{text:?} cannot be sent to by {scheme}: use https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "a URL with a user or a password in it would be shown to whoever sees the rule: leave them out; \
                        messages are signed"
                    .to_owned(),
            );
        }
        // Names are judged when they are looked up, by what they lead to then.
        let host = url.host_str().ok_or_else(|| format!("{text:?} names no host"))?;
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            (self.judge)(address)?;
        }
        Ok(url)
    }
}

/// Looks names up, and leaves out where nothing is sent to.
struct Judged(Judge);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let judge = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (mut allowed, mut refused): (Vec<SocketAddr>, Option<String>) = (Vec::new(), None);
            for address in found {
                match judge(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                // Not to which: that would tell strangers what a name is in the networks here.
                Some(_) if allowed.is_empty() => Err("the name leads to an address that nothing is sent to".into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Why no answer came, without the URL, which is known.
fn not_reached(error: reqwest::Error) -> String {
    crate::whole(&error.without_url())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::{ClearText, Judge, Message, WebhookSecret, Webhooks};
    use crate::NotSent;

    const BODY: &str = r#"{"events":1}"#;

    fn trusting_nobody() -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    }

    fn webhooks(judge: impl Fn(IpAddr) -> Result<(), String> + Send + Sync + 'static) -> Webhooks {
        let judge: Judge = Arc::new(judge);
        Webhooks::new(judge, ClearText::Allowed, trusting_nobody()).unwrap()
    }

    /// A receiver on this address that answers with each of these in turn, and tells what it was sent.
    async fn receiver(address: &str, answers: Vec<String>) -> (u16, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !String::from_utf8_lossy(&request).ends_with(BODY) {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                let _ = told.send(String::from_utf8(request).unwrap());
                stream.write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
            }
        });
        (port, heard)
    }

    async fn send(webhooks: &Webhooks, url: &str) -> Result<String, NotSent> {
        let secret = WebhookSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let message = Message { id: "msg_1", at_secs: 1_614_265_330, body: BODY };
        webhooks.send(url, message, &secret).await
    }

    /// The example of <https://www.svix.com/docs/verify-manual>, whose scheme this is.
    #[test]
    fn a_signature_is_the_one_that_receivers_libraries_expect() {
        let secret = WebhookSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let message =
            Message { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at_secs: 1_614_265_330, body: r#"{"test": 2432232314}"# };
        assert_eq!(secret.signature(&message), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(WebhookSecret::read(&secret.to_text()), Some(secret));
        assert_ne!(WebhookSecret::generate(), WebhookSecret::generate());
    }

    #[tokio::test]
    async fn a_message_comes_with_its_id_its_time_and_its_signature() {
        let (port, mut heard) = receiver("127.0.0.1", vec!["204 No Content".into()]).await;
        let sent = send(&webhooks(|_| Ok(())), &format!("http://127.0.0.1:{port}/hook?a=b")).await;
        assert_eq!(sent.unwrap(), "204 No Content");
        let request = heard.recv().await.unwrap();
        for line in [
            "POST /hook?a=b HTTP/1.1",
            "content-type: application/json",
            "webhook-id: msg_1",
            "webhook-timestamp: 1614265330",
            "webhook-signature: v1,",
        ] {
            assert!(request.contains(line), "{line} is missing: {request}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_no_success_is_told_by_its_status_alone() {
        let answers = ["500 Internal Server Error", "404 Not Found", "302 Found\r\nlocation: /other", "410 Gone"];
        let (port, _heard) = receiver("127.0.0.1", answers.map(str::to_owned).to_vec()).await;
        let (webhooks, url) = (webhooks(|_| Ok(())), format!("http://127.0.0.1:{port}/"));
        for expected in ["500 Internal Server Error", "404 Not Found", "302 Found: messages follow"] {
            let Err(NotSent::Now(why)) = send(&webhooks, &url).await else { panic!("it is not tried again") };
            assert!(why.starts_with(expected), "{why}");
        }
        assert!(matches!(send(&webhooks, &url).await, Err(NotSent::Ever(_))));
    }

    #[tokio::test]
    async fn nothing_goes_to_an_address_that_is_refused_by_name_or_by_redirect() {
        let refusing = |address: IpAddr| match address.to_string().as_str() {
            "127.0.0.2" => Ok(()),
            other => Err(format!("{other} is not asked")),
        };
        let webhooks = webhooks(refusing);
        assert_eq!(webhooks.check_url("http://127.0.0.1/").unwrap_err(), "127.0.0.1 is not asked");
        assert_eq!(webhooks.check_url("http://[::ffff:127.0.0.1]/").unwrap_err(), "::ffff:127.0.0.1 is not asked");
        // An address in another spelling is the same.
        assert_eq!(webhooks.check_url("http://2130706433/").unwrap_err(), "127.0.0.1 is not asked");
        // Where a name leads is seen when it is looked up.
        let (port, mut inner) = receiver("127.0.0.1", vec!["200 OK".into()]).await;
        let url = format!("http://localhost:{port}/");
        assert!(webhooks.check_url(&url).is_ok());
        let Err(NotSent::Now(why)) = send(&webhooks, &url).await else { panic!("it was sent") };
        assert!(why.contains("the name leads to an address that nothing is sent to"), "{why}");
        assert!(!why.contains("127.0.0.1"), "{why}");
        // And where a redirect does, before it is followed.
        for to in [format!("http://127.0.0.1:{port}/"), format!("//127.0.0.1:{port}/"), "gopher://127.0.0.2/".into()]
        {
            let (outer, _heard) =
                receiver("127.0.0.2", vec![format!("307 Temporary Redirect\r\nlocation: {to}")]).await;
            let Err(NotSent::Now(why)) = send(&webhooks, &format!("http://127.0.0.2:{outer}/")).await else {
                panic!("it was sent")
            };
            assert!(why.contains("what nothing is sent to"), "{why}");
        }
        assert!(inner.try_recv().is_err(), "nobody has come");
    }

    #[tokio::test]
    async fn redirects_are_followed_with_what_is_sent_and_not_for_ever() {
        let (port, mut heard) = receiver("127.0.0.1", vec!["200 OK".into()]).await;
        let to = format!("308 Permanent Redirect\r\nlocation: http://127.0.0.1:{port}/there");
        let (first, _first_heard) = receiver("127.0.0.1", vec![to]).await;
        let webhooks = webhooks(|_| Ok(()));
        assert_eq!(send(&webhooks, &format!("http://127.0.0.1:{first}/")).await.unwrap(), "200 OK");
        let request = heard.recv().await.unwrap();
        assert!(request.starts_with("POST /there") && request.ends_with(BODY), "{request}");
        let around = vec!["307 Temporary Redirect\r\nlocation: /again".to_owned(); 9];
        let (port, _heard) = receiver("127.0.0.1", around).await;
        let Err(NotSent::Now(why)) = send(&webhooks, &format!("http://127.0.0.1:{port}/")).await else {
            panic!("it came to an end")
        };
        assert!(why.contains("more than 3 times"), "{why}");
    }

    #[test]
    fn a_url_that_cannot_be_one_is_said() {
        let strict = Webhooks::new(Arc::new(|_| Ok(())), ClearText::Refused, trusting_nobody()).unwrap();
        for (url, why) in [
            ("", "is no URL"),
            ("hooks.example.net", "is no URL"),
            ("http://hooks.example.net/", "in clear text"),
            ("file:///etc/passwd", "by file"),
            ("https://user@hooks.example.net/", "shown to whoever sees"),
            ("https://:secret@hooks.example.net/", "shown to whoever sees"),
        ] {
            let error = strict.check_url(url).unwrap_err();
            assert!(error.contains(why), "{url}: {error}");
        }
        assert!(strict.check_url(&format!("https://example.net/{}", "a".repeat(2_000))).is_err());
        assert_eq!(strict.check_url(" https://HOOKS.example.net ").unwrap(), "https://hooks.example.net/");
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_says_nothing_is_left_after_a_while() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let Err(NotSent::Now(why)) = send(&webhooks(|_| Ok(())), &url).await else { panic!("it was answered") };
        assert_eq!(why, "it was not done after 15 s");
    }
}
