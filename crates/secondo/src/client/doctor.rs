//! `secondo doctor`: a zone examined at its primaries, by the server if there is one, else from here.

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use api::doors::NewZone;
use api::json::{self, Examination, ExaminedPrimary, Paste, PastePart, Step, StepOutcome, Zone};
use api::segment_of;
use dns::Name;
use transfer::doctor::{Notifies, Patient};
use transfer::{Internet, Limits, Transfers};
use xfr::{Destinations, Key, Primary};

use super::command::{Examine, Patient as Asked};
use super::connection::Connection;
use super::failure::Failure;
use super::key::read_secret;
use super::output::{Format, Output};
use super::server::Server;
use crate::followed::Source;
use crate::{examination, tls};

pub(super) async fn carry_out(examine: Examine, connection: &Connection, out: &mut dyn Write) -> Result<(), Failure> {
    let mut output = Output::new(out, connection.format());
    let own_key = own_key(&examine)?;
    let server = match Server::find(connection) {
        // The server knows nothing of this key.
        _ if own_key.is_some() && !connection.names_a_server() => None,
        Err(failure) if failure.is("server_unknown") && !connection.names_a_server() => match &examine.patient {
            Asked::At(_) => None,
            Asked::Here(_) => return Err(failure),
        },
        found => Some(found?),
    };
    let examined = match &server {
        Some(server) => {
            let zone = zone_at(server, &examine).await?;
            by_server(server, &zone, &examine.own_addresses).await?
        }
        None => {
            let zone = zone_of(&examine, Vec::new())?;
            from_here(&zone, own_key, examine.own_addresses.clone()).await?
        }
    };
    match output.format() {
        Format::Json => output.json(&examined)?,
        Format::Text => show(&examined, examine.all, &mut output)?,
    }
    verdict(&examined)
}

fn own_key(examine: &Examine) -> Result<Option<Arc<Key>>, Failure> {
    let (Some(name), Some(file)) = (&examine.key, &examine.secret_file) else { return Ok(None) };
    let wrong = |error: xfr::tsig::KeyError| Failure::usage("secret_invalid", error.to_string());
    let algorithm = examine.algorithm.as_str().parse().map_err(wrong)?;
    let key = Key::from_base64(name.clone(), algorithm, &read_secret(file)?).map_err(wrong)?;
    Ok(Some(Arc::new(key)))
}

/// The zone with all its primaries, those that the server has for it too.
async fn zone_at(server: &Server, examine: &Examine) -> Result<NewZone, Failure> {
    let Asked::Here(name) = &examine.patient else { return zone_of(examine, Vec::new()) };
    let zone: Zone = server.get(&format!("/zones/{}", segment_of(name)), &[]).await?;
    let known = zone.primaries.iter().map(api::text::primary_of).collect::<Result<Vec<_>, _>>()?;
    zone_of(examine, known)
}

fn zone_of(examine: &Examine, known: Vec<Primary>) -> Result<NewZone, Failure> {
    let (name, first) = match &examine.patient {
        Asked::At(zone) => (zone.name(), zone.primaries().to_vec()),
        Asked::Here(name) => (name, known),
    };
    let with_key = |primary: Primary| Primary { key: primary.key.or_else(|| examine.key.clone()), ..primary };
    let primaries = first.into_iter().chain(examine.others.iter().cloned()).map(with_key).collect();
    Ok(NewZone::new(name.clone(), primaries)?)
}

async fn by_server(server: &Server, zone: &NewZone, own: &[IpAddr]) -> Result<Examination, Failure> {
    let examine = json::Examine {
        name: zone.name().to_string(),
        primaries: zone.primaries().iter().map(json::Primary::from).collect(),
        own_addresses: own.iter().map(ToString::to_string).collect(),
    };
    server.post_and_wait("/doctor", &examine).await
}

async fn from_here(zone: &NewZone, key: Option<Arc<Key>>, own: Vec<IpAddr>) -> Result<Examination, Failure> {
    let primaries = zone.primaries().iter().map(|primary| source(primary, key.as_ref()));
    let patient = Patient {
        zone: zone.name().clone(),
        primaries: primaries.map(|source| Ok(source?.primary)).collect::<Result<_, Failure>>()?,
        own_addresses: own,
        notifies: Notifies::Unknown,
        ours: None,
    };
    let tls = tls::client(&[], None);
    let tls = tls.map_err(|error| Failure::new("tls_unavailable", format!("TLS cannot be used: {error:#}")))?;
    // Whoever types the command is at this machine, and could ask any address without us.
    let transfers = Transfers::new(Limits::default(), Arc::new(Internet::new(Destinations::Anything)), tls);
    Ok(examination::shown(&patient, &transfers.examine(&patient).await, &[]))
}

fn source(primary: &Primary, key: Option<&Arc<Key>>) -> Result<Source, Failure> {
    let is_named = |key: &&Arc<Key>| primary.key.as_ref() == Some(key.name());
    let source = Source::new(primary.clone(), key.filter(is_named).cloned());
    let missing = |name: &Name| {
        let sentence = format!(
            "no server runs here that has the key {name}: give its secret with --key {name} --secret-file, or name a server \
             with --data or --server"
        );
        Failure::usage("secret_missing", sentence)
    };
    match source.missing_key().map(missing) {
        None => Ok(source),
        Some(failure) => Err(failure),
    }
}

fn show(examination: &Examination, all: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    for primary in &examination.primaries {
        output.line(&format!("{} at {}{}", examination.name, primary.address, guess_text(primary)))?;
        steps(examination, Some(&primary.address), output)?;
    }
    output.line("The zone")?;
    steps(examination, None, output)?;
    for primary in &examination.primaries {
        let reasons =
            || of_primary(examination, Some(&primary.address)).filter_map(|step| Some((step, step.reason.as_ref()?)));
        if reasons().any(|(_, reason)| reason.asks_nobody()) {
            continue;
        }
        let is_held = !reasons().any(|(step, reason)| step.name.ends_with("soa") && reason.says_not_held());
        output.line("")?;
        let guessed = primary.guess.filter(|_| !all);
        let shown = |paste: &&Paste| guessed.is_none_or(|guess| paste.software == guess);
        output.line(&match guessed {
            Some(_) => format!("What {} needs in its configuration (--all shows every server's):", primary.address),
            None => format!("What {} needs in its configuration, whichever server it is:", primary.address),
        })?;
        for paste in primary.paste.iter().filter(shown) {
            lines(paste, if is_held { &paste.parts } else { &paste.holding }, output)?;
        }
    }
    Ok(output.flush()?)
}

fn guess_text(primary: &ExaminedPrimary) -> String {
    let title = |guess| primary.paste.iter().find(|paste| paste.software == guess).map(|paste| paste.title.as_str());
    match (primary.guess.and_then(title), &primary.says) {
        (Some(title), Some(says)) => format!(" (perhaps {title}; it says \"{says}\")"),
        (Some(title), None) => format!(" (perhaps {title}, by its behaviour)"),
        (None, Some(says)) => format!(" (it says \"{says}\")"),
        (None, None) => String::new(),
    }
}

/// The steps that concern this primary alone, or all of them together.
fn of_primary<'a>(examination: &'a Examination, primary: Option<&'a String>) -> impl Iterator<Item = &'a Step> {
    examination.steps.iter().filter(move |step| step.primary.as_ref() == primary)
}

fn steps(examination: &Examination, primary: Option<&String>, output: &mut Output<'_>) -> Result<(), Failure> {
    for step in of_primary(examination, primary) {
        let Step { name, outcome, found, reason, .. } = step;
        let mark = match outcome {
            StepOutcome::Passed => "ok",
            StepOutcome::Skipped => "-",
            StepOutcome::Warning => "warn",
            StepOutcome::Failed => "FAIL",
        };
        output.line(&format!("  {mark:<5} {name:<14} {found}"))?;
        if let Some(reason) = reason {
            output.line(&format!("{:22} {}; fault: {}", "", reason.code, reason.fault))?;
            output.line(&format!("{:22} {}", "", reason.advice))?;
        }
    }
    Ok(())
}

/// Writes these parts of what is to be pasted.
pub(super) fn lines(paste: &Paste, parts: &[PastePart], output: &mut Output<'_>) -> Result<(), Failure> {
    output.line(&format!("\n  {}", paste.title))?;
    for part in parts {
        output.line(&format!("  # {}", part.place))?;
        for line in &part.lines {
            output.line(&format!("      {line}"))?;
        }
    }
    for note in &paste.notes {
        output.line(&format!("  # Note: {note}."))?;
    }
    Ok(())
}

/// Status 1 when a step failed.
fn verdict(examination: &Examination) -> Result<(), Failure> {
    let failed: Vec<String> = examination
        .steps
        .iter()
        .filter(|step| step.outcome == StepOutcome::Failed)
        .map(|step| match &step.reason {
            Some(reason) => format!("{} ({})", step.name, reason.code),
            None => step.name.clone(),
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let sentence = format!("{} is not as it should be at its primaries: {}", examination.name, failed.join(", "));
    Err(Failure::new("steps_failed", sentence))
}
