//! `secondo token add | list | remove`: what lets programs in.

use std::time::Duration;

use api::json::{AddToken, AddedToken, Scope, Time, Token, Tokens};
use api::{percent_encoded, text};
use clap::Subcommand;

use super::command::with_code;
use super::failure::Failure;
use super::output::{Format, Output, time_or_dash, time_text};
use super::server::Server;
use crate::clock::{Machine, ThisMachine};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Add an access token of the API; what opens the API is shown this once.
    #[command(after_help = "\
Examples:
  secondo token add dashboard --scope read
  secondo token add deployment --scope read,zones --ends-in 90d

What a token may do is the sum of its scopes:
  read      look at zones, keys and catalogs
  zones     add, change, refresh and remove zones and catalogs
  keys      add and remove TSIG keys
  people    tokens and the audit log
  operate   the whole service: its status, its users")]
    Add {
        /// By which people know it, such as what it is for.
        #[arg(value_parser = token_name)]
        name: String,
        /// What it may do, with commas: read, zones, keys, people, operate.
        #[arg(long = "scope", required = true, value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// How long it is good for, such as 90d; without it, until it is removed.
        #[arg(long, value_name = "TIME", value_parser = span)]
        ends_in: Option<Duration>,
    },
    /// List the access tokens, and when each was last used.
    #[command(after_help = "Example:\n  secondo token list")]
    List,
    /// Remove an access token: from then on it opens nothing.
    #[command(after_help = "Example:\n  secondo token remove deployment")]
    Remove {
        /// The token's name, not what opens the API.
        #[arg(value_parser = token_name)]
        name: String,
    },
}

pub(super) async fn carry_out(action: TokenAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        TokenAction::Add { name, scopes, ends_in } => {
            let ends_at = ends_in.map(|span| after(ThisMachine.wall_clock(), span));
            add(AddToken { name, scopes, ends_at }, server, output).await
        }
        TokenAction::List => list(server, output).await,
        TokenAction::Remove { name } => {
            server.delete(&format!("/tokens/{}", percent_encoded(&name))).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the token {name}: it opens nothing any more"))?;
            }
            Ok(())
        }
    }
}

async fn add(token: AddToken, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let added: AddedToken = server.post("/tokens", &token).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&added)?);
    }
    let until = token.ends_at.map(|at| format!("until {}", time_text(at)));
    output.line(&format!(
        "added the token {} ({}; good {})\n\nIt is not shown again:\n\n  {}\n\n\
         Keep it like a password. For this command, on any machine, it goes into the variable SECONDO_TOKEN, with the \
         server's URL in SECONDO_SERVER; other programs send it along with each request as the header\n\n  \
         Authorization: Bearer TOKEN",
        added.name,
        words(&token.scopes),
        until.as_deref().unwrap_or("until it is removed"),
        added.token
    ))?;
    Ok(())
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Tokens { tokens } = server.get("/tokens", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&tokens)?);
    }
    if tokens.is_empty() {
        return Ok(output.line("there are no tokens; add one with `secondo token add NAME --scope read`")?);
    }
    Ok(output.table(&["NAME", "SCOPES", "MADE BY", "CREATED", "ENDS", "LAST USED"], tokens.into_iter().map(row))?)
}

fn row(token: Token) -> Vec<String> {
    let (ends, used) = (time_or_dash(token.ends_at), time_or_dash(token.used_at));
    vec![token.name, words(&token.scopes), token.made_by, time_text(token.created_at), ends, used]
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

fn after(now: Duration, span: Duration) -> Time {
    Time::from_unix_ms(u64::try_from((now + span).as_millis()).unwrap_or(u64::MAX))
}

fn token_name(name: &str) -> Result<String, String> {
    text::token_name(name).map_err(with_code)
}

fn span(text: &str) -> Result<Duration, String> {
    let secs = xfr::span::seconds(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(secs.into()))
}
