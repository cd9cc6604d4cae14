//! `secondo zone delegation`.

use api::json::{Delegation, DelegationFit, DelegationState, FoundAt, ParentView, ServerFound};
use dns::Name;

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash, time_text};
use crate::client::server::Server;

pub(crate) async fn delegation(name: &Name, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let found: Delegation = server.get_and_wait(&path(name, "/delegation")).await?;
    match output.format() {
        Format::Json => output.json(&found)?,
        Format::Text => show(&found, output)?,
    }
    match found.failure {
        None => Ok(()),
        Some(failure) => {
            let sentence = format!("it is not known to whom {} is delegated: {}", found.name, failure.message);
            Err(Failure::new(&failure.code, sentence))
        }
    }
}

fn show(found: &Delegation, output: &mut Output<'_>) -> Result<(), Failure> {
    output.facts(facts(found))?;
    if !found.views.is_empty() {
        output.line("")?;
        output.line("What the servers of the parent say")?;
        output
            .table(&["SERVER", "ADDRESS", "SAYS", "NAME SERVERS (GLUE)", "DS"], found.views.iter().map(view_row))?;
    }
    if !found.servers.is_empty() {
        output.line("")?;
        output.line("What the servers that it is delegated to answer")?;
        output.table(&["SERVER", "OURS", "ADDRESS", "ANSWERS", "SERIAL", "WHY"], server_rows(found))?;
    }
    Ok(output.flush()?)
}

fn facts(found: &Delegation) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("name", found.name.clone()),
        ("parent", or_dash(found.parent.as_ref())),
        ("delegated", state_text(found).to_owned()),
        ("name servers", listed(&found.name_servers)),
        ("ours", listed(&found.wanted)),
        ("fit", fit_text(found).to_owned()),
        ("in the zone", found.own.as_ref().map_or_else(|| "-".to_owned(), |own| listed(own))),
    ];
    if found.differs_from_own() == Some(true) {
        facts.push(("differs", "the parent names other servers than the zone itself".to_owned()));
    }
    for difference in &found.differences {
        facts.push(("differs", format!("the parent's servers differ in {difference}")));
    }
    if let Some(failure) = &found.failure {
        facts.push(("fault", format!("{} ({})", failure.whose, failure.fault)));
        facts.push(("what to do", failure.advice.clone()));
    }
    facts.push(("asked at", time_text(found.asked_at)));
    facts
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(" ") }
}

fn state_text(found: &Delegation) -> &'static str {
    match found.state {
        DelegationState::Delegated => "yes",
        DelegationState::NotDelegated => "no: the parent knows no such zone",
        DelegationState::Differing => "differing: the parent's servers do not say the same",
        DelegationState::OnlyItself => "not seen: the parent's servers hold the zone too, and answer from it",
        DelegationState::Unknown => "not known",
    }
}

fn fit_text(found: &Delegation) -> &'static str {
    match found.fit {
        DelegationFit::Exactly => "exactly: to all of ours, and to no others",
        DelegationFit::Among if found.missing().next().is_none() => {
            "among: to all of ours, and to others beside them"
        }
        DelegationFit::Among => "among: to some of ours, and not to all",
        DelegationFit::None => "none: to none of ours",
        DelegationFit::Unknown if found.wanted.is_empty() => "unknown: [delegation] name_servers is not configured",
        DelegationFit::Unknown => "unknown",
    }
}

fn view_row(view: &ParentView) -> Vec<String> {
    let glued = |name: &api::json::GluedName| match name.glue.is_empty() {
        true => name.name.clone(),
        false => format!("{} ({})", name.name, name.glue.join(" ")),
    };
    let names: Vec<String> = view.name_servers.iter().map(glued).collect();
    let what = match &view.message {
        Some(message) if names.is_empty() => message.clone(),
        Some(message) => format!("{} ({message})", names.join(" ")),
        None => names.join(" "),
    };
    vec![view.server.clone(), view.address.clone(), view.said.to_string(), what, or_dash(view.ds)]
}

fn server_rows(found: &Delegation) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for server in &found.servers {
        let row = |address: &str, answers: &str, serial: String, why: &str| {
            let ours = if server.is_ours { "yes" } else { "no" };
            vec![server.name.clone(), ours.into(), address.into(), answers.into(), serial, why.into()]
        };
        if server.at.is_empty() {
            rows.push(row("-", "no", "-".into(), "the name has no address"));
        }
        for at in &server.at {
            let why = at.message.as_deref().unwrap_or_default();
            rows.push(row(&at.address, answers_text(at), or_dash(at.serial), why));
        }
    }
    rows
}

fn answers_text(at: &FoundAt) -> &'static str {
    match at.found {
        ServerFound::Here if at.is_lame() => "LAME",
        ServerFound::Serves | ServerFound::Here => "yes",
        ServerFound::Lame => "LAME",
        ServerFound::Silent => "no",
        ServerFound::NotAsked => "not asked",
    }
}
