//! How people come by themselves, by links that are sent to their addresses: the door for who has no account yet, or has lost
//! the way into it.

use async_trait::async_trait;
use zone::TenantId;

use super::accounts::{Opened, SignedIn};
use super::caller::Visitor;
use crate::problem::Problem;

/// What this service does for people who are not signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Whoever wants to may sign up.
    pub sign_up: bool,
    /// Links are sent by mail; else operators hand them over.
    pub mail: bool,
}

/// Invariant: what is answered to who asks for a link does not depend on whether the address is known here; what is sent there
/// does.
#[async_trait]
pub trait Newcomers: Send + Sync {
    fn offers(&self) -> Offers;

    /// Sends a link that makes an account and an organisation; to an address that has an account, word of that.
    ///
    /// # Errors
    /// [`Code::SignUpClosed`](crate::Code::SignUpClosed), [`Code::PasswordWeak`](crate::Code::PasswordWeak),
    /// [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn sign_up(
        &self,
        visitor: &Visitor,
        email: &str,
        password: &str,
        organisation: &str,
    ) -> Result<(), Problem>;

    /// Carries out a link for signing up. The password is wanted once more: whoever reads the address need not be who chose it.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid), [`Code::SignInRefused`](crate::Code::SignInRefused),
    /// [`Code::UserExists`](crate::Code::UserExists).
    async fn verify(&self, visitor: &Visitor, link: &str, password: &str) -> Result<Opened, Problem>;

    /// Sends a link that sets another password, if the address has an account.
    ///
    /// # Errors
    /// [`Code::MailMissing`](crate::Code::MailMissing), [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn forgot_password(&self, visitor: &Visitor, email: &str) -> Result<(), Problem>;

    /// Carries out an invitation of somebody who has no account, with this password.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid), [`Code::PasswordWeak`](crate::Code::PasswordWeak),
    /// [`Code::UserExists`](crate::Code::UserExists).
    async fn join(&self, visitor: &Visitor, link: &str, password: &str) -> Result<Opened, Problem>;

    /// Carries out an invitation of whoever is signed in.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid); [`Code::NotAllowed`](crate::Code::NotAllowed) when it is for another
    /// address.
    async fn accept(&self, visitor: &Visitor, who: &SignedIn, link: &str) -> Result<TenantId, Problem>;

    /// Sends a link to the address that is wanted, and word to the present one.
    ///
    /// # Errors
    /// [`Code::MailMissing`](crate::Code::MailMissing), [`Code::SignInRefused`](crate::Code::SignInRefused) when the password
    /// is another one, [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn ask_for_email(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        password: &str,
        email: &str,
    ) -> Result<(), Problem>;

    /// Carries out a link for another address.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid), [`Code::UserExists`](crate::Code::UserExists).
    async fn change_email(&self, visitor: &Visitor, link: &str) -> Result<(), Problem>;
}
