//! `secondo zone records | lines`: what a zone holds, and what has its primaries give it to us.

use api::json::{ZoneLines, ZoneRecords};
use dns::Name;

use super::path;
use crate::client::doctor;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;

/// Records that are asked for at a time.
const AT_ONCE: u32 = 1_000;

/// Which records.
pub(crate) struct Wanted {
    /// A part of the owner's name.
    pub(crate) search: Option<String>,
    pub(crate) rtype: Option<String>,
    /// At most so many, but for all that one name has.
    pub(crate) limit: Option<u64>,
}

pub(crate) async fn records(
    name: &Name,
    wanted: Wanted,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (mut from, mut left) = (None, wanted.limit.unwrap_or(u64::MAX));
    let mut all = Vec::new();
    let mut is_empty = true;
    while left > 0 {
        let mut query = vec![("limit", left.min(u64::from(AT_ONCE)).to_string())];
        query.extend(wanted.search.clone().map(|search| ("find", search)));
        query.extend(wanted.rtype.clone().map(|rtype| ("type", rtype)));
        query.extend(from.take().map(|from| ("from", from)));
        let page: ZoneRecords = server.get(&path(name, "/records"), &query).await?;
        left = left.saturating_sub(page.records.len() as u64);
        is_empty &= page.records.is_empty();
        match output.format() {
            Format::Json => all.extend(page.records),
            Format::Text => page.records.iter().try_for_each(|record| output.line(record))?,
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    match output.format() {
        Format::Json => Ok(output.json(&all)?),
        Format::Text if is_empty => Ok(output.line("there is no such record")?),
        Format::Text => Ok(output.flush()?),
    }
}

pub(crate) async fn lines(name: &Name, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let found: ZoneLines = server.get(&path(name, "/lines"), &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&found.primaries)?);
    }
    for primary in &found.primaries {
        output.line(&format!("What {} needs in its configuration, whichever server it is:", primary.address))?;
        for paste in &primary.paste {
            doctor::lines(paste, &paste.parts, output)?;
        }
        output.line("")?;
    }
    Ok(output.flush()?)
}
