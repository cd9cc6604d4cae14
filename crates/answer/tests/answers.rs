//! What is answered, case by case: a zone in text, a question, and the whole response in text.

#![allow(clippy::unwrap_used)]

mod asking;

use std::fmt::Write;
use std::sync::Arc;

use answer::{AHEAD_MAX, Contents, ServedZone, Transport, ZoneTable, look_ahead};
use dns::edns::Edns;
use dns::text::{record_to_text, zone_from_text};
use dns::{Header, MessageReader, Name, RecordRef, Type};
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId, advance};

use asking::{NOW_MS, respond};

const EXAMPLE: &str = "
@       3600 SOA   ns1 host 7 7200 3600 1209600 300
@       3600 RRSIG SOA 13 1 3600 20300101000000 20200101000000 1 example. AAAA
@       3600 NS    ns1
@       3600 NS    ns.other.
@       3600 MX    10 mail
ns1     60   A     192.0.2.1
ns1     60   AAAA  2001:db8::1
mail    60   A     192.0.2.9
www     60   A     192.0.2.2
www     60   A     192.0.2.3
www     60   RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA
Mixed   60   TXT   \"x\"
alias   60   CNAME www
outside 60   CNAME www.other.
loop1   60   CNAME loop2
loop2   60   CNAME loop1
dead    60   CNAME nothing
a.b.c   60   TXT   \"deep\"
*.wild  60   TXT   \"any\"
*.wild  60   RRSIG TXT 13 2 60 20300101000000 20200101000000 1 example. AAAA
x.y.wild 60  A     192.0.2.4
*.walias 60  CNAME www
*.wloop1 60  CNAME x.wloop2
*.wloop2 60  CNAME x.wloop1
dloop1  60   DNAME dloop2
dloop2  60   DNAME dloop1
old     60   DNAME new
www.new 60   A     192.0.2.5
sub     60   NS    ns.sub
sub     60   NS    ns1
sub     60   DS    1 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ns.sub  60   A     192.0.2.6
_sip._udp 60 SRV   1 2 5060 mail
";

fn zone(id: u64, apex: &str, text: &str) -> Arc<ServedZone> {
    let apex: Name = apex.parse().unwrap();
    let records = zone_from_text(&apex.to_string(), text).unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image;
    let snapshot = Snapshot { generation: Generation(1), image };
    Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex, Contents::Live(Arc::new(snapshot))))
}

fn example() -> ZoneTable {
    ZoneTable::new([zone(1, "example.", EXAMPLE)])
}

#[derive(Clone, Copy)]
struct Ask {
    transport: Transport,
    edns: Option<(u16, bool)>,
}

const PLAIN: Ask = Ask { transport: Transport::Udp, edns: None };
const DNSSEC: Ask = Ask { transport: Transport::Udp, edns: Some((1232, true)) };

fn query(name: &str, qtype: Type, edns: Option<(u16, bool)>) -> Vec<u8> {
    asking::query(name.parse::<Name>().unwrap().borrow(), qtype, edns)
}

/// A response in text: `RCODE FLAGS`, then each record behind its section's number.
fn show(response: &[u8]) -> String {
    let mut reader = MessageReader::new(response).unwrap();
    let header = reader.header();
    let mut text = header.rcode().to_string();
    for (flag, name) in [(Header::AA, "aa"), (Header::TC, "tc")] {
        if header.has(flag) {
            write!(text, " {name}").unwrap();
        }
    }
    let mut rdata = Vec::new();
    while let Some(record) = reader.record().unwrap() {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record)).unwrap();
            write!(text, "\nopt rcode-high={}", edns.rcode_high).unwrap();
            edns.options().for_each(|(code, data)| write!(text, " {code}={data:?}").unwrap());
            continue;
        }
        rdata.clear();
        reader.rdata(&record, &mut rdata).unwrap();
        let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
        let section = record.section as usize;
        write!(text, "\n{section} {}", record_to_text(RecordRef { owner, rtype, ttl, rdata: &rdata })).unwrap();
    }
    reader.finish().unwrap();
    text.replace(" IN ", " ")
}

fn check(ask: Ask, name: &str, qtype: Type, expected: &str) {
    let response = respond(&example(), &query(name, qtype, ask.edns), ask.transport);
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(show(&response), expected.join("\n"), "{name} {qtype}");
}

const SOA: &str = "example. 300 SOA ns1.example. host.example. 7 7200 3600 1209600 300";

#[test]
fn a_name_that_is_there_is_answered() {
    check(
        PLAIN,
        "www.example.",
        Type::A,
        "
        NOERROR aa
        1 www.example. 60 A 192.0.2.2
        1 www.example. 60 A 192.0.2.3",
    );
}

#[test]
fn signatures_travel_with_their_rrset_when_dnssec_is_ok() {
    check(
        DNSSEC,
        "www.example.",
        Type::A,
        "
        NOERROR aa
        1 www.example. 60 A 192.0.2.2
        1 www.example. 60 A 192.0.2.3
        1 www.example. 60 RRSIG A 13 2 60 1893456000 1577836800 1 example. AAAA
        opt rcode-high=0",
    );
}

#[test]
fn a_denial_holds_the_soa_for_its_minimum() {
    // RFC 2308 §3.
    check(PLAIN, "www.example.", Type::MX, &format!("NOERROR aa\n2 {SOA}"));
    check(PLAIN, "nothing.example.", Type::A, &format!("NXDOMAIN aa\n2 {SOA}"));
    check(
        DNSSEC,
        "nothing.example.",
        Type::A,
        &format!(
            "
        NXDOMAIN aa
        2 {SOA}
        2 example. 300 RRSIG SOA 13 1 3600 1893456000 1577836800 1 example. AAAA
        opt rcode-high=0"
        ),
    );
}

#[test]
fn when_the_copy_expires_is_said_to_who_asks_for_the_soa() {
    // RFC 7314 §3: an empty option asks.
    let asking = |name: &str, qtype| {
        let mut query = query(name, qtype, Some((1232, false)));
        let length = query.len();
        query[length - 1] = 4;
        query.extend([0, 9, 0, 0]);
        query
    };
    let zones = example();
    let expire = |query: &[u8]| {
        let shown = show(&respond(&zones, query, Transport::Udp));
        shown.lines().last().unwrap().strip_prefix("opt rcode-high=0").map(str::to_owned)
    };
    assert_eq!(expire(&asking("example.", Type::SOA)).unwrap(), "", "it is not known");
    let zone = zones.get("example.".parse::<Name>().unwrap().borrow()).unwrap();
    for (expires_at_ms, said) in [
        (NOW_MS + 86_400_999, " 9=[0, 1, 81, 128]"),
        (NOW_MS + 999, " 9=[0, 0, 0, 0]"),
        (NOW_MS - 5000, " 9=[0, 0, 0, 0]"),
        (u64::MAX, " 9=[255, 255, 255, 255]"),
    ] {
        zone.set_expires_at(expires_at_ms);
        assert_eq!(expire(&asking("EXAMPLE.", Type::SOA)).unwrap(), said);
    }
    assert_eq!(expire(&asking("example.", Type::NS)).unwrap(), "", "nobody needs it there");
    assert_eq!(expire(&asking("nothing.example.", Type::SOA)).unwrap(), "", "that is another name's answer");
    assert_eq!(expire(&query("example.", Type::SOA, Some((1232, false)))).unwrap(), "", "nobody asked");
    assert_eq!(expire(&query("example.", Type::SOA, None)), None);
}

#[test]
fn an_empty_non_terminal_exists() {
    // RFC 8020 §2.
    check(PLAIN, "b.c.example.", Type::A, &format!("NOERROR aa\n2 {SOA}"));
    check(PLAIN, "x.b.c.example.", Type::A, &format!("NXDOMAIN aa\n2 {SOA}"));
}

#[test]
fn the_case_of_question_and_data_is_kept() {
    let response = respond(&example(), &query("WwW.eXample.", Type::A, None), Transport::Udp);
    let question = MessageReader::new(&response).unwrap().question().unwrap().unwrap();
    assert_eq!(question.name.to_string(), "WwW.eXample.");
    check(PLAIN, "MIXED.example.", Type::TXT, "NOERROR aa\n1 MIXED.example. 60 TXT \"x\"");
    let response = respond(&example(), &query("EXAMPLE.", Type::MX, None), Transport::Udp);
    assert!(show(&response).contains("MX 10 mail.example."), "data keeps its own case: {}", show(&response));
}

#[test]
fn aliases_are_followed_inside_the_zone() {
    check(
        PLAIN,
        "alias.example.",
        Type::A,
        "
        NOERROR aa
        1 alias.example. 60 CNAME www.example.
        1 www.example. 60 A 192.0.2.2
        1 www.example. 60 A 192.0.2.3",
    );
    check(PLAIN, "alias.example.", Type::CNAME, "NOERROR aa\n1 alias.example. 60 CNAME www.example.");
    check(PLAIN, "outside.example.", Type::A, "NOERROR aa\n1 outside.example. 60 CNAME www.other.");
    // RFC 6604 §3: the last name decides.
    check(
        PLAIN,
        "dead.example.",
        Type::A,
        &format!("NXDOMAIN aa\n1 dead.example. 60 CNAME nothing.example.\n2 {SOA}"),
    );
}

#[test]
fn an_answer_is_of_one_version_whatever_is_published_meanwhile() {
    // Knot 1.1.0. The alias leads to another host in each version, which is there in that version alone.
    let live = |serial: u32| {
        let text = format!(
            "@ 60 SOA ns host {serial} 2 3 4 5\n@ 60 NS ns.other.\nalias 60 CNAME v{serial}\nv{serial} 60 TXT \"x\"\n"
        );
        zone(1, "example.", &text).contents()
    };
    let served = zone(1, "example.", "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns.other.\n");
    let zones = ZoneTable::new([served.clone()]);
    let versions = [live(1), live(2)];
    served.publish(versions[0].clone());
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let asked = query("alias.example.", Type::TXT, None);
            for _ in 0..50_000 {
                let shown = show(&respond(&zones, &asked, Transport::Udp));
                assert!(shown.starts_with("NOERROR aa\n1 alias.") && shown.ends_with("TXT \"x\""), "{shown}");
            }
        });
        while !asking.is_finished() {
            versions.iter().for_each(|version| served.publish(version.clone()));
        }
    });
}

#[test]
fn an_alias_loop_ends() {
    check(
        PLAIN,
        "loop1.example.",
        Type::A,
        "
        NOERROR aa
        1 loop1.example. 60 CNAME loop2.example.
        1 loop2.example. 60 CNAME loop1.example.",
    );
}

#[test]
fn an_alias_loop_through_wildcards_or_dnames_ends_before_a_record_comes_twice() {
    check(
        PLAIN,
        "q.wloop1.example.",
        Type::A,
        "
        NOERROR aa
        1 q.wloop1.example. 60 CNAME x.wloop2.example.
        1 x.wloop2.example. 60 CNAME x.wloop1.example.
        1 x.wloop1.example. 60 CNAME x.wloop2.example.",
    );
    check(
        PLAIN,
        "x.dloop1.example.",
        Type::A,
        "
        NOERROR aa
        1 dloop1.example. 60 DNAME dloop2.example.
        1 x.dloop1.example. 60 CNAME x.dloop2.example.
        1 dloop2.example. 60 DNAME dloop1.example.
        1 x.dloop2.example. 60 CNAME x.dloop1.example.",
    );
}

#[test]
fn a_long_chain_of_aliases_is_cut_short() {
    let aliases: String = (0..40).map(|n| format!("a{n} 60 CNAME a{}\n", n + 1)).collect();
    let text = format!("@ 60 SOA ns host 1 3600 600 86400 60\n@ 60 NS ns\n{aliases}");
    let zones = ZoneTable::new([zone(1, "long.", &text)]);
    let response = show(&respond(&zones, &query("a0.long.", Type::A, None), Transport::Tcp));
    assert_eq!(response.matches("CNAME").count(), 16, "{response}");
    assert!(response.starts_with("NOERROR"), "{response}");
}

#[test]
fn an_alias_that_is_asked_for_is_not_followed() {
    // RFC 1034 §4.3.2, step 3a; RFC 4035 §2.5 for NSEC, which may stand beside a CNAME.
    for qtype in [Type::CNAME, Type::ANY] {
        check(PLAIN, "dead.example.", qtype, "NOERROR aa\n1 dead.example. 60 CNAME nothing.example.");
        check(
            PLAIN,
            "gone.old.example.",
            qtype,
            "
            NOERROR aa
            1 old.example. 60 DNAME new.example.
            1 gone.old.example. 60 CNAME gone.new.example.",
        );
    }
    check(PLAIN, "dead.example.", Type::NSEC, &format!("NOERROR aa\n2 {SOA}"));
}

#[test]
fn a_wildcard_stands_for_names_that_are_not_there() {
    // RFC 4592 §3.3.
    check(PLAIN, "some.wild.example.", Type::TXT, "NOERROR aa\n1 some.wild.example. 60 TXT \"any\"");
    check(PLAIN, "a.b.wild.example.", Type::TXT, "NOERROR aa\n1 a.b.wild.example. 60 TXT \"any\"");
    check(PLAIN, "*.wild.example.", Type::TXT, "NOERROR aa\n1 *.wild.example. 60 TXT \"any\"");
    check(PLAIN, "some.wild.example.", Type::A, &format!("NOERROR aa\n2 {SOA}"));
    // y.wild exists (empty), so that the wildcard does not reach below it.
    check(PLAIN, "y.wild.example.", Type::TXT, &format!("NOERROR aa\n2 {SOA}"));
    check(PLAIN, "z.y.wild.example.", Type::TXT, &format!("NXDOMAIN aa\n2 {SOA}"));
    check(
        DNSSEC,
        "some.wild.example.",
        Type::TXT,
        "
        NOERROR aa
        1 some.wild.example. 60 TXT \"any\"
        1 some.wild.example. 60 RRSIG TXT 13 2 60 1893456000 1577836800 1 example. AAAA
        opt rcode-high=0",
    );
    check(
        PLAIN,
        "q.walias.example.",
        Type::AAAA,
        &format!(
            "
        NOERROR aa
        1 q.walias.example. 60 CNAME www.example.
        2 {SOA}"
        ),
    );
}

#[test]
fn a_dname_makes_aliases_for_what_is_below_it() {
    // RFC 6672 §3.1.
    check(
        PLAIN,
        "www.old.example.",
        Type::A,
        "
        NOERROR aa
        1 old.example. 60 DNAME new.example.
        1 www.old.example. 60 CNAME www.new.example.
        1 www.new.example. 60 A 192.0.2.5",
    );
    check(PLAIN, "old.example.", Type::A, &format!("NOERROR aa\n2 {SOA}"));
    check(PLAIN, "old.example.", Type::DNAME, "NOERROR aa\n1 old.example. 60 DNAME new.example.");
}

#[test]
fn what_lies_below_a_dname_is_never_answered_also_at_the_apex() {
    // RFC 6672 §2.3, §2.4; Knot 3.4.4.
    let text = "@ 60 SOA a.other. b 1 2 3 4 5\n@ 60 NS a.other.\n@ 60 DNAME other.\nbelow 60 A 192.0.2.1\n";
    let zones = ZoneTable::new([zone(1, "example.", text)]);
    let ask = |name: &str, qtype| show(&respond(&zones, &query(name, qtype, None), Transport::Udp));
    assert_eq!(ask("example.", Type::NS), "NOERROR aa\n1 example. 60 NS a.other.");
    for label in ["below", "nothing"] {
        let expected = format!("NOERROR aa\n1 example. 60 DNAME other.\n1 {label}.example. 60 CNAME {label}.other.");
        assert_eq!(ask(&format!("{label}.example."), Type::A), expected);
    }
}

#[test]
fn a_substitution_that_is_too_long_is_yxdomain() {
    let label = "a".repeat(61);
    let text = format!("@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a\nd 1 DNAME {label}.{label}.{label}.x\n");
    let zones = ZoneTable::new([zone(1, "example.", &text)]);
    let response = respond(&zones, &query(&format!("{label}.d.example."), Type::A, None), Transport::Udp);
    assert!(show(&response).starts_with("YXDOMAIN aa\n1 d.example."), "{}", show(&response));
}

#[test]
fn below_a_cut_there_is_a_referral_with_glue() {
    check(
        PLAIN,
        "host.sub.example.",
        Type::A,
        "
        NOERROR
        2 sub.example. 60 NS ns.sub.example.
        2 sub.example. 60 NS ns1.example.
        3 ns.sub.example. 60 A 192.0.2.6
        3 ns1.example. 60 A 192.0.2.1
        3 ns1.example. 60 AAAA 2001:db8::1",
    );
    check(
        DNSSEC,
        "sub.example.",
        Type::NS,
        "
        NOERROR
        2 sub.example. 60 NS ns.sub.example.
        2 sub.example. 60 NS ns1.example.
        3 ns.sub.example. 60 A 192.0.2.6
        3 ns1.example. 60 A 192.0.2.1
        3 ns1.example. 60 AAAA 2001:db8::1
        opt rcode-high=0",
    );
    check(
        PLAIN,
        "ns.sub.example.",
        Type::A,
        "
        NOERROR
        2 sub.example. 60 NS ns.sub.example.
        2 sub.example. 60 NS ns1.example.
        3 ns.sub.example. 60 A 192.0.2.6
        3 ns1.example. 60 A 192.0.2.1
        3 ns1.example. 60 AAAA 2001:db8::1",
    );
}

#[test]
fn the_ds_of_a_cut_is_the_parents() {
    // RFC 4035 §3.1.4.1.
    check(
        PLAIN,
        "sub.example.",
        Type::DS,
        "
        NOERROR aa
        1 sub.example. 60 DS 1 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A",
    );
    let child = zone(2, "sub.example.", "@ 60 SOA ns1 host 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.7\n");
    let zones = ZoneTable::new([zone(1, "example.", EXAMPLE), child]);
    let ds = respond(&zones, &query("sub.example.", Type::DS, None), Transport::Udp);
    assert!(show(&ds).starts_with("NOERROR aa\n1 sub.example. 60 DS"), "{}", show(&ds));
    let below = respond(&zones, &query("ns1.sub.example.", Type::A, None), Transport::Udp);
    assert_eq!(show(&below), "NOERROR aa\n1 ns1.sub.example. 60 A 192.0.2.7");
}

#[test]
fn hosts_that_an_answer_names_have_their_addresses_with_it() {
    check(
        PLAIN,
        "example.",
        Type::MX,
        "NOERROR aa\n1 example. 3600 MX 10 mail.example.\n3 mail.example. 60 A 192.0.2.9",
    );
    check(
        PLAIN,
        "_sip._udp.example.",
        Type::SRV,
        "
        NOERROR aa
        1 _sip._udp.example. 60 SRV 1 2 5060 mail.example.
        3 mail.example. 60 A 192.0.2.9",
    );
    check(
        PLAIN,
        "example.",
        Type::NS,
        "
        NOERROR aa
        1 example. 3600 NS ns.other.
        1 example. 3600 NS ns1.example.
        3 ns1.example. 60 A 192.0.2.1
        3 ns1.example. 60 AAAA 2001:db8::1",
    );
}

#[test]
fn any_is_answered_with_one_rrset() {
    // RFC 8482 §4.1.
    check(PLAIN, "ns1.example.", Type::ANY, "NOERROR aa\n1 ns1.example. 60 A 192.0.2.1");
}

#[test]
fn names_that_are_not_ours_are_refused() {
    check(PLAIN, "www.other.", Type::A, "REFUSED");
    // RFC 8914 §4.21.
    check(DNSSEC, "www.other.", Type::A, "REFUSED\nopt rcode-high=0 15=[0, 20]");
}

#[test]
fn a_zone_that_is_absent_or_expired_is_servfail() {
    let absent =
        Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, "example.".parse().unwrap(), Contents::Absent));
    let expired =
        Arc::new(ServedZone::new(ZoneId(2), TenantId::DEFAULT, "sub.other.".parse().unwrap(), Contents::Expired));
    let zones = ZoneTable::new([absent, expired, zone(3, "other.", "@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a\n")]);
    let ask = |name: &str| show(&respond(&zones, &query(name, Type::A, Some((1232, false))), Transport::Udp));
    assert_eq!(ask("www.example."), "SERVFAIL\nopt rcode-high=0 15=[0, 14]");
    // The parent must not answer for its expired child.
    assert_eq!(ask("www.sub.other."), "SERVFAIL\nopt rcode-high=0 15=[0, 24]");
}

fn large() -> ZoneTable {
    let mut text = String::from("@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a\ncut 1 NS ns.cut\n");
    for number in 0..100 {
        writeln!(text, "many 1 A 192.0.2.{number}\nns.cut 1 A 192.0.2.{number}").unwrap();
    }
    for number in 0..3000 {
        writeln!(text, "huge 1 TXT \"{number:0>30}\"").unwrap();
    }
    ZoneTable::new([zone(1, "example.", &text)])
}

#[test]
fn an_answer_that_does_not_fit_is_truncated_to_nothing() {
    let zones = large();
    let ask = |edns, transport| respond(&zones, &query("many.example.", Type::A, edns), transport);
    assert_eq!(show(&ask(None, Transport::Udp)), "NOERROR aa tc");
    assert!(ask(None, Transport::Udp).len() <= 512);
    assert_eq!(show(&ask(Some((0, false)), Transport::Udp)), "NOERROR aa tc\nopt rcode-high=0");
    assert_eq!(show(&ask(Some((65_535, false)), Transport::Udp)), "NOERROR aa tc\nopt rcode-high=0");
    assert_eq!(show(&ask(None, Transport::Tcp)).lines().count(), 101);
}

#[test]
fn glue_below_the_cut_is_all_there_or_the_answer_is_truncated() {
    // RFC 9471 §3.1.
    let response = respond(&large(), &query("www.cut.example.", Type::A, None), Transport::Udp);
    assert_eq!(show(&response), "NOERROR tc");
}

#[test]
fn glue_for_many_servers_is_all_there_over_tcp() {
    // RFC 9471 §3.1.
    let servers: String = (0..40).map(|n| format!("cut 60 NS s{n}.cut\ns{n}.cut 60 A 192.0.2.{n}\n")).collect();
    let text = format!("@ 60 SOA ns host 1 3600 600 86400 60\n@ 60 NS ns\n{servers}");
    let zones = ZoneTable::new([zone(1, "many.", &text)]);
    let asked = query("x.cut.many.", Type::A, None);
    let response = show(&respond(&zones, &asked, Transport::Tcp));
    assert_eq!(response.matches("\n3 s").count(), 40, "{response}");
    let response = show(&respond(&zones, &asked, Transport::Udp));
    assert!(response.contains(" tc"), "{response}");
}

#[test]
fn an_rrset_larger_than_any_message_is_servfail() {
    let response = respond(&large(), &query("huge.example.", Type::TXT, None), Transport::Tcp);
    assert_eq!(show(&response), "SERVFAIL");
}

#[test]
fn other_edns_versions_are_badvers() {
    // RFC 6891 §6.1.3.
    let mut octets = query("www.example.", Type::A, Some((1232, false)));
    let version = octets.len() - 5;
    octets[version] = 1;
    assert_eq!(show(&respond(&example(), &octets, Transport::Udp)), "NOERROR\nopt rcode-high=1");
}

#[test]
fn unknown_options_are_ignored_and_two_opts_are_malformed() {
    let mut octets = query("www.example.", Type::MX, Some((1232, false)));
    let length = octets.len();
    octets[length - 1] = 5;
    octets.extend([0xff, 0xfe, 0, 1, 7]);
    assert!(show(&respond(&example(), &octets, Transport::Udp)).starts_with("NOERROR aa"));
    let mut twice = query("www.example.", Type::MX, Some((1232, false)));
    twice.extend_from_within(twice.len() - 11..);
    twice[11] = 2;
    assert_eq!(show(&respond(&example(), &twice, Transport::Udp)), "FORMERR");
}

#[test]
fn what_is_not_a_query_gets_its_due() {
    let zones = example();
    let with_flags = |flags: u16| {
        let mut octets = query("www.example.", Type::A, None);
        octets[2..4].copy_from_slice(&flags.to_be_bytes());
        respond(&zones, &octets, Transport::Udp)
    };
    assert!(with_flags(Header::QR).is_empty(), "answers are never answered");
    assert!(show(&with_flags(5 << 11)).starts_with("REFUSED"), "dynamic update");
    assert!(show(&with_flags(2 << 11)).starts_with("NOTIMP"));
    assert!(respond(&zones, &[0; 11], Transport::Udp).is_empty());
    assert!(show(&respond(&zones, &[0; 12], Transport::Udp)).starts_with("FORMERR"));
    let class_chaos = {
        let mut octets = query("www.example.", Type::A, None);
        let last = octets.len() - 1;
        octets[last] = 3;
        octets
    };
    assert_eq!(show(&respond(&zones, &class_chaos, Transport::Udp)), "REFUSED");
    assert_eq!(show(&respond(&zones, &query("example.", Type::AXFR, None), Transport::Udp)), "REFUSED");
}

#[test]
fn the_root_is_a_zone_like_any_other() {
    let text = "@ 60 SOA a.nst. b.nst. 7 2 3 4 5\n@ 60 NS a.nst.\norg. 60 NS ns.org.\nns.org. 60 A 192.0.2.1\n";
    let zones = ZoneTable::new([zone(1, ".", text)]);
    let referral = respond(&zones, &query("www.example.org.", Type::A, None), Transport::Udp);
    assert_eq!(show(&referral), "NOERROR\n2 org. 60 NS ns.org.\n3 ns.org. 60 A 192.0.2.1");
    let nothing = respond(&zones, &query("nowhere.", Type::A, None), Transport::Udp);
    assert_eq!(show(&nothing), "NXDOMAIN aa\n2 . 5 SOA a.nst. b.nst. 7 2 3 4 5");
    assert!(show(&respond(&zones, &query(".", Type::NS, None), Transport::Udp)).starts_with("NOERROR aa\n1 . 60 NS"));
}

#[test]
fn no_query_makes_it_panic_wherever_it_is_cut_or_changed() {
    let zones = example();
    let whole = query("some.wild.example.", Type::TXT, Some((1232, true)));
    for cut in 0..whole.len() {
        respond(&zones, &whole[..cut], Transport::Udp);
    }
    for at in 0..whole.len() {
        for value in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = value;
            let response = respond(&zones, &changed, Transport::Udp);
            assert!(response.is_empty() || response.len() >= 12);
        }
    }
}

#[test]
fn looking_ahead_changes_no_answer_whatever_the_datagrams_are() {
    // Large enough to be looked into.
    let mut text = EXAMPLE.to_owned();
    (0..20_000).for_each(|number| writeln!(text, "n{number} 60 A 192.0.2.1").unwrap());
    let small = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n";
    let few = [
        zone(1, "example.", &text),
        zone(2, "sub.example.", small),
        Arc::new(ServedZone::new(ZoneId(3), TenantId::DEFAULT, "absent.".parse().unwrap(), Contents::Absent)),
    ];
    let small = (10..310).map(|number| zone(number, &format!("z{number}.example."), small));
    // Among many, small ones are looked into too.
    let many = ZoneTable::new(few.iter().cloned().chain(small));
    let few = ZoneTable::new(few);
    let names = ["n7.example.", "N19999.Example.", "none.example.", "a.b.c.d.e.f.g.h.i.j.example.", "example.", "."];
    let others = ["x.sub.example.", "www.absent.", "elsewhere.", "a.b.c.example."];
    let mut queries: Vec<Vec<u8>> = names.iter().chain(&others).map(|name| query(name, Type::A, None)).collect();
    let whole = queries[0].clone();
    queries.extend((0..whole.len()).map(|octets| whole[..octets].to_vec()));
    queries.push(vec![0xff; 64]);
    queries.extend((10..50).map(|number| query(&format!("ns.z{number}.example."), Type::A, None)));
    for zones in [few, many] {
        let answers = || queries.iter().map(|query| respond(&zones, query, Transport::Udp)).collect::<Vec<_>>();
        let before = answers();
        for count in [0, 3, 4, AHEAD_MAX, queries.len()] {
            look_ahead(queries.iter().rev().map(Vec::as_slice).take(count), &zones);
            look_ahead(queries.iter().map(Vec::as_slice).take(count), &zones);
        }
        assert_eq!(answers(), before);
    }
}
