//! To whom the zones here are delegated.

use std::sync::Arc;

use api::{Code, Problem, json};
use dns::Name;
use inventory::TenantId;

use super::{House, unavailable};
use crate::delegations::round;
use crate::delegations::shown::{Here, shown};
use crate::delegations::{Asking, WALKS_MAX, Walked};
use crate::followed::Followed;

impl House {
    pub(super) async fn delegation_of(&self, tenant: TenantId, name: &Name) -> Result<json::Delegation, Problem> {
        let zone = self.zone_named(tenant, name)?;
        let walked = self.delegations.walked(&zone.name, self.node.clock.now(), self.telling(&zone)).await;
        let walked = walked.ok_or_else(|| {
            let detail = format!(
                "{WALKS_MAX} other zones are being looked for at their parents, and more wait: try again in a minute"
            );
            Problem::new(Code::TimedOut, detail)
        })?;
        let seen = self.shown_delegation(&zone, &walked).await?;
        // What somebody has looked at need not be looked at again soon, and is told to all of them.
        let remembered = round::remember(&self.node, &*self.inventory()?, &zone, &seen).await;
        remembered.map_err(|error| unavailable(&error))?;
        Ok(seen)
    }

    pub(super) fn begin_delegation_of(&self, tenant: TenantId, name: &Name) -> Result<bool, Problem> {
        let zone = self.zone_named(tenant, name)?;
        let now = self.node.clock.now();
        Ok(self.delegations.begin(&zone.name, now, Asking::Page, self.telling(&zone)).is_some())
    }

    pub(super) async fn known_delegation_of(
        &self,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Option<json::Delegation>, Problem> {
        let zone = self.zone_named(tenant, name)?;
        match self.delegations.known(&zone.name) {
            None => Ok(None),
            Some(walked) => self.shown_delegation(&zone, &walked).await.map(Some),
        }
    }

    /// Tells those who look at the zone.
    fn telling(&self, zone: &Arc<Followed>) -> impl FnOnce() + Send + 'static {
        let (node, zone) = (self.node.clone(), zone.clone());
        move || node.tell_lookers(&zone)
    }

    async fn shown_delegation(&self, zone: &Followed, walked: &Walked) -> Result<json::Delegation, Problem> {
        let set = self.claims.name_servers(&*self.inventory()?, zone.tenant).await;
        let set = set.map_err(|error| Problem::new(Code::InventoryUnavailable, error.to_string()))?;
        Ok(shown(&zone.name, walked, &Here::of(zone), &set.names))
    }
}
