//! Who may sign in, with what, and what they did.
//!
//! ```text
//!  users ──< members >── tenants ──< tokens      what programs show
//!    └──< sessions     browsers that are signed in
//!    └──< devices      browsers that were
//!    └──< links        what does one thing once: some make a user, or a tenant (joining)
//!  audit               every change: who, when, from where, what
//! ```
//!
//! Invariants: of passwords, codes, tokens, sessions and links only hashes are here; whatever counts once is used up in the
//! transaction that it is used for; a change and its row of the audit log are one transaction. There is an operator, or
//! nobody can sign in: the last one cannot be removed, nor the last owner of a tenant.
//!
//! Deliberately not here: hashing passwords and judging codes, which take time and a clock.

mod audit;
mod devices;
mod joining;
mod links;
mod members;
mod secret;
mod sessions;
mod tenants;
mod tokens;
mod users;

pub(crate) use audit::write as write_audit;
pub use audit::{Actor, AuditEntry, AuditOf, By};
pub use joining::{Invitation, NewInvitation};
pub use links::{Link, Purpose, Sent};
pub use members::{Member, Membership, Role};
pub use secret::Hashed;
pub use sessions::{NewSession, Session, Stage};
pub(crate) use tenants::NAME as TENANT_NAME;
pub use tenants::Tenant;
pub use tokens::{NewToken, Scope, Scopes, Token};
pub use users::{NewUser, SecondFactor, Standing, User, UserId};
