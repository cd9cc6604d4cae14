//! What is asked of a zone: how often, for what, with which results, and for which names most.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::{ZoneInTenant, path};
use crate::console::filter::{self, Filter};
use crate::console::page::{Frame, page, refusal};
use crate::console::plot::stacked::{Kind, Size, Stacked, stacked};
use crate::console::session::Member;
use crate::console::words;
use crate::doors::QuerySpan;
use crate::json::{QueryNumbers, QueryPoint, QueryStep, Time, TopName, ZoneQueries};
use crate::problem::Problem;
use crate::router::Served;

/// How far back, as the page offers it.
const SPANS: [(&str, &str, QuerySpan); 5] = [
    ("day", "24 hours", QuerySpan::Hours(24)),
    ("week", "7 days", QuerySpan::Hours(7 * 24)),
    ("month", "35 days", QuerySpan::Days(35)),
    ("year", "a year", QuerySpan::Days(365)),
    ("all", "two years", QuerySpan::Days(QuerySpan::DAYS_MAX)),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default)]
    span: String,
}

impl Asked {
    /// Which of [`SPANS`]; the first where nothing is said.
    fn read(&self) -> Result<(&'static str, QuerySpan), Problem> {
        let wanted = SPANS.into_iter().find(|(word, ..)| self.span.is_empty() || *word == self.span);
        let known = || SPANS.map(|(word, ..)| word).join(", ");
        wanted.map(|(word, _, back)| (word, back)).ok_or_else(|| filter::none_of("span", &self.span, &known()))
    }
}

#[derive(Template)]
#[template(path = "zone_queries.html")]
struct Page {
    frame: Frame,
    path: String,
    name: String,
    /// Which of [`SPANS`].
    span: &'static str,
    spans: [(&'static str, &'static str, QuerySpan); SPANS.len()],
    queries: ZoneQueries,
    /// None where nothing was asked.
    by_result: Option<Stacked>,
    by_type: Option<Stacked>,
    /// The hours or days in which something was asked, newest first.
    rows: Vec<QueryPoint>,
    busiest: Option<QueryPoint>,
}

impl Page {
    fn step(&self) -> &'static str {
        match self.queries.step {
            QueryStep::Hour => "Hour",
            QueryStep::Day => "Day",
        }
    }

    fn label(&self, at: &Time) -> String {
        label(self.queries.step, at)
    }

    /// In the order of the table's columns.
    #[expect(clippy::unused_self, reason = "templates call what belongs to the page")]
    fn counts(&self, point: &QueryPoint) -> Vec<u64> {
        let QueryNumbers { total, by_type, by_result } = &point.queries;
        let results =
            [by_result.answered, by_result.referral, by_result.nodata, by_result.nxdomain, by_result.failed];
        let types =
            [by_type.a, by_type.aaaa, by_type.https, by_type.mx, by_type.txt, by_type.ns, by_type.soa, by_type.other];
        std::iter::once(*total).chain(results).chain(types).collect()
    }

    fn nxdomain(&self) -> String {
        self.queries.nxdomain_percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent:.1} %"))
    }

    /// Whether so many ask for what is not there that somebody should look at it.
    fn is_nxdomain_high(&self) -> bool {
        self.queries.sum.total >= 100 && self.queries.nxdomain_percent.is_some_and(|percent| percent >= 50.0)
    }

    /// About how large a part of all queries asked for the name.
    #[expect(clippy::cast_precision_loss, reason = "no digit behind the point is shown")]
    fn share(&self, name: &TopName) -> String {
        // The names are of whole days, and may be more than the hours that are shown.
        let all = self.queries.names.iter().map(|name| name.queries).fold(0, u64::saturating_add);
        format!("{:.0} %", 100.0 * name.queries as f64 / all.max(1) as f64)
    }
}

pub(crate) async fn queries(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Filter(asked): Filter<Asked>,
) -> Response {
    let path = path(&member.membership, &name);
    let (span, back) = match asked.and_then(|asked| asked.read()) {
        Ok(asked) => asked,
        Err(problem) => {
            let back = format!("{path}/queries");
            return filter::wrong(Frame::of(&member, "zones"), &problem, &back, "The last 24 hours");
        }
    };
    let queries = match served.doors.status.queries(&member.caller, &name, back).await {
        Ok(queries) => queries,
        Err(problem) => return refusal(&problem),
    };
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path,
        name: name.to_string(),
        span,
        spans: SPANS,
        by_result: by_result(&queries, Size::Large),
        by_type: by_type(&queries),
        rows: queries.points.iter().rev().filter(|point| point.queries.total > 0).copied().collect(),
        busiest: queries.points.iter().max_by_key(|point| point.queries.total).copied(),
        queries,
    })
}

/// The picture of what came of queries; none where nothing was asked.
pub(super) fn by_result(queries: &ZoneQueries, size: Size) -> Option<Stacked> {
    let kind =
        |name, class, number: fn(&QueryNumbers) -> u64| Kind { name, class, numbers: numbers(queries, number) };
    let kinds = vec![
        kind("answered", "good", |queries| queries.by_result.answered),
        kind("referred", "busy", |queries| queries.by_result.referral),
        kind("no such type", "off", |queries| queries.by_result.nodata),
        kind("no such name", "warn", |queries| queries.by_result.nxdomain),
        kind("failed", "bad", |queries| queries.by_result.failed),
    ];
    stacked(kinds, &labels(queries), size)
}

fn by_type(queries: &ZoneQueries) -> Option<Stacked> {
    let kind =
        |name, class, number: fn(&QueryNumbers) -> u64| Kind { name, class, numbers: numbers(queries, number) };
    let kinds = vec![
        kind("A", "kind-1", |queries| queries.by_type.a),
        kind("AAAA", "kind-2", |queries| queries.by_type.aaaa),
        kind("HTTPS", "kind-3", |queries| queries.by_type.https),
        kind("MX", "kind-4", |queries| queries.by_type.mx),
        kind("TXT", "kind-5", |queries| queries.by_type.txt),
        kind("NS", "kind-6", |queries| queries.by_type.ns),
        kind("SOA", "kind-7", |queries| queries.by_type.soa),
        kind("other types", "kind-8", |queries| queries.by_type.other),
    ];
    stacked(kinds, &labels(queries), Size::Large)
}

fn numbers(queries: &ZoneQueries, number: fn(&QueryNumbers) -> u64) -> Vec<u64> {
    queries.points.iter().map(|point| number(&point.queries)).collect()
}

fn labels(queries: &ZoneQueries) -> Vec<String> {
    queries.points.iter().map(|point| label(queries.step, &point.at)).collect()
}

fn label(step: QueryStep, at: &Time) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    match step {
        QueryStep::Hour => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        QueryStep::Day => day.to_owned(),
    }
}
