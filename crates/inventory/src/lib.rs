//! What should exist: tenants, users, zones, primaries, keys, catalogs; the ledger of attempts and NOTIFYs; and what was
//! asked of zones and used by tenants.
//!
//! The only crate with SQL, for SQLite and PostgreSQL: every statement but those below `database` is the same for both,
//! each has a migration folder, and both pass the same tests. What both understand alike: numbers as BIGINT (INTEGER in
//! SQLite) and `i64`, truth as such a number, text, octets (BLOB, BYTEA), NULL, `$1`; a sum of numbers only as
//! `CAST(SUM(…) AS BIGINT)`; no date, no Boolean, no JSON, no array; a statement may fail only where its transaction is
//! given up.
//!
//! Invariants: every query of a tenant's rows takes a [`TenantId`]; a change is durable and whole, or there is none;
//! a zone's id is never used twice; of all zones of a name one at the most is proven; secrets leave only with [`Intent`];
//! a zone that is not here is not a removed one: removals are on record until they are carried out, and those of catalogs
//! for some time before; a catalog's plan touches no zone but the catalog's members.
//!
//! It deliberately knows nothing about what zones hold, nor whether they are transferred: that is the store's and the
//! program's. It has no clock: times are arguments.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accounts;
mod alerts;
mod catalogs;
mod claims;
mod database;
mod delegations;
mod error;
mod events;
mod export;
mod former_primaries;
mod import;
mod intent;
mod jobs;
mod keys;
mod ledger;
mod names;
mod ownership;
mod plans;
mod primaries;
mod removed;
mod requests;
mod statistics;
mod suffix;
mod tags;
mod zones;

pub use accounts::{
    Actor, AuditEntry, AuditOf, By, Hashed, Invitation, Link, Member, Membership, NewInvitation, NewSession,
    NewToken, NewUser, Purpose, Role, Scope, Scopes, SecondFactor, Sent, Session, Stage, Standing, Tenant, Token,
    User, UserId,
};
pub use alerts::{
    AlertRule, AlertRuleId, Channel, Confirmation, DELIVERIES_KEPT, Delivery, DeliveryState, Digest, DueDelivery,
    Group, NewAlertRule, Pace, RULES_MAX, Told, Tried, TriedState, Wanted,
};
pub use catalogs::{Catalog, CatalogMember, CatalogSettings, KeysOf, Make};
pub use claims::{Around, Claim, Handed, Proof, Proven, Proving, WaitingClaim};
pub use database::{Changed, Inventory, Location, PostgresUrl, PostgresUrlError};
pub use error::{
    AddKeyError, AddZoneError, AlertError, ApplyError, CatalogError, ChangeZoneError, InventoryError, PlanError,
    ProveError, RemoveKeyError, RemoveZoneError, RestoreZoneError, TenantError, TokenError, UserError,
};
pub use events::{Event, EventKind, NewEvent, Severity};
pub use former_primaries::Former;
pub use intent::Intent;
pub use jobs::{EndedJob, JOBS_KEPT_MS, JOBS_MAX, Job};
pub use keys::KeyEntry;
pub use ledger::{
    ATTEMPTS_MAX, Attempt, Kind, Ledger, Notify, NotifySender, NotifySpan, Outcome, RecordedAttempt, RecordedReason,
    StrangerNotify, Trigger,
};
pub use ownership::{Above, Delegated, Evidence, Finding, Look, Shown};
pub use plans::{Limits, NewPlan, Plan, PlanId, Standing as PlanStanding, Terms};
pub use removed::KeptZone;
pub use requests::{BegunRequest, REQUESTS_MAX};
pub use statistics::{
    AskedName, AskedZone, DAYS_KEPT, Day, HOURS_KEPT, Hour, Month, NAMES_KEPT, QueryCounts, STATISTICS_AT_ONCE_MAX,
    TenantSize, Usage, UsageOf,
};
pub use suffix::is_public_suffix;
pub use zone::{TenantId, ZoneId};
pub use zones::{Ensured, NewZone, Service, Zone, ZoneChange};
