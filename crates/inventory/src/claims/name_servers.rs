//! Sets of name servers, each given to one tenant and never again to another.

use std::collections::BTreeSet;

use dns::Name;

use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;
use crate::names::{lower_text, read_name};

impl Inventory {
    /// The name servers that the tenant delegates to; none until it was given some.
    pub async fn name_servers(&self, tenant: TenantId) -> Result<Option<BTreeSet<Name>>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        given_to(&mut transaction, tenant).await
    }

    /// To whom exactly these name servers were given.
    pub async fn tenant_of_name_servers(&self, set: &BTreeSet<Name>) -> Result<Option<TenantId>, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        let id: Option<i64> = sqlx::query_scalar("SELECT tenant_id FROM name_server_sets WHERE name_servers = $1")
            .bind(names_text(set))
            .fetch_optional(&mut *transaction)
            .await?;
        id.map(|id| to_u64(id).map(TenantId)).transpose()
    }

    /// Gives the tenant the first of these sets of name servers that no tenant ever had, nor one that holds it or is held by
    /// it; none when there is none. A tenant that has one keeps it.
    pub async fn give_name_servers(
        &self,
        tenant: TenantId,
        sets: &[BTreeSet<Name>],
    ) -> Result<Option<BTreeSet<Name>>, InventoryError> {
        let mut transaction = self.begin().await?;
        if let Some(kept) = given_to(&mut transaction, tenant).await? {
            return Ok(Some(kept));
        }
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT name_servers FROM name_server_sets").fetch_all(&mut *transaction).await?;
        let given = texts.iter().map(|text| read_names(text)).collect::<Result<Vec<_>, _>>()?;
        for set in sets {
            // Of two sets of which one holds the other, a delegation that is being changed may be either. Where all are of
            // one size there are none.
            let mut other_sizes = given.iter().filter(|given| given.len() != set.len());
            if other_sizes.any(|given| given.is_subset(set) || given.is_superset(set)) {
                continue;
            }
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

/// The name servers that the tenant was given.
pub(super) async fn given_to(
    transaction: &mut Transaction,
    tenant: TenantId,
) -> Result<Option<BTreeSet<Name>>, InventoryError> {
    let text: Option<Option<String>> = sqlx::query_scalar("SELECT name_servers FROM tenants WHERE id = $1")
        .bind(to_i64(tenant.0))
        .fetch_optional(&mut **transaction)
        .await?;
    text.flatten().map(|text| read_names(&text)).transpose()
}

pub(super) fn names_text(names: &BTreeSet<Name>) -> String {
    let mut texts: Vec<String> = names.iter().map(lower_text).collect();
    texts.sort_unstable();
    texts.join(" ")
}

pub(super) fn read_names(text: &str) -> Result<BTreeSet<Name>, InventoryError> {
    text.split_whitespace().map(read_name).collect()
}
