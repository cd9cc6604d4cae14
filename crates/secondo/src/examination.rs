//! Examinations as the API shows them, whoever made them: a server, or the command line by itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use api::json;
use dns::Name;
use transfer::Primary;
use transfer::doctor::{Cause, Examination, Examined, Outcome, Paste, Patient, Software, Step, Us, Way};
use xfr::Fault;

/// `dns` is where we take NOTIFYs; none where that is not known.
pub(crate) fn shown(patient: &Patient, examined: &Examination, dns: &[SocketAddr]) -> json::Examination {
    let steps: Vec<json::Step> = examined.steps.iter().map(step).collect();
    let has = |outcome| steps.iter().any(|step| step.outcome == outcome);
    let outcome = match () {
        () if has(json::StepOutcome::Failed) => json::StepOutcome::Failed,
        () if has(json::StepOutcome::Warning) => json::StepOutcome::Warning,
        () => json::StepOutcome::Passed,
    };
    let primaries = patient.primaries.iter().zip(&examined.primaries);
    json::Examination {
        name: patient.zone.to_string(),
        outcome,
        steps,
        primaries: primaries.map(|(asked, examined)| primary(patient, asked, examined, dns)).collect(),
    }
}

fn step(step: &Step) -> json::Step {
    let reason = |cause: &Cause| json::Reason {
        code: cause.code.to_owned(),
        fault: fault(cause.fault),
        message: step.found.clone(),
        advice: cause.advice.clone(),
    };
    let (outcome, reason) = match &step.outcome {
        Outcome::Passed => (json::StepOutcome::Passed, None),
        Outcome::Skipped => (json::StepOutcome::Skipped, None),
        Outcome::Warning(cause) => (json::StepOutcome::Warning, Some(reason(cause))),
        Outcome::Failed(cause) => (json::StepOutcome::Failed, Some(reason(cause))),
    };
    let primary = step.primary.map(|address: SocketAddr| address.to_string());
    json::Step { name: step.name.to_string(), primary, outcome, found: step.found.clone(), reason }
}

fn primary(patient: &Patient, asked: &Primary, examined: &Examined, dns: &[SocketAddr]) -> json::ExaminedPrimary {
    let us = us(asked, examined.source, dns);
    json::ExaminedPrimary {
        address: examined.address.to_string(),
        source: examined.source.map(|source| source.to_string()),
        pin: examined.pin.map(|pin| pin.to_string()),
        guess: examined.guess.software.map(software),
        says: examined.guess.said.clone(),
        paste: Software::ALL.into_iter().map(|software| paste(&Paste::of(software, &patient.zone, &us))).collect(),
    }
}

/// Where a primary is to send its NOTIFYs.
struct Notified {
    /// None where that is the address that it sees us at.
    address: Option<IpAddr>,
    port: u16,
}

impl Notified {
    /// `dns` is where we listen, `source` what the primary sees: the same address if we take NOTIFYs there, or else one of
    /// its family where we do.
    fn at(dns: &[SocketAddr], source: Option<IpAddr>) -> Self {
        let is_like = |own: &&SocketAddr| source.is_none_or(|source| own.is_ipv4() == source.is_ipv4());
        let takes_any = |own: &&SocketAddr| own.ip().is_unspecified() || Some(own.ip()) == source;
        let own =
            dns.iter().filter(is_like).find(takes_any).or_else(|| dns.iter().find(is_like)).or_else(|| dns.first());
        let Some(own) = own else { return Self { address: None, port: api::text::DNS_PORT } };
        Self { address: Some(own.ip()).filter(|_| !takes_any(&own)), port: own.port() }
    }
}

/// Who we are to a primary that sees us at `source`.
fn us(primary: &Primary, source: Option<IpAddr>, dns: &[SocketAddr]) -> Us {
    let notified = Notified::at(dns, source);
    Us {
        address: source,
        notified: notified.address,
        port: notified.port,
        key: primary.key.as_ref().map(|key| (key.name().clone(), key.algorithm())),
        way: if primary.tls.is_some() { Way::Tls } else { Way::ClearText },
    }
}

/// The lines for a server that is to become the zone's primary, with its records in this file.
pub(crate) fn new_primary(
    zone: &Name,
    software: Software,
    primary: &Primary,
    file: &str,
    dns: &[SocketAddr],
) -> json::Paste {
    let source = primary.source.or_else(|| source_towards(primary.address));
    paste(&Paste::with_file(software, zone, &us(primary, source, dns), file))
}

/// The lines for a primary that nobody has asked.
pub(crate) fn lines(zone: &Name, primary: &Primary, dns: &[SocketAddr]) -> json::PrimaryLines {
    let source = primary.source.or_else(|| source_towards(primary.address));
    let us = us(primary, source, dns);
    json::PrimaryLines {
        address: primary.address.to_string(),
        source: source.map(|source| source.to_string()),
        paste: Software::ALL.into_iter().map(|software| paste(&Paste::of(software, zone, &us))).collect(),
    }
}

/// The address of ours that the system would send from; nothing is sent to find it out.
pub(crate) fn source_towards(address: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(address).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn paste(paste: &Paste) -> json::Paste {
    let part =
        |part: &transfer::doctor::Part| json::PastePart { place: part.place.to_owned(), lines: part.lines.clone() };
    json::Paste {
        software: software(paste.software),
        title: paste.software.to_string(),
        parts: paste.parts.iter().map(part).collect(),
        holding: paste.holding.iter().map(part).collect(),
        notes: paste.notes.clone(),
    }
}

fn software(software: Software) -> json::PrimarySoftware {
    match software {
        Software::Bind => json::PrimarySoftware::Bind,
        Software::Knot => json::PrimarySoftware::Knot,
        Software::Nsd => json::PrimarySoftware::Nsd,
        Software::PowerDns => json::PrimarySoftware::PowerDns,
        Software::Yadifa => json::PrimarySoftware::Yadifa,
        Software::WindowsDns => json::PrimarySoftware::WindowsDns,
    }
}

pub(crate) fn software_of(word: json::PrimarySoftware) -> Software {
    let is_meant = |known: &Software| software(*known) == word;
    Software::ALL.into_iter().find(is_meant).expect("each word stands for one of them")
}

fn fault(fault: Fault) -> json::Fault {
    match fault {
        Fault::Primary => json::Fault::Primary,
        Fault::Network => json::Fault::Network,
        Fault::Configuration => json::Fault::Configuration,
        Fault::Ours => json::Fault::Ours,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use super::Notified;

    #[test]
    fn notifies_go_where_they_are_taken_whatever_address_the_primary_sees() {
        let at = |dns: &str, source: &str| {
            let dns: Vec<SocketAddr> = dns.split_whitespace().map(|own| own.parse().unwrap()).collect();
            let notified = Notified::at(&dns, source.parse().ok());
            (notified.address.map(|address: IpAddr| address.to_string()).unwrap_or_default(), notified.port)
        };
        for (dns, source, address, port) in [
            ("0.0.0.0:53 [::]:53", "192.0.2.7", "", 53),
            ("0.0.0.0:5300 [::]:53", "2001:db8::7", "", 53),
            ("198.51.100.1:5300 192.0.2.7:53", "192.0.2.7", "", 53),
            ("198.51.100.1:5300", "192.0.2.7", "198.51.100.1", 5300),
            ("198.51.100.1:53 [2001:db8::1]:5300", "2001:db8::7", "2001:db8::1", 5300),
            ("198.51.100.1:5300", "2001:db8::7", "198.51.100.1", 5300),
            ("198.51.100.1:53", "", "198.51.100.1", 53),
            ("", "192.0.2.7", "", 53),
        ] {
            assert_eq!(at(dns, source), (address.to_owned(), port), "{dns} {source}");
        }
    }
}
