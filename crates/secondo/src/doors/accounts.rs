//! Who may come in.

use std::time::Duration;

use api::doors::{Accounts, Actor, Caller, LinkUse, NewToken, NewUser, Opened, SecondFactorOffer, SignedIn, Visitor};
use api::json::Scope;
use api::{Code, Problem, json};
use async_trait::async_trait;
use inventory::{
    AuditOf, By, Hashed, Purpose, SecondFactor, Stage, Standing, TenantId, TokenError, UserError, UserId,
};

use super::recorded::{by_user, shown_address};
use super::roles::{read_role, read_scope, shown_role, shown_scope};
use super::sessions::{after_password, scopes_now, signed_in};
use super::{House, unavailable};
use crate::accounts::{letters, password, second_factor, secret};
use crate::ledger::time;

/// How long somebody has to set a password by a link.
const PASSWORD_LINK_LASTS: Duration = Duration::from_secs(7 * 24 * 3600);

#[async_trait]
impl Accounts for House {
    async fn holder(&self, token: &str, visitor: &Visitor) -> Result<Caller, Problem> {
        if self.admin_token.as_ref() == Some(&Hashed::of(token)) {
            let (tenant, scopes) = (TenantId::DEFAULT, Scope::ALL.to_vec());
            return Ok(Caller { tenant, actor: Actor::Machine, address: visitor.address, scopes });
        }
        let inventory = self.inventory()?;
        let found = inventory.token(&Hashed::of(token), self.node.clock.now()).await;
        match found.map_err(|error| unavailable(&error))? {
            Some(token) => {
                self.count_request(token.tenant)?;
                Ok(Caller {
                    tenant: token.tenant,
                    scopes: scopes_now(&inventory, &token).await?,
                    actor: Actor::Token(token.name),
                    address: visitor.address,
                })
            }
            None => Err(Problem::new(
                Code::TokenInvalid,
                "the access token opens nothing here: it was never made here, was removed, or its time is over",
            )),
        }
    }

    async fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let session = inventory.session(&Hashed::of(secret), now).await.map_err(|error| unavailable(&error))?;
        signed_in(&inventory, session, secret).await
    }

    async fn still_signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let session =
            inventory.session_unused(&Hashed::of(secret), now).await.map_err(|error| unavailable(&error))?;
        signed_in(&inventory, session, secret).await
    }

    async fn has_operator(&self) -> Result<bool, Problem> {
        self.inventory()?.has_operator().await.map_err(|error| unavailable(&error))
    }

    async fn sign_in(&self, visitor: &Visitor, email: &str, password: &str) -> Result<Opened, Problem> {
        let inventory = self.inventory()?;
        let counted = self.count(&inventory, visitor, email).await?;
        let user = inventory.user_by_email(email).await.map_err(|error| unavailable(&error))?;
        let is_right = password::is_right(password, user.as_ref().map(|user| user.password.clone())).await?;
        let Some(user) = user.filter(|_| is_right) else {
            tracing::info!(email, from = shown_address(visitor), "somebody could not sign in");
            return Err(refused("the address or the password is wrong"));
        };
        counted.was_right();
        self.open_session(&inventory, visitor, &user, after_password(&user), None).await
    }

    async fn show_code(&self, visitor: &Visitor, secret: &str, code: &str) -> Result<Opened, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let over = || refused("this took too long: sign in with the password again");
        let session = inventory.session(&Hashed::of(secret), now).await.map_err(|error| unavailable(&error))?;
        let session = session.filter(|session| session.stage == Stage::Code).ok_or_else(over)?;
        let user = inventory.user(session.user).await.map_err(|error| unavailable(&error))?.ok_or_else(over)?;
        let counted = self.count(&inventory, visitor, &user.email).await?;
        let factor = match (secret::typed_recovery_code(code), &user.totp_secret) {
            (Some(recovery), _) => Some(SecondFactor::Recovery(Hashed::of(&recovery))),
            (None, Some(totp)) => {
                second_factor::step_of(totp, code, self.wall_secs())?.map(|step| SecondFactor::Totp { step })
            }
            (None, None) => None,
        };
        let by = by_user(self, visitor, &user);
        let counts = match &factor {
            Some(factor) => {
                inventory.use_second_factor(&by, user.id, factor).await.map_err(|error| unavailable(&error))?
            }
            None => false,
        };
        if !counts {
            tracing::info!(email = user.email, from = shown_address(visitor), "somebody could not show a code");
            return Err(refused("this is not the code, or it was used already: wait for the next one"));
        }
        counted.was_right();
        self.open_session(&inventory, visitor, &user, Stage::Open, Some(Hashed::of(secret))).await
    }

    async fn sign_out(&self, secret: &str) -> Result<(), Problem> {
        self.inventory()?.end_session(&Hashed::of(secret)).await.map_err(|error| unavailable(&error))
    }

    async fn sign_out_elsewhere(&self, visitor: &Visitor, who: &SignedIn) -> Result<(), Problem> {
        let (by, kept) = (self.by(visitor, who), Hashed::of(&who.secret));
        let ended = self.inventory()?.end_sessions_of(&by, UserId(who.user), Some(&kept)).await;
        ended.map_err(|error| not_done(&error))
    }

    async fn link(&self, secret: &str) -> Result<LinkUse, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let link = inventory.link(&Hashed::of(secret), now).await.map_err(|error| unavailable(&error))?;
        match link.map(|link| link.purpose) {
            Some(Purpose::Operator) => Ok(LinkUse::CreateOperator),
            Some(Purpose::Password { user, .. }) => {
                let user = inventory.user(user).await.map_err(|error| unavailable(&error))?;
                user.map(|user| LinkUse::SetPassword { email: user.email }).ok_or_else(link_invalid)
            }
            Some(Purpose::SignUp { email, organisation, .. }) => Ok(LinkUse::SignUp { email, organisation }),
            Some(Purpose::Invitation { tenant, email, role, .. }) => {
                let tenant = inventory.tenant(tenant).await.map_err(|error| unavailable(&error))?;
                let organisation = tenant.ok_or_else(link_invalid)?.name;
                let user = inventory.user_by_email(&email).await.map_err(|error| unavailable(&error))?;
                Ok(LinkUse::Join { email, organisation, role: shown_role(role), has_account: user.is_some() })
            }
            Some(Purpose::Email { email, .. }) => Ok(LinkUse::ChangeEmail { email }),
            None => Err(link_invalid()),
        }
    }

    async fn create_operator(
        &self,
        visitor: &Visitor,
        link: &str,
        email: &str,
        password: &str,
    ) -> Result<Opened, Problem> {
        password::check(password, email)?;
        let inventory = self.inventory()?;
        let hashed = password::hashed(password).await?;
        let by = By { actor: inventory::Actor::Machine, address: visitor.address, at: self.node.clock.now() };
        let created = inventory.create_first_operator(&by, &Hashed::of(link), email, &hashed).await;
        let id = created.map_err(|error| not_done(&error))?;
        tracing::info!(email, from = shown_address(visitor), "the operator is created");
        let user = self.user(&inventory, id).await?;
        self.open_session(&inventory, visitor, &user, Stage::Open, None).await
    }

    async fn set_password(&self, visitor: &Visitor, link: &str, password: &str) -> Result<Opened, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let found = inventory.link(&Hashed::of(link), now).await.map_err(|error| unavailable(&error))?;
        let Some(Purpose::Password { user: id, .. }) = found.map(|link| link.purpose) else {
            return Err(link_invalid());
        };
        let user = self.user(&inventory, id).await?;
        password::check(password, &user.email)?;
        let (hashed, by) = (password::hashed(password).await?, by_user(self, visitor, &user));
        let set = inventory.reset_password(&by, &Hashed::of(link), id, &hashed).await;
        set.map_err(|error| not_done(&error))?;
        // Whoever has the link may have stolen it: the second factor is wanted all the same.
        self.open_session(&inventory, visitor, &user, after_password(&user), None).await
    }

    async fn change_password(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        present: &str,
        new: &str,
    ) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        self.confirm(&inventory, visitor, who, present).await?;
        password::check(new, &who.email)?;
        let (hashed, kept) = (password::hashed(new).await?, Hashed::of(&who.secret));
        let set = inventory.set_password(&self.by(visitor, who), UserId(who.user), &hashed, Some(&kept)).await;
        set.map_err(|error| not_done(&error))
    }

    async fn recovery_codes(&self, who: &SignedIn) -> Result<u64, Problem> {
        self.inventory()?.recovery_codes(UserId(who.user)).await.map_err(|error| unavailable(&error))
    }

    async fn offer_second_factor(&self, who: &SignedIn) -> Result<SecondFactorOffer, Problem> {
        let secret = second_factor::new_secret().map_err(|error| no_random(&error))?;
        let url = second_factor::url(&secret, &who.email)?;
        Ok(SecondFactorOffer { secret, url })
    }

    async fn set_second_factor(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        password: &str,
        secret: &str,
        code: &str,
    ) -> Result<Vec<String>, Problem> {
        let inventory = self.inventory()?;
        self.confirm(&inventory, visitor, who, password).await?;
        let Some(step) = second_factor::step_of(secret, code, self.wall_secs())? else {
            let detail = "this is not the code that the authenticator shows now: type the next one, and see that the clocks \
                          of this server and of the authenticator are right";
            return Err(Problem::new(Code::CodeWrong, detail));
        };
        let codes = secret::recovery_codes().map_err(|error| no_random(&error))?;
        let hashed: Vec<Hashed> = codes.iter().map(|code| Hashed::of(code)).collect();
        let by = self.by(visitor, who);
        let set = inventory.set_totp(&by, UserId(who.user), secret, step, &hashed).await;
        set.map_err(|error| not_done(&error))?;
        Ok(codes)
    }

    async fn remove_second_factor(&self, visitor: &Visitor, who: &SignedIn, password: &str) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        self.confirm(&inventory, visitor, who, password).await?;
        let removed = inventory.remove_totp(&self.by(visitor, who), UserId(who.user)).await;
        removed.map_err(|error| not_done(&error))
    }

    async fn sessions(&self, who: &SignedIn) -> Result<Vec<json::Session>, Problem> {
        let (inventory, now) = (self.inventory()?, self.node.clock.now());
        let sessions = inventory.sessions_of(UserId(who.user), now).await.map_err(|error| unavailable(&error))?;
        let own = Hashed::of(&who.secret);
        let shown = sessions.into_iter().map(|session| json::Session {
            is_this: own.stands_as(&session.id),
            address: session.address,
            agent: session.agent,
            created_at: time(session.created_at),
            used_at: time(session.used_at),
        });
        Ok(shown.collect())
    }

    async fn tokens(&self, caller: &Caller) -> Result<Vec<json::Token>, Problem> {
        let tokens = self.inventory()?.tokens(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let shown = tokens.into_iter().map(|token| json::Token {
            name: token.name,
            scopes: token.scopes.iter().map(shown_scope).collect(),
            made_by: token.made_by,
            created_at: time(token.created_at),
            ends_at: token.ends_at.map(time),
            used_at: token.used_at.map(time),
        });
        Ok(shown.collect())
    }

    async fn add_token(&self, caller: &Caller, token: NewToken) -> Result<json::AddedToken, Problem> {
        if let Actor::Token(_) = caller.actor {
            let detail = "a token makes no other one, which would outlive it: sign in to the console, or use the command line \
                          on the server's machine";
            return Err(Problem::new(Code::NotAllowed, detail));
        }
        if token.ends_at.is_some_and(|at| at.unix_ms() <= self.node.clock.now().0) {
            return Err(Problem::new(
                Code::BodyInvalid,
                "the token would end before it begins: give it a time to come",
            ));
        }
        if let Some(beyond) = token.scopes.iter().find(|scope| !caller.may(**scope)) {
            let detail = format!("the token cannot have the scope {beyond}, which you do not have");
            return Err(Problem::new(Code::NotAllowed, detail));
        }
        let made = secret::token().map_err(|error| no_random(&error))?;
        let scopes: Vec<inventory::Scope> = token.scopes.iter().map(|scope| read_scope(*scope)).collect();
        let row = inventory::NewToken {
            name: token.name.clone(),
            secret: Hashed::of(&made),
            scopes: inventory::Scopes::of(&scopes),
            ends_at: token.ends_at.map(|at| xfr::Moment(at.unix_ms())),
        };
        let added = self.inventory()?.add_token(&self.by_caller(caller), caller.tenant, &row).await;
        added.map_err(|error| no_token(&error))?;
        Ok(json::AddedToken { name: token.name, token: made })
    }

    async fn remove_token(&self, caller: &Caller, name: &str) -> Result<(), Problem> {
        let removed = self.inventory()?.remove_token(&self.by_caller(caller), caller.tenant, name).await;
        removed.map_err(|error| no_token(&error))
    }

    async fn users(&self, caller: &Caller) -> Result<Vec<json::User>, Problem> {
        let inventory = self.inventory()?;
        let users = inventory.users().await.map_err(|error| unavailable(&error))?;
        let members = inventory.members(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let shown = users.into_iter().map(|user| json::User {
            role: members.iter().find(|member| member.user == user.id).map(|member| shown_role(member.role)),
            operator: user.standing == Standing::Operator,
            second_factor: user.totp_secret.is_some(),
            created_at: time(user.created_at),
            seen_at: user.seen_at.map(time),
            verified_at: user.verified_at.map(time),
            email: user.email,
        });
        Ok(shown.collect())
    }

    async fn add_user(&self, caller: &Caller, user: NewUser) -> Result<json::PasswordLink, Problem> {
        must_everything(caller)?;
        let (inventory, by) = (self.inventory()?, self.by_caller(caller));
        let row = inventory::NewUser {
            email: user.email.clone(),
            // Nobody signs in with it: the link sets the first one.
            password: String::new(),
            standing: if user.is_operator { Standing::Operator } else { Standing::User },
        };
        let added = inventory.add_member(&by, caller.tenant, &row, read_role(user.role)).await;
        added.map_err(|error| not_done(&error))?;
        self.link_for_password(caller, &user.email).await
    }

    async fn link_for_password(&self, caller: &Caller, email: &str) -> Result<json::PasswordLink, Problem> {
        must_everything(caller)?;
        let (inventory, by) = (self.inventory()?, self.by_caller(caller));
        let user = inventory.user_by_email(email).await.map_err(|error| unavailable(&error))?;
        let user = user.ok_or_else(|| no_user(email))?;
        let secret = secret::new().map_err(|error| no_random(&error))?;
        let ends_at = by.at.plus(PASSWORD_LINK_LASTS);
        let purpose = Purpose::Password { user: user.id, sent: self.sent() };
        let made = inventory.make_link(&purpose, &Hashed::of(&secret), by.at, ends_at).await;
        made.map_err(|error| unavailable(&error))?;
        let recorded = inventory.record_act(None, &by, "user.link_made", &user.email, serde_json::json!({})).await;
        recorded.map_err(|error| unavailable(&error))?;
        let path = self.handed_over(&secret, |url| letters::password(&user.email, url, "seven days"));
        Ok(json::PasswordLink { email: user.email, path, ends_at: time(ends_at) })
    }

    async fn remove_user(&self, caller: &Caller, email: &str) -> Result<(), Problem> {
        must_everything(caller)?;
        let inventory = self.inventory()?;
        let user = inventory.user_by_email(email).await.map_err(|error| unavailable(&error))?;
        let user = user.ok_or_else(|| no_user(email))?;
        inventory.remove_user(&self.by_caller(caller), user.id).await.map_err(|error| not_done(&error))
    }

    async fn remove_second_factor_of(&self, caller: &Caller, email: &str) -> Result<(), Problem> {
        must_everything(caller)?;
        let inventory = self.inventory()?;
        let user = inventory.user_by_email(email).await.map_err(|error| unavailable(&error))?;
        let user = user.ok_or_else(|| no_user(email))?;
        let removed = inventory.remove_totp(&self.by_caller(caller), user.id).await;
        removed.map_err(|error| not_done(&error))?;
        self.write(letters::second_factor_removed(&user.email, &self.url("/account")));
        Ok(())
    }

    async fn audit(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<json::Audit, Problem> {
        let inventory = self.inventory()?;
        let of = match caller.may(Scope::Operate) {
            true => AuditOf::TenantAndService(caller.tenant),
            false => AuditOf::Tenant(caller.tenant),
        };
        let entries = inventory.audit(of, before, limit).await;
        let entries = entries.map_err(|error| unavailable(&error))?;
        let next = entries.last().filter(|_| entries.len() == limit as usize).map(|entry| entry.id);
        let shown = entries.into_iter().map(|entry| json::AuditEntry {
            id: entry.id,
            at: time(entry.at),
            actor: entry.actor,
            address: entry.address,
            act: entry.act,
            subject: entry.subject,
            details: entry.details,
        });
        Ok(json::Audit { entries: shown.collect(), next })
    }
}

impl House {
    /// Counts a request of the tenant's to the API.
    fn count_request(&self, tenant: TenantId) -> Result<(), Problem> {
        self.node.plans.count_request(tenant, self.node.clock.now()).map_err(|secs| {
            let terms = self.node.plans.of(tenant);
            let per_minute = terms.limits().requests_per_minute.unwrap_or_default();
            let detail = format!(
                "the plan {:?} is for {per_minute} request(s) to the API in a minute, and these are made: try again in {secs} s",
                terms.name()
            );
            Problem::new(Code::RateLimited, detail)
        })
    }

    /// Codes go by the time that people have.
    fn wall_secs(&self) -> u64 {
        self.node.clock.machine().wall_clock().as_secs()
    }
}

/// Whoever makes a user, or a link that signs in as one, may do all that this one may: so they must be able to anyhow.
fn must_everything(caller: &Caller) -> Result<(), Problem> {
    if Scope::ALL.iter().all(|scope| caller.may(*scope)) {
        return Ok(());
    }
    let detail = "users are made, given links and removed only by who may do everything: sign in as an operator, use a token \
                  with all scopes, or the command line on the server's machine";
    Err(Problem::new(Code::NotAllowed, detail))
}

pub(super) fn refused(detail: &str) -> Problem {
    Problem::new(Code::SignInRefused, detail)
}

pub(super) fn link_invalid() -> Problem {
    Problem::new(Code::LinkInvalid, UserError::LinkUsed.to_string())
}

pub(super) fn no_user(email: &str) -> Problem {
    Problem::new(Code::UserUnknown, format!("there is no user {email}: see `secondo user list`"))
}

pub(super) fn no_random(error: &std::io::Error) -> Problem {
    Problem::new(Code::Internal, format!("no secret can be made: {error}"))
}

pub(super) fn not_done(error: &UserError) -> Problem {
    let code = match error {
        UserError::ExistsAlready(_) => Code::UserExists,
        UserError::Unknown => Code::UserUnknown,
        UserError::LastOperator(_) | UserError::LastOwner { .. } => Code::LastOwner,
        UserError::LinkUsed => Code::LinkInvalid,
        UserError::MemberAlready(_) => Code::MemberExists,
        UserError::NotInvited(_) => Code::InvitationUnknown,
        UserError::InvitedAnother(_) => Code::NotAllowed,
        UserError::TooManyInvitations => Code::TooManyAttempts,
        UserError::PlanMembers { .. } => Code::PlanLimit,
        UserError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}

fn no_token(error: &TokenError) -> Problem {
    let code = match error {
        TokenError::ExistsAlready(_) => Code::TokenExists,
        TokenError::Unknown(_) => Code::TokenUnknown,
        TokenError::TooMany => Code::TooManyAttempts,
        TokenError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}
