//! Removing an organisation.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Operates;
use crate::body::Parameters;
use crate::path::OrganisationInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// That it is this one.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Meant {
    /// What it is called.
    name: String,
}

/// Removes an organisation with its zones, keys, tokens and members, if it is called what `name` says.
#[utoipa::path(
    delete, path = "/organisations/{id}", tag = "organisations", params(("id" = u64, Path), Meant),
    responses((status = 204), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn remove(
    Operates(caller): Operates,
    State(served): State<Served>,
    OrganisationInPath(id): OrganisationInPath,
    Parameters(meant): Parameters<Meant>,
) -> Result<StatusCode, Problem> {
    served.doors.organisations.remove_organisation(&caller, id, &meant.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
