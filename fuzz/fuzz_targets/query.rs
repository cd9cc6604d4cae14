//! What clients can ask: nothing panics, and whatever is sent back is a message that can be read.

#![no_main]

use std::sync::{Arc, LazyLock};

use answer::{Contents, Scratch, ServedZone, Transport, ZoneTable};
use dns::{MessageReader, Name};
use zone::{Change, Generation, Snapshot, ZoneId};

const ZONE: &str = "\
@ 60 SOA ns host 1 60 60 600 60
@ 60 NS ns
ns 60 A 192.0.2.1
www 60 CNAME alias
alias 60 A 192.0.2.2
*.wild 60 TXT \"x\"
a.b.empty 60 A 192.0.2.3
sub 60 NS ns.sub
ns.sub 60 A 192.0.2.4
down 60 DNAME alias
@ 60 MX 10 mail
mail 60 AAAA 2001:db8::1
";

static ZONES: LazyLock<ZoneTable> = LazyLock::new(|| {
    let apex: Name = "example.".parse().expect("a name");
    let records = dns::text::zone_from_text("example.", ZONE).expect("a zone in text");
    let image = zone::advance(apex.borrow(), None, &Change::Full(records), [7; 16]).expect("a sane zone").image;
    let contents = Contents::Live(Snapshot { generation: Generation(1), image });
    ZoneTable::new([Arc::new(ServedZone::new(ZoneId(1), apex, contents))])
});

libfuzzer_sys::fuzz_target!(|query: &[u8]| {
    let mut scratch = Scratch::new();
    let mut out = vec![0; 65_535];
    for transport in [Transport::Udp, Transport::Tcp] {
        let length = answer::answer(query, &ZONES, transport, &mut scratch, &mut out).length;
        if length == 0 {
            continue;
        }
        let mut reader = MessageReader::new(&out[..length]).expect("an answer has a header");
        while reader.record().expect("an answer can be read").is_some() {}
        reader.finish().expect("an answer ends with its last record");
    }
});
