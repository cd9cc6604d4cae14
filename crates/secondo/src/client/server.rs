//! Requests to the server's HTTP API.
//!
//! Every wait has an end; an answer that is not Secondo's is told apart from one that is.

use std::time::Duration;

use api::problem::ProblemDetails;
use reqwest::{Client, Method, RequestBuilder, Response, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::failure::Failure;

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Longer than the server gives itself.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// A refresh is answered within 150 s, however long it takes.
const REFRESH_MAX: Duration = Duration::from_secs(160);
/// The longest silence within an export.
const SILENCE_MAX: Duration = Duration::from_secs(40);

pub(crate) struct Server {
    client: Client,
    base: String,
    token: String,
    /// How to start it, for when it does not run.
    start: String,
}

impl Server {
    pub(crate) fn find(connection: &Connection) -> Result<Self, Failure> {
        let base = connection.base()?;
        let token = connection.token(&base)?;
        let client = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(REFRESH_MAX)
            // The token goes to the server and nowhere else.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failure::new("internal", format!("no HTTP client can be made: {error}")))?;
        let start = format!("secondo serve --data {}", connection.data().display());
        Ok(Self { client, base, token, start })
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

    /// The answer's octets, piece by piece as they come.
    pub(crate) async fn stream(&self, path: &str) -> Result<Pieces<'_>, Failure> {
        let response = self.send(self.request(Method::GET, path)).await?;
        Ok(Pieces { server: self, response })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
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
        let base = &self.base;
        if error.is_connect() {
            let why = innermost(error);
            let sentence = format!("no server answers at {base} ({why}): start one with `{}`", self.start);
            return Failure::new("server_unreachable", sentence);
        }
        if error.is_timeout() {
            return Failure::new("server_silent", format!("the server at {base} did not answer in time: try again"));
        }
        let sentence = format!("the connection to the server at {base} broke off ({}): try again", innermost(error));
        Failure::new("server_lost", sentence)
    }

    fn not_secondo(&self, why: &str) -> Failure {
        let sentence =
            format!("what answers at {} is not this version of Secondo ({why}): check --server", self.base);
        Failure::new("server_strange", sentence)
    }
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

/// The last in the chain of causes says what happened; those before it say where.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
