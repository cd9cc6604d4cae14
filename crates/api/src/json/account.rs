//! Users, sessions, tokens, and what they did.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use super::{Organisation, Time};

words! {
    /// One thing that a token, or somebody, may do.
    Scope {
        /// Look at zones, keys and catalogs.
        Read = "read",
        /// Add, change, refresh and remove zones and catalogs.
        Zones = "zones",
        /// Add and remove TSIG keys.
        Keys = "keys",
        /// Members, invitations, tokens and the audit log.
        People = "people",
        /// The whole service: its status, its users.
        Operate = "operate",
    }
}

words! {
    /// What a member of an organisation may do; each may what those before it may.
    Role {
        /// Look.
        Viewer = "viewer",
        /// Add, change and remove zones and keys.
        Editor = "editor",
        /// Also members, tokens and the audit log.
        Owner = "owner",
    }
}

impl Role {
    /// What somebody with this role may do.
    pub fn scopes(self) -> Vec<Scope> {
        match self {
            Self::Viewer => vec![Scope::Read],
            Self::Editor => vec![Scope::Read, Scope::Zones, Scope::Keys],
            Self::Owner => vec![Scope::Read, Scope::Zones, Scope::Keys, Scope::People],
        }
    }
}

/// An API token, without what opens the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    #[schema(example = "deployment")]
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Who made it.
    pub made_by: String,
    pub created_at: Time,
    /// From then on it is good for nothing; none for never.
    pub ends_at: Option<Time>,
    /// When it was last shown, to within a minute.
    pub used_at: Option<Time>,
}

/// A token to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToken {
    /// 1 to 100 characters, by which people know it.
    #[schema(example = "deployment", min_length = 1, max_length = 100)]
    pub name: String,
    /// At least one.
    #[schema(min_items = 1)]
    pub scopes: Vec<Scope>,
    /// None to have it good until it is removed.
    #[serde(default)]
    pub ends_at: Option<Time>,
}

/// A token that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedToken {
    pub name: String,
    /// What opens the API: it is said in this answer, and never again.
    pub token: String,
}

/// All tokens of an organisation, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    pub tokens: Vec<Token>,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    #[schema(example = "alice@example.org")]
    pub email: String,
    pub operator: bool,
    /// In the caller's organisation; none for somebody who does not belong to it.
    pub role: Option<Role>,
    pub second_factor: bool,
    pub created_at: Time,
    /// When they last signed in.
    pub seen_at: Option<Time>,
    /// Since when it is known that they read what is sent to the address.
    #[serde(default)]
    pub verified_at: Option<Time>,
}

/// Everybody who may sign in, in the order of their addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Users {
    pub users: Vec<User>,
}

/// A user to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    #[schema(example = "alice@example.org")]
    pub email: String,
    /// In the caller's organisation.
    pub role: Role,
    /// Whether they run the whole service.
    #[serde(default)]
    pub operator: bool,
}

/// A link by which somebody sets a password, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasswordLink {
    pub email: String,
    /// The path of the page, to be put behind the console's address: whoever has it may set the password. None where it was
    /// sent to the address by mail.
    pub path: Option<String>,
    pub ends_at: Time,
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    pub created_at: Time,
    pub used_at: Time,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// Something that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    pub id: u64,
    pub at: Time,
    /// Who did it.
    pub actor: String,
    /// Where they were.
    pub address: Option<String>,
    /// A stable word for it.
    #[schema(example = "zone.added")]
    pub act: String,
    /// What it was done to.
    pub subject: String,
    pub details: serde_json::Value,
}

/// A page of the audit log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Audit {
    pub entries: Vec<AuditEntry>,
    /// Pass it as `before` for older entries; none when there are none.
    pub next: Option<u64>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Whose things are asked for.
    pub organisation: Organisation,
    /// The token's name; none for the machine's own.
    pub token: Option<String>,
    pub scopes: Vec<Scope>,
}
