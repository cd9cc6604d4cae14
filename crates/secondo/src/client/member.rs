//! `secondo member list | role | remove | invite | invitations | withdraw`: who belongs to an organisation.

use api::json::{AddInvitation, ChangeMember, Invitation, Invitations, Member, Members, PasswordLink, Role};
use api::percent_encoded;
use clap::Subcommand;

use super::failure::Failure;
use super::output::{Format, Output, time_or_dash, time_text};
use super::server::Server;
use super::user::{email, given};

#[derive(Debug, Subcommand)]
pub(crate) enum MemberAction {
    /// List everybody who belongs to the organisation.
    #[command(after_help = "Example:\n  secondo member list")]
    List,
    /// Have a member do more or less from now on.
    #[command(after_help = "Example:\n  secondo member role alice@example.org editor")]
    Role {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
        /// What they may do: viewer, editor or owner.
        role: Role,
    },
    /// Have somebody belong to the organisation no more; not its last owner.
    #[command(after_help = "Example:\n  secondo member remove alice@example.org")]
    Remove {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
    },
    /// Invite somebody, by mail or by a link that you hand over.
    #[command(after_help = "Example:\n  secondo member invite alice@example.org --role editor")]
    Invite {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
        /// What they may do: viewer, editor or owner.
        #[arg(long, default_value = "viewer")]
        role: Role,
    },
    /// List the invitations that wait for an answer.
    #[command(after_help = "Example:\n  secondo member invitations")]
    Invitations,
    /// Take an invitation back: its link does nothing any more.
    #[command(after_help = "Example:\n  secondo member withdraw alice@example.org")]
    Withdraw {
        /// The e-mail address of whoever was invited.
        #[arg(value_parser = email)]
        email: String,
    },
}

pub(super) async fn carry_out(action: MemberAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        MemberAction::List => list(server, output).await,
        MemberAction::Role { email, role } => {
            let path = format!("/members/{}", percent_encoded(&email));
            server.patch_and_hear_nothing(&path, &ChangeMember { role }).await?;
            said(output, &format!("{email} is {} from now on", a_role(role)))
        }
        MemberAction::Remove { email } => {
            server.delete(&format!("/members/{}", percent_encoded(&email))).await?;
            said(output, &format!("{email} belongs to the organisation no more"))
        }
        MemberAction::Invite { email, role } => invite(email, role, server, output).await,
        MemberAction::Invitations => invitations(server, output).await,
        MemberAction::Withdraw { email } => {
            server.delete(&format!("/invitations/{}", percent_encoded(&email))).await?;
            said(output, &format!("the invitation of {email} is taken back"))
        }
    }
}

fn a_role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Editor => "an editor",
        Role::Owner => "an owner",
    }
}

fn said(output: &mut Output<'_>, sentence: &str) -> Result<(), Failure> {
    match output.format() {
        Format::Text => Ok(output.line(sentence)?),
        Format::Json => Ok(()),
    }
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Members { members } = server.get("/members", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&members)?);
    }
    if members.is_empty() {
        return Ok(output.line("nobody belongs to the organisation yet: see `secondo member invite`")?);
    }
    let row = |member: Member| {
        let factor = if member.second_factor { "yes" } else { "no" };
        vec![
            member.email,
            member.role.to_string(),
            factor.to_owned(),
            time_text(member.since),
            time_or_dash(member.seen_at),
        ]
    };
    Ok(output.table(&["EMAIL", "ROLE", "SECOND FACTOR", "SINCE", "LAST SIGNED IN"], members.into_iter().map(row))?)
}

async fn invite(email: String, role: Role, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let link: PasswordLink = server.post("/invitations", &AddInvitation { email, role }).await?;
    let url = match &link.path {
        Some(path) => Some(server.page(path).await?),
        None => None,
    };
    if output.format() == Format::Json {
        let shown = serde_json::json!({ "email": link.email, "url": url, "ends_at": link.ends_at });
        return Ok(output.json(&shown)?);
    }
    let done = format!("invited {} as {}", link.email, a_role(role));
    Ok(output.line(&format!("{done}\n\n{}", given("They join", &link, url.as_deref())))?)
}

async fn invitations(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Invitations { invitations } = server.get("/invitations", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&invitations)?);
    }
    if invitations.is_empty() {
        return Ok(output.line("no invitation waits for an answer")?);
    }
    let row = |invitation: Invitation| {
        vec![
            invitation.email,
            invitation.role.to_string(),
            invitation.made_by,
            time_text(invitation.created_at),
            time_text(invitation.ends_at),
        ]
    };
    Ok(output.table(&["EMAIL", "ROLE", "BY", "SENT", "ENDS"], invitations.into_iter().map(row))?)
}
