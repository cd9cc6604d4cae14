//! Sessions: how one opens, who is signed in by it, and what they may do now.

use api::doors::{Membership, Opened, SignedIn, Visitor};
use api::json::Scope;
use api::{Code, Problem};
use inventory::{Hashed, Inventory, NewSession, Stage, Standing, TenantId, User, UserId};

use super::accounts::{no_random, not_done, refused};
use super::recorded::by_user;
use super::roles::{shown_role, shown_scope};
use super::{House, unavailable};
use crate::accounts::tries::Try;
use crate::accounts::{password, secret};

/// What a session's forms hold is derived with this.
const FORM_TOKEN: &str = "secondo 2026-11-22 form token of a session";

impl House {
    /// Counts a try of somebody's for an address.
    pub(super) async fn count(
        &self,
        inventory: &Inventory,
        visitor: &Visitor,
        email: &str,
    ) -> Result<Try<'_>, Problem> {
        let device = visitor.device.as_deref().map(Hashed::of);
        let device = match device {
            Some(device) => {
                let known = inventory.is_known_device(email, &device, self.node.clock.now()).await;
                known.map_err(|error| unavailable(&error))?.then_some(device)
            }
            None => None,
        };
        self.tries.count(email, visitor.address, device)
    }

    pub(super) async fn open_session(
        &self,
        inventory: &Inventory,
        visitor: &Visitor,
        user: &User,
        stage: Stage,
        replaces: Option<Hashed>,
    ) -> Result<Opened, Problem> {
        let secret = secret::new().map_err(|error| no_random(&error))?;
        let session =
            NewSession { user: user.id, secret: Hashed::of(&secret), stage, agent: visitor.agent.clone(), replaces };
        let opened = inventory.open_session(&by_user(self, visitor, user), &session).await;
        opened.map_err(|error| not_done(&error))?;
        let device = match stage {
            Stage::Open => Some(self.remembered(inventory, visitor, user).await?),
            Stage::Code => None,
        };
        Ok(Opened { secret, wants_code: stage == Stage::Code, device })
    }

    /// What the browser keeps from now on: what it has kept, if that was for the same user.
    async fn remembered(&self, inventory: &Inventory, visitor: &Visitor, user: &User) -> Result<String, Problem> {
        let now = self.node.clock.now();
        let kept = match &visitor.device {
            Some(device) => {
                let known = inventory.is_known_device(&user.email, &Hashed::of(device), now).await;
                known.map_err(|error| unavailable(&error))?.then(|| device.clone())
            }
            None => None,
        };
        let device = match kept {
            Some(kept) => kept,
            None => secret::new().map_err(|error| no_random(&error))?,
        };
        let remembered = inventory.remember_device(user.id, &Hashed::of(&device), now).await;
        remembered.map_err(|error| unavailable(&error))?;
        Ok(device)
    }

    /// Whether it is them: something is to be changed that whoever finds an open browser must not change.
    pub(super) async fn confirm(
        &self,
        inventory: &Inventory,
        visitor: &Visitor,
        who: &SignedIn,
        password: &str,
    ) -> Result<(), Problem> {
        let counted = self.count(inventory, visitor, &who.email).await?;
        let user = self.user(inventory, UserId(who.user)).await?;
        if !password::is_right(password, Some(user.password)).await? {
            return Err(refused("this is not your present password"));
        }
        counted.was_right();
        Ok(())
    }

    pub(super) async fn user(&self, inventory: &Inventory, id: UserId) -> Result<User, Problem> {
        let user = inventory.user(id).await.map_err(|error| unavailable(&error))?;
        user.ok_or_else(|| Problem::new(Code::UserUnknown, "there is no such user any more"))
    }
}

/// Who is signed in by the session of this secret.
pub(super) async fn signed_in(
    inventory: &Inventory,
    session: Option<inventory::Session>,
    secret: &str,
) -> Result<Option<SignedIn>, Problem> {
    let Some(session) = session else { return Ok(None) };
    let user = inventory.user(session.user).await.map_err(|error| unavailable(&error))?;
    let Some(user) = user else { return Ok(None) };
    Ok(Some(SignedIn {
        user: user.id.0,
        is_operator: user.standing == Standing::Operator,
        has_second_factor: user.totp_secret.is_some(),
        wants_code: session.stage == Stage::Code,
        tenants: tenants(inventory, &user).await?,
        form_token: form_token(secret),
        secret: secret.to_owned(),
        email: user.email,
    }))
}

/// What the token may do now: never more than whoever has made it.
pub(super) async fn scopes_now(inventory: &Inventory, token: &inventory::Token) -> Result<Vec<Scope>, Problem> {
    let scopes = token.scopes.iter().map(shown_scope);
    let Some(maker) = token.user else { return Ok(scopes.collect()) };
    let maker = inventory.user(maker).await.map_err(|error| unavailable(&error))?;
    let Some(maker) = maker else { return Ok(Vec::new()) };
    if maker.standing == Standing::Operator {
        return Ok(scopes.collect());
    }
    let tenants = tenants(inventory, &maker).await?;
    let of_maker =
        tenants.into_iter().find(|one| one.tenant == token.tenant).map(|one| one.scopes).unwrap_or_default();
    Ok(scopes.filter(|scope| of_maker.contains(scope)).collect())
}

/// The tenants that somebody may act for.
async fn tenants(inventory: &Inventory, user: &User) -> Result<Vec<Membership>, Problem> {
    let memberships = inventory.memberships(user.id).await.map_err(|error| unavailable(&error))?;
    let is_operator = user.standing == Standing::Operator;
    let mut tenants: Vec<Membership> = memberships
        .into_iter()
        .map(|membership| {
            let role = shown_role(membership.role);
            let scopes = if is_operator { Scope::ALL.to_vec() } else { role.scopes() };
            Membership { tenant: membership.tenant, name: membership.name, scopes, role: Some(role) }
        })
        .collect();
    if is_operator && tenants.iter().all(|membership| membership.tenant != TenantId::DEFAULT) {
        let found = inventory.tenant(TenantId::DEFAULT).await.map_err(|error| unavailable(&error))?;
        let name = found.map(|tenant| tenant.name).unwrap_or_default();
        tenants.push(Membership { tenant: TenantId::DEFAULT, name, scopes: Scope::ALL.to_vec(), role: None });
    }
    Ok(tenants)
}

/// What is still to be shown by who has shown their password.
pub(super) fn after_password(user: &User) -> Stage {
    if user.totp_secret.is_some() { Stage::Code } else { Stage::Open }
}

/// Only who has the session's secret can make it.
fn form_token(secret: &str) -> String {
    hex::encode(blake3::derive_key(FORM_TOKEN, secret.as_bytes()))
}
