//! What follows from everything that the primaries showed: pure, nobody is asked any more.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dns::{Name, Soa};
use xfr::Reason;

use super::concern::Concern;
use super::step::{Finding, Step, StepName};
use super::{Notifies, Ours, Patient, Seen, Takes, Unseen};

const DAY_SECS: u32 = 86_400;

/// The steps that concern no primary alone.
pub(super) fn steps(patient: &Patient, seen: &[Seen], unseen: &[Unseen]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut say = |name, finding| steps.push(Step::new(&patient.zone, name, None, finding));
    let newest = newest(seen);
    if patient.primaries.len() > 1 {
        say(StepName::Serials, serials(seen, unseen));
        say(StepName::Versions, versions(seen));
    }
    if let Some(ours) = patient.ours {
        say(StepName::OurSerial, our_serial(ours, seen, unseen));
    }
    let Some(newest) = newest else {
        for name in [StepName::NsRecords, StepName::OwnNs, StepName::Timers] {
            say(name, Finding::Unseen(nothing_seen(unseen)));
        }
        say(StepName::Notify, notify(patient));
        return steps;
    };
    say(StepName::NsRecords, ns_records(newest));
    say(StepName::OwnNs, own_ns(&patient.own_addresses, newest));
    let concerns = timer_concerns(&newest.soa);
    if concerns.is_empty() {
        let Soa { refresh, retry, expire, minimum, .. } = newest.soa;
        let found =
            format!("REFRESH {refresh} s, RETRY {retry} s, EXPIRE {expire} s and MINIMUM {minimum} s go together");
        say(StepName::Timers, Finding::Fine(found));
    }
    concerns.into_iter().for_each(|concern| say(StepName::Timers, Finding::Odd(concern)));
    say(StepName::Notify, notify(patient));
    steps
}

fn nothing_seen(unseen: &[Unseen]) -> String {
    let not_taken = unseen.iter().find_map(|why| match why {
        Unseen::SignedFailed(primary) => Some(primary),
        Unseen::NotShown => None,
    });
    match not_taken {
        Some(primary) => format!("{primary} was not asked for it, because our signed query to it failed (see tsig)"),
        None => "no primary has shown the zone".into(),
    }
}

/// Who has no newer one beside it (RFC 1982).
fn newest(seen: &[Seen]) -> Option<&Seen> {
    seen.iter().reduce(|newest, other| if other.soa.serial.is_newer_than(newest.soa.serial) { other } else { newest })
}

fn serials(seen: &[Seen], unseen: &[Unseen]) -> Finding {
    let (Some(newest), [first, others @ ..]) = (newest(seen), seen) else {
        return Finding::Unseen(nothing_seen(unseen));
    };
    if others.is_empty() {
        return Finding::Unseen(format!("{} alone has shown a serial, {}", first.primary, first.soa.serial));
    }
    let (top, is_top) = (newest.soa.serial, |one: &&Seen| one.soa.serial == newest.soa.serial);
    if let Some(incomparable) = seen.iter().find(|one| !is_top(one) && !top.is_newer_than(one.soa.serial)) {
        return Finding::Bad(Reason::SerialIncomparable { ours: top, theirs: incomparable.soa.serial });
    }
    if seen.iter().all(|one| is_top(&one)) {
        return Finding::Fine(format!("all {} primaries show the serial {top}", seen.len()));
    }
    let shown: Vec<String> = seen.iter().map(|one| format!("{} at {}", one.soa.serial, one.primary)).collect();
    Finding::Odd(Concern::SerialsDiffer { shown: shown.join(", "), newest: newest.primary })
}

/// Whether what the primaries show would be taken in the place of what is here.
fn our_serial(ours: Ours, seen: &[Seen], unseen: &[Unseen]) -> Finding {
    let Ours { serial, takes } = ours;
    let theirs = |one: &&Seen| one.soa.serial;
    let listed = |seen: &[&Seen]| -> String {
        let shown = seen.iter().map(|one| format!("{} at {}", one.soa.serial, one.primary));
        shown.collect::<Vec<_>>().join(", ")
    };
    if seen.is_empty() {
        return Finding::Unseen(nothing_seen(unseen));
    }
    let others: Vec<&Seen> = seen.iter().filter(|one| theirs(one) != serial).collect();
    let (newer, older): (Vec<&Seen>, Vec<&Seen>) = others.iter().partition(|one| theirs(one).is_newer_than(serial));
    match takes {
        _ if others.is_empty() => Finding::Fine(format!("the version here has the serial that is shown, {serial}")),
        Takes::None => Finding::Fine(format!(
            "the zone is frozen here at the serial {serial}, and others are shown: {}",
            listed(&others)
        )),
        _ if older.is_empty() => Finding::Fine(format!("newer than ours, {serial}: {}", listed(&newer))),
        Takes::OlderToo => {
            Finding::Fine(format!("other than ours, {serial}, and older ones are taken too: {}", listed(&others)))
        }
        Takes::Newer => {
            if let Some(far) = older.iter().find(|one| !serial.is_newer_than(theirs(one))) {
                return Finding::Bad(Reason::SerialIncomparable { ours: serial, theirs: far.soa.serial });
            }
            let concern = Concern::OlderThanOurs { ours: serial, shown: listed(&older) };
            // Another primary brings the zone up to date, or confirms what is here.
            if older.len() < seen.len() { Finding::Odd(concern) } else { Finding::Wrong(concern) }
        }
    }
}

/// One serial must mean one zone: nothing else tells versions apart.
fn versions(seen: &[Seen]) -> Finding {
    let mut compared = 0;
    for (index, one) in seen.iter().enumerate() {
        for other in seen[..index].iter().filter(|other| other.soa.serial == one.soa.serial) {
            compared += 1;
            let what = match (&one.name_servers, &other.name_servers) {
                _ if !dns::rdata::same(dns::Type::SOA, &one.soa_rdata, &other.soa_rdata) => "other SOA records",
                (Ok(ours), Ok(theirs)) if ours != theirs => "other NS records",
                _ => continue,
            };
            let (one, other, what) = (other.primary, one.primary, what.to_owned());
            return Finding::Wrong(Concern::SameSerialDiffers { one, other, what });
        }
    }
    match compared {
        0 => Finding::Unseen("no two primaries have shown one serial".into()),
        _ => Finding::Fine("where the serials are the same, so are SOA and NS records".into()),
    }
}

fn ns_records(seen: &Seen) -> Finding {
    let names = match &seen.name_servers {
        Ok(names) => names,
        Err(detail) => return Finding::Odd(Concern::NsNotAnswered { detail: detail.clone() }),
    };
    match names.first() {
        None => Finding::Bad(Reason::ZoneWithoutNs),
        Some(name) if names.len() == 1 => Finding::Odd(Concern::NsSingle { name: name.clone() }),
        Some(_) => Finding::Fine(format!("the zone has {} name servers: {}", names.len(), listed(names))),
    }
}

fn own_ns(own: &[IpAddr], seen: &Seen) -> Finding {
    if own.is_empty() {
        let why = "whether one of the name servers is us cannot be told without our addresses";
        return Finding::Unseen(why.into());
    }
    let Ok(names) = &seen.name_servers else {
        return Finding::Unseen("the zone's name servers are not known".into());
    };
    let is_us = |(_, addresses): &&(Name, Vec<IpAddr>)| addresses.iter().any(|address| own.contains(address));
    if let Some((name, _)) = seen.addresses.iter().find(is_us) {
        return Finding::Fine(format!("{name} has an address of ours"));
    }
    let unknown: BTreeSet<Name> =
        names.iter().filter(|name| seen.addresses.iter().all(|(known, _)| known != *name)).cloned().collect();
    if unknown.is_empty() {
        return Finding::Odd(Concern::NsWithoutUs { names: listed(names) });
    }
    Finding::Unseen(format!(
        "the primary does not know the addresses of {}: they lie in other zones",
        listed(&unknown)
    ))
}

/// What is strange about a zone's timers. The bounds are RFC 1912 §2.2's and RFC 2308 §5's, in the widest reading.
fn timer_concerns(soa: &Soa) -> Vec<Concern> {
    let Soa { refresh, retry, expire, minimum, .. } = *soa;
    let mut concerns = Vec::new();
    if expire < refresh {
        concerns.push(Concern::ExpireBeforeRefresh { expire, refresh });
    } else if refresh > expire / 2 {
        concerns.push(Concern::RefreshLong { refresh, expire });
    }
    if expire < 7 * DAY_SECS {
        concerns.push(Concern::ExpireShort { expire });
    }
    if retry > refresh {
        concerns.push(Concern::RetryLong { retry, refresh });
    }
    if minimum > DAY_SECS {
        concerns.push(Concern::MinimumLong { minimum });
    }
    concerns
}

fn notify(patient: &Patient) -> Finding {
    let try_it = |so: &str| {
        let zone = &patient.zone;
        format!("{so}: raise the serial there, and see whether `secondo zone notifies {zone}` shows one")
    };
    match &patient.notifies {
        Notifies::Taken => Finding::Fine("the last NOTIFY was taken".into()),
        Notifies::Declined { from, why } => Finding::Odd(Concern::NotifyDeclined { from: from.clone(), why: *why }),
        Notifies::None => Finding::Unseen(try_it("no NOTIFY has come yet")),
        Notifies::Unknown => {
            Finding::Unseen(try_it("whether NOTIFYs of the primary reach us is known only where the zone is here"))
        }
    }
}

fn listed(names: &BTreeSet<Name>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use dns::text::rdata_from_text;
    use dns::{Soa, Type};

    use super::{Concern, timer_concerns};

    #[test]
    fn timers_that_do_not_go_together_are_named() {
        let codes = |numbers: &str| {
            let rdata = rdata_from_text(Type::SOA, &format!("ns. host. 1 {numbers}")).unwrap();
            timer_concerns(&Soa::parse(&rdata).unwrap()).iter().map(Concern::code).collect::<Vec<_>>()
        };
        assert_eq!(codes("86400 7200 3600000 3600"), [""; 0]);
        assert_eq!(codes("7200 3600 604800 86400"), [""; 0]);
        assert_eq!(codes("7200 3600 604799 60"), ["expire_short"]);
        assert_eq!(codes("7200 3600 3600 60"), ["expire_before_refresh", "expire_short"]);
        assert_eq!(codes("400000 3600 604800 60"), ["refresh_long"]);
        assert_eq!(codes("3600 7200 604800 86401"), ["retry_long", "minimum_long"]);
        assert_eq!(codes("0 0 0 0"), ["expire_short"]);
    }
}
