//! `secondo usage`: what organisations used, for their bills.

use api::json::{Month, OrganisationUsage, Usage};

use super::failure::Failure;
use super::output::{Format, Output};
use super::server::Server;

/// How it is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// For spreadsheets, as the server makes it.
    Csv,
    /// As other things are.
    AsAsked,
}

pub(super) async fn show(
    month: Option<Month>,
    shape: Shape,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if shape == Shape::Csv {
        let which = month.map_or_else(String::new, |month| format!("?month={month}"));
        let mut pieces = server.stream(&format!("/usage.csv{which}")).await?;
        while let Some(piece) = pieces.next().await? {
            output.raw(piece.as_ref())?;
        }
        return Ok(output.flush()?);
    }
    let which: Vec<(&str, String)> = month.iter().map(|month| ("month", month.to_string())).collect();
    let usage: Usage = server.get("/usage", &which).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&usage)?);
    }
    if usage.organisations.is_empty() {
        return Ok(output.line(&format!("nothing was used in {}", usage.month))?);
    }
    let titles = ["MONTH", "ORGANISATION", "QUERIES", "ZONES", "RECORDS"];
    let row = |used: &OrganisationUsage| {
        vec![
            usage.month.to_string(),
            used.organisation.clone(),
            used.queries.to_string(),
            used.zones.to_string(),
            used.records.to_string(),
        ]
    };
    Ok(output.table(&titles, usage.organisations.iter().map(row))?)
}
