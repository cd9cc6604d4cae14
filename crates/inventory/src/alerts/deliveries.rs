//! Deliveries: what is sent at one time by one rule.

use std::time::Duration;

use sqlx::FromRow;
use xfr::Moment;

use super::Pace;
use super::digest::Digest;
use super::rules::{AlertRule, AlertRuleId, RuleRow, wanting};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{AlertError, InventoryError};
use crate::events::NewEvent;

/// Deliveries kept of a rule.
pub const DELIVERIES_KEPT: u32 = 200;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Events still come to it.
    Gathering,
    /// It is being tried, or will be again.
    Trying,
    Sent,
    /// It is not tried any more.
    Failed,
}

impl DeliveryState {
    const ALL: [Self; 4] = [Self::Gathering, Self::Trying, Self::Sent, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Trying => "trying",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn of_word(word: &str) -> Result<Self, InventoryError> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| InventoryError::Damaged(format!("a delivery's state is {word:?}")))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    pub rule: AlertRuleId,
    pub created_at: Moment,
    /// When it is tried next; none when it has ended.
    pub due_at: Option<Moment>,
    pub state: DeliveryState,
    pub digest: Digest,
    pub tries: u32,
    /// What came of the last try, in words.
    pub answer: String,
    pub tried_at: Option<Moment>,
}

impl Delivery {
    /// As it is after a try.
    #[must_use]
    pub fn after(&self, tried: &Tried) -> Self {
        let (state, due_at) = tried.state.leads_to();
        Self { state, due_at, answer: tried.answer.clone(), tried_at: Some(tried.at), ..self.clone() }
    }
}

/// A delivery whose time has come, and by which rule of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    pub tenant: TenantId,
    pub rule: AlertRule,
    pub delivery: Delivery,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub at: Moment,
    /// In words.
    pub answer: String,
    pub state: TriedState,
}

/// What follows from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriedState {
    Sent,
    Failed,
    /// It is tried again then.
    Again(Moment),
}

impl TriedState {
    fn leads_to(self) -> (DeliveryState, Option<Moment>) {
        match self {
            Self::Sent => (DeliveryState::Sent, None),
            Self::Failed => (DeliveryState::Failed, None),
            Self::Again(at) => (DeliveryState::Trying, Some(at)),
        }
    }
}

const COLUMNS: &str = "id, rule_id, created_at_ms, due_at_ms, state, digest, tries, answer, tried_at_ms";

/// Whether a row's time can come: while one of a rule's deliveries is being tried, the next one gathers.
const ITS_TURN: &str = "(state = 'trying' OR state = 'gathering' AND NOT EXISTS (SELECT 1 FROM alert_deliveries AS other \
                        WHERE other.rule_id = alert_deliveries.rule_id AND other.state = 'trying' AND NOT other.is_test))";

impl Inventory {
    /// When the next delivery is due; none where nothing waits.
    pub async fn next_delivery_due(&self) -> Result<Option<Moment>, InventoryError> {
        let statement = format!("SELECT MIN(due_at_ms) FROM alert_deliveries WHERE {ITS_TURN}");
        let due: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(self.reader()).await?;
        due.map(|due| to_u64(due).map(Moment)).transpose()
    }

    /// At most `limit` of the deliveries that are due, the first to be so first. They are tried from now on: no further event
    /// comes to them, and each is due again `lease` later, for whoever takes over from a program that has ended.
    pub async fn take_due_deliveries(
        &self,
        now: Moment,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, InventoryError> {
        let mut transaction = self.begin().await?;
        let statement = format!(
            "SELECT {COLUMNS} FROM alert_deliveries WHERE due_at_ms <= $1 AND {ITS_TURN} ORDER BY due_at_ms, id LIMIT $2"
        );
        let rows: Vec<DeliveryRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(now.0))
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        let mut due = Vec::new();
        for row in rows {
            sqlx::query(
                "UPDATE alert_deliveries SET state = 'trying', tries = tries + 1, due_at_ms = $2 WHERE id = $1",
            )
            .bind(row.id)
            .bind(to_i64(now.plus(lease).0))
            .execute(&mut *transaction)
            .await?;
            let (tenant, rule) = rule_of(&mut transaction, row.rule_id).await?;
            let mut delivery = row.read()?;
            (delivery.state, delivery.tries) = (DeliveryState::Trying, delivery.tries + 1);
            due.push(DueDelivery { tenant, rule, delivery });
        }
        transaction.commit().await?;
        Ok(due)
    }

    /// Puts on record what came of a try. Of a delivery that is gone with its rule there is nothing to say.
    pub async fn delivery_tried(&self, id: u64, tried: &Tried) -> Result<(), InventoryError> {
        let (state, due_at) = tried.state.leads_to();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE alert_deliveries SET state = $2, due_at_ms = $3, answer = $4, tried_at_ms = $5 WHERE id = $1",
        )
        .bind(to_i64(id))
        .bind(state.as_str())
        .bind(due_at.map(|at| to_i64(at.0)))
        .bind(&tried.answer)
        .bind(to_i64(tried.at.0))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes a delivery of one event that is on no record, to be tried once by whoever asks for it: to see whether what the rule
    /// names can be reached.
    pub async fn add_test_delivery(
        &self,
        tenant: TenantId,
        rule: AlertRuleId,
        event: &NewEvent,
        lease: Duration,
    ) -> Result<DueDelivery, AlertError> {
        let mut transaction = self.begin().await?;
        let is_theirs: Option<i64> =
            sqlx::query_scalar("SELECT id FROM alert_rules WHERE tenant_id = $1 AND id = $2")
                .bind(to_i64(tenant.0))
                .bind(to_i64(rule.0))
                .fetch_optional(&mut *transaction)
                .await?;
        if is_theirs.is_none() {
            return Err(AlertError::Unknown(rule));
        }
        let mut digest = Digest::default();
        digest.add(event);
        let statement = format!(
            "INSERT INTO alert_deliveries (rule_id, created_at_ms, due_at_ms, state, digest, tries, is_test) \
             VALUES ($1, $2, $3, 'trying', $4, 1, TRUE) RETURNING {COLUMNS}"
        );
        let row: DeliveryRow = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(rule.0))
            .bind(to_i64(event.at.0))
            .bind(to_i64(event.at.plus(lease).0))
            .bind(digest.write())
            .fetch_one(&mut *transaction)
            .await?;
        let (tenant, rule) = rule_of(&mut transaction, row.rule_id).await?;
        let due = DueDelivery { tenant, rule, delivery: row.read()? };
        trim(&mut transaction, due.rule.id).await?;
        transaction.commit().await?;
        Ok(due)
    }

    /// At most `limit` deliveries of the tenant's rules, or of one of them, newest first, those before the delivery `before`.
    pub async fn deliveries(
        &self,
        tenant: TenantId,
        rule: Option<AlertRuleId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Delivery>, InventoryError> {
        let statement = format!(
            "SELECT {COLUMNS} FROM alert_deliveries WHERE rule_id IN (SELECT id FROM alert_rules WHERE tenant_id = $1 AND \
             (id = $2 OR $2 = 0)) AND id < $3 ORDER BY id DESC LIMIT $4"
        );
        let rows: Vec<DeliveryRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(tenant.0))
            .bind(to_i64(rule.map_or(0, |rule| rule.0)))
            .bind(to_i64(before.unwrap_or(u64::MAX)))
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }
}

/// Has the tenant's rules that want one of these events tell of it, by the delivery that still gathers or by a new one.
pub(crate) async fn gather(
    transaction: &mut Transaction,
    tenant: TenantId,
    events: &[&NewEvent],
    pace: Pace,
) -> Result<(), InventoryError> {
    for (rule, wanted) in wanting(transaction, tenant, events).await? {
        let Some(first) = wanted.first() else { continue };
        let gathering: Option<(i64, String)> =
            sqlx::query_as("SELECT id, digest FROM alert_deliveries WHERE rule_id = $1 AND state = 'gathering'")
                .bind(to_i64(rule.0))
                .fetch_optional(&mut **transaction)
                .await?;
        let mut digest = gathering.as_ref().map(|(_, digest)| Digest::read(digest)).unwrap_or_default();
        wanted.iter().for_each(|event| digest.add(event));
        match gathering {
            Some((id, _)) => {
                sqlx::query("UPDATE alert_deliveries SET digest = $2 WHERE id = $1")
                    .bind(id)
                    .bind(digest.write())
                    .execute(&mut **transaction)
                    .await?;
            }
            None => {
                begin(transaction, rule, first.at, &digest, pace).await?;
                trim(transaction, rule).await?;
            }
        }
    }
    Ok(())
}

async fn begin(
    transaction: &mut Transaction,
    rule: AlertRuleId,
    now: Moment,
    digest: &Digest,
    pace: Pace,
) -> Result<(), InventoryError> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(tried_at_ms) FROM alert_deliveries WHERE rule_id = $1 AND state = 'sent' AND NOT is_test",
    )
    .bind(to_i64(rule.0))
    .fetch_one(&mut **transaction)
    .await?;
    let quiet_until =
        last.map(to_u64).transpose()?.map(|last| Moment(last).plus(pace.apart).min(now.plus(pace.apart)));
    let due_at = now.plus(pace.gather).max(quiet_until.unwrap_or_default());
    sqlx::query(
        "INSERT INTO alert_deliveries (rule_id, created_at_ms, due_at_ms, state, digest) VALUES ($1, $2, $3, 'gathering', $4)",
    )
    .bind(to_i64(rule.0))
    .bind(to_i64(now.0))
    .bind(to_i64(due_at.0))
    .bind(digest.write())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn trim(transaction: &mut Transaction, rule: AlertRuleId) -> Result<(), InventoryError> {
    sqlx::query(
        "DELETE FROM alert_deliveries WHERE rule_id = $1 AND due_at_ms IS NULL AND id <= \
         (SELECT id FROM alert_deliveries WHERE rule_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(to_i64(rule.0))
    .bind(i64::from(DELIVERIES_KEPT))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn rule_of(transaction: &mut Transaction, id: i64) -> Result<(TenantId, AlertRule), InventoryError> {
    let row: (i64,) = sqlx::query_as("SELECT tenant_id FROM alert_rules WHERE id = $1")
        .bind(id)
        .fetch_one(&mut **transaction)
        .await?;
    let statement = format!("SELECT {} FROM alert_rules WHERE id = $1", super::rules::COLUMNS);
    let rule: RuleRow = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(id).fetch_one(&mut **transaction).await?;
    Ok((TenantId(to_u64(row.0)?), rule.read()?))
}

#[derive(FromRow)]
struct DeliveryRow {
    id: i64,
    rule_id: i64,
    created_at_ms: i64,
    due_at_ms: Option<i64>,
    state: String,
    digest: String,
    tries: i64,
    answer: String,
    tried_at_ms: Option<i64>,
}

impl DeliveryRow {
    fn read(self) -> Result<Delivery, InventoryError> {
        let moment = |ms: Option<i64>| ms.map(|ms| to_u64(ms).map(Moment)).transpose();
        Ok(Delivery {
            id: to_u64(self.id)?,
            rule: AlertRuleId(to_u64(self.rule_id)?),
            created_at: Moment(to_u64(self.created_at_ms)?),
            due_at: moment(self.due_at_ms)?,
            state: DeliveryState::of_word(&self.state)?,
            digest: Digest::read(&self.digest),
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            answer: self.answer,
            tried_at: moment(self.tried_at_ms)?,
        })
    }
}
