//! Browsers that are signed in.
//!
//! A session ends when it was not used for [`IDLE_MS`], and [`SESSION_MS`] after its beginning at the latest. One that still
//! waits for a code ends after [`CODE_MS`]; the code opens another one, with another secret.

use std::time::Duration;

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::Hashed;
use super::audit::{self, By};
use super::users::{self, UserId};
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};

/// 12 hours: a day's work, and no night.
const IDLE_MS: u64 = 12 * 3600 * 1000;
/// 30 days.
const SESSION_MS: u64 = 30 * 24 * 3600 * 1000;
/// 5 minutes: enough to look for a telephone.
const CODE_MS: u64 = 5 * 60 * 1000;
/// That a session is used is written down so often at most: pages are looked at more often than that.
const USE_WRITTEN_EVERY_MS: u64 = 60 * 1000;
/// Sessions of one user; the oldest go.
const SESSIONS_MAX: i64 = 50;

/// What is still to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A code, after the password.
    Code,
    Open,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Open => "open",
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewSession {
    pub user: UserId,
    pub secret: Hashed,
    pub stage: Stage,
    /// What the browser calls itself.
    pub agent: String,
    /// The session that it takes the place of.
    pub replaces: Option<Hashed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its hash, which does not open it.
    pub id: String,
    pub user: UserId,
    pub stage: Stage,
    pub created_at: Moment,
    pub used_at: Moment,
    pub ends_at: Moment,
    pub address: String,
    pub agent: String,
}

impl Session {
    /// How long a browser should keep its secret.
    pub const KEPT_FOR: Duration = Duration::from_millis(SESSION_MS);
}

const COLUMNS: &str = "hash, user_id, stage, created_at_ms, used_at_ms, ends_at_ms, address, agent";

impl Inventory {
    pub async fn open_session(&self, by: &By, session: &NewSession) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = users::email_of(&mut transaction, session.user).await?;
        let now = by.at.0;
        let lives_ms = match session.stage {
            Stage::Code => CODE_MS,
            Stage::Open => IDLE_MS,
        };
        sqlx::query("DELETE FROM sessions WHERE ends_at_ms <= $1 OR hash = $2")
            .bind(to_i64(now))
            .bind(session.replaces.as_ref().map(Hashed::as_str))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO sessions (hash, user_id, stage, created_at_ms, used_at_ms, ends_at_ms, address, agent) \
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
        )
        .bind(session.secret.as_str())
        .bind(to_i64(session.user.0))
        .bind(session.stage.as_str())
        .bind(to_i64(now))
        .bind(to_i64(now.saturating_add(lives_ms)))
        .bind(by.address.map(|address| address.to_string()).unwrap_or_default())
        .bind(&session.agent)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM sessions WHERE user_id = $1 AND hash NOT IN \
             (SELECT hash FROM sessions WHERE user_id = $1 ORDER BY created_at_ms DESC, hash LIMIT $2)",
        )
        .bind(to_i64(session.user.0))
        .bind(SESSIONS_MAX)
        .execute(&mut *transaction)
        .await?;
        if session.stage == Stage::Open {
            sqlx::query("UPDATE users SET seen_at_ms = $2 WHERE id = $1")
                .bind(to_i64(session.user.0))
                .bind(to_i64(now))
                .execute(&mut *transaction)
                .await?;
            audit::write(&mut transaction, None, by, "user.signed_in", &email, json!({})).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The session with this secret, unless it has ended; this use of it makes it last.
    pub async fn session(&self, secret: &Hashed, now: Moment) -> Result<Option<Session>, InventoryError> {
        let Some(session) = self.session_unused(secret, now).await? else { return Ok(None) };
        if session.stage == Stage::Open && now.0.saturating_sub(session.used_at.0) >= USE_WRITTEN_EVERY_MS {
            let end = session.created_at.0.saturating_add(SESSION_MS).min(now.0.saturating_add(IDLE_MS));
            let mut transaction = self.begin().await?;
            sqlx::query("UPDATE sessions SET used_at_ms = $2, ends_at_ms = $3 WHERE hash = $1")
                .bind(secret.as_str())
                .bind(to_i64(now.0))
                .bind(to_i64(end))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(Some(session))
    }

    /// The same without making it last: nobody has used it.
    pub async fn session_unused(&self, secret: &Hashed, now: Moment) -> Result<Option<Session>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM sessions WHERE hash = $1 AND ends_at_ms > $2");
        let row: Option<SessionRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(secret.as_str())
            .bind(to_i64(now.0))
            .fetch_optional(self.reader())
            .await?;
        row.map(SessionRow::read).transpose()
    }

    /// The user's sessions that are open, the last used first.
    pub async fn sessions_of(&self, user: UserId, now: Moment) -> Result<Vec<Session>, InventoryError> {
        let statement = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = $1 AND stage = 'open' AND ends_at_ms > $2 \
             ORDER BY used_at_ms DESC, hash"
        );
        let rows: Vec<SessionRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(to_i64(user.0))
            .bind(to_i64(now.0))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(SessionRow::read).collect()
    }

    pub async fn end_session(&self, secret: &Hashed) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE hash = $1").bind(secret.as_str()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs the user out everywhere, but for the session `kept`.
    pub async fn end_sessions_of(&self, by: &By, user: UserId, kept: Option<&Hashed>) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = users::email_of(&mut transaction, user).await?;
        end_all(&mut transaction, user, kept).await?;
        audit::write(&mut transaction, None, by, "user.signed_out_everywhere", &email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn end_all(
    transaction: &mut Transaction,
    user: UserId,
    kept: Option<&Hashed>,
) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND hash <> $2")
        .bind(to_i64(user.0))
        .bind(kept.map_or("", Hashed::as_str))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct SessionRow {
    hash: String,
    user_id: i64,
    stage: String,
    created_at_ms: i64,
    used_at_ms: i64,
    ends_at_ms: i64,
    address: String,
    agent: String,
}

impl SessionRow {
    fn read(self) -> Result<Session, InventoryError> {
        let moment = |ms| to_u64(ms).map(Moment);
        Ok(Session {
            id: self.hash,
            user: UserId(to_u64(self.user_id)?),
            stage: if self.stage == Stage::Open.as_str() { Stage::Open } else { Stage::Code },
            created_at: moment(self.created_at_ms)?,
            used_at: moment(self.used_at_ms)?,
            ends_at: moment(self.ends_at_ms)?,
            address: self.address,
            agent: self.agent,
        })
    }
}
