//! Links that do one thing, once: whoever has one may.

use sqlx::FromRow;
use xfr::Moment;

use super::audit::By;
use super::members;
use super::users::{self, NewUser, Standing, UserId};
use super::{Hashed, Role};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creates the first operator.
    Operator,
    /// Sets the password of this user.
    Password(UserId),
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Password(_) => "password",
        }
    }

    fn user(self) -> Option<i64> {
        match self {
            Self::Operator => None,
            Self::Password(user) => Some(to_i64(user.0)),
        }
    }
}

/// A link that has not been used, nor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub purpose: Purpose,
    pub ends_at: Moment,
}

impl Inventory {
    /// Makes a link, in the place of those before that did the same.
    pub async fn make_link(
        &self,
        purpose: Purpose,
        secret: &Hashed,
        now: Moment,
        ends_at: Moment,
    ) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        forget_links(&mut transaction, purpose).await?;
        sqlx::query(
            "INSERT INTO links (hash, purpose, user_id, created_at_ms, ends_at_ms) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(secret.as_str())
        .bind(purpose.as_str())
        .bind(purpose.user())
        .bind(to_i64(now.0))
        .bind(to_i64(ends_at.0))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What the link does, if it still does.
    pub async fn link(&self, secret: &Hashed, now: Moment) -> Result<Option<Link>, InventoryError> {
        let row: Option<LinkRow> =
            sqlx::query_as("SELECT purpose, user_id, ends_at_ms FROM links WHERE hash = $1 AND ends_at_ms > $2")
                .bind(secret.as_str())
                .bind(to_i64(now.0))
                .fetch_optional(self.reader())
                .await?;
        row.map(LinkRow::read).transpose()
    }

    /// Creates the first operator, who owns the default tenant too, and uses up the link.
    pub async fn create_first_operator(
        &self,
        by: &By,
        secret: &Hashed,
        email: &str,
        password: &str,
    ) -> Result<UserId, UserError> {
        let mut transaction = self.begin().await?;
        use_up(&mut transaction, secret, Purpose::Operator, by.at).await?;
        if users::count_operators(&mut transaction).await? > 0 {
            return Err(UserError::LinkUsed);
        }
        let user = NewUser { email: email.to_owned(), password: password.to_owned(), standing: Standing::Operator };
        let id = users::add(&mut transaction, by, &user).await?;
        members::write(&mut transaction, by, TenantId::DEFAULT, id, Role::Owner).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Sets another password by a link, and uses that up; whoever is signed in as that user is no longer.
    pub async fn reset_password(
        &self,
        by: &By,
        secret: &Hashed,
        user: UserId,
        password: &str,
    ) -> Result<(), UserError> {
        let mut transaction = self.begin().await?;
        use_up(&mut transaction, secret, Purpose::Password(user), by.at).await?;
        users::set_password(&mut transaction, by, user, password, None).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn forget_links(transaction: &mut Transaction, purpose: Purpose) -> Result<(), InventoryError> {
    sqlx::query("DELETE FROM links WHERE purpose = $1 AND user_id IS NOT DISTINCT FROM $2")
        .bind(purpose.as_str())
        .bind(purpose.user())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn use_up(
    transaction: &mut Transaction,
    secret: &Hashed,
    purpose: Purpose,
    now: Moment,
) -> Result<(), UserError> {
    let used = sqlx::query(
        "DELETE FROM links WHERE hash = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND ends_at_ms > $4",
    )
    .bind(secret.as_str())
    .bind(purpose.as_str())
    .bind(purpose.user())
    .bind(to_i64(now.0))
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    if used == 0 { Err(UserError::LinkUsed) } else { Ok(()) }
}

#[derive(FromRow)]
struct LinkRow {
    purpose: String,
    user_id: Option<i64>,
    ends_at_ms: i64,
}

impl LinkRow {
    fn read(self) -> Result<Link, InventoryError> {
        let purpose = match (self.purpose.as_str(), self.user_id) {
            ("operator", None) => Purpose::Operator,
            ("password", Some(user)) => Purpose::Password(UserId(to_u64(user)?)),
            (other, _) => return Err(InventoryError::Damaged(format!("a link is for {other:?}"))),
        };
        Ok(Link { purpose, ends_at: Moment(to_u64(self.ends_at_ms)?) })
    }
}
