//! Having claims proven, by what was seen or by somebody's word, and taking proofs.
//!
//! Whoever gets a name gets it whole: with it go the proofs of zones that were removed and could come back, and what others
//! have below it is looked at soon, where its contents have a say from then on.

use dns::Name;
use serde_json::json;
use zone::ZoneId;

use super::around::{check_around, others_below};
use super::kept::{disprove_kept, end_kept_proofs, end_kept_proofs_around, end_own_kept_proofs};
use super::name_servers::given_to;
use super::{Claim, Handed, Proof, holder, read};
use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, ProveError};
use crate::names::lower_text;
use crate::suffix::is_public_suffix;

/// A claim that is to be proven, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proving {
    pub zone: ZoneId,
    pub proof: Proof,
    /// Another tenant's proven zone above it, the nearest, if its contents delegate the name to the claimant's name servers.
    pub consenting: Option<ZoneId>,
    /// Whether it was seen, and not said. Nothing is proven by what was seen of a claim from which a proof was taken since, as
    /// long as nobody has looked at it again.
    pub is_seen: bool,
}

impl Inventory {
    /// Has the claim proven, durably and whole; whoever had the name proven until then, and has lost it, has it no more: that
    /// claim as it was is given back. Wakes reconcile.
    ///
    /// # Errors
    /// [`ProveError::Held`] while somebody else's proof holds, [`ProveError::Below`] and [`ProveError::Above`] where another
    /// tenant has the zone above and does not consent, or zones below; but for an operator's or a holder's word.
    pub async fn prove(&self, by: &By, proving: &Proving) -> Result<Option<Claim>, ProveError> {
        let mut transaction = self.begin().await?;
        match prove(&mut transaction, by, proving, None).await? {
            Outcome::AsItWas => Ok(None),
            Outcome::Proven { taken } => {
                let changed = taken.iter().map(|taken| taken.zone).chain([proving.zone]);
                self.commit_change_of(Changed::zones(changed), transaction).await?;
                Ok(taken.map(|taken| *taken))
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
        let handed = handed_by(&mut transaction, &held).await?;
        let proving = Proving { zone, proof: Proof::HandedOver, consenting: None, is_seen: false };
        prove(&mut transaction, by, &proving, Some(&handed)).await?;
        self.commit_change_of(Changed::zones([held.zone, zone]), transaction).await?;
        Ok(())
    }

    /// Takes the proof from a zone, by the operator's word: from then on it is a claim like others, which nothing proves that
    /// was seen before, nor its old text. Gives the claim as it was; none for a zone that was removed, which has its proof no
    /// more when it comes back.
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
        sqlx::query("UPDATE zones SET disproven_at_ms = $2 WHERE id = $1")
            .bind(to_i64(zone.0))
            .bind(to_i64(by.at.0))
            .execute(&mut *transaction)
            .await
            .map_err(InventoryError::from)?;
        end_own_kept_proofs(&mut transaction, by, claim.tenant, &claim.name).await?;
        self.commit_change_of(Changed::zones([zone]), transaction).await?;
        Ok(Some(claim))
    }
}

/// What came of proving a claim.
enum Outcome {
    AsItWas,
    Proven {
        /// Whoever has lost the name by it.
        taken: Option<Box<Claim>>,
    },
}

async fn prove(
    transaction: &mut Transaction,
    by: &By,
    proving: &Proving,
    handed: Option<&Handed>,
) -> Result<Outcome, ProveError> {
    let claim = read(transaction, proving.zone).await?.ok_or(ProveError::Gone)?;
    if claim.proven.as_ref().is_some_and(|proven| proven.by == proving.proof && proven.lapsed_at.is_none()) {
        return Ok(Outcome::AsItWas);
    }
    if proving.is_seen && claim.looked_at.is_none() {
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
        if !holder.has_lapsed() && !is_word {
            return Err(ProveError::Held(claim.name));
        }
        take(transaction, to_holder, holder).await?;
    }
    if !is_word {
        check_around(transaction, &claim, proving.consenting).await?;
    }
    // Nobody hands over more than they have, nor less: it has been held without a gap.
    let given = taken.as_ref().and_then(|holder| holder.proven.as_ref());
    let (at, lapsed_at) = match (proving.proof, given) {
        (Proof::HandedOver, Some(given)) => (given.at, given.lapsed_at),
        _ => (by.at, None),
    };
    sqlx::query(
        "UPDATE zones SET proof = $2, proven_at_ms = $3, lapsed_at_ms = $4, handed = $5, disproven_at_ms = NULL \
         WHERE id = $1",
    )
    .bind(to_i64(claim.zone.0))
    .bind(proving.proof.as_str())
    .bind(to_i64(at.0))
    .bind(lapsed_at.map(|at| to_i64(at.0)))
    .bind(handed.map(Handed::text))
    .execute(&mut **transaction)
    .await?;
    end_kept_proofs(transaction, claim.tenant, &claim.name).await?;
    // Whoever was let in by the zone above takes nothing from who may come back above.
    if proving.consenting.is_none() && proving.proof != Proof::Above {
        end_kept_proofs_around(transaction, claim.tenant, &claim.name).await?;
    }
    // What is below is for whoever has the zone above to say.
    if !is_public_suffix(&claim.name) {
        for other in others_below(transaction, claim.tenant, &claim.name).await? {
            sqlx::query("UPDATE zones SET looked_at_ms = NULL WHERE id = $1")
                .bind(to_i64(other.zone.0))
                .execute(&mut **transaction)
                .await?;
        }
    }
    let details = json!({ "by": proving.proof.as_str() });
    let name = claim.name.to_string();
    write_audit(transaction, Some(claim.tenant), to_claimant, "zone.proven", &name, details).await?;
    Ok(Outcome::Proven { taken: taken.map(Box::new) })
}

/// What the holder has to show for a name that is handed over.
async fn handed_by(transaction: &mut Transaction, holder: &Claim) -> Result<Handed, InventoryError> {
    if let Some(handed) = &holder.handed {
        return Ok(handed.clone());
    }
    Ok(Handed {
        proof: holder.origin().unwrap_or(Proof::HandedOver),
        tenant: holder.tenant,
        challenge: holder.challenge.clone(),
        name_servers: given_to(transaction, holder.tenant).await?,
    })
}

/// Makes a zone a claim like others again. What was seen of it, and its text, were for this proof: another takes something
/// new. It is looked at soon.
pub(super) async fn take(transaction: &mut Transaction, by: &By, holder: &Claim) -> Result<(), InventoryError> {
    sqlx::query(
        "UPDATE zones SET proof = NULL, proven_at_ms = NULL, lapsed_at_ms = NULL, handed = NULL, challenge = NULL, \
         seen_elsewhere_at_ms = NULL, looked_at_ms = NULL, taken_at_ms = $2 WHERE id = $1",
    )
    .bind(to_i64(holder.zone.0))
    .bind(to_i64(by.at.0))
    .execute(&mut **transaction)
    .await?;
    let name = holder.name.to_string();
    write_audit(transaction, Some(holder.tenant), by, "zone.proof-taken", &name, json!({})).await
}
