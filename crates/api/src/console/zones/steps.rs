//! What it takes until a zone is served, step by step, and where it stands.
//!
//! Everything follows from the zone as it is: whoever looks later sees the same. A step is done when something later is; of
//! an attempt that failed, the reason's code says which step it was.
//!
//! The last step is not ours to take: whether the world is sent here is for the zone's parent to say, and is waited for only
//! in the background. It never fails for what cannot be found out.

use crate::console::words::{bare, millis, names, number, octets};
use crate::json::{
    Attempt, AttemptKind, AttemptOutcome, Delegation, DelegationFault, DelegationFit, DelegationState, Fault,
    Freshness, Reason, Service, State, Zone,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Done,
    Running,
    Failed,
    /// Its turn has not come.
    Waiting,
    /// It is not part of how this zone is copied.
    Skipped,
}

impl Standing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) title: &'static str,
    pub(crate) standing: Standing,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Reachable,
    Soa,
    Allowed,
    Signed,
    Transferred,
    Served,
}

const STAGES: [(Stage, &str); 6] = [
    (Stage::Reachable, "Primary reached"),
    (Stage::Soa, "Zone found there"),
    (Stage::Allowed, "Transfer allowed"),
    (Stage::Signed, "Signature checked"),
    (Stage::Transferred, "Records copied"),
    (Stage::Served, "Served here"),
];

/// The steps, in their order.
pub(crate) fn steps(zone: &Zone) -> Vec<Step> {
    let failed = zone.last_attempt.as_ref().and_then(|attempt| Some((attempt, attempt.reason.as_ref()?)));
    let failed = failed.filter(|(attempt, _)| attempt.outcome == AttemptOutcome::Failed);
    let failing = failed.map(|(attempt, reason)| (stage_of(attempt, reason), reason));
    let is_transferring = !zone.transfers.is_empty();
    let signs = zone.primaries.iter().any(|primary| primary.key.is_some() || primary.tls.is_some());
    let is_held = zone.serial.is_some();
    let standing = |stage: Stage| match (failing, is_transferring) {
        // Without a key and TLS there is nothing to check, and nothing to wait for.
        _ if stage == Stage::Signed && !signs => Standing::Skipped,
        (_, _) if stage == Stage::Served => served(zone),
        (_, true) if stage < Stage::Transferred => Standing::Done,
        (_, true) => Standing::Running,
        (Some((at, _)), _) if stage < at => Standing::Done,
        (Some((at, _)), _) if stage == at => Standing::Failed,
        (Some(_), _) => Standing::Waiting,
        (None, _) if is_held => Standing::Done,
        (None, _) if !matches!(zone.service, Service::Answering | Service::Unproven) => Standing::Waiting,
        (None, _) if stage == Stage::Reachable => Standing::Running,
        (None, _) => Standing::Waiting,
    };
    let step = |(stage, title)| {
        let standing = standing(stage);
        let text = match (failing, standing) {
            (Some((_, reason)), Standing::Failed) => reason.message.clone(),
            _ => text(zone, stage, standing),
        };
        Step { title, standing, text }
    };
    let mut steps: Vec<Step> = STAGES.into_iter().map(step).collect();
    if zone.service == Service::Unproven {
        // Before it is served.
        steps.insert(steps.len() - 1, to_be_proven());
    }
    steps
}

/// Where organisations share the service, nobody gets a name by asking for it first.
fn to_be_proven() -> Step {
    let text = "to be shown: the page “Ownership” says how".to_owned();
    Step { title: "Name yours", standing: Standing::Running, text }
}

/// Whether the zone's parent sends the world here, as far as that is known.
pub(crate) fn delegated(zone: &Zone, known: Option<&Delegation>) -> Step {
    let title = match known {
        Some(found) if found.wanted.is_empty() => "Delegated",
        _ => "Delegated to us",
    };
    let (standing, text) = match known {
        Some(found) => where_delegated(found),
        None if zone.serial.is_some() => (Standing::Waiting, "not known yet".to_owned()),
        None => (Standing::Waiting, String::new()),
    };
    Step { title, standing, text }
}

fn where_delegated(found: &Delegation) -> (Standing, String) {
    let lame = names(found.servers.iter().filter(|server| server.is_lame()).map(|server| &server.name));
    let with_lame = |text: String| if lame.is_empty() { text } else { format!("{text}; lame: {lame}") };
    match (found.state, found.fit) {
        (DelegationState::Unknown, _) => (Standing::Waiting, why_unknown(found)),
        (DelegationState::NotDelegated, _) => {
            (Standing::Waiting, "not yet: the parent knows no such zone".to_owned())
        }
        (DelegationState::Differing, _) => (Standing::Waiting, "the parent's servers do not say the same".to_owned()),
        (DelegationState::OnlyItself, _) => {
            (Standing::Skipped, "not seen: the parent's servers hold the zone too".to_owned())
        }
        (DelegationState::Delegated, _) if found.servers.iter().any(|server| server.is_ours && server.is_lame()) => {
            (Standing::Failed, format!("to us, and not answered at {lame}"))
        }
        (DelegationState::Delegated, DelegationFit::Exactly) => {
            (Standing::Done, with_lame(format!("to {}", names(&found.name_servers))))
        }
        (DelegationState::Delegated, DelegationFit::Among) => (Standing::Done, with_lame(among(found))),
        (DelegationState::Delegated, DelegationFit::None) => {
            (Standing::Waiting, with_lame(format!("elsewhere: to {}", names(&found.name_servers))))
        }
        // Without a word about which are ours, nothing is judged.
        (DelegationState::Delegated, DelegationFit::Unknown) => {
            (Standing::Skipped, with_lame(format!("to {}", names(&found.name_servers))))
        }
    }
}

fn among(found: &Delegation) -> String {
    match names(found.missing()) {
        missing if missing.is_empty() => format!("beside {}", names(found.others())),
        missing => format!("in part: without {missing}"),
    }
}

fn why_unknown(found: &Delegation) -> String {
    match found.failure.as_ref().map(|failure| failure.fault) {
        Some(DelegationFault::Network) => "not known: the root's name servers are not reached from here".to_owned(),
        Some(DelegationFault::NameServers) => "not known: the parent's name servers give no answer".to_owned(),
        Some(DelegationFault::Configuration) => {
            "not known: what would be asked may not be asked from here".to_owned()
        }
        Some(DelegationFault::Ours) | None => "not known: something failed here".to_owned(),
    }
}

fn served(zone: &Zone) -> Standing {
    let is_answered = matches!(zone.service, Service::Answering | Service::Paused);
    match (zone.serial.is_some(), is_answered) {
        (true, true) if zone.freshness != Freshness::Expired || zone.answers_until > zone.expires_at => {
            Standing::Done
        }
        _ if zone.service == Service::Unproven => Standing::Waiting,
        (true, _) => Standing::Failed,
        (false, _) => Standing::Waiting,
    }
}

fn text(zone: &Zone, stage: Stage, standing: Standing) -> String {
    let attempt = zone.last_attempt.as_ref();
    match (stage, standing) {
        (Stage::Reachable, Standing::Running) => "asking…".to_owned(),
        (Stage::Reachable, Standing::Done) => attempt
            .and_then(|attempt| attempt.primary.clone())
            .map(|primary| format!("{primary} answers"))
            .unwrap_or_default(),
        (Stage::Soa, Standing::Done) => attempt
            .and_then(|attempt| attempt.to_serial)
            .or(zone.serial)
            .map(|serial| format!("serial {serial}"))
            .unwrap_or_default(),
        (Stage::Signed, Standing::Done) => {
            let keys = zone.primaries.iter().filter_map(|primary| primary.key.as_deref()).next();
            keys.map_or_else(|| "over TLS".to_owned(), |key| format!("with the key {}", bare(key)))
        }
        (Stage::Signed, Standing::Skipped) => "no key: answers are not signed".to_owned(),
        (Stage::Transferred, Standing::Running) => {
            let records = zone.transfers.iter().map(|transfer| transfer.records).max().unwrap_or_default();
            let received = zone.transfers.iter().map(|transfer| transfer.octets).max().unwrap_or_default();
            format!("{} records, {} so far", number(&records), octets(&received))
        }
        (Stage::Transferred, Standing::Done) => {
            let records = zone.records.map(|records| format!("{} records", number(&records))).unwrap_or_default();
            let copied = attempt.filter(|attempt| attempt.outcome == AttemptOutcome::Updated);
            match copied {
                Some(attempt) => {
                    format!("{records}; {} in {}", octets(&attempt.bytes), millis(&attempt.millis))
                }
                None => records,
            }
        }
        (Stage::Served, Standing::Done) if zone.state == State::Stale => "in its last good version".to_owned(),
        (Stage::Served, Standing::Done) => zone.serial.map(|serial| format!("serial {serial}")).unwrap_or_default(),
        (Stage::Served, Standing::Failed) if zone.freshness == Freshness::Expired => {
            "its time has run out: queries get SERVFAIL".to_owned()
        }
        (Stage::Served, Standing::Failed) => "queries are refused".to_owned(),
        _ => String::new(),
    }
}

/// Which lines for the primary's configuration help a zone whose last attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Help {
    /// None: it does not lie with the primary's configuration.
    Nothing,
    /// Those that it will need when it is reached: first of all it is to be reached.
    Reach,
    /// Those that allow us what it denies.
    Allow,
    /// Those that have it hold the zone, too, and answer for it.
    Hold,
}

/// What helps against what the last attempt failed for.
pub(crate) fn help(zone: &Zone) -> Help {
    let failed = zone.last_attempt.as_ref().filter(|attempt| attempt.outcome == AttemptOutcome::Failed);
    let Some((attempt, reason)) = failed.and_then(|attempt| Some((attempt, attempt.reason.as_ref()?))) else {
        return Help::Nothing;
    };
    match (stage_of(attempt, reason), reason.code.as_str()) {
        _ if reason.asks_nobody() || reason.fault == Fault::Ours => Help::Nothing,
        (Stage::Soa, _) if reason.says_not_held() => Help::Hold,
        (Stage::Reachable, _) => Help::Reach,
        (Stage::Allowed | Stage::Signed, _) => Help::Allow,
        // Some deny a transfer by silence.
        (Stage::Transferred, "connection_closed" | "timed_out" | "hung") => Help::Allow,
        // It gave something that is not a zone, or not one that can be served.
        (Stage::Soa | Stage::Transferred | Stage::Served, _) => Help::Nothing,
    }
}

/// At which step an attempt failed.
fn stage_of(attempt: &Attempt, reason: &Reason) -> Stage {
    let is_check = attempt.kind == AttemptKind::Check;
    match reason.code.as_str() {
        code if code.starts_with("tsig_") || code == "key_missing" => Stage::Signed,
        code if code.starts_with("tls_") => Stage::Reachable,
        "unreachable" | "source_not_here" | "address_refused" | "socket_failed" | "busy" => Stage::Reachable,
        "timed_out" | "hung" | "connection_closed" if is_check => Stage::Reachable,
        "store_failed" | "zone_frozen" | "frozen_and_lost" => Stage::Served,
        _ if is_check => Stage::Soa,
        "refused" | "notauth" | "servfail" | "notimp" | "formerr" | "other_rcode" => Stage::Allowed,
        _ => Stage::Transferred,
    }
}

#[cfg(test)]
mod tests {
    use super::{Help, Standing, delegated, help, steps};
    use crate::json::{
        Attempt, AttemptKind, AttemptOutcome, Delegation, DelegationFailure, DelegationFault, DelegationFit,
        DelegationState, Fault, Freshness, Hold, Origin, Primary, Reason, ServerFound, Service, State, Time,
        TransferUnderWay, Trigger, Zone, delegated_to,
    };

    fn zone() -> Zone {
        Zone {
            id: 1,
            name: "example.org.".into(),
            state: State::Pending,
            freshness: Freshness::Pending,
            hold: Hold::None,
            service: Service::Answering,
            volatile: false,
            serial: None,
            generation: None,
            digest: None,
            records: None,
            primaries: vec![Primary { address: "192.0.2.1:53".into(), ..Primary::default() }],
            settings: std::collections::BTreeMap::new(),
            tags: Vec::new(),
            origin: Origin::Configured,
            catalog: None,
            created_at: Time::from_unix_ms(0),
            last_success: None,
            next_refresh: None,
            expires_at: None,
            answers_until: None,
            signed_until: None,
            held_back: None,
            warnings: Vec::new(),
            silent: Vec::new(),
            transfers: Vec::new(),
            last_attempt: None,
        }
    }

    fn failed(kind: AttemptKind, code: &str) -> Option<Attempt> {
        let at = Time::from_unix_ms(0);
        let reason =
            Reason { code: code.into(), fault: Fault::Primary, message: "it failed".into(), advice: String::new() };
        Some(Attempt {
            at,
            last_at: at,
            count: 1,
            primary: Some("192.0.2.1:53".into()),
            trigger: Trigger::First,
            kind,
            from_serial: None,
            to_serial: None,
            bytes: 0,
            records: 0,
            millis: 3,
            outcome: AttemptOutcome::Failed,
            reason: Some(reason),
        })
    }

    /// One letter for each step.
    fn standings(zone: &Zone) -> String {
        let letter = |standing| match standing {
            Standing::Done => 'd',
            Standing::Running => 'r',
            Standing::Failed => 'f',
            Standing::Waiting => 'w',
            Standing::Skipped => 's',
        };
        steps(zone).iter().map(|step| letter(step.standing)).collect()
    }

    #[test]
    fn a_zone_goes_from_step_to_step_until_it_is_served() {
        let mut zone = zone();
        assert_eq!(standings(&zone), "rwwsww");
        let since = Time::from_unix_ms(0);
        zone.transfers =
            vec![TransferUnderWay { primary: "192.0.2.1:53".into(), since, octets: 2_000_000, records: 30_000 }];
        assert_eq!(standings(&zone), "dddsrw");
        assert_eq!(steps(&zone)[4].text, "30\u{202f}000 records, 2.0 MB so far");
        zone.transfers.clear();
        (zone.serial, zone.records, zone.freshness, zone.state) =
            (Some(7), Some(9), Freshness::Current, State::Active);
        assert_eq!(standings(&zone), "dddsdd");
        zone.primaries[0].key = Some("transfer.example.org.".into());
        assert_eq!(standings(&zone), "dddddd");
        (zone.service, zone.state) = (Service::Unproven, State::Unproven);
        assert_eq!(standings(&zone), "dddddrw");
    }

    #[test]
    fn lines_are_for_what_the_primary_denies_and_for_nothing_else() {
        for (kind, code, expected) in [
            (AttemptKind::Check, "refused", Help::Hold),
            (AttemptKind::Check, "notauth", Help::Hold),
            (AttemptKind::Check, "servfail", Help::Hold),
            (AttemptKind::Check, "not_authoritative", Help::Hold),
            (AttemptKind::Axfr, "refused", Help::Allow),
            (AttemptKind::Axfr, "notauth", Help::Allow),
            (AttemptKind::Check, "tsig_bad_key", Help::Allow),
            (AttemptKind::Check, "timed_out", Help::Reach),
            (AttemptKind::Axfr, "connection_closed", Help::Allow),
            (AttemptKind::Check, "address_refused", Help::Nothing),
            (AttemptKind::Axfr, "address_refused", Help::Nothing),
            (AttemptKind::Check, "source_not_here", Help::Nothing),
            (AttemptKind::Axfr, "soa_mismatch", Help::Nothing),
            (AttemptKind::Check, "serial_went_back", Help::Nothing),
        ] {
            assert_eq!(help(&Zone { last_attempt: failed(kind, code), ..zone() }), expected, "{code}");
        }
        let mut ours = failed(AttemptKind::Check, "busy");
        ours.as_mut().unwrap().reason.as_mut().unwrap().fault = Fault::Ours;
        assert_eq!(help(&Zone { last_attempt: ours, ..zone() }), Help::Nothing);
        assert_eq!(help(&zone()), Help::Nothing);
    }

    #[test]
    fn the_step_that_failed_is_the_one_that_the_reason_is_about() {
        for (kind, code, expected) in [
            (AttemptKind::Check, "timed_out", "fwwsww"),
            (AttemptKind::Check, "refused", "dfwsww"),
            (AttemptKind::Axfr, "refused", "ddfsww"),
            (AttemptKind::Axfr, "timed_out", "dddsfw"),
            (AttemptKind::Axfr, "soa_mismatch", "dddsfw"),
            (AttemptKind::Check, "tls_failed", "fwwsww"),
        ] {
            assert_eq!(standings(&Zone { last_attempt: failed(kind, code), ..zone() }), expected, "{code}");
        }
        let mut signed = Zone { last_attempt: failed(AttemptKind::Check, "tsig_bad_key"), ..zone() };
        signed.primaries[0].key = Some("transfer.example.org.".into());
        assert_eq!(standings(&signed), "dddfww");
        assert_eq!(steps(&signed)[3].text, "it failed");
        let stale = Zone { serial: Some(7), freshness: Freshness::Stale, state: State::Stale, ..signed };
        assert_eq!(standings(&stale), "dddfwd");
    }
    #[test]
    fn the_step_of_the_delegation_waits_until_it_is_known_and_judges_only_what_is_known() {
        let served = Zone { serial: Some(7), ..zone() };
        let step = delegated(&served, None);
        assert_eq!(
            (step.title, step.standing, step.text.as_str()),
            ("Delegated to us", Standing::Waiting, "not known yet")
        );
        assert_eq!(delegated(&zone(), None).text, "", "it is not its turn yet");
        let ours = ["ns1.us.", "ns2.us."];
        let with_lame = |mut found: Delegation, at: usize| {
            found.servers[at].at[0].found = ServerFound::Lame;
            found
        };
        for (found, standing, text) in [
            (delegated_to(&ours, &ours, DelegationFit::Exactly), Standing::Done, "to ns1.us, ns2.us"),
            (
                delegated_to(&["ns.them.", "ns1.us.", "ns2.us."], &ours, DelegationFit::Among),
                Standing::Done,
                "beside ns.them",
            ),
            (delegated_to(&["ns1.us."], &ours, DelegationFit::Among), Standing::Done, "in part: without ns2.us"),
            (delegated_to(&["ns.them."], &ours, DelegationFit::None), Standing::Waiting, "elsewhere: to ns.them"),
            (delegated_to(&["ns.them."], &[], DelegationFit::Unknown), Standing::Skipped, "to ns.them"),
            (
                with_lame(delegated_to(&ours, &ours, DelegationFit::Exactly), 0),
                Standing::Failed,
                "to us, and not answered at ns1.us",
            ),
            (
                with_lame(delegated_to(&["ns1.us.", "ns.them."], &ours[..1], DelegationFit::Among), 1),
                Standing::Done,
                "beside ns.them; lame: ns.them",
            ),
        ] {
            let step = delegated(&served, Some(&found));
            assert_eq!((step.standing, step.text.as_str()), (standing, text));
            assert_eq!(step.title == "Delegated to us", !found.wanted.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_found_out_of_a_delegation_is_said_and_is_not_red() {
        let served = Zone { serial: Some(7), ..zone() };
        for state in [DelegationState::NotDelegated, DelegationState::Differing] {
            let found = Delegation { state, ..delegated_to(&[], &["ns1.us."], DelegationFit::None) };
            assert_eq!(delegated(&served, Some(&found)).standing, Standing::Waiting);
        }
        for (fault, says) in [
            (DelegationFault::Network, "the root's name servers are not reached"),
            (DelegationFault::NameServers, "give no answer"),
            (DelegationFault::Configuration, "may not be asked"),
            (DelegationFault::Ours, "failed here"),
        ] {
            let failure = DelegationFailure {
                code: "nobody_answers".into(),
                fault,
                whose: String::new(),
                message: String::new(),
                advice: String::new(),
            };
            let unknown = delegated_to(&[], &["ns1.us."], DelegationFit::Unknown);
            let found = Delegation { state: DelegationState::Unknown, failure: Some(failure), ..unknown };
            let step = delegated(&served, Some(&found));
            assert!(step.standing == Standing::Waiting && step.text.contains(says), "{step:?}");
        }
    }
}
