//! Carrying out a plan: all of it in one transaction, each action whole or not at all.
//!
//! A plan is made outside of the transaction, so that every action looks again: only what is still a member of the
//! catalog is changed or removed, and a name that somebody has configured meanwhile is left to them.

use dns::Name;
use xfr::Moment;
use zone::ZoneId;
use zone::catalog::{Action, Label, State, Warrant};

use super::{Catalog, millis};
use crate::claims::Carried;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{ApplyError, CatalogError, InventoryError};
use crate::names::lower_text;
use crate::plans::Allowance;
use crate::removed::{Inherits, remove, remove_and_keep};
use crate::zones::{NewZone, find_id, insert, make_like};

/// What a member of that name in that group is made of.
pub type Make<'a> = dyn Fn(&Name, Option<&str>) -> NewZone + Sync + 'a;

impl Inventory {
    /// Carries out what was planned for the catalog, and tells of each action what came of it, in their order. Removed
    /// zones are among [`Intent::kept`](crate::Intent::kept) until then, and one that is added again under its label is
    /// the same zone again; after that, and where it is begun anew, they are to be deleted. Wakes reconcile only when zones have
    /// changed, so that it may plan whenever it is woken. Some 120 µs an action, during which nothing else is written:
    /// tens of thousands are better given in parts.
    ///
    /// # Errors
    /// When it is no catalog any more, or the inventory fails; nothing has been carried out then.
    pub async fn apply_plan(
        &self,
        catalog: &Catalog,
        actions: &[Action],
        make: &Make<'_>,
        now: Moment,
        keep_until: Moment,
    ) -> Result<Vec<Result<(), ApplyError>>, CatalogError> {
        if actions.iter().all(|action| matches!(action, Action::Skip { .. })) {
            return Ok(actions.iter().map(|_| Ok(())).collect());
        }
        let mut transaction = self.begin().await?;
        let allowance = Allowance::of(&mut transaction, catalog.tenant, now).await?;
        let mut applying = Applying { transaction, catalog, allowance, make, now, keep_until };
        applying.check_catalog().await?;
        applying.forget_old_removals().await?;
        let mut results = Vec::with_capacity(actions.len());
        for action in actions {
            match applying.whole(action).await {
                // What is wrong with the inventory is wrong for every action; dropping the transaction undoes all.
                Err(ApplyError::Inventory(error)) => return Err(error.into()),
                result => results.push(result),
            }
        }
        if actions.iter().zip(&results).any(|(action, result)| result.is_ok() && changes_zones(action)) {
            self.commit_change(applying.transaction).await?;
        } else {
            applying.transaction.commit().await?;
        }
        Ok(results)
    }
}

fn changes_zones(action: &Action) -> bool {
    !matches!(action, Action::Hold { .. } | Action::Found { .. } | Action::Skip { .. })
}

struct Applying<'a> {
    transaction: Transaction,
    catalog: &'a Catalog,
    allowance: Allowance,
    make: &'a Make<'a>,
    now: Moment,
    keep_until: Moment,
}

impl Applying<'_> {
    async fn check_catalog(&mut self) -> Result<(), CatalogError> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT c.zone_id FROM catalogs c JOIN zones z ON z.id = c.zone_id WHERE c.zone_id = $1 AND z.tenant_id = $2",
        )
        .bind(to_i64(self.catalog.id.0))
        .bind(to_i64(self.catalog.tenant.0))
        .fetch_optional(&mut *self.transaction)
        .await?;
        found.map(drop).ok_or_else(|| CatalogError::NotCatalog(self.catalog.name.clone()))
    }

    /// Carries out the action, or leaves nothing of it.
    async fn whole(&mut self, action: &Action) -> Result<(), ApplyError> {
        sqlx::query("SAVEPOINT action").execute(&mut *self.transaction).await?;
        let result = self.carry_out(action).await;
        if let Err(ApplyError::Inventory(_)) = result {
            return result;
        }
        if result.is_err() {
            sqlx::query("ROLLBACK TO SAVEPOINT action").execute(&mut *self.transaction).await?;
        }
        sqlx::query("RELEASE SAVEPOINT action").execute(&mut *self.transaction).await?;
        result
    }

    async fn carry_out(&mut self, action: &Action) -> Result<(), ApplyError> {
        match action {
            Action::Skip { .. } => Ok(()),
            Action::Add { zone, label, group } => self.add(zone, label, group.as_deref()).await,
            Action::Remove { zone, warrant } => {
                let id = self.member(self.catalog.id, zone).await?;
                if self.keep_until > self.now {
                    remove_and_keep(&mut self.transaction, id, self.now, self.keep_until).await?;
                } else {
                    remove(&mut self.transaction, id).await?;
                }
                self.count(*warrant).await
            }
            Action::Reset { zone, label, group, warrant } => {
                let id = self.member(self.catalog.id, zone).await?;
                self.begin_anew(id, zone, label, group.as_deref()).await?;
                self.count(*warrant).await
            }
            Action::ChangeGroup { zone, group } => {
                let id = self.member(self.catalog.id, zone).await?;
                self.change_group(id, zone, group.as_deref()).await
            }
            Action::Migrate { zone, from, label, group, state } => {
                let from = self.other_catalog(from, zone).await?;
                let id = self.member(from, zone).await?;
                match state {
                    State::Kept => self.take_over(id, zone, label, group.as_deref()).await,
                    State::Reset => self.begin_anew(id, zone, label, group.as_deref()).await,
                }
            }
            Action::Hold { zone, .. } => {
                let id = self.member(self.catalog.id, zone).await?;
                self.mark_missing(id).await
            }
            Action::Found { zone } => {
                let id = self.member(self.catalog.id, zone).await?;
                self.mark_found(id).await
            }
        }
    }

    async fn add(&mut self, zone: &Name, label: &Label, group: Option<&str>) -> Result<(), ApplyError> {
        let zone = (self.make)(zone, group);
        let heir = Inherits::Labelled(label);
        let id =
            insert(&mut self.transaction, self.catalog.tenant, &zone, heir, &mut self.allowance, self.now).await?;
        self.enrol(id, label, group).await
    }

    /// Removes a zone and adds it again under another id: nothing of its contents is left.
    async fn begin_anew(
        &mut self,
        id: ZoneId,
        zone: &Name,
        label: &Label,
        group: Option<&str>,
    ) -> Result<(), ApplyError> {
        // The name is whose it was, and shown by what it was shown by.
        let claim = Carried::of_zone(&mut self.transaction, id).await?;
        remove(&mut self.transaction, id).await?;
        let anew = NewZone { stored_as: None, proof: None, ..(self.make)(zone, group) };
        // It takes the place of the one that went.
        let mut allowance = Allowance::of(&mut self.transaction, self.catalog.tenant, self.now).await?;
        let (tenant, heir) = (self.catalog.tenant, Inherits::Nothing);
        let id = insert(&mut self.transaction, tenant, &anew, heir, &mut allowance, self.now).await?;
        if let Some(claim) = claim {
            claim.give(&mut self.transaction, id).await?;
        }
        self.enrol(id, label, group).await
    }

    /// Has the zone of another catalog as this one's, with its contents.
    async fn take_over(
        &mut self,
        id: ZoneId,
        zone: &Name,
        label: &Label,
        group: Option<&str>,
    ) -> Result<(), ApplyError> {
        sqlx::query("DELETE FROM catalog_members WHERE zone_id = $1")
            .bind(to_i64(id.0))
            .execute(&mut *self.transaction)
            .await?;
        self.enrol(id, label, group).await?;
        make_like(&mut self.transaction, self.catalog.tenant, id, &(self.make)(zone, group)).await?;
        Ok(())
    }

    async fn change_group(&mut self, id: ZoneId, zone: &Name, group: Option<&str>) -> Result<(), ApplyError> {
        sqlx::query("UPDATE catalog_members SET group_name = $1 WHERE zone_id = $2")
            .bind(group)
            .bind(to_i64(id.0))
            .execute(&mut *self.transaction)
            .await?;
        make_like(&mut self.transaction, self.catalog.tenant, id, &(self.make)(zone, group)).await?;
        Ok(())
    }

    async fn enrol(&mut self, id: ZoneId, label: &Label, group: Option<&str>) -> Result<(), ApplyError> {
        sqlx::query("INSERT INTO catalog_members (zone_id, catalog_id, label, group_name) VALUES ($1, $2, $3, $4)")
            .bind(to_i64(id.0))
            .bind(to_i64(self.catalog.id.0))
            .bind(label.to_string())
            .bind(group)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    async fn mark_missing(&mut self, id: ZoneId) -> Result<(), ApplyError> {
        sqlx::query(
            "UPDATE catalog_members SET missing_since_ms = $1 WHERE zone_id = $2 AND missing_since_ms IS NULL",
        )
        .bind(to_i64(self.now.0))
        .bind(to_i64(id.0))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    async fn mark_found(&mut self, id: ZoneId) -> Result<(), ApplyError> {
        sqlx::query("UPDATE catalog_members SET missing_since_ms = NULL WHERE zone_id = $1")
            .bind(to_i64(id.0))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Has the guard count a zone that went at once.
    async fn count(&mut self, warrant: Warrant) -> Result<(), ApplyError> {
        if warrant == Warrant::Ordinary {
            sqlx::query("INSERT INTO catalog_removals (catalog_id, removed_at_ms) VALUES ($1, $2)")
                .bind(to_i64(self.catalog.id.0))
                .bind(to_i64(self.now.0))
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }

    async fn forget_old_removals(&mut self) -> Result<(), InventoryError> {
        sqlx::query("DELETE FROM catalog_removals WHERE catalog_id = $1 AND removed_at_ms <= $2")
            .bind(to_i64(self.catalog.id.0))
            .bind(to_i64(self.now.0).saturating_sub(millis(self.catalog.settings.guard.delay)))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// The zone of that name, if it is that catalog's.
    async fn member(&mut self, catalog: ZoneId, zone: &Name) -> Result<ZoneId, ApplyError> {
        let id: Option<i64> = sqlx::query_scalar(
            "SELECT z.id FROM zones z JOIN catalog_members m ON m.zone_id = z.id \
             WHERE z.tenant_id = $1 AND z.name = $2 AND m.catalog_id = $3",
        )
        .bind(to_i64(self.catalog.tenant.0))
        .bind(lower_text(zone))
        .bind(to_i64(catalog.0))
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(ZoneId(to_u64(id.ok_or_else(|| ApplyError::NotMember(zone.clone()))?)?))
    }

    /// The tenant's catalog of that name, which the zone is to come from.
    async fn other_catalog(&mut self, name: &Name, zone: &Name) -> Result<ZoneId, ApplyError> {
        let id = find_id(&mut self.transaction, self.catalog.tenant, name).await?;
        id.ok_or_else(|| ApplyError::NotMember(zone.clone()))
    }
}
