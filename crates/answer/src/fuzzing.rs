//! The door for the fuzzer, and for the test that replays its corpus: any octets as a query.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use dns::MessageReader;
use dns::Name;
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId};

use crate::{Asker, Contents, Cookies, Persona, PersonaText, Scratch, ServedZone, Transport, ZoneTable, answer};

const ZONE: &str = "\
@ 60 SOA ns host 1 60 60 600 60
@ 60 NS ns
@ 60 MX 10 mail
ns 60 A 192.0.2.1
www 60 CNAME alias
alias 60 A 192.0.2.2
*.wild 60 TXT \"x\"
a.b.empty 60 A 192.0.2.3
sub 60 NS ns.sub
ns.sub 60 A 192.0.2.4
down 60 DNAME alias
mail 60 AAAA 2001:db8::1
mail 60 RRSIG AAAA 13 2 60 1893456000 1577836800 1 example. AAAA
";

static ZONES: LazyLock<ZoneTable> = LazyLock::new(|| {
    let apex: Name = "example.".parse().expect("a name");
    let records = dns::text::zone_from_text("example.", ZONE).expect("a zone in text");
    let image = zone::advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default())
        .expect("a sane zone")
        .image;
    let contents = Contents::Live(Snapshot { generation: Generation(1), image });
    ZoneTable::new([Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex, contents))])
});

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Says as much as can be said.
static PERSONA: LazyLock<Persona> = LazyLock::new(|| Persona {
    name: PersonaText::new(&"n".repeat(crate::PERSONA_TEXT_OCTETS_MAX)),
    version: PersonaText::new("version"),
    cookies: Cookies::new(vec![[7; 16]]),
    report_agent: Some("agent.example.".parse().expect("a name")),
});

/// Answers `query` over every transport.
///
/// # Panics
/// When what would be sent is no message that can be read to its end, or is longer than its transport allows.
pub fn query(query: &[u8]) {
    let mut scratch = Scratch::new();
    let mut out = vec![0; dns::message::MESSAGE_OCTETS_MAX];
    for transport in [Transport::Udp, Transport::Tcp] {
        let asker = Asker { keepalive: Some(100), padding: NonZero::new(468), ..Asker::plain(transport, CLIENT) };
        let length = answer(query, &ZONES, &asker, &PERSONA, || 0, &mut scratch, &mut out).length;
        if length == 0 {
            continue;
        }
        assert!(transport == Transport::Tcp || length <= crate::UDP_OCTETS_MAX);
        let mut reader = MessageReader::new(&out[..length]).expect("an answer has a header");
        while reader.record().expect("an answer can be read").is_some() {}
        reader.finish().expect("an answer ends with its last record");
    }
}
