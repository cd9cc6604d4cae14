//! `secondo zone promote`: a new primary made of what is here, the zone pointed at it, and the way back.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use api::json::{
    self, AttemptOutcome, Comparison, FinishPromotion, FinishedPromotion, NewPrimaries, Paste, PrimarySoftware,
    Promote, Promotion,
};
use clap::{ArgGroup, Args};
use dns::Name;
use transfer::doctor::zone_file;
use xfr::Primary;

use super::path;
use crate::client::command::{key_name, known_zone_name, primary};
use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;
use crate::promotion::bare;

/// What `zone promote` is told.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("pointing").args(["finish", "back"]))]
pub(crate) struct Arguments {
    /// The zone's name.
    #[arg(value_parser = known_zone_name)]
    name: Name,
    /// What the new primary is: bind, knot, nsd, powerdns, yadifa or windows_dns; bind unless said otherwise.
    #[arg(long, value_name = "SOFTWARE", conflicts_with = "pointing")]
    to: Option<PrimarySoftware>,
    /// A directory on this machine for the zone file and the configuration; files that are there stay as they are.
    #[arg(long, value_name = "DIR", conflicts_with = "pointing")]
    directory: Option<PathBuf>,
    /// The new primary; with --finish and --back it may be given several times.
    #[arg(long = "primary", value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
    primaries: Vec<Primary>,
    /// Make a key of this name for the new primary; its secret is shown this once.
    #[arg(long, value_name = "NAME", value_parser = key_name, conflicts_with = "pointing")]
    new_key: Option<Name>,
    /// Point the zone at the new primary, after comparing what it has with what is served.
    #[arg(long, requires = "primaries")]
    finish: bool,
    /// Point the zone back at the primaries that it had before, or at this one.
    #[arg(long)]
    back: bool,
    /// Take what the primary has also where it is older than what is served, or lacks some of it.
    #[arg(long, requires = "pointing")]
    accept: bool,
}

pub(super) async fn promote(wanted: Arguments, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match wanted.finish || wanted.back {
        true => point(wanted, server, output).await,
        false => begin(wanted, server, output).await,
    }
}

async fn begin(wanted: Arguments, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Arguments { name, to, directory, primaries, new_key, .. } = wanted;
    if primaries.len() > 1 {
        return Err(Failure::usage("primary_invalid", "a zone is promoted to one new primary: give one --primary"));
    }
    let files = directory.as_deref().map(|directory| Files::begin(directory, &name)).transpose()?;
    let promote = Promote {
        software: to,
        primary: primaries.first().map(json::Primary::from),
        new_key: new_key.map(|key| key.to_string()),
    };
    let promotion: Promotion = server.post_and_wait(&path(&name, "/promotion"), &promote).await?;
    let configuration = configuration(&promotion.paste);
    if let Some(files) = files {
        let written = files.write(&name, &configuration, server).await?;
        if output.format() == Format::Text {
            output.line(&format!("wrote {written}\n"))?;
        }
    }
    if output.format() == Format::Json {
        return Ok(output.json(&promotion)?);
    }
    for (number, step) in (1..).zip(&promotion.steps) {
        output.line(&format!("{number}. {step}"))?;
    }
    for said in promotion.signed.iter().flat_map(|signed| &signed.said) {
        output.line(&format!("\n! {said}"))?;
    }
    output.line(&format!("\n{configuration}"))?;
    if promotion.secret.is_some() {
        output.line("The key's secret stands above and is not shown again.")?;
    }
    Ok(output.flush()?)
}

/// The lines as they go into a file, with what is said about them as comments.
fn configuration(paste: &Paste) -> String {
    let part = |part: &json::PastePart| format!("# {}\n{}\n", part.place, part.lines.join("\n"));
    let note = |note: &String| format!("# Note: {note}.\n");
    let title = format!("# {}\n", paste.title);
    std::iter::once(title).chain(paste.holding.iter().map(part)).chain(paste.notes.iter().map(note)).collect()
}

/// The files that are written, open before anything is done.
struct Files {
    zone: (PathBuf, File),
    configuration: (PathBuf, File),
}

impl Files {
    fn begin(directory: &Path, name: &Name) -> Result<Self, Failure> {
        let zone = zone_file(name);
        let configuration = format!("{}.conf", zone.strip_suffix(".zone").unwrap_or(&zone));
        let open = |file: &str| {
            let path = directory.join(file);
            // Whose secrets may be in it; and nothing that somebody has changed is overwritten.
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            opened.map(|file| (path.clone(), file)).map_err(|error| unwritable(&path, &error))
        };
        Ok(Self { zone: open(&zone)?, configuration: open(&configuration)? })
    }

    async fn write(mut self, name: &Name, configuration: &str, server: &Server) -> Result<String, Failure> {
        let mut pieces = server.stream(&path(name, "/export")).await?;
        while let Some(piece) = pieces.next().await? {
            self.zone.1.write_all(piece.as_ref()).map_err(|error| unwritable(&self.zone.0, &error))?;
        }
        let written = self.configuration.1.write_all(configuration.as_bytes());
        written.map_err(|error| unwritable(&self.configuration.0, &error))?;
        Ok(format!("{} and {}", self.zone.0.display(), self.configuration.0.display()))
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new("file_unwritable", format!("{} cannot be written: {error}", file.display()))
}

async fn point(wanted: Arguments, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Arguments { name, primaries, accept, .. } = wanted;
    let primaries = (!primaries.is_empty()).then(|| primaries.iter().map(json::Primary::from).collect::<Vec<_>>());
    let to = NewPrimaries { primaries: primaries.clone() };
    let comparison: Comparison = server.post_and_wait(&path(&name, "/promotion/compare"), &to).await?;
    if output.format() == Format::Text {
        show(&comparison, output)?;
    }
    if comparison.needs_word && !accept {
        if output.format() == Format::Json {
            output.json(&comparison)?;
        }
        let sentence = format!(
            "the zone {} stays as it is, because of what {} has: {}; or take what is there as it is, with --accept",
            comparison.name, comparison.primary, comparison.said
        );
        return Err(Failure::new("version_differs", sentence));
    }
    let finish = FinishPromotion { primaries, digest: Some(comparison.digest), accept };
    let finished: FinishedPromotion = server.post_and_wait(&path(&name, "/promotion/finish"), &finish).await?;
    if output.format() == Format::Json {
        output.json(&finished)?;
    } else {
        let (name, primaries) = (&finished.zone.name, super::primaries_text(&finished.zone.primaries));
        let serial = crate::client::output::or_dash(finished.zone.serial);
        output.line(&format!("{name} is copied from {primaries} from now on, and is served with serial {serial}"))?;
        output.line(&format!("the way back: secondo zone promote {} --back", bare(name)))?;
    }
    match (finished.attempt.outcome, finished.attempt.reason) {
        (AttemptOutcome::Updated | AttemptOutcome::Unchanged, _) => Ok(()),
        (_, reason) => {
            let why = reason.map_or_else(String::new, |reason| format!(": {}; {}", reason.message, reason.advice));
            let sentence = format!(
                "{} is copied from there from now on, but what it has is not served{why}",
                finished.zone.name
            );
            Err(Failure::new("not_transferred", sentence))
        }
    }
}

fn show(comparison: &Comparison, output: &mut Output<'_>) -> Result<(), Failure> {
    let Comparison { primary, silent, from_serial, to_serial, removed, added, lines, .. } = comparison;
    for silent in silent {
        output.line(&format!("{} does not answer ({})", silent.primary, silent.code))?;
    }
    output.line(&format!(
        "{primary} has serial {to_serial}, and {from_serial} is served; records that go: {removed}, that come: {added}"
    ))?;
    for line in lines {
        output.line(&format!("  {line}"))?;
    }
    if (lines.len() as u64) < removed + added {
        output.line("  …")?;
    }
    Ok(())
}
