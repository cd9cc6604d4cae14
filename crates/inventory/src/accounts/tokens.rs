//! What programs show to use the API.

use std::fmt;
use std::str::FromStr;

use serde_json::json;
use sqlx::FromRow;
use xfr::Moment;

use super::audit::{self, By};
use super::{Hashed, UserId};
use crate::TenantId;
use crate::database::{Inventory, to_i64, to_u64};
use crate::error::{InventoryError, TokenError};

/// That a token is used is written down so often at most.
const USE_WRITTEN_EVERY_MS: u64 = 60 * 1000;
/// Tokens of one tenant.
const TOKENS_MAX: i64 = 200;

/// One thing that somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look at everything of the tenant.
    Read,
    /// Add, change, refresh and remove zones and catalogs.
    Zones,
    /// Add and remove TSIG keys.
    Keys,
    /// Members, tokens, the audit log.
    People,
    /// The whole service: its status, its users, every tenant.
    Operate,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::Read, Self::Zones, Self::Keys, Self::People, Self::Operate];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Zones => "zones",
            Self::Keys => "keys",
            Self::People => "people",
            Self::Operate => "operate",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | 1 << *scope as u8))
    }

    pub fn contains(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u8 != 0
    }

    /// Those that are in both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl FromStr for Scopes {
    type Err = InventoryError;

    fn from_str(text: &str) -> Result<Self, InventoryError> {
        let scope = |word: &str| {
            let scope = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
            scope.ok_or_else(|| InventoryError::Damaged(format!("a token has the scope {word:?}")))
        };
        let scopes: Vec<Scope> = text.split_whitespace().map(scope).collect::<Result<_, _>>()?;
        Ok(Self::of(&scopes))
    }
}

#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub secret: Hashed,
    pub scopes: Scopes,
    pub ends_at: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub tenant: TenantId,
    pub name: String,
    pub scopes: Scopes,
    /// Who made it, in words.
    pub made_by: String,
    /// The user who made it, with whom it goes; none for one that this machine has made.
    pub user: Option<UserId>,
    pub created_at: Moment,
    pub ends_at: Option<Moment>,
    pub used_at: Option<Moment>,
}

const COLUMNS: &str = "tenant_id, name, scopes, made_by, user_id, created_at_ms, ends_at_ms, used_at_ms";

impl Inventory {
    pub async fn add_token(&self, by: &By, tenant: TenantId, token: &NewToken) -> Result<(), TokenError> {
        let mut transaction = self.begin().await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tokens WHERE tenant_id = $1")
            .bind(to_i64(tenant.0))
            .fetch_one(&mut *transaction)
            .await?;
        if count >= TOKENS_MAX {
            return Err(TokenError::TooMany);
        }
        let added = sqlx::query(
            "INSERT INTO tokens (tenant_id, name, hash, scopes, made_by, user_id, created_at_ms, ends_at_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(to_i64(tenant.0))
        .bind(&token.name)
        .bind(token.secret.as_str())
        .bind(token.scopes.to_string())
        .bind(by.actor.to_string())
        .bind(by.actor.user().map(|user| to_i64(user.0)))
        .bind(to_i64(by.at.0))
        .bind(token.ends_at.map(|at| to_i64(at.0)))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if added == 0 {
            return Err(TokenError::ExistsAlready(token.name.clone()));
        }
        let details = json!({ "scopes": token.scopes.to_string() });
        audit::write(&mut transaction, Some(tenant), by, "token.added", &token.name, details).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The tenant's tokens in the order of their names.
    pub async fn tokens(&self, tenant: TenantId) -> Result<Vec<Token>, InventoryError> {
        let statement = format!("SELECT {COLUMNS} FROM tokens WHERE tenant_id = $1 ORDER BY name");
        let rows: Vec<TokenRow> =
            sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(to_i64(tenant.0)).fetch_all(self.reader()).await?;
        rows.into_iter().map(TokenRow::read).collect()
    }

    /// The token with this secret, unless it has ended.
    pub async fn token(&self, secret: &Hashed, now: Moment) -> Result<Option<Token>, InventoryError> {
        let statement =
            format!("SELECT {COLUMNS} FROM tokens WHERE hash = $1 AND (ends_at_ms IS NULL OR ends_at_ms > $2)");
        let row: Option<TokenRow> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(secret.as_str())
            .bind(to_i64(now.0))
            .fetch_optional(self.reader())
            .await?;
        let Some(token) = row.map(TokenRow::read).transpose()? else { return Ok(None) };
        if token.used_at.is_none_or(|used| now.0.saturating_sub(used.0) >= USE_WRITTEN_EVERY_MS) {
            let mut transaction = self.begin().await?;
            sqlx::query("UPDATE tokens SET used_at_ms = $2 WHERE hash = $1")
                .bind(secret.as_str())
                .bind(to_i64(now.0))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(Some(token))
    }

    pub async fn remove_token(&self, by: &By, tenant: TenantId, name: &str) -> Result<(), TokenError> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query("DELETE FROM tokens WHERE tenant_id = $1 AND name = $2")
            .bind(to_i64(tenant.0))
            .bind(name)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if removed == 0 {
            return Err(TokenError::Unknown(name.to_owned()));
        }
        audit::write(&mut transaction, Some(tenant), by, "token.removed", name, json!({})).await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[derive(FromRow)]
struct TokenRow {
    tenant_id: i64,
    name: String,
    scopes: String,
    made_by: String,
    user_id: Option<i64>,
    created_at_ms: i64,
    ends_at_ms: Option<i64>,
    used_at_ms: Option<i64>,
}

impl TokenRow {
    fn read(self) -> Result<Token, InventoryError> {
        let moment = |ms| to_u64(ms).map(Moment);
        Ok(Token {
            tenant: TenantId(to_u64(self.tenant_id)?),
            name: self.name,
            scopes: self.scopes.parse()?,
            made_by: self.made_by,
            user: self.user_id.map(to_u64).transpose()?.map(UserId),
            created_at: moment(self.created_at_ms)?,
            ends_at: self.ends_at_ms.map(moment).transpose()?,
            used_at: self.used_at_ms.map(moment).transpose()?,
        })
    }
}
