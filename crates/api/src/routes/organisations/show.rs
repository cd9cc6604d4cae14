//! Showing an organisation.

use axum::extract::State;

use crate::access::Operates;
use crate::json;
use crate::path::OrganisationInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Shows an organisation.
#[utoipa::path(
    get, path = "/organisations/{id}", tag = "organisations", params(("id" = u64, Path)),
    responses((status = 200, body = json::Organisation), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    Operates(_caller): Operates,
    State(served): State<Served>,
    OrganisationInPath(id): OrganisationInPath,
) -> Result<axum::Json<json::Organisation>, Problem> {
    served.doors.organisations.organisation(id).await.map(axum::Json)
}
