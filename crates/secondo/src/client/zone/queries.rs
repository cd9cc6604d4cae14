//! `secondo zone queries`: what is asked of a zone.

use api::json::{QueryNumbers, QueryPoint, TopName, ZoneQueries};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;

/// Names on a terminal; with `--json` there are more.
const NAMES_SHOWN: usize = 10;

pub(crate) async fn queries(
    name: &Name,
    hours: Option<u32>,
    days: Option<u32>,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let back = [("hours", hours), ("days", days)].into_iter();
    let back: Vec<(&str, String)> = back.filter_map(|(word, count)| Some((word, count?.to_string()))).collect();
    let queries: ZoneQueries = server.get(&path(name, "/queries"), &back).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&queries)?);
    }
    if queries.sum.total == 0 {
        return Ok(output.line(&format!("nothing was asked of {name} in this time"))?);
    }
    let titles = [
        "BEGAN", "QUERIES", "ANSWERED", "REFERRED", "NODATA", "NXDOMAIN", "FAILED", "A", "AAAA", "HTTPS", "MX",
        "TXT", "NS", "SOA", "OTHER",
    ];
    let asked = queries.points.iter().filter(|point| point.queries.total > 0);
    let sum = row("sum".to_owned(), &queries.sum);
    let row = |point: &QueryPoint| row(time_text(point.at), &point.queries);
    output.table(&titles, asked.map(row).chain([sum]))?;
    let percent = or_dash(queries.nxdomain_percent.map(|percent| format!("{percent:.2} %")));
    output.line(&format!("\nof all queries {percent} asked for names that are not there"))?;
    if queries.names.is_empty() {
        return Ok(());
    }
    output.line(&format!("\nthe names asked for most since {}, about:", time_text(queries.names_since)))?;
    let name = |top: &TopName| vec![top.queries.to_string(), top.name.clone()];
    Ok(output.table(&["QUERIES", "NAME"], queries.names.iter().take(NAMES_SHOWN).map(name))?)
}

fn row(began: String, queries: &QueryNumbers) -> Vec<String> {
    let QueryNumbers { total, by_type, by_result } = queries;
    let numbers = [
        *total,
        by_result.answered,
        by_result.referral,
        by_result.nodata,
        by_result.nxdomain,
        by_result.failed,
        by_type.a,
        by_type.aaaa,
        by_type.https,
        by_type.mx,
        by_type.txt,
        by_type.ns,
        by_type.soa,
        by_type.other,
    ];
    std::iter::once(began).chain(numbers.map(|number| number.to_string())).collect()
}
