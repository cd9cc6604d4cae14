//! Organisations: made and removed by operators, and kept by those who own them.

use std::time::Duration;

use api::doors::{Caller, OrganisationPage, Organisations, SignedIn, Streamed, Visitor};
use api::json::{self, Role, Scope};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{By, Hashed, Inventory, NewInvitation, Tenant, TenantError, TenantId, UserId};

use super::accounts::{no_random, not_done};
use super::roles::{read_role, shown_role};
use super::{House, unavailable};
use crate::accounts::{letters, secret};
use crate::ledger::time;

/// How long an invitation waits for an answer.
const INVITATION_LASTS: Duration = Duration::from_secs(7 * 24 * 3600);

#[async_trait]
impl Organisations for House {
    async fn organisations(&self, page: &OrganisationPage) -> Result<Vec<json::Organisation>, Problem> {
        let tenants = self.inventory()?.tenants(&page.find, page.after, page.limit).await;
        Ok(tenants.map_err(|error| unavailable(&error))?.into_iter().map(shown).collect())
    }

    async fn organisation(&self, id: TenantId) -> Result<json::Organisation, Problem> {
        let tenant = self.inventory()?.tenant(id).await.map_err(|error| unavailable(&error))?;
        tenant.map(shown).ok_or_else(|| no_tenant(&TenantError::Unknown))
    }

    async fn add_organisation(
        &self,
        caller: &Caller,
        name: &str,
        owner: Option<&str>,
    ) -> Result<json::AddedOrganisation, Problem> {
        let added = self.inventory()?.add_tenant(&self.by_caller(caller), name).await;
        let tenant = added.map_err(|error| unavailable(&error))?;
        let invitation = match owner {
            Some(owner) => {
                let caller = Caller { tenant, ..caller.clone() };
                Some(self.invite(&caller, owner, Role::Owner).await?)
            }
            None => None,
        };
        Ok(json::AddedOrganisation { organisation: self.organisation(tenant).await?, invitation })
    }

    async fn rename_organisation(&self, caller: &Caller, id: TenantId, name: &str) -> Result<(), Problem> {
        let renamed = self.inventory()?.rename_tenant(&self.by_caller(caller), id, name).await;
        renamed.map_err(|error| no_tenant(&error))
    }

    async fn remove_organisation(&self, caller: &Caller, id: TenantId, typed: &str) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        self.remove(&inventory, &self.by_caller(caller), id, typed).await
    }

    async fn remove_own(
        &self,
        visitor: &Visitor,
        who: &SignedIn,
        caller: &Caller,
        password: &str,
        typed: &str,
    ) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        self.confirm(&inventory, visitor, who, password).await?;
        self.remove(&inventory, &self.by_caller(caller), caller.tenant, typed).await
    }

    async fn members(&self, caller: &Caller) -> Result<Vec<json::Member>, Problem> {
        let members = self.inventory()?.members(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let shown = members.into_iter().map(|member| json::Member {
            email: member.email,
            role: shown_role(member.role),
            since: time(member.since),
            second_factor: member.has_second_factor,
            seen_at: member.seen_at.map(time),
        });
        Ok(shown.collect())
    }

    async fn set_role(&self, caller: &Caller, email: &str, role: Role) -> Result<(), Problem> {
        must_all_of(caller, role)?;
        let inventory = self.inventory()?;
        let member = member(&inventory, caller.tenant, email).await?;
        let set = inventory.set_role(&self.by_caller(caller), caller.tenant, member, read_role(role)).await;
        set.map_err(|error| not_done(&error))
    }

    async fn remove_member(&self, caller: &Caller, email: &str) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        let member = member(&inventory, caller.tenant, email).await?;
        let removed = inventory.remove_member(&self.by_caller(caller), caller.tenant, member).await;
        removed.map_err(|error| not_done(&error))
    }

    async fn leave(&self, visitor: &Visitor, who: &SignedIn, id: TenantId) -> Result<(), Problem> {
        let left = self.inventory()?.remove_member(&self.by(visitor, who), id, UserId(who.user)).await;
        left.map_err(|error| not_done(&error))
    }

    async fn invitations(&self, caller: &Caller) -> Result<Vec<json::Invitation>, Problem> {
        let invitations = self.inventory()?.invitations(caller.tenant, self.node.clock.now()).await;
        let shown =
            invitations.map_err(|error| unavailable(&error))?.into_iter().map(|invitation| json::Invitation {
                email: invitation.email,
                role: shown_role(invitation.role),
                made_by: invitation.made_by,
                created_at: time(invitation.created_at),
                ends_at: time(invitation.ends_at),
            });
        Ok(shown.collect())
    }

    async fn invite(&self, caller: &Caller, email: &str, role: Role) -> Result<json::PasswordLink, Problem> {
        must_all_of(caller, role)?;
        if self.messengers.post.is_none() && !caller.may(Scope::Operate) {
            // Whoever hands a link over could use it in another's name.
            let detail = "this service sends no mail, and whoever runs it hands links over: ask them to invite";
            return Err(Problem::new(Code::MailMissing, detail));
        }
        let (inventory, by) = (self.inventory()?, self.by_caller(caller));
        let tenant = inventory.tenant(caller.tenant).await.map_err(|error| unavailable(&error))?;
        let tenant = tenant.ok_or_else(|| no_tenant(&TenantError::Unknown))?;
        self.tries.count_invitation(caller.tenant.0, email)?;
        let secret = secret::new().map_err(|error| no_random(&error))?;
        let ends_at = by.at.plus(INVITATION_LASTS);
        let invitation = NewInvitation {
            email: email.to_owned(),
            role: read_role(role),
            secret: Hashed::of(&secret),
            ends_at,
            sent: self.sent(),
        };
        let invited = inventory.invite(&by, caller.tenant, &invitation).await;
        invited.map_err(|error| not_done(&error))?;
        let (who, role) = (by.actor.to_string(), role.to_string());
        let path = self.handed_over(&secret, |url| letters::invitation(email, &tenant.name, &who, &role, url));
        Ok(json::PasswordLink { email: email.to_owned(), path, ends_at: time(ends_at) })
    }

    async fn withdraw(&self, caller: &Caller, email: &str) -> Result<(), Problem> {
        let withdrawn = self.inventory()?.withdraw_invitation(&self.by_caller(caller), caller.tenant, email).await;
        withdrawn.map_err(|error| not_done(&error))
    }

    async fn export_organisation(&self, caller: &Caller) -> Result<Streamed, Problem> {
        let organisation = self.organisation(caller.tenant).await?;
        self.record(caller, "organisation.exported", &organisation.name, serde_json::json!({})).await;
        self.exported(caller, organisation).await
    }
}

impl House {
    async fn remove(&self, inventory: &Inventory, by: &By, id: TenantId, typed: &str) -> Result<(), Problem> {
        let organisation = self.organisation(id).await?;
        if typed != organisation.name {
            let detail = "this is not the name of the organisation: nothing was removed";
            return Err(Problem::new(Code::NameNotTyped, detail));
        }
        let removed = inventory.remove_tenant(by, id).await;
        let users = removed.map_err(|error| no_tenant(&error))?;
        tracing::info!(id = id.0, by = %by.actor, users, zones = organisation.zones, "an organisation is removed");
        Ok(())
    }
}

async fn member(inventory: &Inventory, tenant: TenantId, email: &str) -> Result<UserId, Problem> {
    let members = inventory.members(tenant).await.map_err(|error| unavailable(&error))?;
    let lower = email.to_lowercase();
    let found = members.into_iter().find(|member| member.email.to_lowercase() == lower);
    found.map(|member| member.user).ok_or_else(|| {
        Problem::new(Code::UserUnknown, format!("there is no member {email}: see `secondo member list`"))
    })
}

/// Nobody gives others more than they have: a token that may see people makes nobody an owner who changes zones.
fn must_all_of(caller: &Caller, role: Role) -> Result<(), Problem> {
    match role.scopes().into_iter().find(|scope| !caller.may(*scope)) {
        None => Ok(()),
        Some(beyond) => {
            let detail = format!("the role {role} has the scope {beyond}, which you do not have");
            Err(Problem::new(Code::NotAllowed, detail))
        }
    }
}

fn shown(tenant: Tenant) -> json::Organisation {
    json::Organisation {
        id: tenant.id.0,
        name: tenant.name,
        created_at: tenant.created_at.map(time),
        members: tenant.members,
        zones: tenant.zones,
    }
}

fn no_tenant(error: &TenantError) -> Problem {
    let code = match error {
        TenantError::Unknown => Code::TenantUnknown,
        TenantError::Default => Code::TenantStays,
        TenantError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}
