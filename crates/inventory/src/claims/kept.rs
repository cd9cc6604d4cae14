//! The proofs that removed zones had, which come back with them unless somebody has the name by then.

use dns::Name;
use serde_json::json;
use zone::ZoneId;

use super::{Handed, Proof};
use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::{lower_text, read_name};
use crate::suffix::is_public_suffix;

/// Somebody has proven the name: what others had before they removed their zones of it does not come back with those.
pub(crate) async fn end_kept_proofs(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<(), InventoryError> {
    sqlx::query("UPDATE removed_zones SET proof = NULL WHERE name = $1 AND proof IS NOT NULL AND tenant_id <> $2")
        .bind(lower_text(name))
        .bind(to_i64(tenant.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// The same of names above and below it, which are for whoever has this one to let in; but for what is somebody's by the
/// operator's word.
pub(super) async fn end_kept_proofs_around(
    transaction: &mut Transaction,
    tenant: TenantId,
    name: &Name,
) -> Result<(), InventoryError> {
    let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
        "SELECT zone_id, name, handed FROM removed_zones WHERE proof IS NOT NULL AND proof <> 'operator' \
         AND tenant_id <> $1 AND name IS NOT NULL",
    )
    .bind(to_i64(tenant.0))
    .fetch_all(&mut **transaction)
    .await?;
    for (id, text, handed) in rows {
        let other = read_name(&text)?;
        let handed = handed.as_deref().map(Handed::read).transpose()?;
        let is_by_operator = handed.is_some_and(|handed| handed.proof == Proof::Operator);
        let is_around = other.borrow().is_below(name.borrow()) || name.borrow().is_below(other.borrow());
        if is_around && !is_by_operator && !is_public_suffix(name) {
            sqlx::query("UPDATE removed_zones SET proof = NULL WHERE zone_id = $1")
                .bind(id)
                .execute(&mut **transaction)
                .await?;
        }
    }
    Ok(())
}

/// The operator has taken the name from the tenant: nor does it come back with a zone that was removed before.
pub(super) async fn end_own_kept_proofs(
    transaction: &mut Transaction,
    by: &By,
    tenant: TenantId,
    name: &Name,
) -> Result<(), InventoryError> {
    sqlx::query(
        "UPDATE removed_zones SET proof = NULL, handed = NULL, challenge = NULL, seen_elsewhere_at_ms = NULL, \
         looked_at_ms = NULL, taken_at_ms = $3, disproven_at_ms = $3 WHERE name = $1 AND tenant_id = $2",
    )
    .bind(lower_text(name))
    .bind(to_i64(tenant.0))
    .bind(to_i64(by.at.0))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Has a kept zone come back as a claim alone. No where there is no such zone, or it had no proof.
pub(super) async fn disprove_kept(
    transaction: &mut Transaction,
    by: &By,
    id: ZoneId,
) -> Result<bool, InventoryError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "UPDATE removed_zones SET proof = NULL, handed = NULL, challenge = NULL, seen_elsewhere_at_ms = NULL, \
         looked_at_ms = NULL, taken_at_ms = $2, disproven_at_ms = $2 \
         WHERE zone_id = $1 AND proof IS NOT NULL AND spelling IS NOT NULL RETURNING tenant_id, spelling",
    )
    .bind(to_i64(id.0))
    .bind(to_i64(by.at.0))
    .fetch_optional(&mut **transaction)
    .await?;
    let Some((tenant, spelling)) = row else { return Ok(false) };
    let tenant = TenantId(to_u64(tenant)?);
    write_audit(transaction, Some(tenant), by, "zone.proof-taken", &spelling, json!({})).await?;
    Ok(true)
}
