//! Zones that were removed, until nothing of them is left in the store.
//!
//! What somebody or a catalog removes is kept for a while: it may be a mistake, or be over soon, and then the zone is the
//! same one again, with its id, and so with its contents. A time that is over is over: from then on the zone is to be
//! deleted, and nobody gets it any more. Whoever wants that has a zone deleted at once.
//!
//! Invariant: a zone that is kept holds no name. Whoever else has proven it meanwhile keeps it, and a zone that comes back
//! is a claim then.

use dns::Name;
use serde_json::json;
use sqlx::FromRow;
use xfr::{Moment, Settings};
use zone::catalog::Label;
use zone::{Tags, ZoneId};

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::catalogs::read_label;
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, RemoveZoneError, RestoreZoneError};
use crate::keys::check_named_keys;
use crate::ledger::{give_attempts_back, keep_attempts};
use crate::names::{lower_text, read_name};
use crate::plans::Allowance;
use crate::primaries::{primaries_text, read_primaries, read_settings};
use crate::statistics::{give_statistics_back, keep_statistics};
use crate::zones::{NewZone, find_id, insert, primaries_of};

const DAY_SECS: u64 = 24 * 3600;

/// As which zone that is kept a new one of its name goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inherits<'a> {
    /// Any: somebody adds it by hand.
    Anything,
    /// One that its catalog knew by this label: another label is another zone (RFC 9432 §5.4).
    Labelled(&'a Label),
    /// None: it begins anew.
    Nothing,
    /// This one, which somebody has back.
    Exactly(ZoneId),
}

/// A zone that is kept, and can be had back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptZone {
    pub id: ZoneId,
    /// With its letters as typed.
    pub name: Name,
    pub removed_at: Moment,
    /// When it is deleted.
    pub until: Moment,
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

    /// Removes the zone and keeps it until then, with all that it takes to have it back. From then on it is among
    /// [`Intent::kept`](crate::Intent::kept).
    pub async fn remove_zone_and_keep(
        &self,
        by: &By,
        tenant: TenantId,
        name: &Name,
        until: Moment,
    ) -> Result<ZoneId, RemoveZoneError> {
        let mut transaction = self.begin().await?;
        let id = find_id(&mut transaction, tenant, name).await?;
        let id = id.ok_or_else(|| RemoveZoneError::Unknown(name.clone()))?;
        remove_and_keep(&mut transaction, id, by.at, until).await?;
        write_removal(&mut transaction, by, tenant, name, Some(until)).await?;
        self.commit_change_of(Changed::zones([id]), transaction).await?;
        Ok(id)
    }

    /// The tenant's zones that can be had back, those removed last first, at most `limit`.
    pub async fn kept_zones(
        &self,
        tenant: TenantId,
        now: Moment,
        limit: u32,
    ) -> Result<Vec<KeptZone>, InventoryError> {
        let rows: Vec<(i64, String, i64, i64)> = sqlx::query_as(
            "SELECT zone_id, spelling, removed_at_ms, delete_after_ms FROM removed_zones \
             WHERE tenant_id = $1 AND delete_after_ms > $2 AND spelling IS NOT NULL \
             ORDER BY removed_at_ms DESC, zone_id DESC LIMIT $3",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(now.0))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |(id, spelling, removed_at, until): (i64, String, i64, i64)| {
            Ok(KeptZone {
                id: ZoneId(to_u64(id)?),
                name: read_name(&spelling)?,
                removed_at: Moment(to_u64(removed_at)?),
                until: Moment(to_u64(until)?),
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Has the tenant's zone of this name back that was removed last: the same zone, as it was. Its name is proven only if
    /// nobody else has proven it meanwhile, one above or one below it.
    ///
    /// # Errors
    /// [`RestoreZoneError::NotKept`]; what keeps a zone from being added, as a key that is gone or a plan's limit.
    pub async fn restore_zone(&self, by: &By, tenant: TenantId, name: &Name) -> Result<ZoneId, RestoreZoneError> {
        let mut transaction = self.begin().await?;
        let row: Option<RestoredRow> = sqlx::query_as(
            "SELECT zone_id, spelling, service, settings, tags, primaries FROM removed_zones \
             WHERE tenant_id = $1 AND name = $2 AND delete_after_ms > $3 AND spelling IS NOT NULL \
             ORDER BY removed_at_ms DESC, zone_id DESC LIMIT 1",
        )
        .bind(to_i64(tenant.0))
        .bind(lower_text(name))
        .bind(to_i64(by.at.0))
        .fetch_optional(&mut *transaction)
        .await?;
        let row = row.ok_or_else(|| RestoreZoneError::NotKept(name.clone()))?;
        let (id, zone) = row.read()?;
        check_named_keys(&mut transaction, tenant, &zone.name, &zone.settings, &Settings::default()).await?;
        let mut allowance = Allowance::of(&mut transaction, tenant, by.at).await?;
        let id = insert(&mut transaction, tenant, &zone, Inherits::Exactly(id), &mut allowance, by.at).await?;
        write_audit(&mut transaction, Some(tenant), by, "zone.restored", &name.to_string(), json!({})).await?;
        self.commit_change_of(Changed::zones([id]), transaction).await?;
        Ok(id)
    }

    /// Has a zone of the tenant's deleted that only the store knows, or that is kept. No when the inventory has it as a zone
    /// by now.
    pub async fn remove_stored_zone(
        &self,
        by: &By,
        tenant: TenantId,
        name: &Name,
        id: ZoneId,
    ) -> Result<bool, InventoryError> {
        let mut transaction = self.begin().await?;
        mark_removed(&mut transaction, id).await?;
        let is_marked = is_removed(&mut transaction, id).await?;
        if is_marked {
            write_removal(&mut transaction, by, tenant, name, None).await?;
        }
        self.commit_change_of(Changed::zones([id]), transaction).await?;
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

/// That somebody has removed a zone, which is kept until then, or deleted.
pub(crate) async fn write_removal(
    transaction: &mut Transaction,
    by: &By,
    tenant: TenantId,
    name: &Name,
    until: Option<Moment>,
) -> Result<(), InventoryError> {
    let kept_days = until.map(|until| until.since(by.at).as_secs() / DAY_SECS);
    let details = json!({ "kept_days": kept_days });
    write_audit(transaction, Some(tenant), by, "zone.removed", &name.to_string(), details).await
}

/// Removes the zone's rows; from then on its contents are to be deleted too.
pub(crate) async fn remove(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    // Primaries and attempts go with it: ON DELETE CASCADE.
    sqlx::query("DELETE FROM zones WHERE id = $1").bind(to_i64(id.0)).execute(&mut **transaction).await?;
    mark_removed(transaction, id).await
}

/// Removes a zone's rows; its contents, and what it takes to have it back, are kept until then.
pub(crate) async fn remove_and_keep(
    transaction: &mut Transaction,
    id: ZoneId,
    now: Moment,
    until: Moment,
) -> Result<(), InventoryError> {
    let primaries = primaries_of(transaction, id).await?;
    sqlx::query(
        "INSERT INTO removed_zones (zone_id, delete_after_ms, removed_at_ms, primaries, tenant_id, name, label, proof, \
         lapsed_at_ms, spelling, service, settings, tags, created_at_ms, challenge, handed, proven_at_ms, \
         seen_elsewhere_at_ms, looked_at_ms, taken_at_ms, disproven_at_ms) \
         SELECT z.id, $2, $3, $4, z.tenant_id, z.name, m.label, z.proof, z.lapsed_at_ms, \
         z.spelling, z.service, z.settings, z.tags, z.created_at_ms, z.challenge, z.handed, z.proven_at_ms, \
         z.seen_elsewhere_at_ms, z.looked_at_ms, z.taken_at_ms, z.disproven_at_ms \
         FROM zones z LEFT JOIN catalog_members m ON m.zone_id = z.id WHERE z.id = $1",
    )
    .bind(to_i64(id.0))
    .bind(to_i64(until.0))
    .bind(to_i64(now.0))
    .bind(primaries_text(&primaries))
    .execute(&mut **transaction)
    .await?;
    keep_attempts(transaction, id).await?;
    keep_statistics(transaction, id).await?;
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
            Inherits::Exactly(id) => to_u64(row.zone_id)? == id.0,
        };
        if is_meant {
            return Ok(Some(ZoneId(to_u64(row.zone_id)?)));
        }
    }
    Ok(None)
}

/// A zone that is kept is here again.
pub(crate) async fn take_back(transaction: &mut Transaction, id: ZoneId) -> Result<(), InventoryError> {
    give_attempts_back(transaction, id).await?;
    give_statistics_back(transaction, id).await?;
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
struct RestoredRow {
    zone_id: i64,
    spelling: String,
    service: String,
    settings: String,
    tags: String,
    primaries: String,
}

impl RestoredRow {
    fn read(&self) -> Result<(ZoneId, NewZone), InventoryError> {
        let zone = NewZone {
            name: read_name(&self.spelling)?,
            primaries: read_primaries(&self.primaries)?,
            service: self.service.parse()?,
            proof: None,
            settings: read_settings(&self.spelling, &self.settings)?,
            tags: Tags::from_stored(&self.tags),
            stored_as: None,
        };
        Ok((ZoneId(to_u64(self.zone_id)?), zone))
    }
}

#[derive(FromRow)]
struct KeptRow {
    zone_id: i64,
    label: Option<String>,
}
