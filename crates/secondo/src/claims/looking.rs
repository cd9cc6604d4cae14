//! What can be seen of a claim's name: at its parent and the servers that it is delegated to, or in the contents of the zone
//! above it, where that is proven here.

use std::sync::Arc;

use delegation::{Challenge, Failure};
use inventory::{
    Above, By, Claim, Delegated, Evidence, Finding, Handed, Inventory, Look, Proof, Shown, TenantId, ZoneId,
    is_public_suffix,
};
use xfr::Moment;
use zone::Snapshot;

use super::seen::{Parent, delegated, shown};
use super::{Claims, NameServers, NotLooked, Seen};

/// What is known of a name's parent.
struct Surroundings {
    /// The nearest proven zone above.
    nearest: Option<Claim>,
    above: Above,
    parent: Parent,
    /// None where the world has not been asked: the zone above says whose the name is.
    walked: Option<Result<Challenge, Failure>>,
}

impl Claims {
    /// What can be seen of the claim's name, on record; whoever has lost a proof by it is told.
    pub(super) async fn see(
        &self,
        inventory: &Inventory,
        claim: &Claim,
        at: Moment,
    ) -> Result<(Seen, Finding), NotLooked> {
        let mut seen = Seen { at, delegated_to: None, shown: Shown::Unknown, trouble: None, obstacle: None };
        // It may have waited for its turn.
        let Some(claim) = &inventory.claim_of_zone(claim.zone).await? else { return Ok((seen, Finding::Nothing)) };
        let (delegated, above) = (Delegated::Unknown, Above::None);
        let mut look = Look { at, delegated, shown: Shown::Unknown, above, handed: None };
        // Below it names are given to strangers: nothing that is seen of it says whose it is.
        if !is_public_suffix(&claim.name) {
            let around = self.surroundings(inventory, claim).await?;
            let set = self.name_servers(inventory, claim.tenant).await?;
            look.delegated = self.delegated(inventory, &around.parent, claim.tenant, &set).await?;
            look.above = around.above;
            if let Some(walked) = &around.walked {
                look.shown = shown(walked, &self.text(inventory, claim).await?);
                seen.trouble = walked.as_ref().err().map(ToString::to_string);
            }
            if let Some(handed) = &claim.handed {
                look.handed = Some(self.evidence(inventory, handed, &around).await?);
            }
            seen.delegated_to = around.parent.names();
            seen.shown = look.shown;
        }
        let finding = inventory.record_look(&By::service(at), claim, &look).await?;
        match finding {
            Finding::Lapses => self.tell_that_lapsed(claim),
            Finding::Ends => self.tell_that_ended(claim),
            Finding::Nothing | Finding::Proves(_) | Finding::ShowsAgain => {}
        }
        Ok((seen, finding))
    }

    async fn surroundings(&self, inventory: &Inventory, claim: &Claim) -> Result<Surroundings, NotLooked> {
        let nearest = inventory.nearest_above(&claim.name).await?;
        if let Some(zone) = &nearest {
            let above = if zone.tenant == claim.tenant { Above::Own } else { Above::Others };
            let contents = self.answered(zone.zone);
            let parent = contents.map(|contents| Parent::in_contents(&contents.image, &claim.name));
            let parent = parent.unwrap_or(Parent::Unknown);
            // What one has delegated away is not one's own for having the zone above.
            if above != Above::Own || parent != Parent::BelowACut {
                return Ok(Surroundings { nearest, above, parent, walked: None });
            }
        }
        let walked = self.delegations.challenge(&claim.name).await.ok_or(NotLooked::NoPlace)?;
        Ok(Surroundings { nearest, above: Above::None, parent: Parent::of(&walked), walked: Some(walked) })
    }

    /// What is seen of that by which a name was handed over.
    async fn evidence(
        &self,
        inventory: &Inventory,
        handed: &Handed,
        around: &Surroundings,
    ) -> Result<Evidence, NotLooked> {
        if handed.proof == Proof::Above {
            let above = around.nearest.as_ref().is_some_and(|zone| zone.tenant == handed.tenant);
            return Ok(Evidence { delegated: Delegated::Elsewhere, shown: Shown::No, above });
        }
        let set = match &handed.name_servers {
            Some(names) => NameServers { names: names.clone(), is_own: true },
            None => self.pool.shared(),
        };
        let shown = match (&around.walked, &handed.challenge) {
            (Some(walked), Some(text)) => shown(walked, text),
            (Some(_), None) => Shown::No,
            (None, _) => Shown::Unknown,
        };
        let delegated = self.delegated(inventory, &around.parent, handed.tenant, &set).await?;
        Ok(Evidence { delegated, shown, above: false })
    }

    async fn delegated(
        &self,
        inventory: &Inventory,
        parent: &Parent,
        tenant: TenantId,
        set: &NameServers,
    ) -> Result<Delegated, NotLooked> {
        let ours = parent.ours(set, &self.delegations.name_servers);
        let given_to = if ours.is_empty() { None } else { inventory.tenant_of_name_servers(&ours).await? };
        Ok(delegated(parent, set, &ours, given_to.is_some_and(|other| other != tenant)))
    }

    /// The zone above the claim, if it is another tenant's and its contents delegate the name to the claimant's own name
    /// servers.
    pub(super) async fn consenting(&self, inventory: &Inventory, claim: &Claim) -> Result<Option<ZoneId>, NotLooked> {
        let nearest = inventory.nearest_above(&claim.name).await?.filter(|zone| zone.tenant != claim.tenant);
        let Some(zone) = nearest else { return Ok(None) };
        let Some(contents) = self.answered(zone.zone) else { return Ok(None) };
        let (parent, set) =
            (Parent::in_contents(&contents.image, &claim.name), self.name_servers(inventory, claim.tenant).await?);
        let delegated = self.delegated(inventory, &parent, claim.tenant, &set).await?;
        Ok((delegated == Delegated::ToOwn).then_some(zone.zone))
    }

    /// What is answered for the zone: nothing else of it is anybody else's business.
    fn answered(&self, zone: ZoneId) -> Option<Arc<Snapshot>> {
        let zone = self.node.zone(zone).filter(|zone| zone.instructions().is_answered())?;
        zone.snapshot()
    }
}
