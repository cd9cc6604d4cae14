//! `[limits]`: what one transfer may bring, what one name may hold, and how much may go on at a time.
//!
//! Each has a default that hardly anybody needs to change. What is not here is bounded too, by numbers that nobody can
//! choose well: see `transfer::Limits` and `zone::Limits`.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use xfr::{SessionLimits, span};

use super::problems::Problems;

/// What is bounded by the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) transfer: transfer::Limits,
    pub(crate) contents: zone::Limits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsSection {
    connections: Option<Spanned<u64>>,
    connections_per_address: Option<Spanned<u64>>,
    transfer_octets: Option<Spanned<u64>>,
    transfer_records: Option<Spanned<u64>>,
    transfer_time: Option<Spanned<String>>,
    /// In each minute.
    progress_octets: Option<Spanned<u64>>,
    records_per_rrset: Option<Spanned<u64>>,
    types_per_name: Option<Spanned<u64>>,
}

/// One for each lane, and what systems let a service open.
const CONNECTIONS: RangeInclusive<u64> = 4..=10_000;
const CONNECTIONS_PER_ADDRESS: RangeInclusive<u64> = 1..=1_000;
/// From one message to what no machine holds.
const TRANSFER_OCTETS: RangeInclusive<u64> = 65_536..=1 << 40;
/// An image counts its names in 32 bits.
const TRANSFER_RECORDS: RangeInclusive<u64> = 2..=u32::MAX as u64;
/// At least two messages a minute may be asked for; with none, only silence ends a transfer.
const PROGRESS_OCTETS: RangeInclusive<u64> = 0..=131_072;
/// Fewer would keep ordinary zones out.
const PER_NAME: RangeInclusive<u64> = 16..=u16::MAX as u64;
/// The shortest time for a transfer, in seconds.
const TRANSFER_SECS_MIN: u32 = 60;

pub(super) fn read_limits(section: &LimitsSection, problems: &mut Problems) -> Limits {
    let mut limits = Limits::default();
    let Limits { transfer, contents } = &mut limits;
    let mut set = Setter(problems);
    set.number(&mut transfer.connections, section.connections.as_ref(), CONNECTIONS);
    let per_address = &mut transfer.connections_per_address;
    set.number(per_address, section.connections_per_address.as_ref(), CONNECTIONS_PER_ADDRESS);
    let SessionLimits { octets, records, steps: _ } = &mut transfer.session;
    set.number(octets, section.transfer_octets.as_ref(), TRANSFER_OCTETS);
    set.number(records, section.transfer_records.as_ref(), TRANSFER_RECORDS);
    set.number(&mut transfer.deadlines.progress_octets, section.progress_octets.as_ref(), PROGRESS_OCTETS);
    set.number(&mut contents.records_per_rrset, section.records_per_rrset.as_ref(), PER_NAME);
    set.number(&mut contents.types_per_name, section.types_per_name.as_ref(), PER_NAME);
    if let Some(time) = problems.read_if_given(section.transfer_time.as_ref(), transfer_time) {
        transfer.deadlines.transfer = time;
    }
    limits
}

struct Setter<'p>(&'p mut Problems);

impl Setter<'_> {
    fn number<N: TryFrom<u64>>(&mut self, limit: &mut N, wanted: Option<&Spanned<u64>>, range: RangeInclusive<u64>) {
        let Some(wanted) = wanted else { return };
        let number = *wanted.get_ref();
        match N::try_from(number) {
            Ok(number_of_its_type) if range.contains(&number) => *limit = number_of_its_type,
            _ => {
                let message = format!("{number} is not a limit here: write {} to {}", range.start(), range.end());
                self.0.note(wanted.span().start, message);
            }
        }
    }
}

fn transfer_time(text: &str) -> Result<Duration, String> {
    let secs = span::seconds(text).map_err(|error| error.to_string())?;
    if secs < TRANSFER_SECS_MIN {
        return Err(format!("{text:?} is too short for any transfer: give it a minute at least"));
    }
    Ok(Duration::from_secs(secs.into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::configuration::Configuration;

    #[test]
    fn limits_are_read_and_what_is_not_given_is_the_default() {
        let read = |text: &str| Configuration::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}")).limits;
        let usual = read("");
        let limits = read(
            "[limits]\nconnections = 64\nconnections_per_address = 2\ntransfer_octets = 4294967296\n\
             transfer_records = 1000\ntransfer_time = \"8h\"\nprogress_octets = 0\nrecords_per_rrset = 100\n",
        );
        let transfer = &limits.transfer;
        assert_eq!((transfer.connections, transfer.connections_per_address), (64, 2));
        assert_eq!((transfer.session.octets, transfer.session.records), (1 << 32, 1000));
        assert_eq!(transfer.deadlines.transfer, Duration::from_secs(8 * 3600));
        assert_eq!((transfer.deadlines.progress_octets, limits.contents.records_per_rrset), (0, 100));
        assert_eq!(limits.contents.types_per_name, usual.contents.types_per_name);
        assert_eq!(transfer.probes, usual.transfer.probes);
    }

    #[test]
    fn limits_that_cannot_be_are_said_with_their_line() {
        for (line, says) in [
            ("connections = 3", "write 4 to 10000"),
            ("connections_per_address = 0", "write 1 to 1000"),
            ("transfer_octets = 1", "write 65536 to"),
            ("transfer_records = 5000000000", "write 2 to 4294967295"),
            ("transfer_time = \"5s\"", "a minute at least"),
            ("transfer_time = \"soon\"", "no length of time"),
            ("records_per_rrset = 65536", "write 16 to 65535"),
            ("types_per_name = 1", "write 16 to 65535"),
            ("types_per_name = -1", "-1"),
            ("octets = 7", "unknown field"),
        ] {
            let text = format!("[limits]\n{line}\n");
            let problems = Configuration::parse(&text).unwrap_err();
            assert!(problems[0].message.contains(says), "{line}: {problems:?}");
            assert_eq!((problems.len(), problems[0].line), (1, 2), "{line}: {problems:?}");
        }
    }
}
