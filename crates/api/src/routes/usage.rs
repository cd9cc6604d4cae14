//! What organisations use, for their bills: as JSON, and as a table for spreadsheets.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::json;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;
use crate::text::csv_row;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The month in UTC, as in 2026-11; the present one unless said otherwise.
    month: Option<String>,
}

impl Which {
    fn read(&self) -> Result<Option<json::Month>, Problem> {
        let month = self.month.as_deref().map(str::parse).transpose();
        month.map_err(|error: json::NotAMonth| Problem::new(Code::QueryInvalid, error.to_string()))
    }
}

/// Shows what was used in a month: the organisation's own usage, or for operators everybody's.
#[utoipa::path(
    get, path = "/usage", tag = "usage", params(Which),
    responses((status = 200, body = json::Usage), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn usage(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(which): Parameters<Which>,
) -> Result<axum::Json<json::Usage>, Problem> {
    served.doors.status.usage(&caller, which.read()?).await.map(axum::Json)
}

/// Writes the same as a table (RFC 4180), whose first line has the titles.
#[utoipa::path(
    get, path = "/usage.csv", tag = "usage", params(Which),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = "default", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(crate) async fn table(
    Reads(caller): Reads,
    State(served): State<Served>,
    Parameters(which): Parameters<Which>,
) -> Result<Response, Problem> {
    let usage = served.doors.status.usage(&caller, which.read()?).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"usage-{}.csv\"", usage.month)),
    ];
    Ok((headers, text_of(&usage)).into_response())
}

fn text_of(usage: &json::Usage) -> String {
    let mut text = csv_row(["month", "id", "organisation", "queries", "zones", "records"]);
    let month = usage.month.to_string();
    for used in &usage.organisations {
        let numbers = [used.id, used.queries, used.zones, used.records].map(|number| number.to_string());
        let [id, queries, zones, records] = &numbers;
        text.push_str(&csv_row([month.as_str(), id, &used.organisation, queries, zones, records]));
    }
    text
}
