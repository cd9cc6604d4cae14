//! People who may sign in.

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::audit::{self, By};
use super::{Hashed, members, sessions};
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};

/// A user's number; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub u64);

/// What somebody is to the whole service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    User,
    /// Whoever runs the service: above all tenants.
    Operator,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewUser {
    /// As typed.
    pub email: String,
    /// Argon2id, as a PHC string.
    pub password: String,
    pub standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub password: String,
    pub standing: Standing,
    /// Base32; none without a second factor.
    pub totp_secret: Option<String>,
    pub created_at: Moment,
    /// When they last signed in.
    pub seen_at: Option<Moment>,
    /// When they showed that they read what is sent to their address.
    pub verified_at: Option<Moment>,
}

/// What somebody shows besides their password.
#[derive(Clone, Debug)]
pub enum SecondFactor {
    /// The code of this step of time, which was found right; it counts only if none of this step or a later one has.
    Totp {
        step: u64,
    },
    Recovery(Hashed),
}

const COUNT_OPERATORS: &str = "SELECT COUNT(*) FROM users WHERE standing = 'operator'";
const COLUMNS: &str = "id, email, password, standing, totp_secret, created_at_ms, seen_at_ms, verified_at_ms";

impl Inventory {
    pub async fn has_operator(&self) -> Result<bool, InventoryError> {
        let count: i64 = sqlx::query_scalar(COUNT_OPERATORS).fetch_one(self.reader()).await?;
        Ok(count > 0)
    }

    pub async fn add_user(&self, by: &By, user: &NewUser) -> Result<UserId, UserError> {
        let mut transaction = self.begin().await?;
        let id = add(&mut transaction, by, user).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Whoever has this address, in whatever case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM users WHERE email_lower = $1");
        let row: Option<UserRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(email.to_lowercase())
            .fetch_optional(self.reader())
            .await?;
        row.map(UserRow::read).transpose()
    }

    pub async fn user(&self, id: UserId) -> Result<Option<User>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM users WHERE id = $1");
        let row: Option<UserRow> =
            sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(id.0)).fetch_optional(self.reader()).await?;
        row.map(UserRow::read).transpose()
    }

    /// Everybody, in the order of their addresses.
    pub async fn users(&self) -> Result<Vec<User>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM users ORDER BY email_lower");
        let rows: Vec<UserRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(self.reader()).await?;
        rows.into_iter().map(UserRow::read).collect()
    }

    /// Sets another password; whoever is signed in as that user is no longer, but with the session `kept`.
    pub async fn set_password(
        &self,
        by: &By,
        id: UserId,
        password: &str,
        kept: Option<&Hashed>,
    ) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        set_password(&mut transaction, by, id, password, kept).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Wants a code from now on, besides the password; the recovery codes take the place of those before.
    pub async fn set_totp(
        &self,
        by: &By,
        id: UserId,
        secret: &str,
        step: u64,
        recovery: &[Hashed],
    ) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = email_of(&mut transaction, id).await?;
        sqlx::query("UPDATE users SET totp_secret = $2, totp_step = $3 WHERE id = $1")
            .bind(to_i64(id.0))
            .bind(secret)
            .bind(to_i64(step))
            .execute(&mut *transaction)
            .await?;
        write_recovery_codes(&mut transaction, id, recovery).await?;
        audit::write(&mut transaction, None, by, "user.second_factor_set", &email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Wants no code any more.
    pub async fn remove_totp(&self, by: &By, id: UserId) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = email_of(&mut transaction, id).await?;
        sqlx::query("UPDATE users SET totp_secret = NULL, totp_step = NULL WHERE id = $1")
            .bind(to_i64(id.0))
            .execute(&mut *transaction)
            .await?;
        write_recovery_codes(&mut transaction, id, &[]).await?;
        audit::write(&mut transaction, None, by, "user.second_factor_removed", &email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many recovery codes are left.
    pub async fn recovery_codes(&self, id: UserId) -> Result<u64, InventoryError> {
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1")
            .bind(to_i64(id.0))
            .fetch_one(self.reader())
            .await?;
        to_u64(count)
    }

    /// Uses up a second factor; whether it counted.
    pub async fn use_second_factor(
        &self,
        by: &By,
        id: UserId,
        factor: &SecondFactor,
    ) -> Result<bool, InventoryError> {
        let mut transaction = self.begin().await?;
        let used = match factor {
            SecondFactor::Totp { step } => {
                sqlx::query("UPDATE users SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2)")
                    .bind(to_i64(id.0))
                    .bind(to_i64(*step))
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected()
            }
            SecondFactor::Recovery(code) => {
                sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2")
                    .bind(to_i64(id.0))
                    .bind(code.as_str())
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected()
            }
        };
        if used > 0
            && let (SecondFactor::Recovery(_), Ok(email)) = (factor, email_of(&mut transaction, id).await)
        {
            audit::write(&mut transaction, None, by, "user.recovery_code_used", &email, json!({})).await?;
        }
        transaction.commit().await?;
        Ok(used > 0)
    }

    /// Removes somebody with all their sessions; not the last operator, nor the last owner of a tenant.
    pub async fn remove_user(&self, by: &By, id: UserId) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        let email = email_of(&mut transaction, id).await?;
        let standing: String = sqlx::query_scalar("SELECT standing FROM users WHERE id = $1")
            .bind(to_i64(id.0))
            .fetch_one(&mut *transaction)
            .await?;
        if standing == Standing::Operator.as_str() && count_operators(&mut transaction).await? < 2 {
            return Err(UserError::LastOperator(email));
        }
        if let Some(tenant) = members::only_owned_by(&mut transaction, id).await? {
            return Err(UserError::LastOwner { email, tenant });
        }
        // What is theirs goes with them: ON DELETE CASCADE.
        sqlx::query("DELETE FROM users WHERE id = $1").bind(to_i64(id.0)).execute(&mut *transaction).await?;
        audit::write(&mut transaction, None, by, "user.removed", &email, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn add(transaction: &mut Transaction, by: &By, user: &NewUser) -> Result<UserId, UserError> {
    let id: Option<i64> = sqlx::query_scalar(
        "INSERT INTO users (email, email_lower, password, standing, created_at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(&user.email)
    .bind(user.email.to_lowercase())
    .bind(&user.password)
    .bind(user.standing.as_str())
    .bind(to_i64(by.at.0))
    .fetch_optional(&mut **transaction)
    .await?;
    let id = id.ok_or_else(|| UserError::ExistsAlready(user.email.clone()))?;
    let details = json!({ "standing": user.standing.as_str() });
    audit::write(transaction, None, by, "user.added", &user.email, details).await?;
    Ok(UserId(to_u64(id)?))
}

pub(super) async fn set_password(
    transaction: &mut Transaction,
    by: &By,
    id: UserId,
    password: &str,
    kept: Option<&Hashed>,
) -> Result<(), UserError> {
    let email = email_of(transaction, id).await?;
    sqlx::query("UPDATE users SET password = $2 WHERE id = $1")
        .bind(to_i64(id.0))
        .bind(password)
        .execute(&mut **transaction)
        .await?;
    sessions::end_all(transaction, id, kept).await?;
    // Who knows the new one needs no link, and whoever has an old link may be somebody else.
    for statement in [
        "DELETE FROM links WHERE user_id = $1 AND purpose IN ('password', 'email')",
        "DELETE FROM devices WHERE user_id = $1",
    ] {
        sqlx::query(statement).bind(to_i64(id.0)).execute(&mut **transaction).await?;
    }
    audit::write(transaction, None, by, "user.password_set", &email, json!({})).await.map_err(UserError::from)
}

/// They read what is sent to their address; known from the first time on.
pub(super) async fn is_verified(
    transaction: &mut Transaction,
    id: UserId,
    now: Moment,
) -> Result<(), InventoryError> {
    sqlx::query("UPDATE users SET verified_at_ms = $2 WHERE id = $1 AND verified_at_ms IS NULL")
        .bind(to_i64(id.0))
        .bind(to_i64(now.0))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

pub(super) async fn email_of(transaction: &mut Transaction, id: UserId) -> Result<String, UserError> {
    let email: Option<String> = sqlx::query_scalar("SELECT email FROM users WHERE id = $1")
        .bind(to_i64(id.0))
        .fetch_optional(&mut **transaction)
        .await?;
    email.ok_or(UserError::Unknown)
}

pub(super) async fn count_operators(transaction: &mut Transaction) -> Result<i64, InventoryError> {
    Ok(sqlx::query_scalar(COUNT_OPERATORS).fetch_one(&mut **transaction).await?)
}

async fn write_recovery_codes(
    transaction: &mut Transaction,
    id: UserId,
    codes: &[Hashed],
) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1")
        .bind(to_i64(id.0))
        .execute(&mut **transaction)
        .await?;
    for code in codes {
        sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
            .bind(to_i64(id.0))
            .bind(code.as_str())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct UserRow {
    id: i64,
    email: String,
    password: String,
    standing: String,
    totp_secret: Option<String>,
    created_at_ms: i64,
    seen_at_ms: Option<i64>,
    verified_at_ms: Option<i64>,
}

impl UserRow {
    fn read(self) -> Result<User, InventoryError> {
        Ok(User {
            id: UserId(to_u64(self.id)?),
            email: self.email,
            password: self.password,
            standing: if self.standing == Standing::Operator.as_str() { Standing::Operator } else { Standing::User },
            totp_secret: self.totp_secret,
            created_at: Moment(to_u64(self.created_at_ms)?),
            seen_at: self.seen_at_ms.map(to_u64).transpose()?.map(Moment),
            verified_at: self.verified_at_ms.map(to_u64).transpose()?.map(Moment),
        })
    }
}
