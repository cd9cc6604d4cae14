//! Plans: what an organisation may have, and until when.
//!
//! Invariants: a limit keeps something from being added, and takes nothing away that is there; the default organisation has
//! no plan, and so no limits; a tenant without a plan of its own has the oldest one; the end of a plan stops nothing before
//! its grace is over.

use dns::Name;
use serde_json::json;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, FromRow, Row};
use xfr::Moment;

use crate::TenantId;
use crate::accounts::{By, write_audit};
use crate::database::{Changed, Inventory, Transaction, to_i64, to_u64};
use crate::error::{AddZoneError, InventoryError, PlanError};

const DAY_MS: u64 = 24 * 3600 * 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(pub u64);

/// What a plan allows; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub zones_max: Option<u64>,
    /// Of each zone.
    pub records_max: Option<u64>,
    /// Of each zone.
    pub primaries_max: Option<u64>,
    pub members_max: Option<u64>,
    pub requests_per_minute: Option<u64>,
    /// Counted, and never a reason not to answer.
    pub queries_per_month: Option<u64>,
    pub history_days: Option<u64>,
}

/// A plan to add, or as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlan {
    pub name: String,
    pub limits: Limits,
    /// For how long zones go on after its end.
    pub grace_days: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: PlanId,
    pub plan: NewPlan,
    /// How many organisations have it by its number; those without any have the oldest.
    pub tenants: u64,
}

/// The plan that a tenant has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// None: whatever they like.
    pub plan: Option<(PlanId, NewPlan)>,
    pub ends_at: Option<Moment>,
}

/// Whether a plan counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    InForce,
    /// It has ended; zones go on until then, and nothing is added.
    Grace {
        until: Moment,
    },
    /// Zones are neither answered nor followed, and stay.
    Ended,
}

impl Terms {
    pub fn limits(&self) -> Limits {
        self.plan.as_ref().map(|(_, plan)| plan.limits).unwrap_or_default()
    }

    /// What it is called; empty where there is none.
    pub fn name(&self) -> &str {
        self.plan.as_ref().map_or("", |(_, plan)| &plan.name)
    }

    /// When zones are no longer answered.
    pub fn grace_ends_at(&self) -> Option<Moment> {
        let grace_days = self.plan.as_ref().map_or(0, |(_, plan)| plan.grace_days);
        self.ends_at.map(|at| Moment(at.0.saturating_add(grace_days.saturating_mul(DAY_MS))))
    }

    pub fn standing(&self, now: Moment) -> Standing {
        match (self.ends_at, self.grace_ends_at()) {
            (Some(_), Some(until)) if until <= now => Standing::Ended,
            (Some(ends_at), Some(until)) if ends_at <= now => Standing::Grace { until },
            _ => Standing::InForce,
        }
    }
}

impl Inventory {
    /// All plans, the oldest first.
    pub async fn plans(&self) -> Result<Vec<Plan>, InventoryError> {
        let rows: Vec<PlanRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS}, (SELECT COUNT(*) FROM tenants t WHERE t.plan_id = p.id) AS tenants FROM plans p ORDER BY p.id"
        )))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter()
            .map(|row| {
                let tenants = to_u64(row.tenants)?;
                let (id, plan) = row.read()?;
                Ok(Plan { id, plan, tenants })
            })
            .collect()
    }

    /// Adds a plan where there is none at all; whether it did.
    pub async fn add_first_plan(&self, by: &By, plan: &NewPlan) -> Result<bool, PlanError> {
        let any: Option<i64> =
            sqlx::query_scalar("SELECT id FROM plans LIMIT 1").fetch_optional(self.reader()).await?;
        match any {
            Some(_) => Ok(false),
            None => self.add_plan(by, plan).await.map(|_| true),
        }
    }

    pub async fn add_plan(&self, by: &By, plan: &NewPlan) -> Result<PlanId, PlanError> {
        let mut transaction = self.begin().await?;
        let added = of_plan(
            "INSERT INTO plans (name, zones_max, records_max, primaries_max, members_max, requests_per_minute, \
             queries_per_month, history_days, grace_days, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT DO NOTHING RETURNING id",
            plan,
        );
        let added = added.bind(to_i64(by.at.0)).fetch_optional(&mut *transaction).await?;
        let id: i64 = added.ok_or_else(|| PlanError::ExistsAlready(plan.name.clone()))?.try_get("id")?;
        write_audit(&mut transaction, None, by, "plan.added", &plan.name, said(plan)).await?;
        self.commit_change(transaction).await?;
        Ok(PlanId(to_u64(id)?))
    }

    /// Has the plan be so, for all who have it.
    pub async fn change_plan(&self, by: &By, id: PlanId, plan: &NewPlan) -> Result<(), PlanError> {
        let mut transaction = self.begin().await?;
        let namesake: Option<i64> = sqlx::query_scalar("SELECT id FROM plans WHERE name = $1 AND id <> $2")
            .bind(&plan.name)
            .bind(to_i64(id.0))
            .fetch_optional(&mut *transaction)
            .await?;
        if namesake.is_some() {
            return Err(PlanError::ExistsAlready(plan.name.clone()));
        }
        let changed = of_plan(
            "UPDATE plans SET name = $1, zones_max = $2, records_max = $3, primaries_max = $4, members_max = $5, \
             requests_per_minute = $6, queries_per_month = $7, history_days = $8, grace_days = $9 WHERE id = $10",
            plan,
        );
        let changed = changed.bind(to_i64(id.0)).execute(&mut *transaction).await?;
        if changed.rows_affected() == 0 {
            return Err(PlanError::Unknown);
        }
        write_audit(&mut transaction, None, by, "plan.changed", &plan.name, said(plan)).await?;
        self.commit_change(transaction).await?;
        Ok(())
    }

    /// Removes a plan that no organisation has by its number.
    pub async fn remove_plan(&self, by: &By, id: PlanId) -> Result<(), PlanError> {
        let mut transaction = self.begin().await?;
        let name: Option<String> = sqlx::query_scalar("SELECT name FROM plans WHERE id = $1")
            .bind(to_i64(id.0))
            .fetch_optional(&mut *transaction)
            .await?;
        let name = name.ok_or(PlanError::Unknown)?;
        let tenants: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tenants WHERE plan_id = $1")
            .bind(to_i64(id.0))
            .fetch_one(&mut *transaction)
            .await?;
        if tenants > 0 {
            return Err(PlanError::InUse { name, tenants: to_u64(tenants)? });
        }
        sqlx::query("DELETE FROM plans WHERE id = $1").bind(to_i64(id.0)).execute(&mut *transaction).await?;
        write_audit(&mut transaction, None, by, "plan.removed", &name, json!({})).await?;
        self.commit_change(transaction).await?;
        Ok(())
    }

    /// Gives the tenant this plan, until then; with none it has the oldest one.
    pub async fn set_plan(
        &self,
        by: &By,
        tenant: TenantId,
        plan: Option<PlanId>,
        ends_at: Option<Moment>,
    ) -> Result<(), PlanError> {
        let mut transaction = self.begin().await?;
        let name: Option<String> = match plan {
            None => None,
            Some(plan) => {
                let name = sqlx::query_scalar("SELECT name FROM plans WHERE id = $1")
                    .bind(to_i64(plan.0))
                    .fetch_optional(&mut *transaction)
                    .await?;
                Some(name.ok_or(PlanError::Unknown)?)
            }
        };
        let changed = sqlx::query("UPDATE tenants SET plan_id = $2, plan_ends_at_ms = $3 WHERE id = $1")
            .bind(to_i64(tenant.0))
            .bind(plan.map(|plan| to_i64(plan.0)))
            .bind(ends_at.map(|at| to_i64(at.0)))
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(PlanError::NoTenant);
        }
        let details = json!({ "plan": name, "ends_at_ms": ends_at.map(|at| at.0) });
        write_audit(&mut transaction, Some(tenant), by, "tenant.plan", &tenant.0.to_string(), details).await?;
        self.commit_change_of(Changed::tenant(tenant), transaction).await?;
        Ok(())
    }

    /// The plan that the tenant has.
    pub async fn terms(&self, tenant: TenantId) -> Result<Terms, InventoryError> {
        let mut transaction = self.reader().begin().await?;
        terms(&mut transaction, tenant).await
    }

    /// Of all tenants that have one.
    pub async fn all_terms(&self) -> Result<Vec<(TenantId, Terms)>, InventoryError> {
        let rows: Vec<TermsRow> = sqlx::query_as(sqlx::AssertSqlSafe(terms_of("t.id <> $1")))
            .bind(to_i64(TenantId::DEFAULT.0))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(TermsRow::read).collect()
    }

    /// How many zones the tenant has.
    pub async fn count_zones(&self, tenant: TenantId) -> Result<u64, InventoryError> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM zones WHERE tenant_id = $1")
            .bind(to_i64(tenant.0))
            .fetch_one(self.reader())
            .await?;
        to_u64(count)
    }
}

/// What may still be added for a tenant, within one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    plan: String,
    is_over: bool,
    zones_max: u64,
    zones_left: Option<u64>,
    primaries_max: Option<u64>,
}

impl Allowance {
    pub(crate) async fn of(
        transaction: &mut Transaction,
        tenant: TenantId,
        now: Moment,
    ) -> Result<Self, InventoryError> {
        let terms = terms(transaction, tenant).await?;
        let limits = terms.limits();
        let zones_left = match limits.zones_max {
            None => None,
            Some(most) => {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM zones WHERE tenant_id = $1")
                    .bind(to_i64(tenant.0))
                    .fetch_one(&mut **transaction)
                    .await?;
                Some(most.saturating_sub(to_u64(count)?))
            }
        };
        Ok(Self {
            plan: terms.name().to_owned(),
            is_over: terms.standing(now) != Standing::InForce,
            zones_max: limits.zones_max.unwrap_or_default(),
            zones_left,
            primaries_max: limits.primaries_max,
        })
    }

    /// # Errors
    /// When one more zone, or so many primaries, are more than the plan allows.
    pub(crate) fn allows(&self, zone: &Name, primaries: usize) -> Result<(), AddZoneError> {
        if self.is_over {
            return Err(AddZoneError::PlanEnded { zone: zone.clone(), plan: self.plan.clone() });
        }
        if self.zones_left == Some(0) {
            let (zone, plan) = (zone.clone(), self.plan.clone());
            return Err(AddZoneError::PlanZones { zone, plan, limit: self.zones_max });
        }
        self.allows_primaries(zone, primaries)
    }

    /// # Errors
    /// When so many primaries are more than the plan allows.
    pub(crate) fn allows_primaries(&self, zone: &Name, primaries: usize) -> Result<(), AddZoneError> {
        within_primaries(&self.plan, self.primaries_max, zone, primaries)
    }

    /// One zone more is there.
    pub(crate) fn spend(&mut self) {
        self.zones_left = self.zones_left.map(|left| left.saturating_sub(1));
    }
}

/// # Errors
/// When so many primaries are more than the tenant's plan allows.
pub(crate) async fn check_primaries_allowed(
    transaction: &mut Transaction,
    tenant: TenantId,
    zone: &Name,
    primaries: usize,
) -> Result<(), AddZoneError> {
    let terms = terms(transaction, tenant).await?;
    within_primaries(terms.name(), terms.limits().primaries_max, zone, primaries)
}

fn within_primaries(plan: &str, limit: Option<u64>, zone: &Name, primaries: usize) -> Result<(), AddZoneError> {
    match limit.filter(|limit| primaries as u64 > *limit) {
        None => Ok(()),
        Some(limit) => Err(AddZoneError::PlanPrimaries { zone: zone.clone(), plan: plan.to_owned(), limit }),
    }
}

const COLUMNS: &str = "p.id, p.name, p.zones_max, p.records_max, p.primaries_max, p.members_max, p.requests_per_minute, \
                       p.queries_per_month, p.history_days, p.grace_days";

pub(crate) async fn terms(transaction: &mut Transaction, tenant: TenantId) -> Result<Terms, InventoryError> {
    if tenant == TenantId::DEFAULT {
        return Ok(Terms::default());
    }
    let row: Option<TermsRow> = sqlx::query_as(sqlx::AssertSqlSafe(terms_of("t.id = $1")))
        .bind(to_i64(tenant.0))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.map(TermsRow::read).transpose()?.map(|(_, terms)| terms).unwrap_or_default())
}

/// Tenants with their plans, or with the oldest where they have none of their own.
fn terms_of(which: &str) -> String {
    format!(
        "SELECT t.id AS tenant_id, t.plan_ends_at_ms, {COLUMNS}, 0 AS tenants FROM tenants t \
         JOIN plans p ON p.id = COALESCE(t.plan_id, (SELECT MIN(id) FROM plans)) WHERE {which}"
    )
}

/// A statement whose first nine parameters are what the plan says.
fn of_plan<'q>(statement: &'static str, plan: &'q NewPlan) -> Query<'q, Any, AnyArguments> {
    let limits = &plan.limits;
    sqlx::query(statement)
        .bind(&plan.name)
        .bind(number(limits.zones_max))
        .bind(number(limits.records_max))
        .bind(number(limits.primaries_max))
        .bind(number(limits.members_max))
        .bind(number(limits.requests_per_minute))
        .bind(number(limits.queries_per_month))
        .bind(number(limits.history_days))
        .bind(to_i64(plan.grace_days))
}

fn number(limit: Option<u64>) -> Option<i64> {
    limit.map(to_i64)
}

fn said(plan: &NewPlan) -> serde_json::Value {
    let Limits {
        zones_max,
        records_max,
        primaries_max,
        members_max,
        requests_per_minute,
        queries_per_month,
        history_days,
    } = plan.limits;
    json!({
        "zones_max": zones_max, "records_max": records_max, "primaries_max": primaries_max, "members_max": members_max,
        "requests_per_minute": requests_per_minute, "queries_per_month": queries_per_month,
        "history_days": history_days, "grace_days": plan.grace_days,
    })
}

#[derive(FromRow)]
struct PlanRow {
    id: i64,
    name: String,
    zones_max: Option<i64>,
    records_max: Option<i64>,
    primaries_max: Option<i64>,
    members_max: Option<i64>,
    requests_per_minute: Option<i64>,
    queries_per_month: Option<i64>,
    history_days: Option<i64>,
    grace_days: i64,
    #[sqlx(default)]
    tenants: i64,
}

impl PlanRow {
    fn read(self) -> Result<(PlanId, NewPlan), InventoryError> {
        let limit = |limit: Option<i64>| limit.map(to_u64).transpose();
        let limits = Limits {
            zones_max: limit(self.zones_max)?,
            records_max: limit(self.records_max)?,
            primaries_max: limit(self.primaries_max)?,
            members_max: limit(self.members_max)?,
            requests_per_minute: limit(self.requests_per_minute)?,
            queries_per_month: limit(self.queries_per_month)?,
            history_days: limit(self.history_days)?,
        };
        let plan = NewPlan { name: self.name, limits, grace_days: to_u64(self.grace_days)? };
        Ok((PlanId(to_u64(self.id)?), plan))
    }
}

#[derive(FromRow)]
struct TermsRow {
    tenant_id: i64,
    plan_ends_at_ms: Option<i64>,
    #[sqlx(flatten)]
    plan: PlanRow,
}

impl TermsRow {
    fn read(self) -> Result<(TenantId, Terms), InventoryError> {
        let ends_at = self.plan_ends_at_ms.map(|at| to_u64(at).map(Moment)).transpose()?;
        Ok((TenantId(to_u64(self.tenant_id)?), Terms { plan: Some(self.plan.read()?), ends_at }))
    }
}

#[cfg(test)]
mod tests {
    use xfr::Moment;

    use super::{DAY_MS, Limits, NewPlan, PlanId, Standing, Terms};

    #[test]
    fn a_plan_that_has_ended_counts_for_its_grace() {
        let plan = NewPlan { name: "small".into(), limits: Limits::default(), grace_days: 14 };
        let mut terms = Terms { plan: Some((PlanId(1), plan)), ends_at: None };
        assert_eq!(terms.standing(Moment(u64::MAX)), Standing::InForce);
        terms.ends_at = Some(Moment(1000));
        let until = Moment(1000 + 14 * DAY_MS);
        assert_eq!(terms.standing(Moment(999)), Standing::InForce);
        assert_eq!(terms.standing(Moment(1000)), Standing::Grace { until });
        assert_eq!(terms.standing(Moment(until.0 - 1)), Standing::Grace { until });
        assert_eq!(terms.standing(until), Standing::Ended);
        let free = Terms { plan: None, ends_at: None };
        assert_eq!((free.standing(until), free.limits()), (Standing::InForce, Limits::default()));
    }
}
