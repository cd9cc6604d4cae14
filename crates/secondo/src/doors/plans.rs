//! What organisations may have, and what they were told.

use api::doors::{Caller, EndedPlan, Marks, Plans};
use api::json::{self, PlanLimits, PlanUse, PutPlan};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{Limits, NewPlan, PlanError, PlanId, PlanStanding, TenantId, UsageOf};
use xfr::Moment;

use super::alerts::shown_severity;
use super::{House, unavailable};
use crate::ledger::time;

/// For how long an error is told of on every page.
const MARKED_FOR_MS: u64 = 24 * 3600 * 1000;
const GRACE_DAYS: u64 = 14;
const GRACE_DAYS_MAX: u64 = 3_650;
/// What an organisation may be given, so that what is calculated with a limit stays a number.
const LIMIT_MAX: u64 = 1_000_000_000_000_000;

#[async_trait]
impl Plans for House {
    async fn own_plan(&self, caller: &Caller) -> Result<json::OwnPlan, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let terms = inventory.terms(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let tenant = inventory.tenant(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let usage = self.statistics.usage(&self.node, &inventory, UsageOf::Tenant(caller.tenant), None).await;
        let usage = usage.map_err(|error| unavailable(&error))?;
        let largest = self.node.page(caller.tenant, None, usize::MAX).into_iter();
        let largest = largest.filter_map(|zone| Some(zone.condition().held.as_ref()?.image.record_count())).max();
        Ok(json::OwnPlan {
            name: terms.plan.as_ref().map(|(_, plan)| plan.name.clone()),
            limits: shown_limits(&terms.limits()),
            standing: match terms.standing(now) {
                PlanStanding::InForce => json::PlanStanding::InForce,
                PlanStanding::Grace { .. } => json::PlanStanding::Grace,
                PlanStanding::Ended => json::PlanStanding::Ended,
            },
            ends_at: terms.ends_at.map(time),
            grace_ends_at: terms.grace_ends_at().map(time),
            used: PlanUse {
                zones: tenant.as_ref().map_or(0, |tenant| tenant.zones),
                members: tenant.as_ref().map_or(0, |tenant| tenant.members),
                records: largest.unwrap_or_default(),
                queries: usage.organisations.first().map_or(0, |usage| usage.queries),
            },
        })
    }

    async fn marks(&self, caller: &Caller) -> Marks {
        let now = self.node.clock.now();
        let terms = self.node.plans.of(caller.tenant);
        let name = || terms.name().to_owned();
        let ended = match terms.standing(now) {
            PlanStanding::InForce => None,
            PlanStanding::Grace { until } => Some(EndedPlan { name: name(), grace_ends_at: Some(time(until)) }),
            PlanStanding::Ended => Some(EndedPlan { name: name(), grace_ends_at: None }),
        };
        let since = Moment(now.0.saturating_sub(MARKED_FOR_MS));
        let has_errors = match self.inventory() {
            Ok(inventory) => inventory.has_errors_since(caller.tenant, since).await.unwrap_or_default(),
            Err(_) => false,
        };
        Marks { ended, has_errors }
    }

    async fn events(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<json::Events, Problem> {
        let found = self.inventory()?.events(caller.tenant, before, limit).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|last| last.id);
        let shown = found.into_iter().map(|event| json::Event {
            id: event.id,
            at: time(event.at),
            kind: event.kind,
            severity: shown_severity(event.severity),
            subject: event.subject,
            message: event.message,
        });
        Ok(json::Events { events: shown.collect(), next })
    }

    async fn plans(&self) -> Result<Vec<json::Plan>, Problem> {
        let plans = self.inventory()?.plans().await.map_err(|error| unavailable(&error))?;
        Ok(plans.into_iter().map(|plan| shown(plan.id, plan.plan, plan.tenants)).collect())
    }

    async fn add_plan(&self, caller: &Caller, plan: PutPlan) -> Result<json::Plan, Problem> {
        let plan = read(plan)?;
        let added = self.inventory()?.add_plan(&self.by_caller(caller), &plan).await;
        Ok(shown(added.map_err(|error| not_done(&error))?, plan, 0))
    }

    async fn change_plan(&self, caller: &Caller, id: u64, plan: PutPlan) -> Result<json::Plan, Problem> {
        let plan = read(plan)?;
        let changed = self.inventory()?.change_plan(&self.by_caller(caller), PlanId(id), &plan).await;
        changed.map_err(|error| not_done(&error))?;
        let found = self.plans().await?.into_iter().find(|plan| plan.id == id);
        found.ok_or_else(|| not_done(&PlanError::Unknown))
    }

    async fn remove_plan(&self, caller: &Caller, id: u64) -> Result<(), Problem> {
        let removed = self.inventory()?.remove_plan(&self.by_caller(caller), PlanId(id)).await;
        removed.map_err(|error| not_done(&error))
    }

    async fn set_plan(&self, caller: &Caller, tenant: TenantId, plan: json::SetPlan) -> Result<(), Problem> {
        let ends_at = plan.ends_at.map(|at| Moment(at.unix_ms()));
        let inventory = self.inventory()?;
        let set = inventory.set_plan(&self.by_caller(caller), tenant, plan.plan.map(PlanId), ends_at).await;
        set.map_err(|error| not_done(&error))?;
        // Whoever is told that it is given may use it.
        let wanted = inventory.terms(tenant).await.map_err(|error| unavailable(&error))?;
        self.until_matched(async || self.node.plans.of(tenant) == wanted).await;
        Ok(())
    }
}

fn read(plan: PutPlan) -> Result<NewPlan, Problem> {
    let invalid = |detail: String| Problem::new(Code::PlanInvalid, detail);
    let name = api::text::plan_name(&plan.name)?;
    let grace_days = plan.grace_days.unwrap_or(GRACE_DAYS);
    if grace_days > GRACE_DAYS_MAX {
        return Err(invalid(format!("a grace of {grace_days} days is too long: give {GRACE_DAYS_MAX} at the most")));
    }
    let PlanLimits { zones, records, primaries, members, requests_per_minute, queries_per_month, history_days } =
        plan.limits;
    let all = [zones, records, primaries, members, requests_per_minute, queries_per_month, history_days];
    if let Some(too_large) = all.into_iter().flatten().find(|limit| *limit > LIMIT_MAX) {
        return Err(invalid(format!("a limit of {too_large} is none: leave it out")));
    }
    if requests_per_minute == Some(0) {
        return Err(invalid("with no request in a minute nobody could use the API: give 1 at the least".into()));
    }
    let limits = Limits {
        zones_max: zones,
        records_max: records,
        primaries_max: primaries,
        members_max: members,
        requests_per_minute,
        queries_per_month,
        history_days,
    };
    Ok(NewPlan { name, limits, grace_days })
}

fn shown(id: PlanId, plan: NewPlan, organisations: u64) -> json::Plan {
    let NewPlan { name, limits, grace_days } = plan;
    json::Plan { id: id.0, name, limits: shown_limits(&limits), grace_days, organisations }
}

fn shown_limits(limits: &Limits) -> PlanLimits {
    PlanLimits {
        zones: limits.zones_max,
        records: limits.records_max,
        primaries: limits.primaries_max,
        members: limits.members_max,
        requests_per_minute: limits.requests_per_minute,
        queries_per_month: limits.queries_per_month,
        history_days: limits.history_days,
    }
}

fn not_done(error: &PlanError) -> Problem {
    let code = match error {
        PlanError::ExistsAlready(_) => Code::PlanExists,
        PlanError::Unknown => Code::PlanUnknown,
        PlanError::NoTenant => Code::TenantUnknown,
        PlanError::InUse { .. } => Code::PlanInUse,
        PlanError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}
