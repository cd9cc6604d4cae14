//! Organisations in memory, and newcomers whom nobody writes to.

use api::doors::{Caller, Newcomers, Offers, Opened, OrganisationPage, Organisations, SignedIn, Streamed, Visitor};
use api::json::{self, Role, Time};
use api::{Code, Problem};
use async_trait::async_trait;
use zone::TenantId;

use super::{Fake, no_user, nobody, password_link};

/// They are numbered from 1 on; the first is the one that every token and session is of.
const ORGANISATIONS: u64 = 3;

fn now() -> Time {
    Time::from_unix_ms(1_795_262_400_000)
}

fn organisation(id: u64) -> json::Organisation {
    json::Organisation {
        id,
        name: "M\u{fc}ller & <b>S\u{f6}hne</b>".into(),
        created_at: Some(now()),
        members: 2,
        zones: 3,
    }
}

#[async_trait]
impl Newcomers for Fake {
    fn offers(&self) -> Offers {
        Offers { sign_up: true, mail: true }
    }

    async fn sign_up(&self, _: &Visitor, _: &str, _: &str, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    async fn verify(&self, _: &Visitor, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn forgot_password(&self, _: &Visitor, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    async fn join(&self, _: &Visitor, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn accept(&self, _: &Visitor, _: &SignedIn, _: &str) -> Result<TenantId, Problem> {
        Err(nobody())
    }

    async fn ask_for_email(&self, _: &Visitor, _: &SignedIn, _: &str, _: &str) -> Result<(), Problem> {
        Err(nobody())
    }

    async fn change_email(&self, _: &Visitor, _: &str) -> Result<(), Problem> {
        Err(nobody())
    }
}

#[async_trait]
impl Organisations for Fake {
    async fn organisations(&self, page: &OrganisationPage) -> Result<Vec<json::Organisation>, Problem> {
        let after = page.after.map_or(0, |after| after.0);
        Ok((after + 1..=ORGANISATIONS).map(organisation).take(page.limit as usize).collect())
    }

    async fn organisation(&self, id: TenantId) -> Result<json::Organisation, Problem> {
        if (1..=ORGANISATIONS).contains(&id.0) {
            return Ok(organisation(id.0));
        }
        Err(Problem::new(Code::TenantUnknown, "there is no such organisation"))
    }

    async fn add_organisation(
        &self,
        _: &Caller,
        name: &str,
        owner: Option<&str>,
    ) -> Result<json::AddedOrganisation, Problem> {
        let organisation = json::Organisation { name: name.into(), ..organisation(4) };
        Ok(json::AddedOrganisation { organisation, invitation: owner.map(password_link) })
    }

    async fn rename_organisation(&self, _: &Caller, id: TenantId, _: &str) -> Result<(), Problem> {
        self.organisation(id).await.map(drop)
    }

    async fn remove_organisation(&self, _: &Caller, _: TenantId, typed: &str) -> Result<(), Problem> {
        if typed == "second" { Ok(()) } else { Err(Problem::new(Code::NameNotTyped, "this is not its name")) }
    }

    async fn remove_own(&self, _: &Visitor, _: &SignedIn, _: &Caller, _: &str, _: &str) -> Result<(), Problem> {
        Err(nobody())
    }

    async fn members(&self, _: &Caller) -> Result<Vec<json::Member>, Problem> {
        let email = "alice@example.org".to_owned();
        Ok(vec![json::Member { email, role: Role::Owner, since: now(), second_factor: true, seen_at: None }])
    }

    async fn set_role(&self, _: &Caller, email: &str, _: Role) -> Result<(), Problem> {
        Err(no_user(email))
    }

    async fn remove_member(&self, _: &Caller, email: &str) -> Result<(), Problem> {
        Err(no_user(email))
    }

    async fn leave(&self, _: &Visitor, _: &SignedIn, _: TenantId) -> Result<(), Problem> {
        Err(Problem::new(Code::LastOwner, "you are the last owner"))
    }

    async fn invitations(&self, _: &Caller) -> Result<Vec<json::Invitation>, Problem> {
        let (email, made_by) = ("new@example.org".to_owned(), "alice@example.org".to_owned());
        Ok(vec![json::Invitation { email, role: Role::Viewer, made_by, created_at: now(), ends_at: now() }])
    }

    async fn invite(&self, _: &Caller, email: &str, _: Role) -> Result<json::PasswordLink, Problem> {
        Ok(password_link(email))
    }

    async fn withdraw(&self, _: &Caller, email: &str) -> Result<(), Problem> {
        Err(Problem::new(Code::InvitationUnknown, format!("nobody with the address {email} is invited")))
    }

    async fn export_organisation(&self, _: &Caller) -> Result<Streamed, Problem> {
        Ok(Box::pin(futures_util::stream::iter([Ok("{}".to_owned())])))
    }
}
