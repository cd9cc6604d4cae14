//! What a zone holds, read-only: a page from a name on, or what has a part in its name.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use dns::Name;
use serde::Deserialize;

use super::{ZoneInTenant, path};
use crate::console::filter::{self, Filter};
use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::{RecordPage, Records};
use crate::path::percent_encoded;
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::routes::find_text;
use crate::text;

const LIMIT: u32 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// From this name on.
    #[serde(default)]
    from: String,
    #[serde(default)]
    find: String,
    #[serde(default)]
    rtype: String,
}

impl Asked {
    fn read(&self) -> Result<RecordPage, Problem> {
        let (from, rtype) = (self.from.trim(), self.rtype.trim());
        let no_type =
            |_| Problem::new(Code::QueryInvalid, format!("{rtype:?} is no type of records: see MX, TYPE15"));
        Ok(RecordPage {
            from: if from.is_empty() { None } else { Some(text::known_zone_name(from)?) },
            find: find_text(Some(&self.find))?,
            rtype: if rtype.is_empty() { None } else { Some(rtype.parse().map_err(no_type)?) },
            limit: LIMIT,
        })
    }
}

#[derive(Template)]
#[template(path = "zone_records.html")]
struct Page<'a> {
    frame: Frame,
    path: String,
    name: String,
    asked: &'a Asked,
    found: Records,
    next: Option<String>,
    limit: u32,
    /// Where a search was given up that has not filled the page.
    given_up_at: Option<String>,
}

pub(crate) async fn records(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Filter(asked): Filter<Asked>,
) -> Response {
    let path = path(&member.membership, &name);
    let (asked, wanted) = match asked.and_then(|asked| asked.read().map(|wanted| (asked, wanted))) {
        Ok(read) => read,
        Err(problem) => {
            let back = format!("{path}/records");
            return filter::wrong(Frame::of(&member, "zones"), &problem, &back, "All records");
        }
    };
    let found = match served.doors.contents.records(&member.caller, &name, wanted).await {
        Ok(found) => found,
        Err(problem) => return refusal(&problem),
    };
    let next = found.next.as_ref().map(|next| {
        let [next, find, rtype] = [&next.to_string(), &asked.find, &asked.rtype].map(|text| percent_encoded(text));
        format!("?from={next}&find={find}&rtype={rtype}")
    });
    let is_full = found.lines.len() >= LIMIT as usize;
    let given_up_at = found.next.as_ref().filter(|_| !is_full).map(Name::to_string);
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path,
        name: name.to_string(),
        asked: &asked,
        found,
        next,
        limit: LIMIT,
        given_up_at,
    })
}
