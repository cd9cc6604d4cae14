//! `secondo plan list | show | own | add | set | remove`: what organisations may have.
//!
//! A plan is made and changed by its limits as they are typed, `NAME=NUMBER`; one without a number is no limit.

use api::json::{OwnPlan, Plan, PlanLimits, PlanStanding, Plans, PutPlan};
use clap::Subcommand;

use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

/// The limits by the names under which the API has them.
type Limit = (&'static str, fn(&mut PlanLimits) -> &mut Option<u64>);
const LIMITS: [Limit; 7] = [
    ("zones", |limits| &mut limits.zones),
    ("records", |limits| &mut limits.records),
    ("primaries", |limits| &mut limits.primaries),
    ("members", |limits| &mut limits.members),
    ("requests-per-minute", |limits| &mut limits.requests_per_minute),
    ("queries-per-month", |limits| &mut limits.queries_per_month),
    ("history-days", |limits| &mut limits.history_days),
];

#[derive(Debug, Subcommand)]
pub(crate) enum PlanAction {
    /// List all plans; for whoever runs the service.
    #[command(after_help = "Example:\n  secondo plan list")]
    List,
    /// Show a plan.
    #[command(after_help = "Example:\n  secondo plan show 2")]
    Show {
        /// Its number, which `secondo plan list` shows.
        id: u64,
    },
    /// Show the plan that your organisation has, and what it has of what that allows.
    #[command(after_help = "Example:\n  secondo plan own")]
    Own,
    /// Add a plan.
    #[command(after_help = LIMITS_HELP)]
    Add {
        /// What it is called.
        name: String,
        #[command(flatten)]
        terms: PlanTerms,
    },
    /// Change a plan, for all organisations that have it; what is not named stays.
    #[command(after_help = "\
Examples:
  secondo plan set 2 zones=500 records=       (any number of records)
  secondo plan set 2 --name Business --grace-days 30

The limits are those of `secondo plan add`.")]
    Set {
        /// Its number.
        id: u64,
        /// What it is to be called.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        terms: PlanTerms,
    },
    /// Remove a plan that no organisation has.
    #[command(after_help = "Example:\n  secondo plan remove 2")]
    Remove {
        /// Its number.
        id: u64,
    },
}

const LIMITS_HELP: &str = "\
Example:
  secondo plan add Business zones=500 records=1000000 queries-per-month=100000000 --grace-days 30

What can be limited; what is not named is not:
  zones                   zones of the organisation
  records                 records of each zone; one that has more is served on in its last version within the plan
  primaries               primaries of each zone
  members                 members of the organisation
  requests-per-minute     requests to the API
  queries-per-month       counted and told of; answers never stop for it
  history-days            for how long versions are kept";

#[derive(Debug, clap::Args)]
pub(crate) struct PlanTerms {
    /// A limit; without a number there is none.
    #[arg(value_name = "LIMIT=NUMBER", value_parser = limit)]
    limits: Vec<(usize, Option<u64>)>,
    /// For how many days zones go on after the plan has ended.
    #[arg(long, value_name = "DAYS")]
    grace_days: Option<u64>,
}

pub(super) async fn carry_out(action: PlanAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        PlanAction::List => list(server, output).await,
        PlanAction::Show { id } => show(&server.get(&format!("/plans/{id}"), &[]).await?, output),
        PlanAction::Own => own(&server.get("/plan", &[]).await?, output),
        PlanAction::Add { name, terms } => {
            let plan =
                PutPlan { name, limits: limited(PlanLimits::default(), &terms.limits), grace_days: terms.grace_days };
            show(&server.post("/plans", &plan).await?, output)
        }
        PlanAction::Set { id, name, terms } => {
            let path = format!("/plans/{id}");
            let before: Plan = server.get(&path, &[]).await?;
            let plan = PutPlan {
                name: name.unwrap_or(before.name),
                limits: limited(before.limits, &terms.limits),
                grace_days: Some(terms.grace_days.unwrap_or(before.grace_days)),
            };
            show(&server.put(&path, &plan).await?, output)
        }
        PlanAction::Remove { id } => {
            server.delete(&format!("/plans/{id}")).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the plan {id}"))?;
            }
            Ok(())
        }
    }
}

fn limited(mut limits: PlanLimits, changes: &[(usize, Option<u64>)]) -> PlanLimits {
    for (at, number) in changes {
        *LIMITS[*at].1(&mut limits) = *number;
    }
    limits
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Plans { plans } = server.get("/plans", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&plans)?);
    }
    if plans.is_empty() {
        return Ok(output.line("there is no plan: organisations may have whatever they like")?);
    }
    let rows = plans.into_iter().map(|plan| {
        let limits = limits_text(&plan.limits);
        vec![plan.id.to_string(), plan.name, plan.organisations.to_string(), plan.grace_days.to_string(), limits]
    });
    Ok(output.table(&["NUMBER", "NAME", "ORGANISATIONS", "GRACE DAYS", "LIMITS"], rows)?)
}

fn show(plan: &Plan, output: &mut Output<'_>) -> Result<(), Failure> {
    if output.format() == Format::Json {
        return Ok(output.json(plan)?);
    }
    let mut facts = vec![
        ("number", plan.id.to_string()),
        ("name", plan.name.clone()),
        ("organisations", plan.organisations.to_string()),
        ("grace days", plan.grace_days.to_string()),
    ];
    let mut limits = plan.limits.clone();
    facts.extend(LIMITS.iter().map(|(name, of)| (*name, limit_text(*of(&mut limits)))));
    Ok(output.facts(facts)?)
}

fn own(plan: &OwnPlan, output: &mut Output<'_>) -> Result<(), Failure> {
    if output.format() == Format::Json {
        return Ok(output.json(plan)?);
    }
    let Some(name) = &plan.name else {
        return Ok(output.line("no plan counts for the organisation: it may have whatever it likes")?);
    };
    let standing = match (plan.standing, plan.ends_at, plan.grace_ends_at) {
        (PlanStanding::InForce, None, _) => "in force".to_owned(),
        (PlanStanding::InForce, Some(at), _) => format!("in force until {}", time_text(at)),
        (PlanStanding::Grace, _, Some(at)) => format!("ended; zones are answered until {}", time_text(at)),
        (PlanStanding::Grace, ..) => "ended; zones are answered for a while".to_owned(),
        (PlanStanding::Ended, ..) => "ended; zones are neither answered nor followed".to_owned(),
    };
    let (used, limits) = (&plan.used, &plan.limits);
    let of = |used: u64, limit: Option<u64>| format!("{used} of {}", limit_text(limit));
    Ok(output.facts([
        ("plan", name.clone()),
        ("standing", standing),
        ("zones", of(used.zones, limits.zones)),
        ("records of the largest zone", of(used.records, limits.records)),
        ("members", of(used.members, limits.members)),
        ("queries this month", of(used.queries, limits.queries_per_month)),
        ("primaries of a zone", limit_text(limits.primaries)),
        ("requests per minute", limit_text(limits.requests_per_minute)),
        ("days of history", limit_text(limits.history_days)),
    ])?)
}

fn limits_text(limits: &PlanLimits) -> String {
    let mut limits = limits.clone();
    let set = LIMITS.iter().filter_map(|(name, of)| of(&mut limits).map(|number| format!("{name}={number}")));
    set.collect::<Vec<_>>().join(" ")
}

fn limit_text(limit: Option<u64>) -> String {
    limit.map_or_else(|| "any number".to_owned(), |limit| limit.to_string())
}

/// Which limit, and its number.
fn limit(text: &str) -> Result<(usize, Option<u64>), String> {
    let names = || LIMITS.map(|(name, _)| name).join(", ");
    let Some((name, number)) = text.split_once('=') else {
        return Err(format!("{text:?} is no limit: write it like zones=100; there are {} (plan_invalid)", names()));
    };
    let name = name.trim().replace('_', "-");
    let Some(at) = LIMITS.iter().position(|(known, _)| *known == name) else {
        return Err(format!("{name:?} is nothing that a plan limits: there are {} (plan_invalid)", names()));
    };
    match number.trim() {
        "" => Ok((at, None)),
        number => number
            .parse()
            .map(|number| (at, Some(number)))
            .map_err(|_| format!("{number:?} is no number for {name} (plan_invalid)")),
    }
}
