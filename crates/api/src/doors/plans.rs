//! The door to plans, and to what organisations were told.

use async_trait::async_trait;
use zone::TenantId;

use super::Caller;
use crate::json;
use crate::problem::Problem;

/// What every page of an organisation says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Its plan, if that has ended.
    pub ended: Option<EndedPlan>,
    /// Whether it was told of an error within the last day.
    pub has_errors: bool,
}

/// A plan that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedPlan {
    pub name: String,
    /// Until when zones go on; none when that is over too.
    pub grace_ends_at: Option<json::Time>,
}

/// Plans are for operators; what an organisation has of its own, and its events, for whoever may look at it.
#[async_trait]
pub trait Plans: Send + Sync {
    async fn own_plan(&self, caller: &Caller) -> Result<json::OwnPlan, Problem>;

    /// What is to be said on every page; costs little. What cannot be known now is left out.
    async fn marks(&self, caller: &Caller) -> Marks;

    /// At most `limit` events, newest first, those before the event `before`.
    async fn events(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<json::Events, Problem>;

    async fn plans(&self) -> Result<Vec<json::Plan>, Problem>;

    /// # Errors
    /// [`Code::PlanInvalid`](crate::Code::PlanInvalid), [`Code::PlanExists`](crate::Code::PlanExists).
    async fn add_plan(&self, caller: &Caller, plan: json::PutPlan) -> Result<json::Plan, Problem>;

    /// Has it be so for all who have it.
    ///
    /// # Errors
    /// [`Code::PlanUnknown`](crate::Code::PlanUnknown), and those of [`Plans::add_plan`].
    async fn change_plan(&self, caller: &Caller, id: u64, plan: json::PutPlan) -> Result<json::Plan, Problem>;

    /// # Errors
    /// [`Code::PlanUnknown`](crate::Code::PlanUnknown), [`Code::PlanInUse`](crate::Code::PlanInUse).
    async fn remove_plan(&self, caller: &Caller, id: u64) -> Result<(), Problem>;

    /// Gives an organisation a plan.
    ///
    /// # Errors
    /// [`Code::PlanUnknown`](crate::Code::PlanUnknown), [`Code::TenantUnknown`](crate::Code::TenantUnknown).
    async fn set_plan(&self, caller: &Caller, tenant: TenantId, plan: json::SetPlan) -> Result<(), Problem>;
}
