//! What a plan for a catalog starts from, as the inventory has it at one moment.

use sqlx::FromRow;
use xfr::Moment;
use zone::catalog::{Holdings, Member, Taken};

use super::{Catalog, CatalogMember, members_of, millis, read_label};
use crate::database::{Inventory, Transaction, to_i64};
use crate::error::InventoryError;
use crate::names::read_name;

impl Inventory {
    /// The catalog's members and whatever else the tenant has; and the members as [`Inventory::catalog_members`] gives
    /// them, of the same moment. What other catalogs give away is not known here: see [`Holdings::note_offers`].
    pub async fn holdings(
        &self,
        catalog: &Catalog,
        now: Moment,
    ) -> Result<(Holdings, Vec<CatalogMember>), InventoryError> {
        // One transaction, so that a zone that moves is seen once.
        let mut transaction = self.reader().begin().await?;
        let mut holdings = Holdings::default();
        let members = members_of(&mut transaction, catalog).await?;
        for member in &members {
            let CatalogMember { name: zone, label, group, missing_since, .. } = member.clone();
            let missing_for = missing_since.map(|since| now.since(since));
            holdings.members.push(Member { zone, label, group, missing_for });
        }
        for other in others(&mut transaction, catalog).await? {
            holdings.taken.insert(read_name(&other.spelling)?, other.taken()?);
        }
        holdings.removed_lately = removed_lately(&mut transaction, catalog, now).await?;
        Ok((holdings, members))
    }
}

/// The tenant's zones that are not the catalog's.
async fn others(transaction: &mut Transaction, catalog: &Catalog) -> Result<Vec<OtherRow>, InventoryError> {
    let rows = sqlx::query_as(
        "SELECT z.spelling, c.spelling AS catalog, m.label FROM zones z \
         LEFT JOIN catalog_members m ON m.zone_id = z.id LEFT JOIN zones c ON c.id = m.catalog_id \
         WHERE z.tenant_id = $1 AND (m.catalog_id IS NULL OR m.catalog_id <> $2)",
    )
    .bind(to_i64(catalog.tenant.0))
    .bind(to_i64(catalog.id.0))
    .fetch_all(&mut **transaction)
    .await?;
    Ok(rows)
}

async fn removed_lately(
    transaction: &mut Transaction,
    catalog: &Catalog,
    now: Moment,
) -> Result<usize, InventoryError> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM catalog_removals WHERE catalog_id = $1 AND removed_at_ms > $2")
            .bind(to_i64(catalog.id.0))
            .bind(to_i64(now.0).saturating_sub(millis(catalog.settings.guard.delay)))
            .fetch_one(&mut **transaction)
            .await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

#[derive(FromRow)]
struct OtherRow {
    spelling: String,
    catalog: Option<String>,
    label: Option<String>,
}

impl OtherRow {
    fn taken(&self) -> Result<Taken, InventoryError> {
        let (Some(catalog), Some(label)) = (&self.catalog, &self.label) else {
            return Ok(Taken::Configured);
        };
        Ok(Taken::Member { catalog: read_name(catalog)?, label: read_label(label)?, offered_to: None })
    }
}
