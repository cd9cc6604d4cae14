//! A delegation for each state, by the first label of the zone's name.

use api::json::{self, Time};
use dns::Name;

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn view(said: json::ParentSaid, names: &[&str], message: Option<&str>) -> json::ParentView {
    let glued = |name: &&str| json::GluedName { name: (*name).into(), glue: vec!["192.0.2.53".into()] };
    json::ParentView {
        server: "a.nic.example.".into(),
        address: "192.0.2.1".into(),
        said,
        name_servers: names.iter().map(glued).collect(),
        ds: (!names.is_empty()).then_some(1),
        message: message.map(Into::into),
    }
}

fn server(name: &str, is_ours: bool, found: json::ServerFound) -> json::DelegatedServer {
    let serves = found == json::ServerFound::Serves;
    let at = json::FoundAt {
        address: "192.0.2.53".into(),
        found,
        serial: serves.then_some(7),
        code: (!serves).then(|| "not_authoritative".into()),
        message: (!serves).then(|| "it is lame: it answers without the AA flag".into()),
    };
    json::DelegatedServer { name: name.into(), is_ours, at: vec![at] }
}

pub fn of(name: &Name) -> json::Delegation {
    use json::{DelegationFit as Fit, DelegationState as State, ParentSaid, ServerFound};
    let text = name.to_lower().to_string();
    let ours = ["ns1.us.example.", "ns2.us.example."];
    let to = |named: &[&str], wanted: &[&str], fit: Fit, found: ServerFound| json::Delegation {
        name: name.to_string(),
        asked_at: Time::from_unix_ms(1_795_262_400_000),
        state: State::Delegated,
        fit,
        parent: Some("example.".into()),
        name_servers: texts(named),
        wanted: texts(wanted),
        own: Some(texts(named)),
        differences: Vec::new(),
        views: vec![view(ParentSaid::Delegated, named, None); 2],
        servers: named.iter().map(|name| server(name, wanted.contains(name), found)).collect(),
        failure: None,
    };
    let exactly = to(&ours, &ours, Fit::Exactly, ServerFound::Serves);
    let silent = |state: State, fit: Fit| json::Delegation {
        state,
        fit,
        name_servers: Vec::new(),
        servers: Vec::new(),
        views: Vec::new(),
        ..exactly.clone()
    };
    match text.split('.').next().unwrap_or_default() {
        "nobody" => json::Delegation {
            views: vec![view(ParentSaid::NotDelegated, &[], Some("the name does not exist (NXDOMAIN)"))],
            ..silent(State::NotDelegated, Fit::None)
        },
        "elsewhere" => to(&["ns.them.example."], &ours, Fit::None, ServerFound::Serves),
        "beside" => to(&["ns.them.example.", ours[0]], &ours, Fit::Among, ServerFound::Serves),
        "lame" => to(&ours, &ours, Fit::Exactly, ServerFound::Lame),
        "unjudged" => to(&["ns.them.example."], &[], Fit::Unknown, ServerFound::Serves),
        "differing" => json::Delegation {
            differences: vec![json::DelegationDifference::NameServers],
            views: vec![
                view(ParentSaid::Delegated, &ours, None),
                view(ParentSaid::Delegated, &["ns.them.example."], None),
            ],
            ..silent(State::Differing, Fit::Unknown)
        },
        "both" => json::Delegation {
            views: vec![view(ParentSaid::Itself, &ours, None)],
            ..silent(State::OnlyItself, Fit::Unknown)
        },
        "cut-off" => json::Delegation {
            parent: None,
            failure: Some(json::DelegationFailure {
                code: "nobody_answers".into(),
                fault: json::DelegationFault::Network,
                whose: "the network between those servers and us".into(),
                message: "no name server of . gives an answer that can be used".into(),
                advice: "Check that this machine reaches the internet's name servers.".into(),
            }),
            ..silent(State::Unknown, Fit::Unknown)
        },
        _ => exactly,
    }
}
