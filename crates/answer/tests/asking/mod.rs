//! One question to the zones of a test.

use std::net::{IpAddr, Ipv4Addr};

use answer::{Asker, Persona, Scratch, Transport, ZoneTable, answer};
use dns::writer::CompressionTable;
use dns::{CLASS_IN, Header, MessageWriter, NameRef, Question, Rcode, Type};

/// When they are asked.
pub(crate) const NOW_MS: u64 = 1_000_000;

/// A query; EDNS says how many octets may come, and whether DNSSEC is OK.
pub(crate) fn query(name: NameRef<'_>, qtype: Type, edns: Option<(u16, bool)>) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 0x1234, Header::RD);
    writer.question(&Question { name: name.into(), qtype, qclass: CLASS_IN }).unwrap();
    if let Some((octets, dnssec_ok)) = edns {
        writer.opt(octets, Rcode::NOERROR, dnssec_ok, &[]).unwrap();
    }
    let length = writer.finish();
    out.truncate(length);
    out
}

/// The answer, for which no memory was taken.
pub(crate) fn respond(zones: &ZoneTable, query: &[u8], transport: Transport) -> Vec<u8> {
    let mut out = vec![0xaa; 65_535];
    let asker = Asker::plain(transport, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let (persona, mut scratch) = (Persona::default(), Scratch::new());
    let mut length = 0;
    // A thread takes a little when it looks at contents for the first time.
    drop(zones.iter().next().map(|zone| zone.contents()));
    let taken = allocation_counter::measure(|| {
        length = answer(query, zones, &asker, &persona, || NOW_MS, &mut scratch, &mut out).length;
    });
    assert_eq!(taken.count_total, 0, "answering takes no memory: {taken:?}");
    out.truncate(length);
    out
}
