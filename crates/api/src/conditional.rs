//! Conditional requests (RFC 9110 §13): what a client has already is not sent again, and what has changed since it looked is
//! not overwritten.
//!
//! An entity tag is two hashes, `"SETTINGS-ALL"`: of what requests can change about the thing, and of the whole answer. A GET
//! is compared by the whole tag. A change is compared by its first half alone: a zone that was checked a moment ago is another
//! answer, and nobody's change is lost by going on. Tags without that distinction would refuse nearly every change of a zone.
//!
//! Invariant: while a change with `If-Match` is carried out no other change of the API is made at the same path. What the
//! console does is not kept waiting.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::Mutex;
use tower::ServiceExt;

use crate::access::{Known, holder};
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Longer answers have no tag: what one thing is never is so long.
const TAGGED_OCTETS_MAX: u64 = 1024 * 1024;
/// Changes at so many different paths wait for each other only by chance.
const PATHS_AT_ONCE: usize = 64;
/// Fields that are seen and not set, in all things that have them.
const SEEN: [&str; 26] = [
    "state",
    "freshness",
    "hold",
    "volatile",
    "serial",
    "generation",
    "digest",
    "records",
    "last_success",
    "next_refresh",
    "expires_at",
    "answers_until",
    "signed_until",
    "held_back",
    "warnings",
    "silent",
    "transfers",
    "last_attempt",
    "followed_serial",
    "fault",
    "member_count",
    "waiting_count",
    "skipped_count",
    "used_at",
    "seen_at",
    "confirmed",
];

/// What it takes to see how a thing is before it is changed.
#[derive(Clone)]
pub(crate) struct Things {
    served: Served,
    /// The API itself, without this.
    api: Router,
    changing: Arc<[Mutex<()>; PATHS_AT_ONCE]>,
}

impl Things {
    pub(crate) fn new(served: Served, api: Router) -> Self {
        Self { served, api, changing: Arc::new(std::array::from_fn(|_| Mutex::default())) }
    }

    fn changing(&self, path: &str) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PATHS_AT_ONCE as u64).unwrap_or_default();
        &self.changing[place]
    }

    /// Whether the thing is still as the client believes.
    ///
    /// # Errors
    /// With the answer that says why not.
    async fn check(&self, request: &mut Request, wanted: &Tags) -> Result<(), Response> {
        let (mut parts, body) = std::mem::take(request).into_parts();
        let caller = holder(&parts, &self.served).await;
        let caller = match caller {
            Ok(caller) => caller,
            Err(problem) => return Err(problem.into_response()),
        };
        let mut look = Request::new(Body::empty());
        *look.uri_mut() = parts.uri.clone();
        look.extensions_mut().insert(Known(caller.clone()));
        parts.extensions.insert(Known(caller));
        *request = Request::from_parts(parts, body);
        let Ok(seen) = self.api.clone().oneshot(look).await;
        if seen.status() == StatusCode::METHOD_NOT_ALLOWED {
            return Err(failed("nothing is shown at this path, so that nobody can know how it is").into_response());
        }
        if seen.status() != StatusCode::OK {
            return Err(seen);
        }
        let seen = tagged(seen).await;
        let tag = seen.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        if wanted.has_settings_of(tag) {
            return Ok(());
        }
        Err(failed("it has been changed since you looked: look again, and decide anew").into_response())
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(Code::PreconditionFailed, detail)
}

/// Gives answers their tags, and carries out what depends on them.
pub(crate) async fn conditional(State(things): State<Things>, mut request: Request, next: Next) -> Response {
    match *request.method() {
        Method::GET => {
            let known = Tags::of(request.headers(), &IF_NONE_MATCH);
            let response = tagged(next.run(request).await).await;
            match response.headers().get(ETAG) {
                Some(tag) if known.is_some_and(|known| known.has(tag)) => {
                    (StatusCode::NOT_MODIFIED, [(ETAG, tag.clone())]).into_response()
                }
                _ => response,
            }
        }
        Method::PATCH | Method::PUT | Method::DELETE => {
            let _alone = things.changing(request.uri().path()).lock().await;
            if let Some(wanted) = Tags::of(request.headers(), &IF_MATCH)
                && let Err(answer) = things.check(&mut request, &wanted).await
            {
                return answer;
            }
            tagged(next.run(request).await).await
        }
        _ => next.run(request).await,
    }
}

/// The answer with its tag, if it is one that has one: a whole JSON text.
async fn tagged(response: Response) -> Response {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let is_short = response.body().size_hint().exact().is_some_and(|octets| octets <= TAGGED_OCTETS_MAX);
    if response.status() != StatusCode::OK || !is_json || !is_short {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(octets) = to_bytes(body, usize::try_from(TAGGED_OCTETS_MAX).unwrap_or(usize::MAX)).await else {
        return Problem::new(Code::Internal, "an answer could not be read").into_response();
    };
    if let Some(tag) = tag_of(&octets) {
        parts.headers.insert(ETAG, tag);
    }
    Response::from_parts(parts, Body::from(octets))
}

fn tag_of(octets: &[u8]) -> Option<HeaderValue> {
    let mut value: Value = serde_json::from_slice(octets).ok()?;
    forget_what_is_seen(&mut value);
    let settings = blake3::hash(value.to_string().as_bytes()).to_hex();
    let all = blake3::hash(octets).to_hex();
    HeaderValue::try_from(format!("\"{}-{}\"", &settings[..32], &all[..32])).ok()
}

fn forget_what_is_seen(value: &mut Value) {
    let Some(fields) = value.as_object_mut() else { return };
    fields.retain(|name, value| {
        // How many there are is not what they are: a plan's organisations, a key's primaries.
        let is_count = ["members", "zones", "tenants", "organisations", "primaries"].contains(&name.as_str());
        !(SEEN.contains(&name.as_str()) || is_count && value.is_number())
    });
    // A catalog's.
    if let Some(zone) = fields.get_mut("zone") {
        forget_what_is_seen(zone);
    }
}

/// The tags of a field, as they stand there.
struct Tags(Vec<String>);

impl Tags {
    fn of(headers: &HeaderMap, field: &HeaderName) -> Option<Self> {
        let values: Vec<_> = headers.get_all(field).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        // Our tags have no commas.
        let tags = values.iter().flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned());
        (!values.is_empty()).then(|| Self(tags.collect()))
    }

    /// RFC 9110 §13.1.2: weak comparison.
    fn has(&self, tag: &HeaderValue) -> bool {
        self.0.iter().any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes())
    }

    /// RFC 9110 §13.1.1: a weak tag is never enough.
    fn has_settings_of(&self, tag: &str) -> bool {
        let settings = tag.split_once('-').map(|(settings, _)| settings);
        let is_meant =
            |one: &String| one == "*" || one.ends_with('"') && one.split_once('-').map(|(of, _)| of) == settings;
        settings.is_some() && self.0.iter().any(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use super::{Tags, tag_of};

    fn tag(text: &str) -> String {
        tag_of(text.as_bytes()).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn what_is_only_seen_makes_another_answer_and_the_same_settings() {
        let tags = [
            r#"{"name": "a.", "serial": 1, "primaries": [{"address": "192.0.2.1:53"}]}"#,
            r#"{"name": "a.", "serial": 2, "primaries": [{"address": "192.0.2.1:53"}]}"#,
            r#"{"name": "a.", "serial": 2, "primaries": [{"address": "192.0.2.2:53"}]}"#,
        ]
        .map(tag);
        assert!(tags[0] != tags[1] && tags[1] != tags[2]);
        let believes = |tag: &str| Tags(vec![tag.to_owned()]);
        assert!(believes(&tags[0]).has_settings_of(&tags[1]));
        assert!(!believes(&tags[1]).has_settings_of(&tags[2]));
        assert!(!believes(&format!("W/{}", tags[1])).has_settings_of(&tags[1]), "a weak one is not enough");
        assert!(believes("*").has_settings_of(&tags[2]) && !believes("\"\"").has_settings_of(&tags[2]));
        let of_a_key = [r#"{"name": "k.", "primaries": 1}"#, r#"{"name": "k.", "primaries": 2}"#].map(tag);
        assert!(believes(&of_a_key[0]).has_settings_of(&of_a_key[1]));
        assert!(tag_of(b"no JSON").is_none());
    }
}
