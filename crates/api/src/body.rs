//! Reading bodies and query parameters; what cannot be read becomes a problem. And writing long texts.

use std::convert::Infallible;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;

use crate::deadline::body_in_time;
use crate::doors;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::strict::Strict;
use crate::unread::{of_json, plain};

/// The largest JSON body, in octets: a zone with sixteen primaries needs some 5,000.
pub(crate) const JSON_OCTETS_MAX: usize = 64 * 1024;
/// The largest import body, in octets: ten thousand lines of ordinary length several times over.
pub(crate) const IMPORT_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Served> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, served: &Served) -> Result<Self, Problem> {
        let (kind, octets) = json_octets(request, served).await?;
        read_json(kind, &octets).map(Self)
    }
}

/// A JSON body that may be missing, for what usually needs none.
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Served> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, served: &Served) -> Result<Self, Problem> {
        let (kind, octets) = json_octets(request, served).await?;
        if octets.is_empty() { Ok(Self(T::default())) } else { read_json(kind, &octets).map(Self) }
    }
}

/// What the body is said to be.
enum Kind {
    Json,
    Other,
}

async fn json_octets(request: Request, served: &Served) -> Result<(Kind, Bytes), Problem> {
    let kind = kind(request.headers());
    let octets = body_in_time(Bytes::from_request(request, served)).await?;
    let octets = octets.map_err(|rejection| unread(rejection.status(), &rejection.body_text(), JSON_OCTETS_MAX))?;
    Ok((kind, octets))
}

/// JSON is `application/json`, or a type that is made of it (RFC 6839 §3.1).
fn kind(headers: &HeaderMap) -> Kind {
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) if subtype == "json" || subtype.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

fn read_json<T: DeserializeOwned>(kind: Kind, octets: &[u8]) -> Result<T, Problem> {
    if let Kind::Other = kind {
        let detail = "the body must be JSON: send the header \"Content-Type: application/json\"";
        return Err(Problem::new(Code::ContentTypeInvalid, detail));
    }
    let mut json = serde_json::Deserializer::from_slice(octets);
    let read = serde_path_to_error::deserialize(Strict(&mut json));
    let read = read.map_err(|error| of_json(&error.path().to_string(), error.inner()));
    let whole = read.and_then(|value| json.end().map(|()| value).map_err(|error| of_json(".", &error)));
    whole.map_err(|why| Problem::new(Code::BodyInvalid, why))
}

/// A body of text, of which no more than [`IMPORT_OCTETS_MAX`] octets are read.
pub(crate) struct Text(pub(crate) String);

impl FromRequest<Served> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, served: &Served) -> Result<Self, Problem> {
        let text = body_in_time(String::from_request(request, served)).await?;
        text.map(Self).map_err(|rejection| unread(rejection.status(), &rejection.body_text(), IMPORT_OCTETS_MAX))
    }
}

/// A body that is JSON where it says so, and text else, of which no more than [`IMPORT_OCTETS_MAX`] octets are read.
pub(crate) enum TextOrJson<T> {
    Text(String),
    Json(T),
}

impl<T: DeserializeOwned> FromRequest<Served> for TextOrJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, served: &Served) -> Result<Self, Problem> {
        match kind(request.headers()) {
            kind @ Kind::Json => read_json(kind, &whole(request.into_body()).await?).map(Self::Json),
            Kind::Other => Text::from_request(request, served).await.map(|Text(text)| Self::Text(text)),
        }
    }
}

/// A body as it came, before anybody reads it.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    body_in_time(to_bytes(body, IMPORT_OCTETS_MAX)).await?.map_err(|_| {
        let detail = format!("the body has more than {IMPORT_OCTETS_MAX} octets, or broke off: send it in parts");
        Problem::new(Code::BodyTooLarge, detail)
    })
}

/// Query parameters.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Served> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let query: Result<axum::extract::Query<T>, QueryRejection> =
            axum::extract::Query::from_request_parts(parts, served).await;
        let query = query.map_err(|rejection| Problem::new(Code::QueryInvalid, plain(&rejection.body_text())))?;
        Ok(Self(query.0))
    }
}

/// A text as it is made, piece by piece.
pub(crate) fn streamed(text: doors::Text) -> Body {
    let pieces = stream::iter(text).then(|piece| async {
        // Give way between pieces, so that a large zone does not hold up every other request.
        tokio::task::yield_now().await;
        Ok::<String, Infallible>(piece)
    });
    Body::from_stream(pieces)
}

/// The same of a text that is read as it is written. A browser that gets an error in the midst of it knows that it lacks the rest.
pub(crate) fn streamed_json(text: doors::Streamed) -> Body {
    Body::from_stream(text)
}

fn unread(status: StatusCode, why: &str, octets_max: usize) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            Code::BodyTooLarge,
            format!("the body has more than {octets_max} octets: send it in parts"),
        );
    }
    Problem::new(Code::BodyInvalid, plain(why))
}
