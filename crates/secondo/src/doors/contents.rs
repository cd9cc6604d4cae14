//! What zones hold, read-only.

use std::fmt::Write;

use api::doors::{Caller, Export, RecordPage, Records, Signatures, Text};
use api::{Code, Contents, Problem};
use async_trait::async_trait;
use dns::text::record_to_text;
use dns::{Name, NameRef, RecordRef, Type};
use zone::{Diff, Generation, Image};

use super::House;
use crate::history::{self, NoWay};
use crate::holds::Hold;
use crate::promotion::is_of_signing;

/// Octets of text after which a piece ends.
const PIECE_OCTETS: usize = 64 * 1024;

/// Owners that are looked at for one page: some 20 ms in a large zone, so that nobody else waits for long. Whoever asked
/// goes on from there.
const OWNERS_LOOKED_AT_MAX: usize = 200_000;

#[async_trait]
impl Contents for House {
    async fn records(&self, caller: &Caller, name: &Name, page: RecordPage) -> Result<Records, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let snapshot = zone.snapshot().ok_or_else(|| not_loaded(name))?;
        let found = tokio::task::spawn_blocking(move || page_of(&snapshot.image, &page)).await;
        found.map_err(|error| Problem::new(Code::Internal, error.to_string()))
    }

    async fn diff(&self, caller: &Caller, name: &Name, from: u64, to: u64) -> Result<Text, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let (store, id) = (self.node.store.clone(), zone.id);
        let (from, to) = (Generation(from), Generation(to));
        let work = move || {
            let mut steps = history::steps(&store, id, from.min(to), from.max(to))?;
            if from > to {
                steps = steps.into_iter().rev().map(Diff::reversed).collect();
            }
            Ok(Pieces(history::lines(&steps)))
        };
        let lines = tokio::task::spawn_blocking(work).await;
        let lines = lines.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok(Box::new(lines.map_err(|error| no_way(name, &error))?))
    }

    async fn held_diff(&self, caller: &Caller, name: &Name) -> Result<Text, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let nothing = || Problem::new(Code::NothingHeld, format!("no version of the zone {name} is held back here"));
        let (served, held) = {
            let condition = zone.condition();
            let Hold::Held(held) = &condition.hold else { return Err(nothing()) };
            let version = held.version.as_ref().map(|version| version.image.clone());
            (condition.held.as_ref().map(|served| served.image.clone()), version)
        };
        let (served, held) = served.zip(held).ok_or_else(nothing)?;
        let work = move || Pieces(history::lines(&[zone::between(&served, &held)]));
        let lines = tokio::task::spawn_blocking(work).await;
        Ok(Box::new(lines.map_err(|error| Problem::new(Code::Internal, error.to_string()))?))
    }

    async fn export(&self, caller: &Caller, name: &Name, signatures: Signatures) -> Result<Export, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        // Also what has expired: it may be all that is left of the zone.
        let held = zone.condition().held.clone().ok_or_else(|| not_loaded(name))?;
        let (serial, generation) = (held.image.serial().0, held.generation.0);
        Ok(Export { serial, generation, text: Box::new(ZoneText::of(held.image.clone(), signatures)) })
    }
}

fn not_loaded(name: &Name) -> Problem {
    let detail = format!(
        "the zone {name} has no contents that may be served, because it was never transferred or has expired: see secondo \
         zone show {name}"
    );
    Problem::new(Code::ZoneNotLoaded, detail)
}

/// The records of a page. What lies before an owner is found without going through it, however large the zone is.
fn page_of(image: &Image, page: &RecordPage) -> Records {
    // A name from elsewhere stands nowhere.
    let from = page.from.as_ref().map(Name::borrow).filter(|from| from.is_at_or_below(image.apex()));
    let mut owners = image.owners_from(from.unwrap_or(image.apex()));
    let (mut lines, mut looked_at) = (Vec::new(), 0);
    let mut text = String::new();
    let mut is_found = |owner: NameRef<'_>| {
        text.clear();
        // Writing to a text does not fail.
        _ = write!(text, "{owner}");
        text.make_ascii_lowercase();
        text.contains(&page.find)
    };
    while lines.len() < page.limit as usize
        && looked_at < OWNERS_LOOKED_AT_MAX
        && let Some(owner) = owners.next()
    {
        looked_at += 1;
        if page.find.is_empty() || is_found(owner.name()) {
            let is_wanted = |record: &RecordRef<'_>| page.rtype.is_none_or(|rtype| record.rtype == rtype);
            lines.extend(owner.records().filter(is_wanted).map(record_to_text));
        }
    }
    let next = owners.next().map(|owner| owner.name().to_name());
    Records { serial: image.serial().0, lines, next }
}

pub(super) fn no_way(name: &Name, error: &NoWay) -> Problem {
    match error {
        NoWay::Store(error) => Problem::new(Code::StoreUnavailable, error.to_string()),
        NoWay::Internal(_) => Problem::new(Code::Internal, error.to_string()),
        error => Problem::new(Code::GenerationUnknown, format!("{error}: see `secondo zone history {name}`")),
    }
}

/// A zone file, piece by piece: the SOA first, then the owners in canonical order.
struct ZoneText {
    image: Image,
    signatures: Signatures,
    /// Where the next piece begins; none when all is said.
    next: Option<Name>,
}

impl ZoneText {
    fn of(image: Image, signatures: Signatures) -> Self {
        let next = Some(image.apex().to_name());
        Self { image, signatures, next }
    }
}

impl Iterator for ZoneText {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let first = self.next.take()?;
        let mut piece = String::new();
        if first.borrow() == self.image.apex() {
            push_line(&mut piece, &record_to_text(self.image.soa_record()));
        }
        for owner in self.image.owners_from(first.borrow()) {
            if piece.len() >= PIECE_OCTETS {
                self.next = Some(owner.name().to_name());
                break;
            }
            let is_left_out = |rtype| self.signatures == Signatures::LeftOut && is_of_signing(rtype);
            let records = owner.records().filter(|record| record.rtype != Type::SOA && !is_left_out(record.rtype));
            records.for_each(|record| push_line(&mut piece, &record_to_text(record)));
        }
        (!piece.is_empty()).then_some(piece)
    }
}

/// Lines, many to a piece.
struct Pieces<L>(L);

impl<L: Iterator<Item = String>> Iterator for Pieces<L> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut piece = self.0.next()?;
        while piece.len() < PIECE_OCTETS
            && let Some(line) = self.0.next()
        {
            piece.push_str(&line);
        }
        Some(piece)
    }
}

fn push_line(piece: &mut String, line: &str) {
    piece.push_str(line);
    piece.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{PIECE_OCTETS, Pieces};

    #[test]
    fn many_lines_are_few_pieces() {
        let lines: Vec<String> =
            (0..20_000).map(|number| format!("+ {number}.example. 60 IN A 192.0.2.1\n")).collect();
        let pieces: Vec<String> = Pieces(lines.iter().cloned()).collect();
        assert_eq!(pieces.concat(), lines.concat());
        assert!(pieces.iter().all(|piece| piece.len() < PIECE_OCTETS + 100 && piece.ends_with('\n')));
        assert!(pieces.len() < 20, "{}", pieces.len());
        assert_eq!(Pieces(std::iter::empty()).count(), 0);
    }
}
