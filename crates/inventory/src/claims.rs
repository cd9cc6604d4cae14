//! Claims on names: each zone is one. Of all that are there on a name one at the most is proven.
//!
//! ```text
//! proving       has a claim proven, hands a name over, takes a proof
//! around        whose zones above and below have a say
//! carried       a claim that goes on in another row
//! kept          the proofs of zones that were removed
//! name_servers  which sets of name servers are whose
//! waiting       claims without a proof, for whoever runs the service
//! ```
//!
//! Invariants: a proof is taken from a zone only when it has lapsed, by the operator's or its holder's own word, or where
//! another tenant's zone above does not delegate the name; what was seen of a name counts for the claim that was there then,
//! and goes with it, and is used up when the name goes to another; a set of name servers is given to one tenant and never
//! again to another.

mod around;
mod carried;
mod kept;
mod name_servers;
mod proving;
mod waiting;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use dns::Name;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;
use sqlx::{Any, FromRow};
use xfr::Moment;
use zone::ZoneId;

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::{lower_text, read_name};
use crate::ownership::{Above, Delegated, Finding, Look};
use around::has_others_in_the_way;
use carried::COLUMNS;
use name_servers::{names_text, read_names};

pub use around::Around;
pub(crate) use carried::Carried;
pub(crate) use kept::end_kept_proofs;
pub use proving::Proving;
pub use waiting::WaitingClaim;

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
    /// There where the name was handed over.
    pub handed: Option<Handed>,
    /// When a proof was last taken from it: from then on it is a claim like one made then.
    pub taken_at: Option<Moment>,
    /// When the operator took it, unless it was proven since.
    pub disproven_at: Option<Moment>,
}

/// What whoever handed a name over had to show for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Never [`Proof::HandedOver`]: where a name goes from hand to hand it is what the first had.
    pub proof: Proof,
    pub tenant: TenantId,
    /// Their text.
    pub challenge: Option<String>,
    /// Their own name servers; none where they had none of their own.
    pub name_servers: Option<BTreeSet<Name>>,
}

impl Claim {
    /// Whether the name is the tenant's by the operator's word, also one that was handed on.
    pub fn is_by_operator(&self) -> bool {
        self.origin() == Some(Proof::Operator)
    }

    /// The proof by which the tenant, or whoever has handed the name over to them, has it.
    pub(crate) fn origin(&self) -> Option<Proof> {
        match (self.proven.as_ref()?.by, &self.handed) {
            (Proof::HandedOver, Some(handed)) => Some(handed.proof),
            (by, _) => Some(by),
        }
    }

    /// Whose proven zone above is all that the proof goes by; none where it goes by something else.
    fn ground(&self) -> Option<TenantId> {
        match (&self.handed, self.origin()?) {
            (Some(handed), Proof::Above) if handed.proof == Proof::Above => Some(handed.tenant),
            (_, Proof::Above) => Some(self.tenant),
            _ => None,
        }
    }

    fn has_lapsed(&self) -> bool {
        self.proven.as_ref().is_some_and(|proven| proven.lapsed_at.is_some())
    }
}

impl Inventory {
    /// The tenant's claim on the name.
    pub async fn claim(&self, tenant: TenantId, name: &Name) -> Result<Option<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let found = select("WHERE tenant_id = $1 AND name = $2").bind(to_i64(tenant.0)).bind(lower_text(name));
        found.fetch_optional(&mut *transaction).await?.map(ClaimRow::read).transpose()
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

    /// The claim that the zone is.
    pub async fn claim_of_zone(&self, zone: ZoneId) -> Result<Option<Claim>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        read(&mut transaction, zone).await
    }

    /// Puts on record what was seen of the claim's name, but for a new proof, which is for [`Inventory::prove`]; and tells
    /// what follows. Nothing does where the claim is another by now than the one that was looked at. Wakes reconcile where a
    /// proof ends.
    pub async fn record_look(&self, by: &By, before: &Claim, look: &Look) -> Result<Finding, InventoryError> {
        let mut transaction = self.begin().await?;
        let zone = before.zone;
        let Some(claim) = read(&mut transaction, zone).await? else { return Ok(Finding::Nothing) };
        let has_other_text = before.challenge.is_some() && claim.challenge != before.challenge;
        let is_another =
            (&claim.proven, &claim.handed, claim.taken_at) != (&before.proven, &before.handed, before.taken_at);
        // It is to be looked at again, for another has the zone above by now.
        let is_due_again = before.looked_at.is_some() && claim.looked_at.is_none();
        if is_another || has_other_text || is_due_again {
            return Ok(Finding::Nothing);
        }
        let finding = match look.finding(&claim) {
            // Whoever has proven a name below it meanwhile is not to lose that.
            Finding::ShowsAgain if has_others_in_the_way(&mut transaction, &claim).await? => Finding::Nothing,
            finding => finding,
        };
        let seen_elsewhere_at = match look.delegated {
            Delegated::Elsewhere | Delegated::ToOthers => Some(look.at),
            _ => claim.seen_elsewhere_at.filter(|_| finding != Finding::Ends),
        };
        let lapsed_at = match finding {
            Finding::Lapses => Some(look.at),
            Finding::ShowsAgain | Finding::Ends => None,
            _ => claim.proven.as_ref().and_then(|proven| proven.lapsed_at),
        };
        if finding == Finding::Ends {
            proving::take(&mut transaction, by, &claim).await?;
        }
        // Contents that are not there yet will be: it stays due until they are.
        let has_seen = look.above != Above::Others || look.delegated != Delegated::Unknown;
        let looked_at = if has_seen { Some(look.at) } else { claim.looked_at };
        sqlx::query("UPDATE zones SET looked_at_ms = $2, seen_elsewhere_at_ms = $3, lapsed_at_ms = $4 WHERE id = $1")
            .bind(to_i64(zone.0))
            .bind(looked_at.map(|at| to_i64(at.0)))
            .bind(seen_elsewhere_at.map(|at| to_i64(at.0)))
            .bind(lapsed_at.map(|at| to_i64(at.0)))
            .execute(&mut *transaction)
            .await?;
        let act = match finding {
            Finding::Lapses => Some("zone.proof-lapsed"),
            Finding::ShowsAgain => Some("zone.proof-shows-again"),
            Finding::Nothing | Finding::Proves(_) | Finding::Ends => None,
        };
        if let Some(act) = act {
            write_audit(&mut transaction, Some(claim.tenant), by, act, &claim.name.to_string(), json!({})).await?;
        }
        match finding {
            Finding::Ends => self.commit_change_of(Changed::zones([zone]), transaction).await?,
            _ => transaction.commit().await?,
        }
        Ok(finding)
    }
}

/// What is wanted of claims, behind the columns that they are read from.
fn select<'q>(what: &str) -> QueryAs<'q, Any, ClaimRow, AnyArguments> {
    let statement = format!("SELECT id, tenant_id, spelling, {COLUMNS} FROM zones {what}");
    sqlx::query_as(sqlx::AssertSqlSafe(statement))
}

async fn read(transaction: &mut Transaction, zone: ZoneId) -> Result<Option<Claim>, InventoryError> {
    let found = select("WHERE id = $1").bind(to_i64(zone.0));
    found.fetch_optional(&mut **transaction).await?.map(ClaimRow::read).transpose()
}

async fn holder(transaction: &mut Transaction, name: &Name) -> Result<Option<Claim>, InventoryError> {
    let found = select("WHERE name = $1 AND proof IS NOT NULL").bind(lower_text(name));
    found.fetch_optional(&mut **transaction).await?.map(ClaimRow::read).transpose()
}

#[derive(FromRow)]
struct ClaimRow {
    id: i64,
    tenant_id: i64,
    spelling: String,
    #[sqlx(flatten)]
    claim: Carried,
}

/// [`Handed`] as it stands in its column.
#[derive(Serialize, Deserialize)]
struct HandedText {
    proof: String,
    tenant: u64,
    challenge: Option<String>,
    name_servers: Option<String>,
}

impl Handed {
    fn text(&self) -> String {
        let text = HandedText {
            proof: self.proof.as_str().to_owned(),
            tenant: self.tenant.0,
            challenge: self.challenge.clone(),
            name_servers: self.name_servers.as_ref().map(names_text),
        };
        serde_json::to_string(&text).expect("texts and numbers are always JSON")
    }

    fn read(text: &str) -> Result<Self, InventoryError> {
        let damaged = |error| InventoryError::Damaged(format!("a zone was handed over as {text:?}: {error}"));
        let HandedText { proof, tenant, challenge, name_servers } = serde_json::from_str(text).map_err(damaged)?;
        Ok(Self {
            proof: proof.parse()?,
            tenant: TenantId(tenant),
            challenge,
            name_servers: name_servers.as_deref().map(read_names).transpose()?,
        })
    }
}

impl ClaimRow {
    fn read(self) -> Result<Claim, InventoryError> {
        let moment = |at: Option<i64>| at.map(|at| to_u64(at).map(Moment)).transpose();
        let claim = self.claim;
        let proven = match claim.proof {
            None => None,
            Some(proof) => Some(Proven {
                by: proof.parse()?,
                at: moment(claim.proven_at_ms)?.unwrap_or_default(),
                lapsed_at: moment(claim.lapsed_at_ms)?,
            }),
        };
        Ok(Claim {
            zone: ZoneId(to_u64(self.id)?),
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: read_name(&self.spelling)?,
            claimed_at: Moment(to_u64(claim.created_at_ms)?),
            proven,
            seen_elsewhere_at: moment(claim.seen_elsewhere_at_ms)?,
            looked_at: moment(claim.looked_at_ms)?,
            challenge: claim.challenge,
            handed: claim.handed.as_deref().map(Handed::read).transpose()?,
            taken_at: moment(claim.taken_at_ms)?,
            disproven_at: moment(claim.disproven_at_ms)?,
        })
    }
}
