//! The door for the fuzzer, and for the test that replays its corpus: any octets as the data of a record.
//!
//! An input is a type in two octets, and then the data as it lies in a message behind the name [`OWNER`], to which it may
//! point (`c0 0c`).

use crate::writer::{CompressionTable, MessageWriter};
use crate::{CLASS_IN, Header, Malformed, MessageReader, Name, RecordRef, Section, Soa, Type, message, rdata, text};

/// In wire form.
pub const OWNER: &[u8] = b"\x04Mail\x07example\x00";

/// Types that no zone holds (RFC 6895 §3.1): nobody writes them in text.
fn is_of_messages_only(rtype: Type) -> bool {
    matches!(rtype.0, 0 | 41 | 128..=255)
}

/// Reads a record with this data, compares it, and writes it in wire form and in text. Says how long the data is uncompressed.
///
/// # Errors
/// When it does not have its type's shape.
///
/// # Panics
/// When what was accepted does not come back: that is what the fuzzer looks for.
pub fn rdata(input: &[u8]) -> Result<usize, Malformed> {
    let (rtype, data) = input.split_first_chunk().ok_or(Malformed::Truncated)?;
    let rtype = Type(u16::from_be_bytes(*rtype));
    let message = message_with(rtype, data).ok_or(Malformed::Truncated)?;
    let rdata = read_only_record(&message, rtype)?;

    assert_eq!(rdata::check(rtype, &rdata), Ok(()), "what was read is valid by itself");
    let mut pieces: Vec<u8> = Vec::new();
    for part in rdata::parts(rtype, &rdata) {
        match part {
            rdata::Part::Compressible(name) | rdata::Part::Name(name) => pieces.extend(name.as_wire()),
            rdata::Part::Octets(octets) => pieces.extend(octets),
        }
    }
    assert_eq!(pieces, rdata, "the pieces are all of it");
    let (mut folded, mut again) = (Vec::new(), Vec::new());
    rdata::fold_into(rtype, &rdata, &mut folded);
    rdata::fold_into(rtype, &folded, &mut again);
    assert_eq!(folded, again, "what is in lower case stays as it is");
    assert!(rdata::same(rtype, &rdata, &folded) && rdata::same(rtype, &folded, &rdata), "only letters' case is gone");
    let _ = (rdata::additional_target(rtype, &rdata), rdata::alias_target(&rdata), rdata::type_covered(&rdata));
    assert!(rtype != Type::SOA || Soa::parse(&rdata).is_some(), "a valid SOA has its numbers");

    if let Some(written) = write_only_record(rtype, &rdata) {
        let read = read_only_record(&written, rtype);
        assert!(read.is_ok_and(|read| rdata::same(rtype, &read, &rdata)), "what we write is what we have");
    }
    if !is_of_messages_only(rtype) {
        let owner = owner();
        let line = text::record_to_text(RecordRef { owner: owner.borrow(), rtype, ttl: 1, rdata: &rdata });
        let records = text::zone_from_text(".", &format!("{line}\n")).expect("what we write in text can be read");
        let read: Vec<_> = records.iter().map(|record| (record.rtype, record.rdata)).collect();
        assert_eq!(read, [(rtype, &rdata[..])], "{line}");
    }
    Ok(rdata.len())
}

fn owner() -> Name {
    Name::from_wire(OWNER).expect("a name")
}

/// A message with one record, none if the data is longer than a record's can be.
fn message_with(rtype: Type, data: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut message = Header { id: 0, flags: Header::QR, counts: [0, 1, 0, 0] }.to_octets().to_vec();
    message.extend(OWNER);
    message.extend(rtype.0.to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
    message.extend(1_u32.to_be_bytes());
    message.extend(length.to_be_bytes());
    message.extend(data);
    (message.len() <= message::MESSAGE_OCTETS_MAX).then_some(message)
}

fn read_only_record(message: &[u8], rtype: Type) -> Result<Vec<u8>, Malformed> {
    let mut reader = MessageReader::new(message)?;
    let record = reader.record()?.ok_or(Malformed::Truncated)?;
    assert_eq!((record.rtype, record.owner.borrow()), (rtype, owner().borrow()));
    let mut rdata = Vec::new();
    reader.rdata(&record, &mut rdata)?;
    reader.finish()?;
    Ok(rdata)
}

/// A message of ours with one record, none if it has no room for it.
fn write_only_record(rtype: Type, rdata: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; message::MESSAGE_OCTETS_MAX];
    let mut table = CompressionTable::small();
    let owner = owner();
    let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, 0, Header::QR);
    writer.record(Section::Answer, RecordRef { owner: owner.borrow(), rtype, ttl: 1, rdata }).ok()?;
    let length = writer.finish();
    out.truncate(length);
    Some(out)
}
