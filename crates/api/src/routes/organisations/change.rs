//! Calling an organisation something else.

use axum::extract::State;

use crate::access::Operates;
use crate::body::Json;
use crate::json;
use crate::path::OrganisationInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Calls an organisation something else.
#[utoipa::path(
    patch, path = "/organisations/{id}", tag = "organisations", params(("id" = u64, Path)),
    request_body = json::ChangeOrganisation,
    responses((status = 200, body = json::Organisation), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    Operates(caller): Operates,
    State(served): State<Served>,
    OrganisationInPath(id): OrganisationInPath,
    Json(change): Json<json::ChangeOrganisation>,
) -> Result<axum::Json<json::Organisation>, Problem> {
    let name = text::organisation_name(&change.name)?;
    served.doors.organisations.rename_organisation(&caller, id, &name).await?;
    served.doors.organisations.organisation(id).await.map(axum::Json)
}
