//! How people come by themselves, and get back into their accounts.
//!
//! Whoever asks for a link is answered at once, and always the same; whether the address is known, and what is written to it,
//! is found out afterwards, so that neither the answer nor its time says it.

use std::sync::Arc;
use std::time::Duration;

use api::doors::{Newcomers, Offers, Opened, SignedIn, Visitor};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{Actor, By, Hashed, Inventory, InventoryError, Purpose, Sent, Stage, TenantId, UserError, UserId};

use super::accounts::{link_invalid, not_done, refused};
use super::recorded::shown_address;
use super::{House, unavailable};
use crate::accounts::tries::Sort;
use crate::accounts::{letters, password, secret};
use crate::configuration::SignUp;

/// How long somebody who signs up, or wants another address, has for it.
const ADDRESS_LINK_LASTS: Duration = Duration::from_secs(24 * 3600);
/// The same for a forgotten password: others may read old mail.
const FORGOTTEN_LINK_LASTS: Duration = Duration::from_secs(3600);

/// Where newcomers are received: the house, which goes on after it has answered.
pub(super) struct Reception(pub(super) Arc<House>);

#[async_trait]
impl Newcomers for Reception {
    fn offers(&self) -> Offers {
        Offers { sign_up: self.0.sign_up == SignUp::Open, mail: self.0.messengers.post.is_some() }
    }

    async fn sign_up(
        &self,
        visitor: &Visitor,
        email: &str,
        password: &str,
        organisation: &str,
    ) -> Result<(), Problem> {
        if !self.offers().sign_up {
            let detail = "nobody signs up here: whoever runs this service makes the organisations";
            return Err(Problem::new(Code::SignUpClosed, detail));
        }
        password::check(password, email)?;
        self.0.tries.count_mail(Sort::SignUp, email, visitor.address)?;
        let inventory = self.0.inventory()?;
        // Also where it is not needed: it takes a time that would be seen.
        let password = password::hashed(password).await?;
        tracing::info!(email, from = shown_address(visitor), "somebody signs up");
        let (house, email, organisation) = (self.0.clone(), email.to_owned(), organisation.to_owned());
        self.afterwards(async move { house.write_to_newcomer(&inventory, email, password, organisation).await })
    }

    async fn verify(&self, visitor: &Visitor, link: &str, typed: &str) -> Result<Opened, Problem> {
        let house = &self.0;
        let (inventory, now) = (house.inventory()?, house.node.clock.now());
        let found = inventory.link(&Hashed::of(link), now).await.map_err(|error| unavailable(&error))?;
        let Some(Purpose::SignUp { email, password, .. }) = found.map(|link| link.purpose) else {
            return Err(link_invalid());
        };
        let counted = house.count(&inventory, visitor, &email).await?;
        if !password::is_right(typed, Some(password)).await? {
            let detail = "this is not the password that was chosen for this address: if it was not you who signed up, leave it";
            return Err(refused(detail));
        }
        counted.was_right();
        let by = By { actor: Actor::Newcomer(email), address: visitor.address, at: now };
        let made = inventory.sign_up(&by, &Hashed::of(link)).await;
        let (id, _) = made.map_err(|error| not_done(&error))?;
        self.opened(&inventory, visitor, id).await
    }

    async fn forgot_password(&self, visitor: &Visitor, email: &str) -> Result<(), Problem> {
        self.must_mail()?;
        self.0.tries.count_mail(Sort::Forgotten, email, visitor.address)?;
        let (house, email, inventory) = (self.0.clone(), email.to_owned(), self.0.inventory()?);
        tracing::info!(email, from = shown_address(visitor), "somebody has forgotten a password");
        self.afterwards(async move { house.write_to_forgetful(&inventory, &email).await })
    }

    async fn join(&self, visitor: &Visitor, link: &str, password: &str) -> Result<Opened, Problem> {
        let house = &self.0;
        let (inventory, now) = (house.inventory()?, house.node.clock.now());
        let found = inventory.link(&Hashed::of(link), now).await.map_err(|error| unavailable(&error))?;
        let Some(Purpose::Invitation { email, .. }) = found.map(|link| link.purpose) else {
            return Err(link_invalid());
        };
        password::check(password, &email)?;
        let password = password::hashed(password).await?;
        let by = By { actor: Actor::Newcomer(email), address: visitor.address, at: now };
        let joined = inventory.join(&by, &Hashed::of(link), &password).await;
        let (id, _) = joined.map_err(|error| not_done(&error))?;
        self.opened(&inventory, visitor, id).await
    }

    async fn accept(&self, visitor: &Visitor, who: &SignedIn, link: &str) -> Result<TenantId, Problem> {
        let (inventory, by) = (self.0.inventory()?, self.0.by(visitor, who));
        let accepted = inventory.accept_invitation(&by, &Hashed::of(link), UserId(who.user)).await;
        accepted.map_err(|error| not_done(&error))
    }

    async fn ask_for_email(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        password: &str,
        email: &str,
    ) -> Result<(), Problem> {
        self.must_mail()?;
        let house = &self.0;
        let inventory = house.inventory()?;
        house.confirm(&inventory, visitor, who, password).await?;
        house.tries.count_mail(Sort::OtherAddress, email, visitor.address)?;
        let by = house.by(visitor, who);
        let details = serde_json::json!({ "wanted": email });
        let recorded = inventory.record_act(None, &by, "user.email_asked_for", &who.email, details).await;
        recorded.map_err(|error| unavailable(&error))?;
        let (house, who, email) = (house.clone(), who.clone(), email.to_owned());
        self.afterwards(async move { house.write_about_address(&inventory, &who, &email).await })
    }

    async fn change_email(&self, visitor: &Visitor, link: &str) -> Result<(), Problem> {
        let house = &self.0;
        let (inventory, now) = (house.inventory()?, house.node.clock.now());
        let found = inventory.link(&Hashed::of(link), now).await.map_err(|error| unavailable(&error))?;
        let Some(Purpose::Email { user, email }) = found.map(|link| link.purpose) else { return Err(link_invalid()) };
        let actor = Actor::User { id: user, email: email.clone() };
        let by = By { actor, address: visitor.address, at: now };
        let changed = inventory.change_email(&by, &Hashed::of(link)).await;
        let (_, before) = changed.map_err(|error| not_done(&error))?;
        house.write(letters::address_changed(&before, &email));
        Ok(())
    }
}

impl Reception {
    fn must_mail(&self) -> Result<(), Problem> {
        if self.0.messengers.post.is_some() {
            return Ok(());
        }
        let detail = "this service sends no mail: ask whoever runs it";
        Err(Problem::new(Code::MailMissing, detail))
    }

    /// Does the rest when the answer is given.
    fn afterwards(&self, work: impl Future<Output = Result<(), NotWritten>> + Send + 'static) -> Result<(), Problem> {
        let place = self.0.afterwards.clone().try_acquire_owned();
        let place =
            place.map_err(|_| Problem::new(Code::TimedOut, "too many ask for links: try again in a minute"))?;
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tracing::error!("somebody who has asked for a link gets none: {error}");
            }
            drop(place);
        });
        Ok(())
    }

    /// Whoever has just become a user has no second factor.
    async fn opened(&self, inventory: &Inventory, visitor: &Visitor, id: UserId) -> Result<Opened, Problem> {
        let user = self.0.user(inventory, id).await?;
        self.0.open_session(inventory, visitor, &user, Stage::Open, None).await
    }
}

/// Why nobody was written to.
#[derive(Debug, thiserror::Error)]
enum NotWritten {
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    #[error(transparent)]
    Random(#[from] std::io::Error),
    #[error(transparent)]
    User(#[from] UserError),
}

impl House {
    async fn write_to_newcomer(
        &self,
        inventory: &Inventory,
        email: String,
        password: String,
        organisation: String,
    ) -> Result<(), NotWritten> {
        if inventory.user_by_email(&email).await?.is_some() {
            self.write(letters::known_already(&email, &self.url("/sign-in"), &self.url("/forgotten")));
            return Ok(());
        }
        let purpose = Purpose::SignUp { email: email.clone(), password, organisation: organisation.clone() };
        let url = self.linked(inventory, &purpose, ADDRESS_LINK_LASTS).await?;
        self.write(letters::sign_up(&email, &organisation, &url));
        Ok(())
    }

    async fn write_to_forgetful(&self, inventory: &Inventory, email: &str) -> Result<(), NotWritten> {
        let Some(user) = inventory.user_by_email(email).await? else { return Ok(()) };
        let purpose = Purpose::Password { user: user.id, sent: Sent::ByMail };
        let url = self.linked(inventory, &purpose, FORGOTTEN_LINK_LASTS).await?;
        self.write(letters::password(&user.email, &url, "an hour"));
        Ok(())
    }

    async fn write_about_address(
        &self,
        inventory: &Inventory,
        who: &SignedIn,
        email: &str,
    ) -> Result<(), NotWritten> {
        let user = UserId(who.user);
        match inventory.user_by_email(email).await? {
            Some(other) if other.id != user => self.write(letters::address_taken(email)),
            _ => {
                let purpose = Purpose::Email { user, email: email.to_owned() };
                let url = self.linked(inventory, &purpose, ADDRESS_LINK_LASTS).await?;
                self.write(letters::another_address(email, &who.email, &url));
            }
        }
        self.write(letters::address_is_to_change(&who.email, email, &self.url("/account")));
        Ok(())
    }

    /// Makes a link; its URL.
    async fn linked(&self, inventory: &Inventory, purpose: &Purpose, lasts: Duration) -> Result<String, NotWritten> {
        let (secret, now) = (secret::new()?, self.node.clock.now());
        inventory.make_link(purpose, &Hashed::of(&secret), now, now.plus(lasts)).await?;
        Ok(self.url(&format!("/link/{secret}")))
    }
}
