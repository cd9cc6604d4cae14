//! All plans: for operators, who add, change and remove them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::organisations::operator;
use super::page::{Frame, again, page, refusal};
use super::session::{Form, Somebody};
use super::words::{self, sentence};
use crate::json::{self, PlanLimits, PutPlan};
use crate::problem::{Code, Problem};
use crate::router::Served;

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The plan that is to be changed.
    #[serde(default)]
    change: String,
}

#[derive(Template)]
#[template(path = "plans.html")]
struct Page {
    frame: Frame,
    plans: Vec<json::Plan>,
    /// The plan that the form is about; none to add one.
    changes: Option<u64>,
    name: String,
    fields: Vec<Field>,
    error: String,
}

/// A number of a plan, as it was typed.
struct Field {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    value: String,
    error: String,
}

/// In the order of [`limits`], and the days of grace behind them.
const FIELDS: [(&str, &str, &str); 8] = [
    ("zones", "Zones", ""),
    ("records", "Records of a zone", "One that has more is served on as it was."),
    ("primaries", "Primaries of a zone", ""),
    ("members", "Members", ""),
    ("requests_per_minute", "Requests to the API in a minute", ""),
    ("queries_per_month", "Queries in a month", "Counted and told of; answers never stop."),
    ("history_days", "Days of history", ""),
    ("grace_days", "Days of grace", "For so long zones go on after the end; 14 unless said otherwise."),
];

pub(crate) async fn plans(somebody: Somebody, State(served): State<Served>, Query(asked): Query<Asked>) -> Response {
    if let Err(problem) = operator(&somebody) {
        return refusal(&problem);
    }
    let drawn = async {
        let mut drawn = drawn(&somebody, &served).await?;
        if let Some(plan) = drawn.plans.iter().find(|plan| plan.id.to_string() == asked.change) {
            drawn.changes = Some(plan.id);
            drawn.name.clone_from(&plan.name);
            let values = limits(&plan.limits).into_iter().chain([Some(plan.grace_days)]);
            for (field, value) in drawn.fields.iter_mut().zip(values) {
                field.value = value.map(|value| value.to_string()).unwrap_or_default();
            }
        }
        Ok(drawn)
    };
    drawn.await.map_or_else(|problem: Problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn add(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    put(&somebody, &served, &form, None).await
}

pub(crate) async fn change(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    match meant(&form) {
        Ok(id) => put(&somebody, &served, &form, Some(id)).await,
        Err(problem) => refusal(&problem),
    }
}

pub(crate) async fn remove(somebody: Somebody, State(served): State<Served>, form: Form) -> Response {
    let caller = match operator(&somebody) {
        Ok(caller) => caller,
        Err(problem) => return refusal(&problem),
    };
    let removed = async { served.doors.plans.remove_plan(&caller, meant(&form)?).await };
    match removed.await {
        Ok(()) => Redirect::to("/plans").into_response(),
        Err(problem) => match drawn(&somebody, &served).await {
            Ok(drawn) => again(&problem, &Page { error: sentence(problem.detail()), ..drawn }),
            Err(problem) => refusal(&problem),
        },
    }
}

/// Adds the plan of the form, or has this one be so.
async fn put(somebody: &Somebody, served: &Served, form: &Form, id: Option<u64>) -> Response {
    let caller = match operator(somebody) {
        Ok(caller) => caller,
        Err(problem) => return refusal(&problem),
    };
    let mut fields = fields(|name| form.text(name).to_owned());
    let done = match read(form.text("name"), &mut fields) {
        Err(problem) => Err(problem),
        Ok(plan) => match id {
            None => served.doors.plans.add_plan(&caller, plan).await.map(drop),
            Some(id) => served.doors.plans.change_plan(&caller, id, plan).await.map(drop),
        },
    };
    match (done, drawn(somebody, served).await) {
        (Ok(()), _) => Redirect::to("/plans").into_response(),
        (_, Err(problem)) => refusal(&problem),
        (Err(problem), Ok(drawn)) => {
            let is_said = fields.iter().any(|field| !field.error.is_empty());
            let error = if is_said { String::new() } else { sentence(problem.detail()) };
            again(&problem, &Page { changes: id, name: form.text("name").to_owned(), fields, error, ..drawn })
        }
    }
}

/// Reads what was typed; what is no number is said beside its field.
fn read(name: &str, fields: &mut [Field]) -> Result<PutPlan, Problem> {
    let mut numbers = [None; FIELDS.len()];
    let mut first = None;
    for (number, field) in numbers.iter_mut().zip(fields) {
        if field.value.is_empty() {
            continue;
        }
        match field.value.parse() {
            Ok(read) => *number = Some(read),
            Err(_) => {
                let detail = format!("{:?} is no number: leave it empty for no limit", field.value);
                field.error = sentence(&detail);
                first.get_or_insert(Problem::new(Code::PlanInvalid, detail));
            }
        }
    }
    if let Some(problem) = first {
        return Err(problem);
    }
    let [zones, records, primaries, members, requests_per_minute, queries_per_month, history_days, grace_days] =
        numbers;
    let limits =
        PlanLimits { zones, records, primaries, members, requests_per_minute, queries_per_month, history_days };
    Ok(PutPlan { name: name.to_owned(), limits, grace_days })
}

fn limits(limits: &PlanLimits) -> [Option<u64>; 7] {
    let PlanLimits { zones, records, primaries, members, requests_per_minute, queries_per_month, history_days } =
        *limits;
    [zones, records, primaries, members, requests_per_minute, queries_per_month, history_days]
}

fn fields(value: impl Fn(&str) -> String) -> Vec<Field> {
    let field = |&(name, label, help)| Field { name, label, help, value: value(name), error: String::new() };
    FIELDS.iter().map(field).collect()
}

fn meant(form: &Form) -> Result<u64, Problem> {
    let text = form.text("plan");
    text.parse().map_err(|_| Problem::new(Code::PlanUnknown, format!("{text:?} is the number of no plan")))
}

async fn drawn(somebody: &Somebody, served: &Served) -> Result<Page, Problem> {
    Ok(Page {
        frame: Frame::without_tenant(&somebody.who, "plans"),
        plans: served.doors.plans.plans().await?,
        changes: None,
        name: String::new(),
        fields: fields(|_| String::new()),
        error: String::new(),
    })
}

impl Page {
    /// A limit as people read it.
    fn limit(limit: &Option<u64>) -> String {
        limit.as_ref().map_or_else(|| "–".to_owned(), words::number)
    }
}
