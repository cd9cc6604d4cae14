//! What it takes until a zone is served, step by step, and where it stands.
//!
//! Everything follows from the zone as it is: whoever looks later sees the same. A step is done when something later is; of
//! an attempt that failed, the reason's code says which step it was.

use crate::console::words::{bare, millis, number, octets};
use crate::json::{Attempt, AttemptKind, AttemptOutcome, Freshness, Reason, Service, State, Zone};

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
        (None, _) if zone.service != Service::Answering => Standing::Waiting,
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
    STAGES.into_iter().map(step).collect()
}

fn served(zone: &Zone) -> Standing {
    let is_answered = matches!(zone.service, Service::Answering | Service::Paused);
    match (zone.serial.is_some(), is_answered) {
        (true, true) if zone.freshness != Freshness::Expired || zone.answers_until > zone.expires_at => {
            Standing::Done
        }
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
    use super::{Standing, steps};
    use crate::json::{
        Attempt, AttemptKind, AttemptOutcome, Fault, Freshness, Hold, Origin, Primary, Reason, Service, State, Time,
        TransferUnderWay, Trigger, Zone,
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
            origin: Origin::Configured,
            catalog: None,
            created_at: Time::from_unix_ms(0),
            last_success: None,
            next_refresh: None,
            expires_at: None,
            answers_until: None,
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
}
