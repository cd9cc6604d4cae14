//! What can go wrong, in sentences that say what to do.

use std::path::PathBuf;

use dns::Name;
use sqlx::postgres::PgDatabaseError;

use crate::alerts::{AlertRuleId, RULES_MAX};

/// The inventory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("the inventory {} cannot be opened: {reason}; check that its directory exists and is writable", path.display())]
    Unopenable { path: PathBuf, reason: String },
    #[error(
        "the inventory is locked by another program: close whatever else has it open (a second server, a database shell or a backup)"
    )]
    Locked,
    #[error(
        "the inventory is damaged ({0}): restore it from a backup, or move it away and make an empty file of its name for a new one"
    )]
    Damaged(String),
    #[error(
        "the inventory was written by a newer version of this program (it has migration {found}, and this version knows up to {known}): run that version, or restore a backup from before the upgrade"
    )]
    Newer { found: i64, known: i64 },
    #[error("the inventory cannot be written because the disk is full: make room")]
    DiskFull,
    #[error(
        "the inventory's PostgreSQL server cannot be reached ({0}): see that it runs and that this machine gets to it; it is used again as soon as it answers"
    )]
    Unreachable(String),
    #[error(
        "the inventory's PostgreSQL server does not let us in ({0}): check the user, the password and the database in the inventory's URL, and what the server's pg_hba.conf allows"
    )]
    Refused(String),
    #[error(
        "the inventory is in use by another running server: stop that one, or give this one a database of its own; after a cut in the network, PostgreSQL may take a minute to notice that a server has gone"
    )]
    InUse,
    #[error("the inventory's PostgreSQL database cannot be used: {0}")]
    Unfit(String),
    #[error("what this belongs to was removed at the same moment: nothing was done; see what is there now")]
    Overtaken,
    #[error("the inventory failed: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for InventoryError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // One of ours on its way through sqlx.
            sqlx::Error::Configuration(error) => match error.downcast() {
                Ok(ours) => *ours,
                Err(error) => Self::Failed(error.to_string()),
            },
            error => Self::of(&error),
        }
    }
}

impl InventoryError {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => {
                let message = database.message().to_owned();
                let code = database.code().unwrap_or_default();
                match database.try_downcast_ref::<PgDatabaseError>() {
                    Some(_) => Self::of_postgres(&code, message),
                    None => Self::of_sqlite(&code, message),
                }
            }
            // A column that is missing or of another type than the migrations made it.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Decode(_) => {
                Self::Damaged(error.to_string())
            }
            sqlx::Error::PoolTimedOut => Self::Failed("it did not answer in time".into()),
            // A file has none of these.
            sqlx::Error::Io(error) => Self::Unreachable(error.to_string()),
            sqlx::Error::Tls(error) => Self::Unreachable(format!("TLS: {error}")),
            _ => Self::Failed(error.to_string()),
        }
    }

    /// By SQLite's result codes; the low octet is the primary one (<https://sqlite.org/rescode.html>).
    fn of_sqlite(code: &str, message: String) -> Self {
        let code = code.parse::<u32>().unwrap_or_default();
        // SQLITE_CONSTRAINT_FOREIGNKEY: a row was to name one that has gone.
        if code == 787 {
            return Self::Overtaken;
        }
        match code & 0xff {
            5 | 6 => Self::Locked,
            11 | 26 => Self::Damaged(message),
            13 => Self::DiskFull,
            _ => Self::Failed(message),
        }
    }

    /// By PostgreSQL's codes (its documentation, appendix A).
    fn of_postgres(code: &str, message: String) -> Self {
        match code {
            // lock_not_available, deadlock_detected, serialization_failure
            "55P03" | "40P01" | "40001" => Self::Locked,
            "53100" => Self::DiskFull,
            // foreign_key_violation
            "23503" => Self::Overtaken,
            // Undefined tables, columns and functions, corrupted data: nothing of that is as the migrations made it.
            "42P01" | "42703" | "42883" | "XX001" | "XX002" => Self::Damaged(message),
            // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout, too_many_connections
            "57P01" | "57P02" | "57P03" | "57P05" | "53300" => Self::Unreachable(message),
            // invalid_catalog_name, insufficient_privilege
            "3D000" | "42501" => Self::Refused(message),
            // read_only_sql_transaction: after a failover the URL may lead to a standby.
            "25006" => Self::Unfit(format!("it can only be read ({message}): is it a standby?")),
            _ if code.starts_with("08") => Self::Unreachable(message),
            // Invalid authorization
            _ if code.starts_with("28") => Self::Refused(message),
            _ => Self::Failed(message),
        }
    }
}

/// What the error would say if it were passed on.
pub(crate) fn sentence(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(error) => error.to_string(),
        error => InventoryError::of(error).to_string(),
    }
}

/// A zone was not added, and nothing of it is there.
#[derive(Debug, thiserror::Error)]
pub enum AddZoneError {
    #[error("the zone {0} exists already: show it with `secondo zone show {0}`")]
    ExistsAlready(Name),
    #[error("the zone {0} is another organisation's by its proof, and cannot simply be answered here")]
    NameProven(Name),
    #[error("the zone {zone} names the key {key}, which does not exist: add it first with `secondo key add {key}`")]
    UnknownKey { zone: Name, key: Name },
    #[error(
        "the zone {zone} cannot be added: the plan {plan:?} is for {limit} zone(s), and all are there; remove one, or take a larger \
         plan"
    )]
    PlanZones { zone: Name, plan: String, limit: u64 },
    #[error("the zone {zone} may have {limit} primaries by the plan {plan:?}: give fewer, or take a larger plan")]
    PlanPrimaries { zone: Name, plan: String, limit: u64 },
    #[error(
        "the zone {zone} cannot be added: the plan {plan:?} has ended; what is there goes on for a while, so renew it"
    )]
    PlanEnded { zone: Name, plan: String },
    #[error("the zone {0} has no primary: give the address of the server to copy it from")]
    NoPrimary(Name),
    #[error("the zone {0} has the same primary twice: give each once")]
    PrimaryTwice(Name),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// A zone was not changed; everything about it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeZoneError {
    #[error("there is no zone {0}: see `secondo zone list`")]
    Unknown(Name),
    /// What is wanted could not have been added either.
    #[error(transparent)]
    Invalid(AddZoneError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<AddZoneError> for ChangeZoneError {
    fn from(error: AddZoneError) -> Self {
        match error {
            AddZoneError::Inventory(error) => Self::Inventory(error),
            error => Self::Invalid(error),
        }
    }
}

/// Nothing has changed about plans.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("there is a plan {0:?} already: give this one another name")]
    ExistsAlready(String),
    #[error("there is no such plan")]
    Unknown,
    #[error("there is no such organisation")]
    NoTenant,
    #[error("the plan {name:?} is that of {tenants} organisation(s): give them another one first")]
    InUse { name: String, tenants: u64 },
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// A claim was not proven, and everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error("the zone of this claim has gone")]
    Gone,
    #[error(
        "the name {0} is proven for another organisation: it falls to you when that proof does not show any more, when they \
         hand it over, or by the word of whoever runs this service"
    )]
    Held(Name),
    #[error(
        "the zone {0} lies below a zone of another organisation: it is answered here when that zone delegates it to your \
         name servers, or by the word of whoever runs this service"
    )]
    Below(Name),
    #[error(
        "the zone {0} lies above a zone of another organisation: it is answered here by the word of whoever runs this service"
    )]
    Above(Name),
    #[error("the name {0} is not proven for you: there is nothing to hand over or to take")]
    NotHeld(Name),
    #[error(
        "no other organisation's claim on {0} has this text: have them create the zone, and send you the text that stands on its \
         page"
    )]
    NoSuchClaim(Name),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

#[derive(Debug, thiserror::Error)]
pub enum RemoveZoneError {
    #[error("there is no zone {0}: see `secondo zone list`")]
    Unknown(Name),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// A zone that was removed is not back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreZoneError {
    #[error(
        "no removed zone {0} is kept: what is removed is deleted after some days, or at once where that is wanted"
    )]
    NotKept(Name),
    #[error(transparent)]
    NotAdded(#[from] AddZoneError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

#[derive(Debug, thiserror::Error)]
pub enum AddKeyError {
    #[error("the key {0} exists already: remove it first, or choose another name")]
    ExistsAlready(Name),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

#[derive(Debug, thiserror::Error)]
pub enum RemoveKeyError {
    #[error("there is no key {0}: see `secondo key list`")]
    Unknown(Name),
    #[error("the key {key} is in use by {zones} zone(s): remove them or give them another key first")]
    InUse { key: Name, zones: u64 },
    #[error("the key {key} is named by the settings of the zone {zone}: take it out there first")]
    Named { key: Name, zone: Name },
    #[error(
        "the key {key} is named by what the members of the catalog {catalog} are made of: take it out there first, see `secondo \
         catalog set {catalog} --help`"
    )]
    NamedByCatalog { key: Name, catalog: Name },
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// A catalog was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the zone {0} is no catalog")]
    NotCatalog(Name),
    #[error(transparent)]
    Invalid(AddZoneError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<AddZoneError> for CatalogError {
    fn from(error: AddZoneError) -> Self {
        match error {
            AddZoneError::Inventory(error) => Self::Inventory(error),
            error => Self::Invalid(error),
        }
    }
}

/// An action of a catalog's plan was not carried out, and nothing of it is there.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the zone {0} is not, or no longer, a member of the catalog, and is left as it is")]
    NotMember(Name),
    #[error(transparent)]
    Zone(AddZoneError),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<AddZoneError> for ApplyError {
    fn from(error: AddZoneError) -> Self {
        match error {
            AddZoneError::Inventory(error) => Self::Inventory(error),
            error => Self::Zone(error),
        }
    }
}

macro_rules! from_database {
    ($($error:ty),*) => {$(
        impl From<sqlx::Error> for $error {
            fn from(error: sqlx::Error) -> Self {
                Self::Inventory(error.into())
            }
        }
    )*};
}

from_database!(
    AddZoneError,
    ChangeZoneError,
    PlanError,
    ProveError,
    RemoveZoneError,
    RestoreZoneError,
    AddKeyError,
    RemoveKeyError,
    CatalogError,
    ApplyError
);

/// Nothing has changed about users, or somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("somebody with the address {0} is here already")]
    ExistsAlready(String),
    #[error("there is no such user")]
    Unknown,
    #[error("{0} is the last operator, without whom nobody could run this service: make somebody else one first")]
    LastOperator(String),
    #[error("{email} is the last owner of {tenant}: make somebody else its owner first")]
    LastOwner { email: String, tenant: String },
    #[error("the link has been used, or its time is over: ask for another one")]
    LinkUsed,
    #[error("{0} belongs to the organisation already")]
    MemberAlready(String),
    #[error("nobody with the address {0} is invited")]
    NotInvited(String),
    #[error("the invitation is for {0}: sign in with that address")]
    InvitedAnother(String),
    #[error("too many invitations wait for an answer: withdraw those that nobody will give")]
    TooManyInvitations,
    #[error(
        "the plan {plan:?} is for {limit} member(s), and all places are taken or promised: remove somebody or withdraw an \
         invitation, or take a larger plan"
    )]
    PlanMembers { plan: String, limit: u64 },
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<sqlx::Error> for UserError {
    fn from(error: sqlx::Error) -> Self {
        Self::Inventory(error.into())
    }
}

/// Nothing has changed about tenants.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    #[error("there is no such organisation")]
    Unknown,
    #[error("the first organisation stays: the zones of the configuration file are its own")]
    Default,
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<sqlx::Error> for TenantError {
    fn from(error: sqlx::Error) -> Self {
        Self::Inventory(error.into())
    }
}

/// Nothing has changed about API tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("a token {0} exists already: give this one another name, or remove that one first")]
    ExistsAlready(String),
    #[error("there is no token {0}")]
    Unknown(String),
    #[error("there are too many tokens: remove those that nobody uses")]
    TooMany,
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// An alert rule cannot be added, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    #[error("there is no alert rule {0}")]
    Unknown(AlertRuleId),
    #[error("there are {RULES_MAX} alert rules, and no more may be: remove those that nobody needs")]
    TooMany,
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

impl From<sqlx::Error> for AlertError {
    fn from(error: sqlx::Error) -> Self {
        Self::Inventory(error.into())
    }
}

impl From<sqlx::Error> for TokenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Inventory(error.into())
    }
}
