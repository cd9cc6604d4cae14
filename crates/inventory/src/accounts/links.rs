//! Links that do one thing, once: whoever has one may.

use sqlx::FromRow;
use xfr::Moment;

use super::audit::{Actor, By};
use super::members;
use super::users::{self, NewUser, Standing, UserId};
use super::{Hashed, Role};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::{InventoryError, UserError};

/// How somebody got a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// At the address: whoever uses it reads what is sent there.
    ByMail,
    /// By somebody who was shown it.
    ByHand,
}

/// What a link does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creates the first operator.
    Operator,
    /// Sets the password of this user.
    Password { user: UserId, sent: Sent },
    /// Makes a user with this password, which is hashed, and an organisation that is theirs.
    SignUp { email: String, password: String, organisation: String },
    /// Has whoever has this address belong to the tenant.
    Invitation { tenant: TenantId, email: String, role: Role, sent: Sent },
    /// Gives the user this address.
    Email { user: UserId, email: String },
}

impl Purpose {
    /// Links of one user that set a password; one takes the place of those before.
    pub fn password(user: UserId) -> Self {
        Self::Password { user, sent: Sent::ByHand }
    }
}

/// A link that has not been used, nor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub purpose: Purpose,
    pub ends_at: Moment,
}

const COLUMNS: &str = "purpose, user_id, ends_at_ms, email, is_by_mail, tenant_id, role, password, organisation";

impl Inventory {
    /// Makes a link that creates the operator, sets a password or changes an address, in the place of those before that did
    /// the same; or one for signing up, of which an address may have several: nobody ends another's by asking for their own.
    pub async fn make_link(
        &self,
        purpose: &Purpose,
        secret: &Hashed,
        now: Moment,
        ends_at: Moment,
    ) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM links WHERE ends_at_ms <= $1")
            .bind(to_i64(now.0))
            .execute(&mut *transaction)
            .await?;
        match purpose {
            Purpose::Operator | Purpose::Password { .. } | Purpose::Email { .. } => {
                forget_alike(&mut transaction, purpose).await?;
            }
            Purpose::SignUp { .. } | Purpose::Invitation { .. } => {}
        }
        let row = Row { purpose, maker: None, made_by: None };
        row.write(&mut transaction, secret, now, ends_at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What the link does, if it still does.
    pub async fn link(&self, secret: &Hashed, now: Moment) -> Result<Option<Link>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM links WHERE hash = $1 AND ends_at_ms > $2");
        let row: Option<LinkRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
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
        let Purpose::Operator = use_up(&mut transaction, secret, by.at).await? else {
            return Err(UserError::LinkUsed);
        };
        if users::count_operators(&mut transaction).await? > 0 {
            return Err(UserError::LinkUsed);
        }
        let user = NewUser { email: email.to_owned(), password: password.to_owned(), standing: Standing::Operator };
        let by = By { actor: Actor::Newcomer(email.to_owned()), ..by.clone() };
        let id = users::add(&mut transaction, &by, &user).await?;
        members::write(&mut transaction, &by, TenantId::DEFAULT, id, Role::Owner).await?;
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
        let sent = match use_up(&mut transaction, secret, by.at).await? {
            Purpose::Password { user: its, sent } if its == user => sent,
            _ => return Err(UserError::LinkUsed),
        };
        users::set_password(&mut transaction, by, user, password, None).await?;
        if sent == Sent::ByMail {
            users::is_verified(&mut transaction, user, by.at).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// A link's row as it is written.
pub(super) struct Row<'a> {
    pub(super) purpose: &'a Purpose,
    /// Who has made it, with whom it goes.
    pub(super) maker: Option<UserId>,
    pub(super) made_by: Option<String>,
}

impl Row<'_> {
    pub(super) async fn write(
        &self,
        transaction: &mut Transaction,
        secret: &Hashed,
        now: Moment,
        ends_at: Moment,
    ) -> Result<(), InventoryError> {
        let mut columns = Columns::of(self.purpose);
        columns.user = columns.user.or(self.maker.map(|maker| to_i64(maker.0)));
        sqlx::query(
            "INSERT INTO links (hash, purpose, user_id, created_at_ms, ends_at_ms, email, email_lower, is_by_mail, \
             tenant_id, role, made_by, password, organisation) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(secret.as_str())
        .bind(columns.purpose)
        .bind(columns.user)
        .bind(to_i64(now.0))
        .bind(to_i64(ends_at.0))
        .bind(columns.email)
        .bind(columns.email.map(str::to_lowercase))
        .bind(columns.is_by_mail)
        .bind(columns.tenant)
        .bind(columns.role)
        .bind(self.made_by.as_deref())
        .bind(columns.password)
        .bind(columns.organisation)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

/// What a purpose is in the database.
#[derive(Default)]
struct Columns<'a> {
    purpose: &'static str,
    user: Option<i64>,
    email: Option<&'a str>,
    is_by_mail: i64,
    tenant: Option<i64>,
    role: Option<&'static str>,
    password: Option<&'a str>,
    organisation: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(purpose: &'a Purpose) -> Self {
        let is_by_mail = |sent: &Sent| i64::from(*sent == Sent::ByMail);
        match purpose {
            Purpose::Operator => Self { purpose: "operator", ..Self::default() },
            Purpose::Password { user, sent } => Self {
                purpose: "password",
                user: Some(to_i64(user.0)),
                is_by_mail: is_by_mail(sent),
                ..Self::default()
            },
            Purpose::SignUp { email, password, organisation } => Self {
                purpose: "sign_up",
                email: Some(email),
                is_by_mail: 1,
                password: Some(password),
                organisation: Some(organisation),
                ..Self::default()
            },
            Purpose::Invitation { tenant, email, role, sent } => Self {
                purpose: "invitation",
                email: Some(email),
                is_by_mail: is_by_mail(sent),
                tenant: Some(to_i64(tenant.0)),
                role: Some(role.as_str()),
                ..Self::default()
            },
            Purpose::Email { user, email } => Self {
                purpose: "email",
                user: Some(to_i64(user.0)),
                email: Some(email),
                is_by_mail: 1,
                ..Self::default()
            },
        }
    }
}

async fn forget_alike(transaction: &mut Transaction, purpose: &Purpose) -> Result<(), InventoryError> {
    let columns = Columns::of(purpose);
    sqlx::query("DELETE FROM links WHERE purpose = $1 AND user_id IS NOT DISTINCT FROM $2")
        .bind(columns.purpose)
        .bind(columns.user)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// What the link does, which it does no more: what is to be done is done in the same transaction.
pub(super) async fn use_up(
    transaction: &mut Transaction,
    secret: &Hashed,
    now: Moment,
) -> Result<Purpose, UserError> {
    let statement = format!("DELETE FROM links WHERE hash = $1 AND ends_at_ms > $2 RETURNING {COLUMNS}");
    let row: Option<LinkRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
        .bind(secret.as_str())
        .bind(to_i64(now.0))
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.ok_or(UserError::LinkUsed)?.read()?.purpose)
}

#[derive(FromRow)]
struct LinkRow {
    purpose: String,
    user_id: Option<i64>,
    ends_at_ms: i64,
    email: Option<String>,
    is_by_mail: i64,
    tenant_id: Option<i64>,
    role: Option<String>,
    password: Option<String>,
    organisation: Option<String>,
}

impl LinkRow {
    fn read(self) -> Result<Link, InventoryError> {
        let sent = if self.is_by_mail == 0 { Sent::ByHand } else { Sent::ByMail };
        let user = self.user_id.map(to_u64).transpose()?.map(UserId);
        let tenant = self.tenant_id.map(to_u64).transpose()?.map(TenantId);
        let role = self.role.map(|role| role.parse()).transpose()?;
        let purpose = match (self.purpose.as_str(), user, self.email) {
            ("operator", _, _) => Some(Purpose::Operator),
            ("password", Some(user), _) => Some(Purpose::Password { user, sent }),
            ("email", Some(user), Some(email)) => Some(Purpose::Email { user, email }),
            ("sign_up", _, Some(email)) => self
                .password
                .zip(self.organisation)
                .map(|(password, organisation)| Purpose::SignUp { email, password, organisation }),
            ("invitation", _, Some(email)) => {
                tenant.zip(role).map(|(tenant, role)| Purpose::Invitation { tenant, email, role, sent })
            }
            _ => None,
        };
        let damaged = || InventoryError::Damaged(format!("a link is for {:?}, and lacks something", self.purpose));
        Ok(Link { purpose: purpose.ok_or_else(damaged)?, ends_at: Moment(to_u64(self.ends_at_ms)?) })
    }
}
