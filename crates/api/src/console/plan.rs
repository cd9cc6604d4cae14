//! What the organisation may have by its plan, and what it has; operators give it another one here.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Frame, again, base, page, refusal};
use super::session::{Form, Member};
use super::words::{self, sentence};
use crate::json::{self, PlanStanding, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Of a limit, so much is near.
const NEAR_PERCENT: u64 = 80;
const DAY_MS: u64 = 24 * 3600 * 1000;

#[derive(Template)]
#[template(path = "plan.html")]
struct Page<'a> {
    frame: Frame,
    plan: json::OwnPlan,
    uses: Vec<Use>,
    /// All plans, for operators; the default organisation has none.
    plans: Option<Vec<json::Plan>>,
    given: &'a str,
    until: String,
    error: String,
}

/// How much there is of something.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    what: &'static str,
    have: u64,
    limit: Option<u64>,
    /// Of the limit; 100 at the most.
    percent: u64,
    tone: &'static str,
    note: &'static str,
}

impl Use {
    fn of(what: &'static str, have: u64, limit: Option<u64>, over: &'static str) -> Self {
        let share = limit.map(|limit| have.saturating_mul(100) / limit.max(1));
        let (tone, note) = match (limit, share) {
            (Some(limit), _) if have > limit => ("bad", over),
            (Some(limit), _) if have == limit && have > 0 => ("warn", "All that the plan allows."),
            (Some(_), Some(NEAR_PERCENT..)) => ("warn", "Nearly all that the plan allows."),
            _ => ("good", ""),
        };
        Self { what, have, limit, percent: share.unwrap_or_default().min(100), tone, note }
    }
}

fn uses(plan: &json::OwnPlan) -> Vec<Use> {
    let (limits, used) = (&plan.limits, &plan.used);
    vec![
        Use::of("Zones", used.zones, limits.zones, "More than the plan allows: they stay, and none can be added."),
        Use::of(
            "Records of the largest zone",
            used.records,
            limits.records,
            "More than the plan allows: what is served stays as it is.",
        ),
        Use::of("Members", used.members, limits.members, "More than the plan allows: nobody else can be invited."),
        Use::of(
            "Queries in this month",
            used.queries,
            limits.queries_per_month,
            "More than the plan counts with. All of them are answered all the same.",
        ),
    ]
}

pub(crate) async fn plan(member: Member, State(served): State<Served>) -> Response {
    drawn(&member, &served).await.map_or_else(|problem| refusal(&problem), |drawn| page(&drawn))
}

pub(crate) async fn give(member: Member, State(served): State<Served>, form: Form) -> Response {
    if let Err(problem) = member.must(Scope::Operate) {
        return refusal(&problem);
    }
    let given = async {
        let wanted = json::SetPlan { plan: number(form.text("plan"))?, ends_at: end(form.text("until"))? };
        served.doors.plans.set_plan(&member.caller, member.caller.tenant, wanted).await
    };
    match given.await {
        Ok(()) => Redirect::to(&format!("{}/plan", base(&member.membership))).into_response(),
        Err(problem) => match drawn(&member, &served).await {
            Ok(drawn) => {
                let (given, until) = (form.text("plan"), form.text("until").to_owned());
                again(&problem, &Page { given, until, error: sentence(problem.detail()), ..drawn })
            }
            Err(problem) => refusal(&problem),
        },
    }
}

async fn drawn<'a>(member: &Member, served: &Served) -> Result<Page<'a>, Problem> {
    let plan = served.doors.plans.own_plan(&member.caller).await?;
    let gives = member.may(Scope::Operate) && member.caller.tenant != zone::TenantId::DEFAULT;
    let plans = if gives { Some(served.doors.plans.plans().await?) } else { None };
    let last_day = plan.ends_at.map(|at| json::Time::from_unix_ms(at.unix_ms().saturating_sub(1)).to_string());
    Ok(Page {
        frame: Frame::of(member, "plan"),
        uses: uses(&plan),
        plan,
        plans,
        given: "",
        until: last_day.and_then(|day| day.get(..10).map(str::to_owned)).unwrap_or_default(),
        error: String::new(),
    })
}

impl Page<'_> {
    fn is_given(&self, plan: &json::Plan) -> bool {
        match self.given {
            "" => self.plan.name.as_ref() == Some(&plan.name),
            given => given == plan.id.to_string(),
        }
    }
}

/// The number of a plan; none for nothing.
fn number(text: &str) -> Result<Option<u64>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Problem::new(Code::PlanUnknown, format!("{text:?} is the number of no plan")))
}

/// The end of the day, in UTC; none for nothing.
fn end(text: &str) -> Result<Option<json::Time>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let begins = format!("{text}T00:00:00Z").parse::<json::Time>();
    let begins = begins.map_err(|_| {
        Problem::new(Code::PlanInvalid, format!("{text:?} is no day since 1970: write it like 2027-01-31"))
    })?;
    Ok(Some(json::Time::from_unix_ms(begins.unix_ms().saturating_add(DAY_MS))))
}

#[cfg(test)]
mod tests {
    use super::{Use, end};

    #[test]
    fn a_plan_ends_with_the_day_that_is_given() {
        assert_eq!(end("2027-01-31").unwrap().unwrap().to_string(), "2027-02-01T00:00:00.000Z");
        assert_eq!(end("").unwrap(), None);
        for text in ["tomorrow", "2027-02-30", "1969-12-31", "31.01.2027", "<b>", "2027-01-31T00:00:00Z"] {
            assert!(end(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_near_a_limit_or_over_it_looks_so() {
        for (have, limit, percent, tone) in [
            (0, Some(10), 0, "good"),
            (7, Some(10), 70, "good"),
            (8, Some(10), 80, "warn"),
            (10, Some(10), 100, "warn"),
            (11, Some(10), 100, "bad"),
            (1, Some(0), 100, "bad"),
            (u64::MAX, Some(u64::MAX), 1, "warn"),
            (1_000, None, 0, "good"),
        ] {
            let shown = Use::of("Zones", have, limit, "over");
            assert_eq!((shown.percent, shown.tone), (percent, tone), "{have} of {limit:?}");
        }
    }
}
