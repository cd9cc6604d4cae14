//! Listing organisations.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use zone::TenantId;

use crate::access::Operates;
use crate::body::Parameters;
use crate::doors::OrganisationPage;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{number, page_limit};

/// Which organisations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Found {
    /// Only those with this in their names.
    find: Option<String>,
    /// Only those after this number: `next` of the page before.
    #[serde(default, deserialize_with = "number")]
    after: Option<u64>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Lists organisations in the order of their numbers.
#[utoipa::path(
    get, path = "/organisations", tag = "organisations", params(Found),
    responses((status = 200, body = json::Organisations), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    Operates(_caller): Operates,
    State(served): State<Served>,
    Parameters(found): Parameters<Found>,
) -> Result<axum::Json<json::Organisations>, Problem> {
    let limit = page_limit(found.limit)?;
    let page = OrganisationPage { find: found.find.unwrap_or_default(), after: found.after.map(TenantId), limit };
    let organisations = served.doors.organisations.organisations(&page).await?;
    let next = organisations.last().filter(|_| organisations.len() == limit as usize).map(|last| last.id);
    Ok(axum::Json(json::Organisations { organisations, next }))
}
