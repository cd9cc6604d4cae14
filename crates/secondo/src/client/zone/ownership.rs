//! `secondo zone ownership | hand-over`.

use api::json::{HandOver, Ownership, OwnershipNeighbour, OwnershipState};
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
    for line in advice(found) {
        output.line(&line)?;
    }
    Ok(())
}

/// What would prove the name.
fn advice(found: &Ownership) -> Vec<String> {
    let servers = found.name_servers.join(" ");
    let line = |text: &str| vec![text.to_owned()];
    match (&found.challenge, &found.neighbour) {
        (None, _) => line("Only whoever runs the service can give this name: below it others have theirs."),
        (_, Some(OwnershipNeighbour::Below)) => {
            line("Only whoever runs the service can give this name: another organisation has a zone below it.")
        }
        (_, Some(OwnershipNeighbour::Above)) if found.name_servers_are_own => vec![
            "Another organisation has the zone above it: the name is yours when that zone delegates it to".to_owned(),
            format!("  {servers}"),
            "or by the word of whoever runs the service; no text proves it.".to_owned(),
        ],
        (_, Some(OwnershipNeighbour::Above)) => {
            line("Only whoever runs the service can give this name: another organisation has the zone above it.")
        }
        (Some(_), None) if found.pointed_here_before() => vec![
            "It is delegated here, and was not seen to come here for this claim, which proves nothing: whoever had it".to_owned(),
            "before may have left it so. Have it delegated elsewhere, see that with --look, and then here again; or ask".to_owned(),
            "whoever runs the service.".to_owned(),
        ],
        (Some(challenge), None) => {
            let mut lines = vec![
                "To prove it, put this record where the zone is delegated to now:".to_owned(),
                format!("  {} 300 IN TXT \"{}\"", challenge.name, challenge.text),
            ];
            lines.extend(
                found.name_servers_are_own.then(|| format!("or have its delegation changed to: {servers}")),
            );
            lines
        }
    }
}
