//! Proven zones above and below a name, whose holders have a say in whose it is.
//!
//! A zone whose proof has lapsed says nothing, nor does one that is its tenant's only by another such zone above. Public
//! suffixes are given by the operator's word, and whoever has one has nothing to say of the names of strangers below it.

use dns::Name;
use zone::ZoneId;

use super::{Claim, holder, select};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64};
use crate::error::{InventoryError, ProveError};
use crate::names::lower_text;
use crate::suffix::is_public_suffix;

/// Where proven zones of other tenants lie, seen from a name; one above counts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    Nowhere,
    /// It says by its contents whose the name is.
    Above,
    /// The name is given by the operator's word alone.
    Below,
}

impl Inventory {
    /// The nearest zone above a name whose proof holds, whoever's it is.
    pub async fn nearest_above(&self, name: &Name) -> Result<Option<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        nearest_above(&mut transaction, name).await
    }

    /// Zones of other tenants below the name whose proof holds, at most `limit`.
    pub async fn others_below(
        &self,
        tenant: TenantId,
        name: &Name,
        limit: usize,
    ) -> Result<Vec<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let mut holding = Vec::new();
        for other in others_below(&mut transaction, tenant, name).await? {
            if holding.len() < limit && holds(&mut transaction, &other).await? {
                holding.push(other);
            }
        }
        Ok(holding)
    }

    /// Where other tenants have proven zones that have a say in whether the claim is proven.
    pub async fn others_around(&self, claim: &Claim) -> Result<Around, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let nearest = nearest_above(&mut transaction, &claim.name).await?;
        Ok(match () {
            () if nearest.is_some_and(|zone| zone.tenant != claim.tenant) => Around::Above,
            () if has_others_in_the_way(&mut transaction, claim).await? => Around::Below,
            () => Around::Nowhere,
        })
    }
}

/// Whether the claim may be proven where it is; `consenting` is the zone above it that delegates it to the claimant, if
/// that is another tenant's.
///
/// # Errors
/// [`ProveError::Below`], [`ProveError::Above`].
pub(super) async fn check_around(
    transaction: &mut Transaction,
    claim: &Claim,
    consenting: Option<ZoneId>,
) -> Result<(), ProveError> {
    // Whoever has the nearest has been let in by those above that.
    let nearest = nearest_above(transaction, &claim.name).await?.filter(|zone| zone.tenant != claim.tenant);
    if nearest.as_ref().is_some_and(|zone| Some(zone.zone) != consenting) {
        return Err(ProveError::Below(claim.name.clone()));
    }
    // Where the zone above lets the claim in, that knows what is below: nothing else would be in the way of its own word.
    if nearest.is_none() && has_others_in_the_way(transaction, claim).await? {
        return Err(ProveError::Above(claim.name.clone()));
    }
    Ok(())
}

/// Whether other tenants have zones below the claim whose proof holds, and who need not have it above them: those that have
/// been below it since it was proven, and before that lapsed, have had it there. What lies below such a zone is that one's affair.
pub(super) async fn has_others_in_the_way(
    transaction: &mut Transaction,
    claim: &Claim,
) -> Result<bool, InventoryError> {
    for other in others_below(transaction, claim.tenant, &claim.name).await? {
        let between = nearest_above(transaction, &other.name).await?;
        if between.is_some_and(|zone| zone.tenant != claim.tenant && zone.name.borrow().is_below(claim.name.borrow()))
        {
            continue;
        }
        let was_below = match (&claim.proven, &other.proven) {
            (Some(above), Some(below)) => above.lapsed_at.is_none_or(|lapsed_at| below.at <= lapsed_at),
            _ => false,
        };
        if !was_below && holds(transaction, &other).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Zones of other tenants below the name that were proven, whether that holds or not.
pub(super) async fn others_below(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<Vec<Claim>, InventoryError> {
    // Of the texts that end so some are of other names, where labels hold dots.
    let text = lower_text(name);
    let end = if text == "." { text } else { format!(".{text}") };
    let below = select(
        "WHERE proof IS NOT NULL AND tenant_id <> $1 AND LENGTH(name) > LENGTH($2) \
         AND SUBSTR(name, LENGTH(name) - LENGTH($2) + 1) = $2",
    );
    let below = below.bind(to_i64(tenant.0)).bind(end).fetch_all(&mut **transaction).await?;
    let below = below.into_iter().map(super::ClaimRow::read);
    below.filter(|other| other.as_ref().map_or(true, |other| other.name.borrow().is_below(name.borrow()))).collect()
}

/// Whether a proof shows, and what it goes by is there now: one by a zone above goes with that one's, before anybody looks at
/// it.
pub(super) async fn holds(transaction: &mut Transaction, claim: &Claim) -> Result<bool, InventoryError> {
    if claim.has_lapsed() {
        return Ok(false);
    }
    let Some(ground) = claim.ground() else { return Ok(true) };
    let nearest = nearest_above(transaction, &claim.name).await?;
    Ok(nearest.is_some_and(|zone| zone.tenant == ground || zone.tenant == claim.tenant))
}

async fn nearest_above(transaction: &mut Transaction, name: &Name) -> Result<Option<Claim>, InventoryError> {
    let mut found = Vec::new();
    let mut ancestor = name.borrow().parent();
    while let Some(name) = ancestor {
        let above = name.to_name();
        if !is_public_suffix(&above) {
            found.extend(holder(transaction, &above).await?.filter(|holder| !holder.has_lapsed()));
        }
        ancestor = name.parent();
    }
    // From the farthest on: one that goes by the zone above it holds where that one is whose it should be.
    let holding = found.into_iter().rev().fold(None, |above: Option<Claim>, zone| match zone.ground() {
        Some(ground) if above.as_ref().is_none_or(|above| above.tenant != ground && above.tenant != zone.tenant) => {
            above
        }
        _ => Some(zone),
    });
    Ok(holding)
}
