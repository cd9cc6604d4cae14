//! The door for the fuzzer, and for the test that replays its corpus: any octets as a query.
//!
//! Two tenants have zones here, plain, signed with NSEC and with NSEC3 and opt-out, below each other, absent and expired.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use dns::MessageReader;
use dns::Name;
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId};

use crate::{
    Asker, Contents, Cookies, Persona, PersonaText, Scratch, ServedZone, Transport, ZoneTable, answer, shorten,
};

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
out 60 CNAME alias.nsec.
away 60 CNAME www.opt-out.
child 60 NS ns.child
svc 60 SVCB 0 svc.nsec.
";

/// Of the other tenant, below the first one's.
const CHILD: &str = "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.5\n";

/// When copies expire, and now, in Unix milliseconds.
const EXPIRES_AT_MS: u64 = 2_000_000;
const NOW_MS: u64 = 1_000_000;

static ZONES: LazyLock<ZoneTable> = LazyLock::new(|| {
    let zones = [
        ("example.", TenantId(1), live("example.", ZONE)),
        ("nsec.", TenantId(1), live("nsec.", include_str!("fuzzing/nsec.zone"))),
        ("absent.example.", TenantId(1), Contents::Absent),
        ("child.example.", TenantId(2), live("child.example.", CHILD)),
        ("opt-out.", TenantId(2), live("opt-out.", include_str!("fuzzing/opt-out.zone"))),
        ("expired.", TenantId(2), Contents::Expired),
    ];
    ZoneTable::new((1..).zip(zones).map(|(id, (apex, tenant, contents))| {
        let zone = ServedZone::new(ZoneId(id), tenant, apex.parse().expect("a name"), contents);
        zone.set_expires_at(EXPIRES_AT_MS);
        zone.set_answers_any_in_full(apex == "nsec.");
        Arc::new(zone)
    }))
});

fn live(apex: &str, text: &str) -> Contents {
    let name: Name = apex.parse().expect("a name");
    let records = dns::text::zone_from_text(apex, text).expect("a zone in text");
    let image = zone::advance(name.borrow(), None, &Change::Full(records), [7; 16], Limits::default())
        .expect("a sane zone")
        .image;
    Contents::Live(Arc::new(Snapshot { generation: Generation(1), image }))
}

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Says as much as can be said.
static PERSONA: LazyLock<Persona> = LazyLock::new(|| Persona {
    name: PersonaText::new(&"n".repeat(crate::PERSONA_TEXT_OCTETS_MAX)),
    version: PersonaText::new("version"),
    cookies: Cookies::new(vec![[7; 16]]),
    report_agent: Some("agent.example.".parse().expect("a name")),
});

/// Answers `query` over every transport, and shortens what goes over UDP.
///
/// # Panics
/// When what would be sent is no message that can be read to its end, or is longer than its transport allows, or when the
/// short form is not that of an answer without records.
pub fn query(query: &[u8]) {
    let mut scratch = Scratch::new();
    let mut out = vec![0; dns::message::MESSAGE_OCTETS_MAX];
    for transport in [Transport::Udp, Transport::Tcp] {
        let asker = Asker { keepalive: Some(100), padding: NonZero::new(468), ..Asker::plain(transport, CLIENT) };
        let outcome = answer(query, &ZONES, &asker, &PERSONA, || NOW_MS, &mut scratch, &mut out);
        if outcome.length == 0 {
            continue;
        }
        assert!(transport == Transport::Tcp || outcome.length <= crate::UDP_OCTETS_MAX);
        records(&out[..outcome.length]);
        let short = shorten(&outcome, &mut out);
        assert!(short.length <= outcome.length, "it is shorter");
        let left = records(&out[..short.length]);
        assert_eq!(left, usize::from(outcome.opt_octets > 0), "nothing is left but the OPT record");
    }
}

/// How many records a message has that can be read to its end.
fn records(message: &[u8]) -> usize {
    let mut reader = MessageReader::new(message).expect("an answer has a header");
    let mut count = 0;
    while reader.record().expect("an answer can be read").is_some() {
        count += 1;
    }
    reader.finish().expect("an answer ends with its last record");
    count
}
