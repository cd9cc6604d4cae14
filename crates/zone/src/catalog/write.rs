//! Writing a catalog: the contents of a zone that lists other zones (RFC 9432 §4), for servers that follow ours.

use dns::{Name, NameBuf, NameError, NameRef, RecordRef, Records, Serial, Type};

use super::read::{VERSION, ZONES};
use crate::ZoneId;

/// REFRESH, RETRY, EXPIRE and the negative TTL, in seconds: those of the RFC's own example (Appendix A). Consumers keep
/// their zones however long we are away.
const TIMERS: [u32; 4] = [3_600, 600, 2_147_483_646, 0];

/// The records of a catalog that lists these zones. A zone's label is made of its id: one that is removed and added again
/// begins anew everywhere (RFC 9432 §5.4).
///
/// # Errors
/// When the catalog's name is so long that its members' nodes have none.
pub fn write<'z>(
    catalog: &Name,
    serial: Serial,
    zones: impl IntoIterator<Item = (ZoneId, NameRef<'z>)>,
) -> Result<Records, NameError> {
    let apex = catalog.borrow();
    let invalid: Name = "invalid.".parse()?;
    let invalid = invalid.as_wire();
    let mut records = Records::new();
    let mut push = |owner: NameRef<'_>, rtype, rdata: &[u8]| records.push(RecordRef { owner, rtype, ttl: 0, rdata });
    let numbers = [[serial.0].as_slice(), &TIMERS].concat();
    let soa =
        [invalid, invalid, &numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>()].concat();
    push(apex, Type::SOA, &soa);
    push(apex, Type::NS, invalid);
    push(NameBuf::concatenate(VERSION, apex)?.borrow(), Type::TXT, b"\x012");
    let nodes = NameBuf::concatenate(ZONES, apex)?;
    for (id, zone) in zones {
        let label = format!("{:x}", id.0);
        let label = [&[label.len() as u8], label.as_bytes()].concat();
        push(NameBuf::concatenate(&label, nodes.borrow())?.borrow(), Type::PTR, zone.as_wire());
    }
    Ok(records)
}
