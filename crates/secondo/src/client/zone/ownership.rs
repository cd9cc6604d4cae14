//! `secondo zone ownership | hand-over`.

use api::json::{HandOver, Ownership, OwnershipState};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;

pub(crate) async fn ownership(
    name: &Name,
    look: bool,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let found = match look {
        true => server.post_and_wait(&path(name, "/ownership/look"), &()).await?,
        false => server.get(&path(name, "/ownership"), &[]).await?,
    };
    show(&found, output)
}

pub(crate) async fn hand_over(
    name: &Name,
    to: &str,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let order = HandOver { to: to.to_owned() };
    let found: Ownership = server.post(&path(name, "/ownership/hand-over"), &order).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&found)?);
    }
    Ok(output.line(&format!("{name} is handed over: it is answered as the other organisation copies it"))?)
}

fn show(found: &Ownership, output: &mut Output<'_>) -> Result<(), Failure> {
    if output.format() == Format::Json {
        return Ok(output.json(found)?);
    }
    let mut facts = vec![
        ("name", found.name.clone()),
        ("ownership", found.state.to_string()),
        ("by", or_dash(found.proof.as_ref())),
        ("since", found.proven_at.map_or_else(|| "-".to_owned(), time_text)),
    ];
    if let Some(lapsed_at) = found.lapsed_at {
        facts.push(("lost", time_text(lapsed_at)));
    }
    if let Some(seen) = &found.seen {
        let names = seen.delegated_to.as_ref().map(|names| names.join(" "));
        facts.push(("looked", time_text(seen.at)));
        facts.push(("delegated to", names.unwrap_or_else(|| "not seen".to_owned())));
        if let Some(message) = &seen.message {
            facts.push(("because", message.clone()));
        }
    }
    output.facts(facts)?;
    if found.state == OwnershipState::Proven {
        return Ok(());
    }
    output.line("")?;
    match &found.challenge {
        None => output.line("Only whoever runs the service can give this name: below it others have theirs.")?,
        Some(challenge) => {
            output.line("To prove it, put this record where the zone is delegated to now:")?;
            output.line(&format!("  {} 300 IN TXT \"{}\"", challenge.name, challenge.text))?;
        }
    }
    if found.name_servers_are_own && found.challenge.is_some() {
        output.line(&format!("or have its delegation changed to: {}", found.name_servers.join(" ")))?;
    }
    Ok(())
}
