//! Who may come in: the door for users, sessions and tokens.

use async_trait::async_trait;
use zone::TenantId;

use super::caller::{Caller, Visitor};
use crate::json::{self, Role, Scope, Time};
use crate::problem::Problem;

/// A user to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub email: String,
    /// In the caller's tenant.
    pub role: Role,
    pub is_operator: bool,
}

/// An API token to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub ends_at: Option<Time>,
}

/// A session that has been opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the browser is to show from now on.
    pub secret: String,
    /// Whether a code is still to be shown.
    pub wants_code: bool,
    /// What the browser is to keep, so that others who try passwords do not keep it out; none while a code is wanted.
    pub device: Option<String>,
}

/// A tenant that somebody belongs to, or may act for as the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub tenant: TenantId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// None for an operator who does not belong to it.
    pub role: Option<Role>,
}

/// Somebody who has a session.
#[derive(Clone)]
pub struct SignedIn {
    pub user: u64,
    pub email: String,
    pub is_operator: bool,
    pub has_second_factor: bool,
    /// Whether a code is still to be shown: then this is nobody yet.
    pub wants_code: bool,
    /// In the order of their names.
    pub tenants: Vec<Membership>,
    /// What the browser shows.
    pub secret: String,
    /// What each form of this session holds, and no other page can know.
    pub form_token: String,
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkUse {
    CreateOperator,
    SetPassword {
        email: String,
    },
    /// Whoever chose the password has this address, and an organisation from then on.
    SignUp {
        email: String,
        organisation: String,
    },
    /// Whoever has the address belongs to the organisation from then on.
    Join {
        email: String,
        organisation: String,
        role: Role,
        has_account: bool,
    },
    /// Somebody has this address from then on.
    ChangeEmail {
        email: String,
    },
}

/// A second factor that is to be confirmed with a code.
#[derive(Clone)]
pub struct SecondFactorOffer {
    /// In base32.
    pub secret: String,
    /// `otpauth://…`, for telephones.
    pub url: String,
}

/// Who may come in. What is secret leaves through here once, when it is made.
///
/// Without the inventory each answers [`Code::InventoryUnavailable`](crate::Code::InventoryUnavailable); but whoever has the
/// machine's own token comes in.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Whose token it is.
    ///
    /// # Errors
    /// [`Code::TokenInvalid`](crate::Code::TokenInvalid).
    async fn holder(&self, token: &str, visitor: &Visitor) -> Result<Caller, Problem>;

    /// Whose session it is; none when it is nobody's any more.
    async fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem>;

    /// The same for a page that looks by itself: that does not make the session last.
    async fn still_signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem>;

    /// Whether there is anybody who could sign in.
    async fn has_operator(&self) -> Result<bool, Problem>;

    /// # Errors
    /// [`Code::SignInRefused`](crate::Code::SignInRefused), [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn sign_in(&self, visitor: &Visitor, email: &str, password: &str) -> Result<Opened, Problem>;

    /// Opens the session that waits for a code: one of the second factor, or one for recovery.
    ///
    /// # Errors
    /// [`Code::SignInRefused`](crate::Code::SignInRefused), [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn show_code(&self, visitor: &Visitor, secret: &str, code: &str) -> Result<Opened, Problem>;

    async fn sign_out(&self, secret: &str) -> Result<(), Problem>;

    /// Ends all sessions but this one.
    async fn sign_out_elsewhere(&self, visitor: &Visitor, who: &SignedIn) -> Result<(), Problem>;

    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid).
    async fn link(&self, secret: &str) -> Result<LinkUse, Problem>;

    /// Creates the first operator, and signs them in.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid), [`Code::EmailInvalid`](crate::Code::EmailInvalid),
    /// [`Code::PasswordWeak`](crate::Code::PasswordWeak).
    async fn create_operator(
        &self,
        visitor: &Visitor,
        link: &str,
        email: &str,
        password: &str,
    ) -> Result<Opened, Problem>;

    /// Sets the password that the link is for, and signs in; whoever else is signed in as that user is no longer.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid), [`Code::PasswordWeak`](crate::Code::PasswordWeak).
    async fn set_password(&self, visitor: &Visitor, link: &str, password: &str) -> Result<Opened, Problem>;

    /// # Errors
    /// [`Code::SignInRefused`](crate::Code::SignInRefused) when the present password is another one,
    /// [`Code::PasswordWeak`](crate::Code::PasswordWeak), [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn change_password(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        present: &str,
        new: &str,
    ) -> Result<(), Problem>;

    /// How many recovery codes are left.
    async fn recovery_codes(&self, who: &SignedIn) -> Result<u64, Problem>;

    async fn offer_second_factor(&self, who: &SignedIn) -> Result<SecondFactorOffer, Problem>;

    /// Wants the second factor with this secret from now on, of which a code is shown; answers with codes for recovery.
    /// Whoever finds an open browser must not, so that the password is wanted.
    ///
    /// # Errors
    /// [`Code::SignInRefused`](crate::Code::SignInRefused) when the password is another one, [`Code::CodeWrong`](crate::Code::CodeWrong), [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn set_second_factor(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        password: &str,
        secret: &str,
        code: &str,
    ) -> Result<Vec<String>, Problem>;

    /// # Errors
    /// [`Code::SignInRefused`](crate::Code::SignInRefused) when the password is another one.
    async fn remove_second_factor(&self, visitor: &Visitor, who: &SignedIn, password: &str) -> Result<(), Problem>;

    /// The sessions of whoever asks, the last used first.
    async fn sessions(&self, who: &SignedIn) -> Result<Vec<json::Session>, Problem>;

    /// The tenant's tokens in the order of their names.
    async fn tokens(&self, caller: &Caller) -> Result<Vec<json::Token>, Problem>;

    /// # Errors
    /// [`Code::TokenExists`](crate::Code::TokenExists); [`Code::NotAllowed`](crate::Code::NotAllowed) when it is to have
    /// more than the caller has.
    async fn add_token(&self, caller: &Caller, token: NewToken) -> Result<json::AddedToken, Problem>;

    /// # Errors
    /// [`Code::TokenUnknown`](crate::Code::TokenUnknown).
    async fn remove_token(&self, caller: &Caller, name: &str) -> Result<(), Problem>;

    /// Everybody who may sign in, in the order of their addresses.
    async fn users(&self, caller: &Caller) -> Result<Vec<json::User>, Problem>;

    /// Adds somebody, who sets a password by the link that is answered.
    ///
    /// # Errors
    /// [`Code::UserExists`](crate::Code::UserExists), [`Code::EmailInvalid`](crate::Code::EmailInvalid).
    async fn add_user(&self, caller: &Caller, user: NewUser) -> Result<json::PasswordLink, Problem>;

    /// Makes a link by which the user sets another password; those made before do nothing any more.
    ///
    /// # Errors
    /// [`Code::UserUnknown`](crate::Code::UserUnknown).
    async fn link_for_password(&self, caller: &Caller, email: &str) -> Result<json::PasswordLink, Problem>;

    /// Takes the second factor off somebody who has lost theirs, and tells them by mail.
    ///
    /// # Errors
    /// [`Code::UserUnknown`](crate::Code::UserUnknown).
    async fn remove_second_factor_of(&self, caller: &Caller, email: &str) -> Result<(), Problem>;

    /// # Errors
    /// [`Code::UserUnknown`](crate::Code::UserUnknown); [`Code::LastOwner`](crate::Code::LastOwner) for the last operator
    /// and the last owner.
    async fn remove_user(&self, caller: &Caller, email: &str) -> Result<(), Problem>;

    /// At most `limit` entries of the tenant's audit log, newest first, those before the entry `before`; for operators also
    /// what is about the whole service.
    async fn audit(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<json::Audit, Problem>;
}
