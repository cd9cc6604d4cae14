//! Plans and events of the fake.

use api::doors::{Caller, EndedPlan, Marks, Plans};
use api::json::{self, Time};
use api::{Code, Problem};
use async_trait::async_trait;
use zone::TenantId;

use super::Fake;

fn plan(id: u64, plan: json::PutPlan) -> json::Plan {
    let json::PutPlan { name, limits, grace_days } = plan;
    json::Plan { id, name, limits, grace_days: grace_days.unwrap_or(14), organisations: 0 }
}

fn known(id: u64) -> Result<(), Problem> {
    if id == 1 { Ok(()) } else { Err(Problem::new(Code::PlanUnknown, "there is no such plan")) }
}

/// One plan, and two events.
#[async_trait]
impl Plans for Fake {
    async fn own_plan(&self, _: &Caller) -> Result<json::OwnPlan, Problem> {
        Ok(json::OwnPlan {
            name: Some("Small <b>".into()),
            limits: json::PlanLimits { zones: Some(10), ..json::PlanLimits::default() },
            standing: json::PlanStanding::InForce,
            ends_at: None,
            grace_ends_at: None,
            used: json::PlanUse { zones: 8, records: 1_200, members: 1, queries: 12 },
        })
    }

    async fn marks(&self, _: &Caller) -> Marks {
        let grace_ends_at = Some(Time::from_unix_ms(1_795_262_400_000));
        Marks { ended: Some(EndedPlan { name: "Small <b>".into(), grace_ends_at }), has_errors: true }
    }

    async fn events(&self, _: &Caller, before: Option<u64>, limit: u32) -> Result<json::Events, Problem> {
        let event = |id| json::Event {
            id,
            at: Time::from_unix_ms(1_795_262_400_000),
            kind: "limit_near".into(),
            severity: json::Severity::Warning,
            subject: "zones".into(),
            message: format!("event {id} has <b>8</b> of the 10 zones"),
        };
        let ids = (1..=2).rev().filter(|id| before.is_none_or(|before| *id < before));
        let events: Vec<json::Event> = ids.take(limit as usize).map(event).collect();
        let next = events.last().map(|last| last.id).filter(|last| *last > 1);
        Ok(json::Events { events, next })
    }

    async fn plans(&self) -> Result<Vec<json::Plan>, Problem> {
        let small = json::PutPlan { name: "Small <b>".into(), limits: json::PlanLimits::default(), grace_days: None };
        Ok(vec![plan(1, small)])
    }

    async fn add_plan(&self, _: &Caller, new: json::PutPlan) -> Result<json::Plan, Problem> {
        match new.name.as_str() {
            "" => Err(Problem::new(Code::PlanInvalid, "a plan's name is 1 to 100 characters")),
            "Small <b>" => Err(Problem::new(Code::PlanExists, "there is such a plan already")),
            _ => Ok(plan(2, new)),
        }
    }

    async fn change_plan(&self, _: &Caller, id: u64, new: json::PutPlan) -> Result<json::Plan, Problem> {
        known(id).map(|()| plan(id, new))
    }

    async fn remove_plan(&self, _: &Caller, id: u64) -> Result<(), Problem> {
        known(id)
    }

    async fn set_plan(&self, _: &Caller, _: TenantId, set: json::SetPlan) -> Result<(), Problem> {
        set.plan.map_or(Ok(()), known)
    }
}
