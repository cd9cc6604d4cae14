//! Rows as they are on disk.
//!
//! Each begins with the version of its form and ends with a checksum, because redb checks its pages only after a
//! crash. Numbers are big-endian. A row of an unknown version or with a wrong checksum is not read at all.

use dns::{Name, Serial};
use zone::{Digest, Generation, ZoneId};

use crate::stored::{ClockFacts, Head, Origin, Version};

const ZONE_FORM: u8 = 2;
/// The form before, in which the image was always that of the head.
const ZONE_FORM_BEFORE: u8 = 1;
const VERSION_FORM: u8 = 1;

/// A zone, in the table of zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneRow {
    pub(crate) name: Name,
    pub(crate) head: Head,
    pub(crate) clock: ClockFacts,
    pub(crate) image: ImageRow,
    pub(crate) base: Base,
    pub(crate) history: HistoryTotals,
}

/// Which version the image is, and what leads from there to the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) generation: Generation,
    /// Diffs from there on; none where the image is that of the head.
    pub(crate) steps: u64,
    /// Of these diffs.
    pub(crate) octets: u64,
}

impl Base {
    pub(crate) fn of(generation: Generation) -> Self {
        Self { generation, steps: 0, octets: 0 }
    }
}

/// Where the image is, and how to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageRow {
    pub(crate) place: Place,
    pub(crate) octets: u64,
    /// CRC-32C over all octets.
    pub(crate) checksum: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the table of images.
    Inline,
    /// In the file named for the zone and the image's generation.
    File,
}

/// How much history there is, so that pruning need not count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct HistoryTotals {
    pub(crate) versions: u64,
    /// Of all kept diffs.
    pub(crate) octets: u64,
}

/// A version, in the table of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionRow {
    pub(crate) version: Version,
    /// Of the diff, 0 if it is not kept.
    pub(crate) diff_octets: u64,
}

impl ZoneRow {
    /// The row of `zone`: its number is in the row too, so that a damaged key is noticed.
    pub(crate) fn to_bytes(&self, zone: ZoneId) -> Vec<u8> {
        let mut row = vec![ZONE_FORM];
        row.extend(zone.0.to_be_bytes());
        row.extend(self.head.generation.0.to_be_bytes());
        row.extend(self.head.serial.0.to_be_bytes());
        row.extend(self.head.digest.to_bytes());
        row.extend(self.clock.last_confirmed_ms.to_be_bytes());
        row.extend(self.clock.expires_at_ms.to_be_bytes());
        row.extend(self.clock.next_check_ms.to_be_bytes());
        row.push(match self.image.place {
            Place::Inline => 0,
            Place::File => 1,
        });
        row.extend(self.image.octets.to_be_bytes());
        row.extend(self.image.checksum.to_be_bytes());
        row.extend(self.history.versions.to_be_bytes());
        row.extend(self.history.octets.to_be_bytes());
        row.extend(self.base.generation.0.to_be_bytes());
        row.extend(self.base.steps.to_be_bytes());
        row.extend(self.base.octets.to_be_bytes());
        row.extend(self.name.as_wire());
        seal(row)
    }

    /// The row of `zone`, or what is wrong with its octets.
    pub(crate) fn from_bytes(zone: ZoneId, octets: &[u8]) -> Result<Self, &'static str> {
        let mut fields = Fields(unseal(octets).ok_or("the checksum of its row is wrong")?);
        let [form] = fields.take::<1>()?;
        if !matches!(form, ZONE_FORM | ZONE_FORM_BEFORE) {
            return Err("its row has a form that this secondo does not know");
        }
        if fields.u64()? != zone.0 {
            return Err("its row is another zone's");
        }
        let head = Head {
            generation: Generation(fields.u64()?),
            serial: Serial(fields.u32()?),
            digest: Digest::from_bytes(fields.take()?),
        };
        Ok(Self {
            head,
            clock: ClockFacts {
                last_confirmed_ms: fields.u64()?,
                expires_at_ms: fields.u64()?,
                next_check_ms: fields.u64()?,
            },
            image: ImageRow {
                place: match fields.take::<1>()? {
                    [0] => Place::Inline,
                    [1] => Place::File,
                    _ => return Err("its row names no place for the image"),
                },
                octets: fields.u64()?,
                checksum: fields.u32()?,
            },
            history: HistoryTotals { versions: fields.u64()?, octets: fields.u64()? },
            base: match form {
                ZONE_FORM_BEFORE => Base::of(head.generation),
                _ => Base { generation: Generation(fields.u64()?), steps: fields.u64()?, octets: fields.u64()? },
            },
            name: Name::from_wire(fields.0).map_err(|_| "its row holds no name")?,
        })
    }
}

impl VersionRow {
    /// Whether its diff is kept and leads on from this version.
    pub(crate) fn leads_on_from(&self, last: Generation) -> bool {
        let is_next = matches!(self.version.origin, Origin::Step { from, .. } if from == last);
        is_next && self.diff_octets > 0
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut row = vec![VERSION_FORM];
        row.extend(self.version.generation.0.to_be_bytes());
        row.extend(self.version.serial.0.to_be_bytes());
        row.extend(self.version.at_ms.to_be_bytes());
        row.extend(self.diff_octets.to_be_bytes());
        if let Origin::Step { from, from_serial, removed, added } = self.version.origin {
            row.extend(from.0.to_be_bytes());
            row.extend(from_serial.0.to_be_bytes());
            row.extend(removed.to_be_bytes());
            row.extend(added.to_be_bytes());
        }
        seal(row)
    }

    /// The row, or what is wrong with its octets.
    pub(crate) fn from_bytes(octets: &[u8]) -> Result<Self, &'static str> {
        let mut fields = Fields(unseal(octets).ok_or("the checksum of a version's row is wrong")?);
        if fields.take::<1>()? != [VERSION_FORM] {
            return Err("a version's row has a form that this secondo does not know");
        }
        let (generation, serial) = (Generation(fields.u64()?), Serial(fields.u32()?));
        let (at_ms, diff_octets) = (fields.u64()?, fields.u64()?);
        let origin = match fields.0.is_empty() {
            true => Origin::Whole,
            false => Origin::Step {
                from: Generation(fields.u64()?),
                from_serial: Serial(fields.u32()?),
                removed: fields.u64()?,
                added: fields.u64()?,
            },
        };
        Ok(Self { version: Version { generation, serial, at_ms, origin }, diff_octets })
    }
}

/// Puts a checksum behind octets.
pub(crate) fn seal(mut octets: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c(&octets);
    octets.extend(checksum.to_be_bytes());
    octets
}

/// The octets that were sealed, if they are the same ones still.
pub(crate) fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (octets, checksum) = sealed.split_last_chunk()?;
    (crc32c::crc32c(octets) == u32::from_be_bytes(*checksum)).then_some(octets)
}

/// What is left of a row, or of a record of the journal, while it is read.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take<const OCTETS: usize>(&mut self) -> Result<[u8; OCTETS], &'static str> {
        let (field, rest) = self.0.split_first_chunk().ok_or(ENDS_TOO_EARLY)?;
        self.0 = rest;
        Ok(*field)
    }

    pub(crate) fn octets(&mut self, octets: usize) -> Result<&'a [u8], &'static str> {
        let (field, rest) = self.0.split_at_checked(octets).ok_or(ENDS_TOO_EARLY)?;
        self.0 = rest;
        Ok(field)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, &'static str> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, &'static str> {
        self.take().map(u64::from_be_bytes)
    }
}

const ENDS_TOO_EARLY: &str = "a row ends too early";

#[cfg(test)]
mod tests {
    use dns::Serial;
    use zone::{Digest, Generation, ZoneId};

    use super::{Base, HistoryTotals, ImageRow, Place, VersionRow, ZoneRow, seal, unseal};
    use crate::stored::{ClockFacts, Head, Origin, Version};

    fn zone_row() -> ZoneRow {
        ZoneRow {
            name: "Example.ORG".parse().unwrap(),
            head: Head {
                generation: Generation(1 << 20),
                serial: Serial(u32::MAX),
                digest: Digest::from_bytes([7; 32]),
            },
            clock: ClockFacts { last_confirmed_ms: 1, expires_at_ms: 2, next_check_ms: u64::MAX },
            image: ImageRow { place: Place::File, octets: 1 << 40, checksum: 0xdead_beef },
            base: Base { generation: Generation(5), steps: 6, octets: 7 },
            history: HistoryTotals { versions: 3, octets: 4 },
        }
    }

    #[test]
    fn rows_go_to_octets_and_back() {
        let row = zone_row();
        let back = ZoneRow::from_bytes(ZoneId(7), &row.to_bytes(ZoneId(7))).unwrap();
        assert!(ZoneRow::from_bytes(ZoneId(8), &row.to_bytes(ZoneId(7))).is_err());
        assert_eq!(back, row);
        assert!(back.name.borrow().same_spelling(row.name.borrow()));
        let step = Origin::Step { from: Generation(8), from_serial: Serial(0), removed: 1, added: 2 };
        for origin in [Origin::Whole, step] {
            let version = Version { generation: Generation(9), serial: Serial(1), at_ms: 5, origin };
            let row = VersionRow { version, diff_octets: 77 };
            assert_eq!(VersionRow::from_bytes(&row.to_bytes()), Ok(row));
        }
    }

    #[test]
    fn a_row_of_the_form_before_is_one_whose_image_is_that_of_the_head() {
        let row = ZoneRow { base: Base::of(zone_row().head.generation), ..zone_row() };
        let octets = row.to_bytes(ZoneId(7));
        let (name, base) = (row.name.as_wire().len(), 24);
        let mut before = unseal(&octets).unwrap().to_vec();
        let name_at = before.len() - name;
        before.drain(name_at - base..name_at);
        before[0] = 1;
        assert_eq!(ZoneRow::from_bytes(ZoneId(7), &seal(before)), Ok(row));
    }

    #[test]
    fn a_row_with_any_octet_changed_or_cut_off_is_not_read() {
        let octets = zone_row().to_bytes(ZoneId(7));
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 0x10;
            assert!(ZoneRow::from_bytes(ZoneId(7), &changed).is_err());
            assert!(ZoneRow::from_bytes(ZoneId(7), &octets[..at]).is_err());
        }
    }
}
