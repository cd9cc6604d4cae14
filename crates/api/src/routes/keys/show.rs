//! One TSIG key.

use axum::extract::State;

use crate::access::Reads;
use crate::json;
use crate::path::KeyInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// Shows a TSIG key, without its secret.
#[utoipa::path(
    get, path = "/keys/{name}", tag = "keys", params(("name" = String, Path)),
    responses((status = 200, body = json::Key), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    Reads(caller): Reads,
    State(served): State<Served>,
    KeyInPath(name): KeyInPath,
) -> Result<axum::Json<json::Key>, Problem> {
    let keys = served.doors.intent.keys(&caller).await?;
    let found = keys.into_iter().find(|key| key.name.parse().is_ok_and(|known: dns::Name| known == name));
    let unknown = || Problem::new(Code::KeyUnknown, format!("there is no key {name}: see secondo key list"));
    found.map(axum::Json).ok_or_else(unknown)
}
