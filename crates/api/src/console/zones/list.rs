//! The list of zones: found by a part of the name, by state, by whether they fail, or by tag; in several orders; page by page.
//!
//! All that is asked for stands in the query, so that a list can be kept as a bookmark.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::console::filter::{self, Filter};
use crate::console::page::{Frame, base, page, refusal};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::{Direction, ZoneList};
use crate::json::{self, AttemptOutcome, UnknownWord, ZoneOrder};
use crate::path::percent_encoded;
use crate::problem::Problem;
use crate::router::Served;
use crate::routes::find_text;
use crate::text;

/// Zones on a page.
const LIMIT: u32 = 50;
/// Removed ones on the page.
const REMOVED: u32 = 20;
/// In the place of a state: those whose last attempt failed, whatever their state.
const FAILING: &str = "failing";

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Only zones behind this place.
    #[serde(default)]
    after: String,
    /// A part of the name.
    #[serde(default)]
    find: String,
    /// A state, or [`FAILING`].
    #[serde(default)]
    state: String,
    #[serde(default)]
    tag: String,
    /// An order; with `-` before it, it is the other way round.
    #[serde(default)]
    sort: String,
    /// The zone whose removal has led here; of this page alone.
    #[serde(default)]
    removed: String,
}

impl Asked {
    fn order(&self) -> Result<(ZoneOrder, Direction), Problem> {
        let (name, direction) = match self.sort.strip_prefix('-') {
            Some(name) => (name, Direction::Reversed),
            None if self.sort.is_empty() => return Ok(Default::default()),
            None => (&*self.sort, Direction::Usual),
        };
        let order = name.parse().map_err(|unknown: UnknownWord| filter::none_of("order", name, &unknown.known))?;
        Ok((order, direction))
    }

    fn state(&self) -> Result<Option<json::State>, Problem> {
        if self.state.is_empty() || self.state == FAILING {
            return Ok(None);
        }
        let known = |unknown: UnknownWord| format!("{FAILING}, {}", unknown.known);
        self.state.parse().map(Some).map_err(|unknown| filter::none_of("state", &self.state, &known(unknown)))
    }

    fn list(&self) -> Result<ZoneList, Problem> {
        let (order, direction) = self.order()?;
        Ok(ZoneList {
            after: if self.after.is_empty() { None } else { Some(text::place(&self.after, order)?) },
            limit: LIMIT,
            find: find_text(Some(&self.find))?,
            state: self.state()?,
            last_attempt: (self.state == FAILING).then_some(AttemptOutcome::Failed),
            tag: if self.tag.trim().is_empty() { None } else { Some(text::tag(&self.tag)?) },
            order,
            direction,
        })
    }

    /// The query that asks for this.
    fn query(&self) -> String {
        let fields = [
            ("find", self.find.trim()),
            ("state", &self.state),
            ("tag", self.tag.trim()),
            ("sort", &self.sort),
            ("after", &self.after),
        ];
        let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let said: Vec<String> = said.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        format!("?{}", said.join("&"))
    }
}

#[derive(Template)]
#[template(path = "zones.html")]
struct List {
    frame: Frame,
    zones: Vec<json::Zone>,
    counts: json::ZoneCounts,
    asked: Asked,
    order: ZoneOrder,
    direction: Direction,
    states: &'static [json::State],
    tags: Vec<json::TagCount>,
    /// The query that leads to the next page; none on the last.
    next: Option<String>,
    is_filtered: bool,
    is_first_page: bool,
    /// What can be had back; only on the first page.
    removed: Vec<json::RemovedZone>,
}

pub(crate) async fn list(member: Member, State(served): State<Served>, Filter(asked): Filter<Asked>) -> Response {
    let (asked, wanted) = match asked.and_then(|asked| asked.list().map(|wanted| (asked, wanted))) {
        Ok(read) => read,
        Err(problem) => {
            let back = format!("{}/zones", base(&member.membership));
            return filter::wrong(Frame::of(&member, "zones"), &problem, &back, "All zones");
        }
    };
    let (order, direction, is_first_page) = (wanted.order, wanted.direction, wanted.after.is_none());
    let is_filtered =
        !wanted.find.is_empty() || wanted.state.is_some() || wanted.last_attempt.is_some() || wanted.tag.is_some();
    let status = &served.doors.status;
    let caller = &member.caller;
    let found = tokio::try_join!(status.zones(caller, wanted), status.counts(caller), status.tags(caller));
    let (listed, counts, tags) = match found {
        Ok(found) => found,
        Err(problem) => return refusal(&problem),
    };
    // Without the inventory there are none, and the list is worth showing all the same.
    let removed = match is_first_page && !is_filtered {
        true => served.doors.removals.removed(&member.caller, REMOVED).await.unwrap_or_default(),
        false => Vec::new(),
    };
    let next = listed.next.map(|place| Asked { after: text::place_text(&place, order), ..asked.clone() }.query());
    page(&List {
        frame: Frame::of(&member, "zones"),
        zones: listed.zones,
        counts,
        asked,
        order,
        direction,
        states: json::State::ALL,
        tags,
        next,
        is_filtered,
        is_first_page,
        removed,
    })
}

impl List {
    /// From the first page on, in this order; the other way round if it is the present one.
    fn sorted(&self, order: &ZoneOrder) -> String {
        let is_turned = self.order == *order && self.direction == Direction::Usual;
        let sort = format!("{}{order}", if is_turned { "-" } else { "" });
        Asked { sort, after: String::new(), ..self.asked.clone() }.query()
    }

    /// What the head of a column says of the order, for eyes and for readers.
    fn standing(&self, order: &ZoneOrder) -> Option<(&'static str, &'static str)> {
        let grows = match *order {
            ZoneOrder::Serial | ZoneOrder::Records => self.direction == Direction::Reversed,
            _ => self.direction == Direction::Usual,
        };
        let said = if grows { ("ascending", "↑") } else { ("descending", "↓") };
        (self.order == *order).then_some(said)
    }

    /// What was removed just now, if it is so.
    fn just_removed(&self) -> Option<&json::RemovedZone> {
        self.removed.iter().find(|zone| zone.name == self.asked.removed)
    }

    fn first_page(&self) -> String {
        Asked { after: String::new(), ..self.asked.clone() }.query()
    }

    fn is_order(&self, order: &ZoneOrder) -> bool {
        self.order == *order
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;
    use crate::doors::Direction;
    use crate::json::{AttemptOutcome, State, ZoneOrder};

    #[test]
    fn what_is_asked_for_stands_in_the_query_and_nothing_else_does() {
        let asked = Asked {
            find: " a&b ".into(),
            state: "failing".into(),
            tag: "Site:Berlin".into(),
            sort: "-expires".into(),
            ..Asked::default()
        };
        assert_eq!(asked.query(), "?find=a%26b&state=failing&tag=Site%3ABerlin&sort=-expires");
        let list = asked.list().unwrap();
        assert_eq!((list.order, list.direction), (ZoneOrder::Expires, Direction::Reversed));
        assert_eq!((list.state, list.last_attempt), (None, Some(AttemptOutcome::Failed)));
        assert_eq!((list.find.as_str(), list.tag.as_deref()), ("a&b", Some("site:berlin")));
        let usual = Asked::default().list().unwrap();
        assert_eq!(
            (usual.state, usual.order, usual.direction, usual.after),
            (None, ZoneOrder::Name, Direction::Usual, None)
        );
        assert_eq!(Asked { state: "stale".into(), ..Asked::default() }.list().unwrap().state, Some(State::Stale));
        assert_eq!(Asked::default().query(), "?");
    }
}
