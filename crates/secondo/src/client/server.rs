//! Requests to the server's HTTP API.
//!
//! Every wait has an end; an answer that is not Secondo's is told apart from one that is. Over TLS it is 1.3, with the system's
//! authorities.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use api::json::NodeStatus;
use api::problem::ProblemDetails;
use reqwest::{Client, Method, RequestBuilder, Response, header};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::{Connection, Way};
use super::failure::Failure;
use crate::tls;

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Longer than the server gives itself.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// A refresh is answered within 150 s, however long it takes.
const REFRESH_MAX: Duration = Duration::from_secs(160);
/// The longest silence within an export.
const SILENCE_MAX: Duration = Duration::from_secs(40);

pub(crate) struct Server {
    client: Client,
    /// What stands before the paths of requests.
    base: String,
    /// Where it is, for people.
    place: String,
    /// Where the console is, when somebody has named it.
    console: Option<String>,
    token: String,
    organisation: Option<u64>,
    /// How to start it, for when it does not run.
    start: String,
}

impl Server {
    pub(crate) fn find(connection: &Connection) -> Result<Self, Failure> {
        let way = connection.way()?;
        let token = connection.token(&way)?;
        let no_client =
            |error: &dyn std::error::Error| Failure::new("internal", format!("no HTTP client can be made: {error}"));
        let client = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(REFRESH_MAX)
            // The token goes to the server and nowhere else.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls_of(&way).map_err(|error| no_client(&error))?);
        let (client, base, place) = match way {
            // Our name for this machine: nobody looks it up.
            Way::Socket(socket) => {
                let place = socket.display().to_string();
                (client.unix_socket(socket), "http://localhost".to_owned(), place)
            }
            Way::Url(base) => (client, base.clone(), base),
        };
        let client = client.build().map_err(|error| no_client(&error))?;
        let start = format!("secondo serve --data {}", connection.data().display());
        let console = connection.names_a_server().then(|| base.clone());
        Ok(Self { client, base, place, console, token, organisation: connection.organisation(), start })
    }

    /// The URL of a page of the console: on the server that was named, or where one on this machine says that people find it.
    pub(crate) async fn page(&self, path: &str) -> Result<String, Failure> {
        let console = match &self.console {
            Some(console) => console.clone(),
            None => self.get::<NodeStatus>("/status", &[]).await?.console,
        };
        Ok(format!("{console}{path}"))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Failure> {
        let request = self.request(Method::GET, path).query(query).timeout(ANSWER_MAX);
        self.read(self.send(request).await?).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let request = self.request(Method::POST, path).json(body).timeout(ANSWER_MAX);
        self.read(self.send(request).await?).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let request = self.request(Method::PATCH, path).json(body).timeout(ANSWER_MAX);
        self.read(self.send(request).await?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let request = self.request(Method::PUT, path).json(body).timeout(ANSWER_MAX);
        self.read(self.send(request).await?).await
    }

    /// The same where there is nothing to say but that it is done.
    pub(crate) async fn patch_and_hear_nothing(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        self.send(self.request(Method::PATCH, path).json(body).timeout(ANSWER_MAX)).await.map(drop)
    }

    pub(crate) async fn put_and_hear_nothing(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        self.send(self.request(Method::PUT, path).json(body).timeout(ANSWER_MAX)).await.map(drop)
    }

    /// The same where the answer comes when something has ended that may take minutes.
    pub(crate) async fn get_and_wait<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.request(Method::GET, path).timeout(REFRESH_MAX);
        self.read(self.send(request).await?).await
    }

    /// A request that is answered when something has ended that may take minutes.
    pub(crate) async fn post_and_wait<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.request(Method::POST, path).json(body).timeout(REFRESH_MAX);
        self.read(self.send(request).await?).await
    }

    pub(crate) async fn post_text<T: DeserializeOwned>(&self, path: &str, text: String) -> Result<T, Failure> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        self.read(self.send(request.body(text).timeout(ANSWER_MAX)).await?).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path).timeout(ANSWER_MAX)).await.map(drop)
    }

    /// A request that says all in its path, and is answered by being carried out.
    pub(crate) async fn post_nothing(&self, path: &str) -> Result<(), Failure> {
        self.send(self.request(Method::POST, path).timeout(ANSWER_MAX)).await.map(drop)
    }

    /// The answer's octets, piece by piece as they come.
    pub(crate) async fn stream(&self, path: &str) -> Result<Pieces<'_>, Failure> {
        let response = self.send(self.request(Method::GET, path)).await?;
        Ok(Pieces { server: self, response })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token);
        match self.organisation {
            None => request,
            Some(number) => request.header("Secondo-Organisation", number),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        match response.json::<ProblemDetails>().await {
            Ok(problem) => Err(Failure::of_server(problem)),
            Err(_) => Err(self.not_secondo(&format!("it answered with the status {status}"))),
        }
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        let octets = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&octets).map_err(|error| self.not_secondo(&error.to_string()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let place = &self.place;
        if let Some(fault) = fault_of_tls(error) {
            return self.untrusted(fault);
        }
        if error.is_connect() {
            let why = innermost(error);
            let sentence = format!("no server answers at {place} ({why}): start one with `{}`", self.start);
            return Failure::new("server_unreachable", sentence);
        }
        if error.is_timeout() {
            return Failure::new("server_silent", format!("the server at {place} did not answer in time: try again"));
        }
        let sentence = format!("the connection to the server at {place} broke off ({}): try again", innermost(error));
        Failure::new("server_lost", sentence)
    }

    fn untrusted(&self, fault: &rustls::Error) -> Failure {
        let place = &self.place;
        match fault {
            rustls::Error::InvalidCertificate(why) => Failure::new(
                "server_untrusted",
                format!(
                    "the certificate of the server at {place} is not trusted ({}): name the server as its certificate \
                     does, and have this system trust its authority (or name a file with that in SSL_CERT_FILE)",
                    distrust(why)
                ),
            ),
            other => Failure::new(
                "server_unreachable",
                format!("TLS 1.3 cannot be spoken with what answers at {place} ({other}): check --server"),
            ),
        }
    }

    fn not_secondo(&self, why: &str) -> Failure {
        let sentence =
            format!("what answers at {} is not this version of Secondo ({why}): check --server", self.place);
        Failure::new("server_strange", sentence)
    }
}

/// What a certificate is checked against, which takes a while to read and is not needed in clear text.
fn tls_of(way: &Way) -> Result<ClientConfig, rustls::Error> {
    let roots = match way {
        Way::Url(base) if base.starts_with("https://") => tls::authorities_of_system(),
        _ => RootCertStore::empty(),
    };
    let configuration = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(configuration)
}

/// A body that is still coming.
pub(crate) struct Pieces<'a> {
    server: &'a Server,
    response: Response,
}

impl Pieces<'_> {
    /// The next octets; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<impl AsRef<[u8]>>, Failure> {
        match tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(self.server.unreachable(&error)),
            Err(_) => Err(Failure::new("server_silent", "the server stopped half-way: try again")),
        }
    }
}

/// What TLS has found wrong, if it was that. It is within errors of I/O, which name as their source what is behind it.
fn fault_of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        let mut within = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        while let Some(one) = within {
            if let Some(fault) = one.downcast_ref() {
                return Some(fault);
            }
            within = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        }
        cause = cause.source()?;
    }
}

/// Why a certificate is not trusted; what the library has no words for of its own is said here.
fn distrust(why: &rustls::CertificateError) -> String {
    match why.to_string() {
        text if text.contains("CaUsedAsEndEntity") => {
            "it is an authority's own certificate, and not one of a server".to_owned()
        }
        text => text,
    }
}

/// The last in the chain of causes says what happened; those before it say where.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
