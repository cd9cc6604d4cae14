//! What is asked of a zone.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::QuerySpan;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// How far back; a day unless said otherwise.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// So many hours, by hours: 1 to 840, which are 35 days.
    hours: Option<u32>,
    /// So many days, by days: 1 to 731, which are two years. Not together with hours.
    days: Option<u32>,
}

impl Back {
    fn read(&self) -> Result<QuerySpan, Problem> {
        let span = match (self.hours, self.days) {
            (None, None) => Some(QuerySpan::DAY),
            (Some(hours), None) => QuerySpan::hours(hours),
            (None, Some(days)) => QuerySpan::days(days),
            (Some(_), Some(_)) => None,
        };
        span.ok_or_else(|| {
            let detail = format!(
                "how far back is either hours, from 1 to {}, or days, from 1 to {}",
                QuerySpan::HOURS_MAX,
                QuerySpan::DAYS_MAX
            );
            Problem::new(Code::QueryInvalid, detail)
        })
    }
}

/// Shows how often the zone was asked, by type and by what came of it, and for which names most.
#[utoipa::path(
    get, path = "/zones/{name}/queries", tag = "zones", params(("name" = String, Path), Back),
    responses((status = 200, body = json::ZoneQueries), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn queries(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(back): Parameters<Back>,
) -> Result<axum::Json<json::ZoneQueries>, Problem> {
    served.doors.status.queries(&caller, &name, back.read()?).await.map(axum::Json)
}
