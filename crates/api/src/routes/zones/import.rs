//! Adding many zones at once.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::TextOrJson;
use crate::import::List;
use crate::jobs::ForJob;
use crate::json::{ImportZones, Imported};
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Adds a zone for each line `NAME ADDR[:PORT][,ADDR[:PORT]…] [KEY] [tags=TAG,TAG…]`, where `#` begins a comment; or for each of a
/// list in JSON, with all that a zone can have. At most 10,000.
#[utoipa::path(
    post, path = "/zones/import", tag = "zones",
    request_body(content((String = "text/plain"), (ImportZones = "application/json"))),
    responses((status = 200, body = Imported), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn import(
    ChangesZones(caller): ChangesZones,
    ForJob(job): ForJob,
    State(served): State<Served>,
    body: TextOrJson<ImportZones>,
) -> Result<axum::Json<Imported>, Problem> {
    let list = match body {
        TextOrJson::Text(text) => List::of_lines(&text)?,
        TextOrJson::Json(ImportZones { zones }) => List::of_zones(&zones)?,
    };
    list.import(&served, &caller, job).await.map(axum::Json)
}
