//! Zones that were removed, until nothing of them is left in the store.
//!
//! What somebody removes is to be deleted at once. What a catalog removes is kept for a while: it may be a mistake, or be
//! over soon, and then the zone is the same one again, with its id, and so with its contents. A time that is over is over:
//! from then on the zone is to be deleted, and nobody gets it any more.

use dns::Name;
use sqlx::FromRow;
use xfr::Moment;
use zone::ZoneId;
use zone::catalog::Label;

use crate::TenantId;
use crate::catalogs::read_label;
use crate::claims::Proof;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::zones::lower_text;

/// As which zone that is kept a new one of its name goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inherits<'a> {
    /// Any: somebody adds it by hand.
    Anything,
    /// One that its catalog knew by this label: another label is another zone (RFC 9432 §5.4).
    Labelled(&'a Label),
    /// None: it begins anew.
    Nothing,
}

impl Inventory {
    /// Has those zones deleted that have been kept for long enough; they are among
    /// [`Intent::removed`](crate::Intent::removed) from then on.
    pub async fn end_keeping(&self, now: Moment) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE removed_zones SET delete_after_ms = NULL WHERE delete_after_ms <= $1")
            .bind(to_i64(now.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has a zone deleted that only the store knows, or that is kept. No when the inventory has it as a zone by now.
    pub async fn remove_stored_zone(&self, id: ZoneId) -> Result<bool, InventoryError> {
        let mut transaction = self.begin().await?;
        mark_removed(&mut transaction, id).await?;
        let is_marked = is_removed(&mut transaction, id).await?;
        self.commit_change(transaction).await?;
        Ok(is_marked)
    }

    /// Whether nothing is left to delete of the zone: it was never removed, or that has been carried out.
    pub async fn is_deleted(&self, id: ZoneId) -> Result<bool, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        Ok(!is_removed(&mut transaction, id).await?)
    }

    /// These zones are no longer in the store: nothing of them is left to delete.
    pub async fn forget_removed(&self, zones: &[ZoneId]) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        for id in zones {
            // One that has come back meanwhile is another matter.
            sqlx::query("DELETE FROM removed_zones WHERE zone_id = $1 AND delete_after_ms IS NULL")
                .bind(to_i64(id.0))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Removes the zone's rows; from then on its contents are to be deleted too.
pub(crate) async fn remove(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    // Primaries and attempts go with it: ON DELETE CASCADE.
    sqlx::query("DELETE FROM zones WHERE id = $1").bind(to_i64(id.0)).execute(&mut **transaction).await?;
    mark_removed(transaction, id).await
}

/// Removes a member's rows; its contents are kept until then.
pub(crate) async fn remove_and_keep(
    transaction: &mut Transaction,
    id: ZoneId,
    until: Moment,
) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO removed_zones (zone_id, delete_after_ms, tenant_id, name, label, proof) \
         SELECT z.id, $2, z.tenant_id, z.name, m.label, z.proof FROM zones z JOIN catalog_members m ON m.zone_id = z.id \
         WHERE z.id = $1",
    )
    .bind(to_i64(id.0))
    .bind(to_i64(until.0))
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM zones WHERE id = $1").bind(to_i64(id.0)).execute(&mut **transaction).await?;
    Ok(())
}

/// The zone of that name that is kept and that the heir may go on as: the newest.
pub(crate) async fn kept_for(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
    heir: Inherits<'_>,
    now: Moment,
) -> Result<Option<ZoneId>, InventoryError> {
    let rows: Vec<KeptRow> = sqlx::query_as(
        "SELECT zone_id, label FROM removed_zones WHERE tenant_id = $1 AND name = $2 AND delete_after_ms > $3 \
         ORDER BY zone_id DESC",
    )
    .bind(to_i64(tenant.0))
    .bind(lower_text(name))
    .bind(to_i64(now.0))
    .fetch_all(&mut **transaction)
    .await?;
    for row in rows {
        let is_meant = match heir {
            Inherits::Anything => true,
            Inherits::Labelled(label) => row.label.as_deref().map(read_label).transpose()?.as_ref() == Some(label),
            Inherits::Nothing => false,
        };
        if is_meant {
            return Ok(Some(ZoneId(to_u64(row.zone_id)?)));
        }
    }
    Ok(None)
}

/// The proof that a kept zone had, unless somebody else has one by now.
pub(crate) async fn kept_proof(
    transaction: &mut Transaction,
    kept: ZoneId,
    name: &Name,
) -> Result<Option<Proof>, InventoryError> {
    let proof: Option<Option<String>> = sqlx::query_scalar(
        "SELECT proof FROM removed_zones WHERE zone_id = $1 \
         AND NOT EXISTS (SELECT 1 FROM zones WHERE name = $2 AND proof IS NOT NULL)",
    )
    .bind(to_i64(kept.0))
    .bind(lower_text(name))
    .fetch_optional(&mut **transaction)
    .await?;
    proof.flatten().map(|proof| proof.parse()).transpose()
}

/// A zone that is kept is here again.
pub(crate) async fn take_back(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM removed_zones WHERE zone_id = $1")
        .bind(to_i64(id.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub(crate) async fn is_removed(transaction: &mut Transaction, id: ZoneId) -> Result<bool, InventoryError> {
    let row: Option<i64> = sqlx::query_scalar("SELECT zone_id FROM removed_zones WHERE zone_id = $1")
        .bind(to_i64(id.0))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.is_some())
}

async fn mark_removed(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    sqlx::query(
        "INSERT INTO removed_zones (zone_id) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM zones WHERE id = $1) \
         ON CONFLICT (zone_id) DO UPDATE SET delete_after_ms = NULL",
    )
    .bind(to_i64(id.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct KeptRow {
    zone_id: i64,
    label: Option<String>,
}
