//! Organisations: the door for operators, who make and remove them, and for members.

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;
use zone::TenantId;

use super::accounts::SignedIn;
use super::caller::{Caller, Visitor};
use crate::json::{self, Role};
use crate::problem::Problem;

/// Which organisations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganisationPage {
    /// What their names have in them.
    pub find: String,
    pub after: Option<TenantId>,
    pub limit: u32,
}

/// A long text that is read as it is written. An error is its end: whoever reads it must not take it for whole.
pub type Streamed = Pin<Box<dyn Stream<Item = Result<String, Problem>> + Send>>;

/// Whoever calls has the scope for it: operators what is about any organisation, members with `people` what is about their
/// own, which is the caller's.
#[async_trait]
pub trait Organisations: Send + Sync {
    async fn organisations(&self, page: &OrganisationPage) -> Result<Vec<json::Organisation>, Problem>;

    /// # Errors
    /// [`Code::TenantUnknown`](crate::Code::TenantUnknown).
    async fn organisation(&self, id: TenantId) -> Result<json::Organisation, Problem>;

    /// Adds one, and invites its owner.
    async fn add_organisation(
        &self,
        caller: &Caller,
        name: &str,
        owner: Option<&str>,
    ) -> Result<json::AddedOrganisation, Problem>;

    /// # Errors
    /// [`Code::TenantUnknown`](crate::Code::TenantUnknown).
    async fn rename_organisation(&self, caller: &Caller, id: TenantId, name: &str) -> Result<(), Problem>;

    /// Removes it with its zones, keys, tokens and members, if this is what it is called.
    ///
    /// # Errors
    /// [`Code::TenantUnknown`](crate::Code::TenantUnknown), [`Code::TenantStays`](crate::Code::TenantStays),
    /// [`Code::NameNotTyped`](crate::Code::NameNotTyped).
    async fn remove_organisation(&self, caller: &Caller, id: TenantId, typed: &str) -> Result<(), Problem>;

    /// The same for the caller's own by somebody who is signed in, whose password is wanted.
    ///
    /// # Errors
    /// As for [`Organisations::remove_organisation`]; [`Code::SignInRefused`](crate::Code::SignInRefused).
    async fn remove_own(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        caller: &Caller,
        password: &str,
        typed: &str,
    ) -> Result<(), Problem>;

    async fn members(&self, caller: &Caller) -> Result<Vec<json::Member>, Problem>;

    /// # Errors
    /// [`Code::UserUnknown`](crate::Code::UserUnknown), [`Code::LastOwner`](crate::Code::LastOwner);
    /// [`Code::NotAllowed`](crate::Code::NotAllowed) for a role that may more than the caller.
    async fn set_role(&self, caller: &Caller, email: &str, role: Role) -> Result<(), Problem>;

    /// # Errors
    /// [`Code::UserUnknown`](crate::Code::UserUnknown), [`Code::LastOwner`](crate::Code::LastOwner).
    async fn remove_member(&self, caller: &Caller, email: &str) -> Result<(), Problem>;

    /// Whoever is signed in belongs to it no more.
    ///
    /// # Errors
    /// [`Code::LastOwner`](crate::Code::LastOwner).
    async fn leave(&self, visitor: &Visitor, who: &SignedIn, id: TenantId) -> Result<(), Problem>;

    async fn invitations(&self, caller: &Caller) -> Result<Vec<json::Invitation>, Problem>;

    /// Sends a link by which somebody becomes a member; where no mail is sent an operator is shown it.
    ///
    /// # Errors
    /// [`Code::MemberExists`](crate::Code::MemberExists), [`Code::MailMissing`](crate::Code::MailMissing),
    /// [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn invite(&self, caller: &Caller, email: &str, role: Role) -> Result<json::PasswordLink, Problem>;

    /// # Errors
    /// [`Code::InvitationUnknown`](crate::Code::InvitationUnknown).
    async fn withdraw(&self, caller: &Caller, email: &str) -> Result<(), Problem>;

    /// All that is known of the organisation, as one JSON text: no secrets.
    async fn export_organisation(&self, caller: &Caller) -> Result<Streamed, Problem>;
}
