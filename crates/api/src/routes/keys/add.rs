//! Adding a TSIG key.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::ChangesKeys;
use crate::body::Json;
use crate::doors::NewKey;
use crate::json::{self, KeyAlgorithm};
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds a TSIG key. Without a secret one is generated, and said in this answer and never again.
#[utoipa::path(
    post, path = "/keys", tag = "keys",
    request_body = json::AddKey,
    responses((status = 201, body = json::AddedKey), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    ChangesKeys(caller): ChangesKeys,
    State(served): State<Served>,
    Json(key): Json<json::AddKey>,
) -> Result<(StatusCode, axum::Json<json::AddedKey>), Problem> {
    let algorithm = match key.algorithm.as_deref() {
        None => KeyAlgorithm::HmacSha256,
        Some(text) => text::key_algorithm(text)?,
    };
    let key = NewKey { name: text::key_name(&key.name)?, algorithm, secret: key.secret };
    let added = served.doors.intent.add_key(&caller, key).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}
