//! Claims that wait for a proof.

use axum::extract::State;

use crate::access::Operates;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{After, page_limit};

/// Lists the claims on names that are not proven, of all organisations.
#[utoipa::path(
    get, path = "/claims", tag = "claims", params(After),
    responses((status = 200, body = json::Claims), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Operates(caller): Operates,
    State(served): State<Served>,
    Parameters(part): Parameters<After>,
) -> Result<axum::Json<json::Claims>, Problem> {
    served
        .doors
        .ownership
        .claims(&caller, part.after.unwrap_or_default(), page_limit(part.limit)?)
        .await
        .map(axum::Json)
}
