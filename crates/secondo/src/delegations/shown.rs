//! What a walk has found, as the API shows it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use api::json::{
    self, DelegationDifference, DelegationFault, DelegationFit, DelegationState, ParentSaid, ServerFound,
};
use delegation::compare::Fit;
use delegation::{Delegation, Ds, Failure, Found, NameServer, NsSet, Said, Trouble, Verdict, View, Whose};
use dns::{Name, NameRef, Serial, Type};
use xfr::destinations::Rule;
use zone::Image;

use super::Walked;
use crate::followed::Followed;
use crate::ledger::time;

/// What is here of a zone.
#[derive(Debug, Default)]
pub(crate) struct Here {
    /// The NS records at its apex.
    pub(crate) own: Option<BTreeSet<Name>>,
    /// Of the version that is answered.
    pub(crate) answered: Option<Serial>,
}

impl Here {
    pub(crate) fn of(zone: &Followed) -> Self {
        let answered = zone.snapshot().filter(|_| zone.instructions().is_answered());
        Self {
            own: zone.condition().held.as_ref().map(|held| apex_name_servers(&held.image)),
            answered: answered.map(|snapshot| snapshot.image.serial()),
        }
    }
}

/// `wanted` are this service's name servers.
pub(crate) fn shown(zone: &Name, walked: &Walked, here: &Here, wanted: &BTreeSet<Name>) -> json::Delegation {
    let empty = json::Delegation {
        name: zone.to_string(),
        asked_at: time(walked.at),
        state: DelegationState::Unknown,
        fit: DelegationFit::Unknown,
        parent: None,
        name_servers: Vec::new(),
        wanted: texts(wanted),
        own: here.own.as_ref().map(texts),
        differences: Vec::new(),
        views: Vec::new(),
        servers: Vec::new(),
        failure: None,
    };
    let examined = match &walked.found {
        Ok(examined) => examined,
        Err(failure) => return json::Delegation { failure: Some(shown_failure(failure)), ..empty },
    };
    let delegation = &examined.delegation;
    let (state, named) = match delegation.verdict() {
        Verdict::Delegated(named) => (DelegationState::Delegated, texts(named)),
        Verdict::OnlyItself(_) => (DelegationState::OnlyItself, Vec::new()),
        Verdict::NotDelegated(_) => (DelegationState::NotDelegated, Vec::new()),
        Verdict::Differing => (DelegationState::Differing, Vec::new()),
    };
    json::Delegation {
        state,
        fit: fit(delegation, wanted),
        parent: Some(delegation.parent.to_string()),
        name_servers: named,
        differences: differences(delegation),
        views: delegation.views.iter().map(view).collect(),
        servers: examined.servers.iter().map(|one| server(one, wanted.contains(&one.name), here)).collect(),
        ..empty
    }
}

/// The names in the NS records at a zone's apex.
pub(crate) fn apex_name_servers(image: &Image) -> BTreeSet<Name> {
    let rrset = image.apex_owner().rrset(Type::NS);
    let records = rrset.into_iter().flat_map(zone::image::Rrset::records);
    records.filter_map(|record| NameRef::prefix_of(record.rdata).ok()).map(NameRef::to_name).collect()
}

fn fit(delegation: &Delegation, wanted: &BTreeSet<Name>) -> DelegationFit {
    match delegation.fit(wanted).filter(|_| !wanted.is_empty()) {
        None => DelegationFit::Unknown,
        Some(Fit::Exactly) => DelegationFit::Exactly,
        Some(Fit::Among) => DelegationFit::Among,
        Some(Fit::None) => DelegationFit::None,
    }
}

fn differences(delegation: &Delegation) -> Vec<DelegationDifference> {
    let delegation::Differences { name_servers, glue, ds } = delegation.differences();
    let all = [
        (name_servers, DelegationDifference::NameServers),
        (glue, DelegationDifference::Glue),
        (ds, DelegationDifference::Ds),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, in_what)| in_what).collect()
}

fn view(view: &View) -> json::ParentView {
    let (said, ns, ds, message) = match &view.said {
        Said::Delegated { ns, ds } => (ParentSaid::Delegated, Some(ns), Some(ds), None),
        Said::Itself { ns, ds } => (ParentSaid::Itself, Some(ns), Some(ds), None),
        Said::Denied(denial) => (ParentSaid::NotDelegated, None, None, Some(denial.to_string())),
        Said::Nothing(trouble) => (ParentSaid::Nothing, None, None, Some(trouble.to_string())),
    };
    let (ds, trouble) = match ds {
        Some(Ds::Records(records)) => (Some(u32::try_from(records.len()).unwrap_or(u32::MAX)), None),
        Some(Ds::Unknown(trouble)) => (None, Some(format!("it has not said which DS records there are: {trouble}"))),
        None => (None, None),
    };
    json::ParentView {
        server: view.server.name.to_string(),
        address: view.server.address.to_string(),
        said,
        name_servers: ns.map(glued).unwrap_or_default(),
        ds,
        message: message.or(trouble),
    }
}

fn glued(ns: &NsSet) -> Vec<json::GluedName> {
    let addresses = |name: &Name| ns.glue.get(name).into_iter().flatten().map(ToString::to_string).collect();
    ns.names.iter().map(|name| json::GluedName { name: name.to_string(), glue: addresses(name) }).collect()
}

fn server(server: &NameServer, is_ours: bool, here: &Here) -> json::DelegatedServer {
    // Several walks may have found one address twice.
    let at: BTreeMap<_, _> = server.at.iter().map(|(address, found)| (*address, found)).collect();
    json::DelegatedServer {
        name: server.name.to_string(),
        is_ours,
        at: at.into_iter().map(|(address, found)| found_at(address.to_string(), found, here)).collect(),
    }
}

fn found_at(address: String, found: &Found, here: &Here) -> json::FoundAt {
    let (word, serial, code, message) = match found {
        Found::Nothing(Trouble::AddressRefused(refused)) if refused.rule == Rule::Ours => match here.answered {
            Some(serial) => (ServerFound::Here, Some(serial.0), None, None),
            None => {
                let message = "it is this service, which does not answer for the zone now";
                (ServerFound::Here, None, Some("not_answered"), Some(message.to_owned()))
            }
        },
        Found::Serves { serial } => (ServerFound::Serves, Some(serial.0), None, None),
        Found::Lame(trouble) => (ServerFound::Lame, None, Some(trouble.code()), Some(trouble.to_string())),
        Found::LameByDenial(denial) => {
            let message = format!("it is lame: it says that {denial}");
            (ServerFound::Lame, None, Some("denied"), Some(message))
        }
        Found::Nothing(trouble) => {
            let word = if says_nothing_about_it(trouble) { ServerFound::NotAsked } else { ServerFound::Silent };
            (word, None, Some(trouble.code()), Some(trouble.to_string()))
        }
    };
    json::FoundAt { address, found: word, serial, code: code.map(Into::into), message }
}

/// Whether nothing was sent, so that nothing follows for the server.
fn says_nothing_about_it(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::AddressRefused(_) | Trouble::NoRoute | Trouble::Spent(_) | Trouble::Ours { .. })
}

fn shown_failure(failure: &Failure) -> json::DelegationFailure {
    let whose = failure.whose();
    json::DelegationFailure {
        code: failure.code().to_owned(),
        fault: match whose {
            Whose::ServersOf(_) => DelegationFault::NameServers,
            Whose::Network => DelegationFault::Network,
            Whose::Configuration => DelegationFault::Configuration,
            Whose::Ours => DelegationFault::Ours,
        },
        whose: whose.to_string(),
        message: failure.to_string(),
        advice: failure.advice().to_owned(),
    }
}

fn texts(names: &BTreeSet<Name>) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use api::json::{DelegationDifference, DelegationFault, DelegationFit, DelegationState, ServerFound};
    use delegation::{
        Delegation, Denial, Ds, Examined, Failure, Found, NameServer, NsSet, Said, Server, Told, Trouble, View,
    };
    use dns::{Name, Serial};
    use xfr::Moment;
    use xfr::destinations::{RefusedAddress, Rule};

    use super::{Here, Walked, shown};

    fn names(texts: &[&str]) -> BTreeSet<Name> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn at(said: Said) -> View {
        View { server: Server { name: name("a.nic.org"), address: "192.0.2.1".parse().unwrap() }, said }
    }

    fn to(texts: &[&str]) -> View {
        let ns = NsSet { names: names(texts), ..NsSet::default() };
        at(Said::Delegated { ns, ds: Ds::Records(BTreeSet::new()) })
    }

    fn walked(views: Vec<View>, servers: Vec<NameServer>) -> Walked {
        let delegation = Delegation { zone: name("example.org"), parent: name("org"), views };
        Walked { at: Moment(0), found: Ok(Examined { delegation, servers }) }
    }

    #[test]
    fn the_fit_is_said_only_where_it_is_known_who_is_wanted_and_who_is_named() {
        let ours = names(&["ns1.us", "ns2.us"]);
        let (state, fit) = (DelegationState::Delegated, |fit| fit);
        for (views, wanted, expected) in [
            (vec![to(&["NS1.us", "ns2.us"])], &ours, (state, fit(DelegationFit::Exactly))),
            (vec![to(&["ns1.us", "ns.them"])], &ours, (state, DelegationFit::Among)),
            (vec![to(&["ns.them"])], &ours, (state, DelegationFit::None)),
            (vec![to(&["ns1.us"])], &BTreeSet::new(), (state, DelegationFit::Unknown)),
            (vec![at(Said::Denied(Denial::NxDomain))], &ours, (DelegationState::NotDelegated, DelegationFit::None)),
            (
                vec![at(Said::Denied(Denial::NxDomain))],
                &BTreeSet::new(),
                (DelegationState::NotDelegated, DelegationFit::Unknown),
            ),
            (vec![to(&["ns1.us"]), to(&["ns2.us"])], &ours, (DelegationState::Differing, DelegationFit::Unknown)),
        ] {
            let shown = shown(&name("example.org"), &walked(views, Vec::new()), &Here::default(), wanted);
            assert_eq!((shown.state, shown.fit), expected, "{shown:?}");
        }
    }

    #[test]
    fn what_each_server_answers_is_shown_and_lame_is_not_what_could_not_be_asked() {
        let found = [
            (Found::Serves { serial: Serial(7) }, ServerFound::Serves),
            (Found::Lame(Trouble::NotAuthoritative), ServerFound::Lame),
            (Found::LameByDenial(Denial::NoData), ServerFound::Lame),
            (Found::Nothing(Trouble::Silent { millis: 5 }), ServerFound::Silent),
            (Found::Nothing(Trouble::NoRoute), ServerFound::NotAsked),
        ];
        let address = |number: usize| format!("192.0.2.{number}").parse().unwrap();
        let at = found.iter().enumerate().map(|(number, (found, _))| (address(number), found.clone())).collect();
        let servers =
            vec![NameServer { name: name("ns1.us"), at }, NameServer { name: name("ns.them"), at: Vec::new() }];
        let views = vec![to(&["ns1.us", "ns.them"]), to(&["ns1.us", "ns.them"])];
        let here = Here { own: Some(names(&["ns1.us"])), answered: None };
        let shown = shown(&name("example.org"), &walked(views, servers), &here, &names(&["ns1.us"]));
        let words: Vec<ServerFound> = shown.servers[0].at.iter().map(|at| at.found).collect();
        assert_eq!(words, found.map(|(_, word)| word));
        assert_eq!(shown.servers[0].at[0].serial, Some(7));
        assert!(shown.servers[0].at[1..].iter().all(|at| at.code.is_some() && at.message.is_some()), "{shown:?}");
        assert!(shown.servers[0].is_lame() && shown.servers[0].is_ours);
        assert!(!shown.servers[1].is_ours && shown.servers[1].is_bad(), "without an address it is as bad as lame");
        assert_eq!(shown.differs_from_own(), Some(true));
    }

    #[test]
    fn an_address_of_this_service_answers_with_what_is_here_and_is_lame_without() {
        let refused = RefusedAddress { address: "192.0.2.1".parse().unwrap(), rule: Rule::Ours };
        let found = Found::Nothing(Trouble::AddressRefused(refused));
        for answered in [Some(Serial(7)), None] {
            let servers = vec![NameServer { name: name("ns1.us"), at: vec![(refused.address, found.clone())] }];
            let walked = walked(vec![to(&["ns1.us"])], servers);
            let shown = shown(&name("example.org"), &walked, &Here { own: None, answered }, &names(&["ns1.us"]));
            let server = &shown.servers[0];
            assert_eq!(
                (server.at[0].found, server.at[0].serial),
                (ServerFound::Here, answered.map(|serial| serial.0))
            );
            assert_eq!((server.is_lame(), server.is_bad()), (answered.is_none(), answered.is_none()), "{server:?}");
        }
    }

    #[test]
    fn where_the_parents_servers_differ_it_is_said_in_what() {
        let mut other = to(&["ns1.us"]);
        let Said::Delegated { ns, ds } = &mut other.said else { unreachable!("it was made so") };
        ns.glue.insert(name("ns1.us"), ["192.0.2.9".parse().unwrap()].into());
        *ds = Ds::Records([vec![1, 2, 3]].into());
        let shown = shown(
            &name("example.org"),
            &walked(vec![to(&["ns1.us"]), other], Vec::new()),
            &Here::default(),
            &names(&[]),
        );
        assert_eq!(shown.differences, [DelegationDifference::Glue, DelegationDifference::Ds]);
        assert_eq!(shown.views[1].name_servers[0].glue, ["192.0.2.9"]);
        assert_eq!((shown.views[0].ds, shown.views[1].ds), (Some(0), Some(1)));
    }

    #[test]
    fn a_walk_that_failed_says_whose_fault_it_is_and_judges_nothing() {
        let server = Server { name: name("a.root-servers.net"), address: "192.0.2.1".parse().unwrap() };
        for (trouble, fault, whose) in [
            (Trouble::NoRoute, DelegationFault::Network, "the network"),
            (Trouble::NotAuthoritative, DelegationFault::NameServers, "those who run the name servers of ."),
        ] {
            let troubles = vec![Told { server: server.clone(), trouble }];
            let failure = Failure::NobodyAnswers { zone: Name::root(), troubles };
            let walked = Walked { at: Moment(0), found: Err(failure) };
            let shown = shown(&name("example.org"), &walked, &Here::default(), &names(&["ns1.us"]));
            let failure = shown.failure.unwrap();
            assert_eq!((shown.state, shown.fit), (DelegationState::Unknown, DelegationFit::Unknown));
            assert_eq!((failure.code.as_str(), failure.fault), ("nobody_answers", fault));
            assert!(failure.whose.contains(whose) && failure.advice.len() > 20, "{failure:?}");
        }
    }
}
