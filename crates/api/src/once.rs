//! `Idempotency-Key`: a request that is sent again is carried out once.
//!
//! A client that got no answer does not know whether its request was carried out. It sends the same key with the same request
//! again, with the same token, and gets the same answer for a day.
//!
//! Invariants: neither the key nor the body nor the token is kept, only hashes of them; what was answered (it may hold a
//! secret that is told once) is sealed with what only that client has, its token and its key, and opens for nobody else, us
//! included. Of two at once one is carried out. An answer that says to try again (5xx, 429) is not kept.
//!
//! A client that goes away does not end what it began: the answer is kept for when it comes back.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::access::{Known, holder, token};
use crate::body::{IMPORT_OCTETS_MAX, whole};
use crate::doors::{Begun, Caller};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::sealed::Seal;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in octets: several UUIDs.
const KEY_OCTETS_MAX: usize = 255;
/// Longer answers are not kept: only that there was one. A zone's has some two thousand octets.
const KEPT_OCTETS_MAX: usize = 16 * 1024;

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    /// None when it was too long to be kept.
    body: Option<String>,
}

/// Carries a request with a key out once, and one without as ever.
pub(crate) async fn once(State(served): State<Served>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    carried_out(served, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn carried_out(served: Served, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = key(parts.headers.get_all(KEY).iter().collect())?;
    let caller = holder(&parts, &served).await?;
    let seal = Seal::of(token(&parts).unwrap_or_default(), &key);
    let body = whole(body).await?;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let sent = sent(&caller, path, parts.headers.get(CONTENT_TYPE), &body);
    let id = seal.id().to_owned();
    match served.doors.requested.begin(&caller, &id, &sent).await? {
        Begun::First => {}
        Begun::Another => {
            let detail =
                "the same Idempotency-Key came with another request before: each request has a key of its own";
            return Err(Problem::new(Code::IdempotencyKeyReused, detail));
        }
        Begun::UnderWay => {
            let detail = "this request is being carried out: send it again in a moment to have its answer";
            return Err(Problem::new(Code::RequestUnderWay, detail));
        }
        Begun::Unanswered => {
            let detail = "this request was begun, and the server stopped before it was answered: look whether it was carried \
                          out, and send it with another Idempotency-Key if not";
            return Err(Problem::new(Code::RequestUnanswered, detail));
        }
        Begun::Answered(sealed) => return again(&seal, &sealed),
    }
    parts.extensions.insert(Known(caller.clone()));
    let request = Request::from_parts(parts, Body::from(body));
    let carrying_out = async move {
        let (answer, kept) = read(next.run(request).await).await;
        let sealed = kept.and_then(|kept| seal.closed(&serde_json::to_vec(&kept).ok()?));
        let ended = served.doors.requested.end(&caller, &id, sealed.as_deref()).await;
        if let Err(problem) = ended {
            tracing::warn!("what a request was answered is not kept: {problem}");
        }
        answer
    };
    let answer = tokio::spawn(carrying_out).await;
    answer.map_err(|error| Problem::new(Code::Internal, format!("the request could not be carried out: {error}")))
}

fn key(values: Vec<&HeaderValue>) -> Result<String, Problem> {
    let invalid = || {
        let detail = format!("an Idempotency-Key is one text of 1 to {KEY_OCTETS_MAX} printable characters of ASCII");
        Problem::new(Code::IdempotencyKeyInvalid, detail)
    };
    let [value] = values[..] else { return Err(invalid()) };
    let text = value.to_str().map_err(|_| invalid())?.trim();
    if (1..=KEY_OCTETS_MAX).contains(&text.len()) { Ok(text.to_owned()) } else { Err(invalid()) }
}

/// What makes a request the same one.
fn sent(caller: &Caller, path: &str, content_type: Option<&HeaderValue>, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("secondo 2026-11-22 a request that may be sent again");
    let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
    for part in [caller.tenant.0.to_string().as_bytes(), path.as_bytes(), content_type, body] {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

/// The answer once more, and what is to be kept of it; nothing if the client is to try again.
async fn read(answer: Response) -> (Response, Option<Answer>) {
    let status = answer.status();
    let (parts, body) = answer.into_parts();
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut kept =
        Answer { status: status.as_u16(), content_type: text(&CONTENT_TYPE), location: text(&LOCATION), body: None };
    // Nothing that a POST is answered is longer than what it may send.
    let Ok(octets) = to_bytes(body, 4 * IMPORT_OCTETS_MAX).await else {
        let problem = Problem::new(Code::Internal, "the answer could not be read");
        return (problem.into_response(), None);
    };
    if octets.len() <= KEPT_OCTETS_MAX {
        kept.body = String::from_utf8(octets.to_vec()).ok();
    }
    let is_kept = !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS;
    (Response::from_parts(parts, Body::from(octets)), is_kept.then_some(kept))
}

fn again(seal: &Seal, sealed: &str) -> Result<Response, Problem> {
    let unreadable =
        || Problem::new(Code::RequestUnanswered, "the request was carried out; its answer cannot be read");
    let answer: Answer =
        seal.opened(sealed).and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(unreadable)?;
    let Some(body) = answer.body else {
        let detail = format!(
            "the request was carried out and answered with status {}; the answer was too long to be kept: look what there is",
            answer.status
        );
        return Err(Problem::new(Code::RequestUnanswered, detail));
    };
    let status = StatusCode::from_u16(answer.status).map_err(|_| unreadable())?;
    let mut response = (status, [(REPLAYED, "true")], body).into_response();
    for (name, value) in [(CONTENT_TYPE, answer.content_type), (LOCATION, answer.location)] {
        response.headers_mut().remove(&name);
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
