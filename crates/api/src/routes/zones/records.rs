//! A zone's records, page by page.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::Parameters;
use crate::doors::RecordPage;
use crate::json;
use crate::path::ZoneInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;
use crate::routes::{find_text, page_limit};
use crate::text;

/// Which records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// From this name on, in canonical order (RFC 4034 §6.1): `next` of the page before.
    from: Option<String>,
    /// Only names with this in them.
    find: Option<String>,
    /// Only this type: `MX`, or `TYPE15`.
    #[serde(rename = "type")]
    rtype: Option<String>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise. All that one name has come together.
    limit: Option<u32>,
}

impl Wanted {
    fn read(&self) -> Result<RecordPage, Problem> {
        let unknown = |text: &String| {
            let no_type =
                |_| Problem::new(Code::QueryInvalid, format!("{text:?} is no type of records: see MX, TYPE15"));
            text.trim().parse().map_err(no_type)
        };
        Ok(RecordPage {
            from: self.from.as_deref().map(text::known_zone_name).transpose()?,
            find: find_text(self.find.as_deref())?,
            rtype: self.rtype.as_ref().map(unknown).transpose()?,
            limit: page_limit(self.limit)?,
        })
    }
}

/// Shows the served version's records, in the canonical order of their names. Records change at the primary and nowhere else.
#[utoipa::path(
    get, path = "/zones/{name}/records", tag = "zones", params(("name" = String, Path), Wanted),
    responses((status = 200, body = json::ZoneRecords), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn records(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<axum::Json<json::ZoneRecords>, Problem> {
    let found = served.doors.contents.records(&caller, &name, wanted.read()?).await?;
    let next = found.next.map(|next| next.to_string());
    Ok(axum::Json(json::ZoneRecords { serial: found.serial, records: found.lines, next }))
}
