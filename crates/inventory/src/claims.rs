//! Claims on names: each zone is one. Of all that are there on a name one at the most is proven.
//!
//! Invariants: a proof is taken from a zone only when it has lapsed, or by the operator's or its holder's own word; what was
//! seen of a name counts for the claim that was there then, and goes with it; a set of name servers is given to one tenant
//! and never again to another.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use dns::Name;
use serde_json::json;
use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;
use sqlx::{Any, FromRow};
use xfr::Moment;
use zone::ZoneId;

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, ProveError};
use crate::names::{lower_text, read_name};
use crate::ownership::{Delegated, Finding, Look};
use crate::removed::{disprove_kept, end_kept_proofs};

/// What shows that a name is a tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Whoever runs the service says so; of every zone, where one organisation uses it.
    Operator,
    /// The parent was seen to change its delegation to the tenant's name servers.
    Delegation,
    /// The claim's text was seen where the name is delegated to.
    Challenge,
    /// The zone above it is proven for the same tenant.
    Above,
    /// Whoever had the name proven has handed it over.
    HandedOver,
}

impl Proof {
    pub const ALL: [Self; 5] = [Self::Operator, Self::Delegation, Self::Challenge, Self::Above, Self::HandedOver];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Delegation => "delegation",
            Self::Challenge => "challenge",
            Self::Above => "above",
            Self::HandedOver => "handed-over",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Proof {
    type Err = InventoryError;

    fn from_str(text: &str) -> Result<Self, InventoryError> {
        let found = Self::ALL.into_iter().find(|proof| proof.as_str() == text);
        found.ok_or_else(|| InventoryError::Damaged(format!("a zone is proven by {text:?}")))
    }
}

/// That a claim is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub by: Proof,
    pub at: Moment,
    /// Since when it does not show any more.
    pub lapsed_at: Option<Moment>,
}

/// A zone as a claim on its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub zone: ZoneId,
    pub tenant: TenantId,
    /// With its letters as typed.
    pub name: Name,
    pub claimed_at: Moment,
    pub proven: Option<Proven>,
    /// When the parent was last seen, since the claim was made, to delegate the name to others or to nobody.
    pub seen_elsewhere_at: Option<Moment>,
    pub looked_at: Option<Moment>,
    /// The text that proves it at `_secondo-challenge`; none until somebody asked for it.
    pub challenge: Option<String>,
}

impl Claim {
    fn is_proven_by(&self, proof: Proof) -> bool {
        self.proven.as_ref().is_some_and(|proven| proven.by == proof)
    }
}

/// A claim that is to be proven, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proving<'a> {
    pub zone: ZoneId,
    pub proof: Proof,
    /// Other tenants' proven zones above it whose contents delegate the name to the claimant's name servers.
    pub consenting: &'a [ZoneId],
}

impl Inventory {
    /// The tenant's claim on the name.
    pub async fn claim(&self, tenant: TenantId, name: &Name) -> Result<Option<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let found = select("WHERE tenant_id = $1 AND name = $2").bind(to_i64(tenant.0)).bind(lower_text(name));
        found.fetch_optional(&mut *transaction).await?.map(ClaimRow::read).transpose()
    }

    /// Claims that are not proven, of all tenants, in the order of their ids: at most `limit` after this one. For whoever
    /// runs the service.
    pub async fn unproven_claims(&self, after: ZoneId, limit: u32) -> Result<Vec<Claim>, InventoryError> {
        let found = select("WHERE proof IS NULL AND id > $1 ORDER BY id LIMIT $2");
        let rows = found.bind(to_i64(after.0)).bind(i64::from(limit)).fetch_all(self.reader()).await?;
        rows.into_iter().map(ClaimRow::read).collect()
    }

    /// Claims whose proof is to be looked for, or looked after: all that are not proven, and those proven by what shows in
    /// the world that were last looked at before that moment; of all tenants, in the order of their ids.
    pub async fn claims_to_look_at(
        &self,
        after: ZoneId,
        proven_before: Moment,
        limit: u32,
    ) -> Result<Vec<Claim>, InventoryError> {
        let found = select(
            "WHERE (proof IS NULL OR proof <> 'operator' AND (looked_at_ms IS NULL OR looked_at_ms <= $3)) \
             AND id > $1 ORDER BY id LIMIT $2",
        );
        let found = found.bind(to_i64(after.0)).bind(i64::from(limit)).bind(to_i64(proven_before.0));
        let rows = found.fetch_all(self.reader()).await?;
        rows.into_iter().map(ClaimRow::read).collect()
    }

    /// Claims that were never looked at and are not proven, of all tenants, in the order of their ids.
    pub async fn new_claims(&self, after: ZoneId, limit: u32) -> Result<Vec<Claim>, InventoryError> {
        let found = select("WHERE proof IS NULL AND looked_at_ms IS NULL AND id > $1 ORDER BY id LIMIT $2");
        let rows = found.bind(to_i64(after.0)).bind(i64::from(limit)).fetch_all(self.reader()).await?;
        rows.into_iter().map(ClaimRow::read).collect()
    }

    /// Whoever has the name proven.
    pub async fn holder(&self, name: &Name) -> Result<Option<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        holder(&mut transaction, name).await
    }

    /// The claim's text: the one that it has, or `fresh`, which it has from then on. None when the zone has gone.
    pub async fn challenge(&self, zone: ZoneId, fresh: &str) -> Result<Option<String>, InventoryError> {
        let mut transaction = self.begin().await?;
        let text: Option<String> = sqlx::query_scalar(
            "UPDATE zones SET challenge = COALESCE(challenge, $2) WHERE id = $1 RETURNING challenge",
        )
        .bind(to_i64(zone.0))
        .bind(fresh)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(text)
    }

    /// Puts on record what was seen of the claim's name, but for a new proof, which is for [`Inventory::prove`]; and tells
    /// what follows.
    pub async fn record_look(&self, by: &By, zone: ZoneId, look: &Look) -> Result<Finding, InventoryError> {
        let mut transaction = self.begin().await?;
        let Some(claim) = read(&mut transaction, zone).await? else { return Ok(Finding::Nothing) };
        let finding = look.finding(&claim);
        let seen_elsewhere_at = match look.delegated {
            Delegated::Elsewhere | Delegated::ToOthers => Some(look.at),
            _ => claim.seen_elsewhere_at,
        };
        let lapsed_at = match finding {
            Finding::Lapses => Some(look.at),
            Finding::ShowsAgain => None,
            _ => claim.proven.as_ref().and_then(|proven| proven.lapsed_at),
        };
        sqlx::query("UPDATE zones SET looked_at_ms = $2, seen_elsewhere_at_ms = $3, lapsed_at_ms = $4 WHERE id = $1")
            .bind(to_i64(zone.0))
            .bind(to_i64(look.at.0))
            .bind(seen_elsewhere_at.map(|at| to_i64(at.0)))
            .bind(lapsed_at.map(|at| to_i64(at.0)))
            .execute(&mut *transaction)
            .await?;
        let act = match finding {
            Finding::Lapses => Some("zone.proof-lapsed"),
            Finding::ShowsAgain => Some("zone.proof-shows-again"),
            Finding::Nothing | Finding::Proves(_) => None,
        };
        if let Some(act) = act {
            write_audit(&mut transaction, Some(claim.tenant), by, act, &claim.name.to_string(), json!({})).await?;
        }
        transaction.commit().await?;
        Ok(finding)
    }

    /// Has the claim proven, durably and whole; whoever had the name proven until then, and has lost it, has it no more: that
    /// claim as it was is given back. Wakes reconcile.
    ///
    /// # Errors
    /// [`ProveError::Held`] while somebody else's proof holds, [`ProveError::Below`] and [`ProveError::Above`] where other
    /// tenants have zones above that do not consent, or zones below; but for an operator's or a holder's word.
    pub async fn prove(&self, by: &By, proving: &Proving<'_>) -> Result<Option<Claim>, ProveError> {
        let mut transaction = self.begin().await?;
        match prove(&mut transaction, by, proving).await? {
            Outcome::AsItWas => Ok(None),
            Outcome::Proven { taken } => {
                let changed = taken.iter().map(|taken| taken.zone).chain([proving.zone]);
                self.commit_change_of(Changed::zones(changed), transaction).await?;
                Ok(taken)
            }
        }
    }

    /// Hands a name that the tenant has proven over to the claim on it with this text, whoever's it is.
    ///
    /// # Errors
    /// [`ProveError::NotHeld`] when the tenant has not proven it, [`ProveError::NoSuchClaim`] when no other claim on it has
    /// this text.
    pub async fn hand_over(&self, by: &By, tenant: TenantId, name: &Name, challenge: &str) -> Result<(), ProveError> {
        let mut transaction = self.begin().await?;
        let held = holder(&mut transaction, name).await?.filter(|holder| holder.tenant == tenant);
        let held = held.ok_or_else(|| ProveError::NotHeld(name.clone()))?;
        let to: Option<i64> =
            sqlx::query_scalar("SELECT id FROM zones WHERE name = $1 AND challenge = $2 AND tenant_id <> $3")
                .bind(lower_text(name))
                .bind(challenge)
                .bind(to_i64(tenant.0))
                .fetch_optional(&mut *transaction)
                .await?;
        let zone = ZoneId(to_u64(to.ok_or_else(|| ProveError::NoSuchClaim(name.clone()))?)?);
        prove(&mut transaction, by, &Proving { zone, proof: Proof::HandedOver, consenting: &[] }).await?;
        self.commit_change_of(Changed::zones([held.zone, zone]), transaction).await?;
        Ok(())
    }

    /// Takes the proof from a zone, by the operator's word: from then on it is a claim like others. Gives the claim as it was;
    /// none for a zone that was removed, which has its proof no more when it comes back.
    ///
    /// # Errors
    /// [`ProveError::Gone`], [`ProveError::NotHeld`].
    pub async fn disprove(&self, by: &By, zone: ZoneId) -> Result<Option<Claim>, ProveError> {
        let mut transaction = self.begin().await?;
        let Some(claim) = read(&mut transaction, zone).await? else {
            if !disprove_kept(&mut transaction, by, zone).await? {
                return Err(ProveError::Gone);
            }
            transaction.commit().await.map_err(InventoryError::from)?;
            return Ok(None);
        };
        if claim.proven.is_none() {
            return Err(ProveError::NotHeld(claim.name));
        }
        take(&mut transaction, by, &claim).await?;
        self.commit_change_of(Changed::zones([zone]), transaction).await?;
        Ok(Some(claim))
    }

    /// The zones above a claim's name whose proof holds, whoever's they are, from the nearest on.
    pub async fn zones_above(&self, name: &Name) -> Result<Vec<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        above(&mut transaction, name).await
    }

    /// Where other tenants have proven zones, seen from the name.
    pub async fn others_around(&self, tenant: TenantId, name: &Name) -> Result<Around, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let is_below = above(&mut transaction, name).await?.iter().any(|zone| zone.tenant != tenant);
        Ok(match () {
            () if is_below => Around::Above,
            () if has_others_below(&mut transaction, tenant, name).await? => Around::Below,
            () => Around::Nowhere,
        })
    }

    /// The name servers that the tenant delegates to; none until it was given some.
    pub async fn name_servers(&self, tenant: TenantId) -> Result<Option<BTreeSet<Name>>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let text: Option<Option<String>> = sqlx::query_scalar("SELECT name_servers FROM tenants WHERE id = $1")
            .bind(to_i64(tenant.0))
            .fetch_optional(&mut *transaction)
            .await?;
        text.flatten().map(|text| read_names(&text)).transpose()
    }

    /// Gives the tenant the first of these sets of name servers that no tenant ever had; none when all were given. A tenant
    /// that has one keeps it.
    pub async fn give_name_servers(
        &self,
        tenant: TenantId,
        sets: &[BTreeSet<Name>],
    ) -> Result<Option<BTreeSet<Name>>, InventoryError> {
        let mut transaction = self.begin().await?;
        let kept: Option<Option<String>> = sqlx::query_scalar("SELECT name_servers FROM tenants WHERE id = $1")
            .bind(to_i64(tenant.0))
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(kept) = kept.flatten() {
            return read_names(&kept).map(Some);
        }
        for set in sets {
            let text = names_text(set);
            let given = sqlx::query(
                "INSERT INTO name_server_sets (name_servers, tenant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(&text)
            .bind(to_i64(tenant.0))
            .execute(&mut *transaction)
            .await?;
            if given.rows_affected() == 1 {
                sqlx::query("UPDATE tenants SET name_servers = $2 WHERE id = $1")
                    .bind(to_i64(tenant.0))
                    .bind(&text)
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                return Ok(Some(set.clone()));
            }
        }
        Ok(None)
    }
}

/// What is wanted of claims, behind the columns that they are read from.
fn select<'q>(what: &str) -> QueryAs<'q, Any, ClaimRow, AnyArguments> {
    let statement = format!(
        "SELECT id, tenant_id, spelling, created_at_ms, proof, proven_at_ms, lapsed_at_ms, seen_elsewhere_at_ms, \
         looked_at_ms, challenge FROM zones {what}"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(statement))
}

async fn read(transaction: &mut Transaction, zone: ZoneId) -> Result<Option<Claim>, InventoryError> {
    let found = select("WHERE id = $1").bind(to_i64(zone.0));
    found.fetch_optional(&mut **transaction).await?.map(ClaimRow::read).transpose()
}

/// What shows that the zone's name is its tenant's.
pub(crate) async fn proof_of(transaction: &mut Transaction, zone: ZoneId) -> Result<Option<Proof>, InventoryError> {
    Ok(read(transaction, zone).await?.and_then(|claim| claim.proven).map(|proven| proven.by))
}

async fn holder(transaction: &mut Transaction, name: &Name) -> Result<Option<Claim>, InventoryError> {
    let found = select("WHERE name = $1 AND proof IS NOT NULL").bind(lower_text(name));
    found.fetch_optional(&mut **transaction).await?.map(ClaimRow::read).transpose()
}

/// What came of proving a claim.
enum Outcome {
    AsItWas,
    Proven {
        /// Whoever has lost the name by it.
        taken: Option<Claim>,
    },
}

async fn prove(transaction: &mut Transaction, by: &By, proving: &Proving<'_>) -> Result<Outcome, ProveError> {
    let claim = read(transaction, proving.zone).await?.ok_or(ProveError::Gone)?;
    if claim.proven.as_ref().is_some_and(|proven| proven.by == proving.proof && proven.lapsed_at.is_none()) {
        return Ok(Outcome::AsItWas);
    }
    let is_word = matches!(proving.proof, Proof::Operator | Proof::HandedOver);
    // Who is behind the other claim is nothing that a tenant's log tells.
    let service = By::service(by.at);
    let (to_claimant, to_holder) = match proving.proof {
        Proof::HandedOver => (&service, by),
        Proof::Operator | Proof::Delegation | Proof::Challenge | Proof::Above => (by, &service),
    };
    let taken = holder(transaction, &claim.name).await?.filter(|holder| holder.zone != claim.zone);
    if let Some(holder) = &taken {
        let has_lapsed = holder.proven.as_ref().is_some_and(|proven| proven.lapsed_at.is_some());
        if !has_lapsed && !is_word {
            return Err(ProveError::Held(claim.name));
        }
        take(transaction, to_holder, holder).await?;
    }
    if !is_word {
        check_neighbours(transaction, &claim, proving.consenting).await?;
    }
    // Nobody hands over more than they have.
    let lapsed_at = match proving.proof {
        Proof::HandedOver => taken.as_ref().and_then(|holder| holder.proven.as_ref()?.lapsed_at),
        _ => None,
    };
    sqlx::query("UPDATE zones SET proof = $2, proven_at_ms = $3, lapsed_at_ms = $4 WHERE id = $1")
        .bind(to_i64(claim.zone.0))
        .bind(proving.proof.as_str())
        .bind(to_i64(by.at.0))
        .bind(lapsed_at.map(|at| to_i64(at.0)))
        .execute(&mut **transaction)
        .await?;
    end_kept_proofs(transaction, claim.tenant, &claim.name).await?;
    let details = json!({ "by": proving.proof.as_str() });
    let name = claim.name.to_string();
    write_audit(transaction, Some(claim.tenant), to_claimant, "zone.proven", &name, details).await?;
    Ok(Outcome::Proven { taken })
}

async fn take(transaction: &mut Transaction, by: &By, holder: &Claim) -> Result<(), InventoryError> {
    sqlx::query("UPDATE zones SET proof = NULL, proven_at_ms = NULL, lapsed_at_ms = NULL WHERE id = $1")
        .bind(to_i64(holder.zone.0))
        .execute(&mut **transaction)
        .await?;
    let name = holder.name.to_string();
    write_audit(transaction, Some(holder.tenant), by, "zone.proof-taken", &name, json!({})).await
}

/// Where proven zones of other tenants lie, seen from a name; one above counts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    Nowhere,
    /// It says by its contents whose the name is.
    Above,
    /// The name is given by the operator's word alone.
    Below,
}

/// # Errors
/// [`ProveError::Below`], [`ProveError::Above`].
async fn check_neighbours(
    transaction: &mut Transaction,
    claim: &Claim,
    consenting: &[ZoneId],
) -> Result<(), ProveError> {
    let above = above(transaction, &claim.name).await?;
    if above.iter().any(|zone| zone.tenant != claim.tenant && !consenting.contains(&zone.zone)) {
        return Err(ProveError::Below(claim.name.clone()));
    }
    if has_others_below(transaction, claim.tenant, &claim.name).await? {
        return Err(ProveError::Above(claim.name.clone()));
    }
    Ok(())
}

/// Whether other tenants have proven zones above the name or below it.
pub(crate) async fn has_neighbours(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<bool, InventoryError> {
    let above = above(transaction, name).await?;
    Ok(above.iter().any(|zone| zone.tenant != tenant) || has_others_below(transaction, tenant, name).await?)
}

async fn has_others_below(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &Name,
) -> Result<bool, InventoryError> {
    // Of the texts that end so some are of other names, where labels hold dots.
    let name = lower_text(zone);
    let end = if name == "." { name } else { format!(".{name}") };
    let below = select(
        "WHERE proof IS NOT NULL AND lapsed_at_ms IS NULL AND tenant_id <> $1 AND LENGTH(name) > LENGTH($2) \
         AND SUBSTR(name, LENGTH(name) - LENGTH($2) + 1) = $2",
    );
    let below = below.bind(to_i64(tenant.0)).bind(end).fetch_all(&mut **transaction).await?;
    for other in below {
        let other = other.read()?;
        if other.name.borrow().is_below(zone.borrow()) && has_ground(transaction, &other).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether what a proof goes by is there now: one by a zone above goes with that one's, before anybody looks at it.
async fn has_ground(transaction: &mut Transaction, claim: &Claim) -> Result<bool, InventoryError> {
    if !claim.is_proven_by(Proof::Above) {
        return Ok(true);
    }
    Ok(above(transaction, &claim.name).await?.iter().any(|zone| zone.tenant == claim.tenant))
}

/// The zones above the name whose proof holds, from the nearest on. One that has lapsed says nothing about what is below, nor
/// does one that is its tenant's only by such a one.
async fn above(transaction: &mut Transaction, name: &Name) -> Result<Vec<Claim>, InventoryError> {
    let mut found = Vec::new();
    let mut ancestor = name.borrow().parent();
    while let Some(name) = ancestor {
        let holder = holder(transaction, &name.to_name()).await?;
        found.extend(holder.filter(|holder| holder.proven.as_ref().is_some_and(|proven| proven.lapsed_at.is_none())));
        ancestor = name.parent();
    }
    // From the farthest on: whoever has one by itself has those below it that go by that.
    let mut grounded = BTreeSet::new();
    found.reverse();
    found.retain(|zone| match zone.is_proven_by(Proof::Above) {
        true => grounded.contains(&zone.tenant),
        false => {
            grounded.insert(zone.tenant);
            true
        }
    });
    found.reverse();
    Ok(found)
}

fn names_text(names: &BTreeSet<Name>) -> String {
    let mut texts: Vec<String> = names.iter().map(lower_text).collect();
    texts.sort_unstable();
    texts.join(" ")
}

fn read_names(text: &str) -> Result<BTreeSet<Name>, InventoryError> {
    text.split_whitespace().map(read_name).collect()
}

#[derive(FromRow)]
struct ClaimRow {
    id: i64,
    tenant_id: i64,
    spelling: String,
    created_at_ms: i64,
    proof: Option<String>,
    proven_at_ms: Option<i64>,
    lapsed_at_ms: Option<i64>,
    seen_elsewhere_at_ms: Option<i64>,
    looked_at_ms: Option<i64>,
    challenge: Option<String>,
}

impl ClaimRow {
    fn read(self) -> Result<Claim, InventoryError> {
        let moment = |at: Option<i64>| at.map(|at| to_u64(at).map(Moment)).transpose();
        let proven = match self.proof {
            None => None,
            Some(proof) => Some(Proven {
                by: proof.parse()?,
                at: moment(self.proven_at_ms)?.unwrap_or_default(),
                lapsed_at: moment(self.lapsed_at_ms)?,
            }),
        };
        Ok(Claim {
            zone: ZoneId(to_u64(self.id)?),
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: read_name(&self.spelling)?,
            claimed_at: Moment(to_u64(self.created_at_ms)?),
            proven,
            seen_elsewhere_at: moment(self.seen_elsewhere_at_ms)?,
            looked_at: moment(self.looked_at_ms)?,
            challenge: self.challenge,
        })
    }
}
