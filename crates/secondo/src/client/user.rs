//! `secondo user add | list | link | remove | lost-factor`: who may sign in to the console.

use api::json::{AddUser, PasswordLink, Role, User, Users};
use api::{percent_encoded, text};
use clap::Subcommand;

use super::command::with_code;
use super::failure::Failure;
use super::output::{Format, Output, or_dash, time_or_dash, time_text};
use super::server::Server;

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Add somebody, and show the page on which they set their password.
    #[command(after_help = "\
Examples:
  secondo user add alice@example.org
  secondo user add bob@example.org --role editor
  secondo user add carol@example.org --role owner --operator

A viewer may look; an editor may also add, change and remove zones, catalogs and keys; an owner also sees the audit log
and makes tokens. An operator may do everything, and says who else may sign in.")]
    Add {
        /// Their e-mail address, with which they sign in.
        #[arg(value_parser = email)]
        email: String,
        /// What they may do: viewer, editor or owner.
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// They run the whole service.
        #[arg(long)]
        operator: bool,
    },
    /// List everybody who may sign in.
    #[command(after_help = "Example:\n  secondo user list")]
    List,
    /// Show a page on which somebody sets another password, who has forgotten theirs; one shown before does nothing any more.
    #[command(after_help = "Example:\n  secondo user link alice@example.org")]
    Link {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
    },
    /// Take the second factor off somebody who has lost theirs, and has no recovery code; they are told by mail. See first who
    /// it is that asks.
    #[command(after_help = "Example:\n  secondo user lost-factor alice@example.org")]
    LostFactor {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
    },
    /// Remove somebody, who is signed out at once; not the last operator, nor the last owner.
    #[command(after_help = "Example:\n  secondo user remove alice@example.org")]
    Remove {
        /// Their e-mail address.
        #[arg(value_parser = email)]
        email: String,
    },
}

pub(super) async fn carry_out(action: UserAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        UserAction::Add { email, role, operator } => {
            let link: PasswordLink = server.post("/users", &AddUser { email, role, operator }).await?;
            let what = if operator { format!("{role}, operator") } else { role.to_string() };
            show(&format!("added {} ({what})", link.email), &link, server, output).await
        }
        UserAction::List => list(server, output).await,
        UserAction::Link { email } => {
            let path = format!("/users/{}/link", percent_encoded(&email));
            let link: PasswordLink = server.post(&path, &()).await?;
            show(&format!("{} can set another password", link.email), &link, server, output).await
        }
        UserAction::LostFactor { email } => {
            server.delete(&format!("/users/{}/second-factor", percent_encoded(&email))).await?;
            if output.format() == Format::Text {
                output.line(&format!("{email} signs in with a password alone from now on"))?;
            }
            Ok(())
        }
        UserAction::Remove { email } => {
            server.delete(&format!("/users/{}", percent_encoded(&email))).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed {email}, who is signed out"))?;
            }
            Ok(())
        }
    }
}

async fn show(done: &str, link: &PasswordLink, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let url = match &link.path {
        Some(path) => Some(server.page(path).await?),
        None => None,
    };
    if output.format() == Format::Json {
        let shown = serde_json::json!({ "email": link.email, "url": url, "ends_at": link.ends_at });
        return Ok(output.json(&shown)?);
    }
    Ok(output.line(&format!("{done}\n\n{}", given("The password is set", link, url.as_deref())))?)
}

/// How somebody gets a link, in words.
pub(super) fn given(what: &str, link: &PasswordLink, url: Option<&str>) -> String {
    let until = time_text(link.ends_at);
    match url {
        Some(url) => format!(
            "{what} on this page, once, until {until}:\n\n  {url}\n\n\
             Whoever has it can do that: give it to nobody else."
        ),
        None => format!("{what} by a link that is on its way to {}; it works once, until {until}.", link.email),
    }
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Users { users } = server.get("/users", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&users)?);
    }
    if users.is_empty() {
        let sentence = "nobody can sign in yet: the server has printed a link that creates the operator at its start; or \
                        add one with `secondo user add EMAIL --role owner --operator`";
        return Ok(output.line(sentence)?);
    }
    let titles = ["EMAIL", "ROLE", "OPERATOR", "SECOND FACTOR", "CREATED", "LAST SIGNED IN"];
    Ok(output.table(&titles, users.into_iter().map(row))?)
}

fn row(user: User) -> Vec<String> {
    let yes = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    vec![
        user.email,
        or_dash(user.role),
        yes(user.operator),
        yes(user.second_factor),
        time_text(user.created_at),
        time_or_dash(user.seen_at),
    ]
}

pub(super) fn email(email: &str) -> Result<String, String> {
    text::email(email).map_err(with_code)
}
