//! Transfers out: by a client of our own that looks at every octet, and by dig and dnspython.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use answer::{Contents, ServedZone};
use dns::{Header, MessageReader, Opcode, Rcode, RecordRef, Records, Section, Type};
use server::{Access, Event, Limits, TransferOut};
use xfr::tsig::{Algorithm, Signature, sign_request};
use zone::{Snapshot, TenantId, ZoneId};

use crate::support::{
    Server, Setup, TcpClient, ZONE, absent, asking_expire, connect_from, expired, framed, header, key, live, message,
    now_secs, query, rcode, types, with_edns,
};

/// A zone that takes several messages.
fn large_zone(hosts: usize) -> Arc<ServedZone> {
    let mut text = ZONE.to_owned();
    for host in 0..hosts {
        writeln!(text, "host{host}.Sub 300 A 192.0.2.{}\nhost{host}.Sub 300 MX 10 www", host % 256).unwrap();
    }
    live(1, "example.", &text)
}

/// A zone that is more than a connection's buffers hold.
fn huge_zone() -> Arc<ServedZone> {
    static SNAPSHOT: OnceLock<Arc<Snapshot>> = OnceLock::new();
    let snapshot = SNAPSHOT.get_or_init(|| large_zone(300_000).snapshot().unwrap());
    Arc::new(ServedZone::new(
        ZoneId(1),
        TenantId::DEFAULT,
        "example.".parse().unwrap(),
        Contents::Live(snapshot.clone()),
    ))
}

/// Reads a whole transfer: the messages, and the records between the two SOAs with the first of these.
fn receive(client: &mut TcpClient) -> (Vec<Vec<u8>>, Records) {
    receive_after(None, client)
}

fn receive_after(mut first: Option<Vec<u8>>, client: &mut TcpClient) -> (Vec<Vec<u8>>, Records) {
    let (mut messages, mut records, mut soas) = (Vec::new(), Records::new(), 0);
    while soas < 2 {
        let message = first.take().or_else(|| client.receive()).expect("the transfer goes on until its second SOA");
        assert_eq!(header(&message).flags & !Header::RD, Header::QR | Header::AA, "AA in each (RFC 5936 §2.2.1)");
        let mut reader = MessageReader::new(&message).unwrap();
        while let Some(record) = reader.record().unwrap().filter(|record| record.section == Section::Answer) {
            let mut rdata = Vec::new();
            reader.rdata(&record, &mut rdata).unwrap();
            soas += usize::from(record.rtype == Type::SOA);
            if soas < 2 {
                let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
                records.push(RecordRef { owner, rtype, ttl, rdata: &rdata });
            }
        }
        messages.push(message);
    }
    (messages, records)
}

fn sorted(records: &Records) -> Vec<String> {
    let mut lines: Vec<_> = records.iter().map(dns::text::record_to_text).collect();
    lines.sort();
    lines
}

fn contents(zone: &ServedZone) -> Vec<String> {
    sorted(&zone.snapshot().unwrap().image.records().collect())
}

fn with_zone(zone: &Arc<ServedZone>) -> Setup {
    Setup { zones: vec![zone.clone()], ..Setup::default() }
}

#[test]
fn a_transfer_holds_the_zone_to_the_letter() {
    let zone = large_zone(10_000);
    let server = with_zone(&zone).start();
    let mut client = server.tcp();
    client.send(&with_edns(query("EXAMPLE.", Type::AXFR), 1232));
    let (messages, records) = receive(&mut client);
    assert_eq!(sorted(&records), contents(&zone));
    assert_eq!(records.iter().next().unwrap().rtype, Type::SOA);
    assert_eq!((header(&messages[0]).counts[0], header(&messages[1]).counts[0]), (1, 0));
    assert_eq!(types(&messages[0]).last(), Some(&Type::OPT), "RFC 5936 §2.2.5");
    assert!(messages.iter().all(|message| header(message).has(Header::AA)), "RFC 5936 §2.2.1");
    // CoreDNS #8002: packed by size, not by count; full but for the last.
    assert!(messages.len() > 3 && messages[..messages.len() - 1].iter().all(|message| message.len() > 64_500));
    assert_eq!(records.len(), 20_005);
    let octets: usize = messages.iter().map(Vec::len).sum();
    assert!(octets < 20_005 * 32, "names are compressed: {octets} octets");
    // The connection goes on (RFC 5936 §4.1.1).
    assert_eq!(rcode(&client.ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(server.stop().of(Event::TransferSent), 1);
}

#[test]
fn whoever_copies_the_zone_is_told_when_our_copy_expires() {
    // RFC 7314 §3: in the first message of a transfer, or in the SOA alone.
    let zone = large_zone(10_000);
    zone.set_expires_at(258_000);
    let said = [0, 9, 0, 4, 0, 0, 1, 2];
    let is_said = |message: &[u8]| message.windows(said.len()).any(|octets| octets == said);
    let server = with_zone(&zone).start();
    let mut client = server.tcp();
    client.send(&asking_expire(query("example.", Type::AXFR)));
    let (messages, records) = receive(&mut client);
    assert_eq!(sorted(&records), contents(&zone));
    assert_eq!(messages.iter().map(|message| is_said(message)).collect::<Vec<_>>()[..2], [true, false]);
    let ixfr = || message(Opcode::QUERY, "example.", Type::IXFR, Some((Section::Authority, 7)));
    let current = client.ask(&asking_expire(ixfr()));
    assert!(is_said(&current) && types(&current) == [Type::SOA, Type::OPT]);
    let over_udp = server.udp().ask(&asking_expire(ixfr()));
    assert!(is_said(&over_udp));
    assert!(is_said(&client.ask(&asking_expire(query("example.", Type::SOA)))));
    assert!(!is_said(&client.ask(&with_edns(ixfr(), 1232))), "nobody asked");
}

#[test]
fn every_message_of_a_signed_transfer_is_signed() {
    for algorithm in Algorithm::ALL {
        let zone = large_zone(10_000);
        let key = key("key.", algorithm);
        let mut access = Access::default();
        access.keys.add(TenantId::DEFAULT, key.clone());
        let server = Setup { access, ..with_zone(&zone) }.start();
        let mut client = server.tcp();
        let mut asked = query("example.", Type::AXFR);
        let mut verifier = sign_request(&mut asked, key, now_secs());
        client.send(&asked);
        let (messages, records) = receive(&mut client);
        assert_eq!(sorted(&records), contents(&zone));
        for message in &messages {
            assert_eq!(verifier.verify(message, now_secs()).unwrap(), Signature::Verified, "{algorithm}");
        }
    }
}

#[test]
fn a_transfer_goes_on_with_the_key_that_it_began_with() {
    // NSD 619f169b, NSD 5b9b4735: the key is taken away while the client is still reading.
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let server = Setup { access, ..with_zone(&huge_zone()) }.start();
    let mut client = server.tcp();
    let mut asked = query("example.", Type::AXFR);
    let mut verifier = sign_request(&mut asked, key, now_secs());
    client.send(&asked);
    let first = client.receive().unwrap();
    server.access.store(Arc::default());
    let (messages, records) = receive_after(Some(first), &mut client);
    assert_eq!(records.len(), 600_005);
    for message in &messages {
        assert_eq!(verifier.verify(message, now_secs()).unwrap(), Signature::Verified);
    }
    assert_eq!(rcode(&client.ask(&asked)), Rcode::NOTAUTH, "nobody knows the key any more");
}

#[test]
fn one_snapshot_is_sent_whatever_is_published_meanwhile() {
    // NSD #14; Knot 2.6.8 for a zone that expires meanwhile.
    let zone = huge_zone();
    let expected = contents(&zone);
    let server = with_zone(&zone).start();
    let mut client = server.tcp();
    client.send(&query("example.", Type::AXFR));
    let first = client.receive().unwrap();
    assert_eq!(rcode(&first), Rcode::NOERROR);
    zone.publish(Contents::Expired);
    let (_, records) = receive_after(Some(first), &mut client);
    assert_eq!(sorted(&records), expected);
    assert_eq!(rcode(&client.ask(&query("example.", Type::AXFR))), Rcode::SERVFAIL, "no new transfer");
}

#[test]
fn who_may_not_have_the_zone_is_refused_and_learns_nothing() {
    let outside = TransferOut { default: vec!["192.0.2.0/24".parse().unwrap()], ..TransferOut::default() };
    let access = Access { transfer_out: outside, ..Access::default() };
    let server = Setup { access, ..Setup::default() }.start();
    let mut client = server.tcp();
    for zone in ["example.", "unknown."] {
        for qtype in [Type::AXFR, Type::IXFR] {
            let asked = message(Opcode::QUERY, zone, qtype, Some((Section::Authority, 1)));
            let reply = client.ask(&asked);
            assert_eq!((rcode(&reply), header(&reply).counts), (Rcode::REFUSED, [1, 0, 0, 0]));
        }
    }
    assert_eq!(server.stop().of(Event::TransferRefused), 4);
}

#[test]
fn a_key_opens_what_an_address_does_not() {
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    access.transfer_out.default = vec!["127.0.0.0/8,key=KEY.".parse().unwrap()];
    let nobody = server::Admissions { tenant: TenantId::DEFAULT, admitted: Vec::new() };
    access.transfer_out.zones.insert("closed.".parse().unwrap(), nobody);
    let zones = vec![live(1, "example.", ZONE), live(2, "closed.", ZONE)];
    let server = Setup { access, zones, ..Setup::default() }.start();
    let mut client = server.tcp();
    for (zone, expected) in [("example.", Rcode::NOERROR), ("closed.", Rcode::REFUSED), ("unknown.", Rcode::NOTAUTH)]
    {
        let mut asked = query(zone, Type::AXFR);
        assert_eq!(rcode(&client.ask(&asked)), Rcode::REFUSED, "{zone} without a signature");
        sign_request(&mut asked, key.clone(), now_secs());
        assert_eq!(rcode(&client.ask(&asked)), expected, "{zone}");
    }
    assert_eq!(server.stop().of(Event::TransferRefused), 5);
}

#[test]
fn a_catalog_is_for_those_who_may_copy_it_and_for_nobody_else() {
    // RFC 9432 §7.
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    access.transfer_out.default = vec!["key=key.".parse().unwrap()];
    let catalogs = vec![live(9, "catalog.", ZONE)];
    let server = Setup { catalogs, access, ..Setup::default() }.start();
    let (mut client, over_udp) = (server.tcp(), server.udp());
    let signed = |mut asked: Vec<u8>| {
        sign_request(&mut asked, key.clone(), now_secs());
        asked
    };
    let soa = || query("catalog.", Type::SOA);
    for (asked, expected) in [
        (soa(), Rcode::REFUSED),
        (signed(soa()), Rcode::NOERROR),
        (signed(query("catalog.", Type::NS)), Rcode::REFUSED),
        (signed(query("www.catalog.", Type::A)), Rcode::REFUSED),
        (signed(query("www.catalog.", Type::SOA)), Rcode::REFUSED),
    ] {
        assert_eq!((rcode(&over_udp.ask(&asked)), rcode(&client.ask(&asked))), (expected, expected));
    }
    assert_eq!(rcode(&client.ask(&query("catalog.", Type::AXFR))), Rcode::REFUSED);
    client.send(&signed(query("catalog.", Type::AXFR)));
    assert_eq!(receive(&mut client).1.len(), 5);
    server.access.store(Arc::default());
    assert_eq!(types(&over_udp.ask(&soa())), [Type::SOA], "by its address");
}

#[test]
fn a_catalog_inside_of_a_zone_is_given_to_those_who_may_copy_it() {
    // Over UDP and without a signature, as most ask first; all others get what the zone says.
    let catalogs =
        vec![live(9, "catalog.example.", ZONE), live(10, "example.", "@ 1 SOA a b 99 1 1 1 1\n@ 1 NS a\n")];
    let server = Setup { catalogs, ..Setup::default() }.start();
    let (mut client, over_udp) = (server.tcp(), server.udp());
    for asked in [query("Catalog.Example.", Type::SOA), with_edns(query("catalog.example.", Type::SOA), 1232)] {
        for reply in [over_udp.ask(&asked), client.ask(&asked)] {
            assert_eq!((rcode(&reply), types(&reply)[0]), (Rcode::NOERROR, Type::SOA), "{asked:?}");
        }
    }
    client.send(&query("catalog.example.", Type::AXFR));
    assert_eq!(receive(&mut client).1.len(), 5);
    for (name, qtype) in [("catalog.example.", Type::NS), ("www.catalog.example.", Type::A)] {
        assert_eq!(rcode(&over_udp.ask(&query(name, qtype))), Rcode::NXDOMAIN, "{name}");
    }
    // The zone of a catalog's own name goes before it.
    client.send(&query("example.", Type::AXFR));
    assert_eq!(receive(&mut client).1.len(), 5, "and not the two of the catalog");
    let mut access = Access::default();
    access.transfer_out.default = Vec::new();
    server.access.store(Arc::new(access));
    assert_eq!(rcode(&over_udp.ask(&query("catalog.example.", Type::SOA))), Rcode::NXDOMAIN);
}

#[test]
fn what_cannot_be_transferred_is_told_apart() {
    let zones = vec![live(1, "example.", ZONE), absent(2, "pending."), expired(3, "expired.")];
    let server = Setup { zones, ..Setup::default() }.start();
    let mut client = server.tcp();
    let cases = [
        ("unknown.", Type::AXFR, Rcode::NOTAUTH),
        ("www.example.", Type::AXFR, Rcode::NOTAUTH),
        ("pending.", Type::AXFR, Rcode::SERVFAIL),
        ("expired.", Type::AXFR, Rcode::SERVFAIL),
        ("pending.", Type::IXFR, Rcode::FORMERR),
    ];
    for (zone, qtype, expected) in cases {
        assert_eq!(rcode(&client.ask(&query(zone, qtype))), expected, "{zone} {qtype}");
    }
    // RFC 5936 §4.2: there is no AXFR over UDP.
    assert_eq!(rcode(&server.udp().ask(&query("example.", Type::AXFR))), Rcode::FORMERR);
    let mut two_questions = query("example.", Type::AXFR);
    two_questions[5] = 2;
    two_questions.extend_from_within(12..);
    assert_eq!(rcode(&client.ask(&two_questions)), Rcode::FORMERR);
    let mut version_1 = with_edns(query("example.", Type::AXFR), 1232);
    let at = version_1.len() - 5;
    version_1[at] = 1;
    let reply = client.ask(&version_1);
    assert_eq!((rcode(&reply), types(&reply)), (Rcode(0), vec![Type::OPT]), "BADVERS has its bits in the OPT record");
    assert_eq!(reply[reply.len() - 6], 1);
}

#[test]
fn ixfr_gets_the_soa_or_the_whole_zone() {
    let zone = live(1, "example.", ZONE);
    let server = with_zone(&zone).start();
    let ixfr = |serial| message(Opcode::QUERY, "example.", Type::IXFR, Some((Section::Authority, serial)));
    let mut client = server.tcp();
    // GL#1714: a client that is ahead of us gets the SOA too.
    for serial in [7, 8] {
        let reply = client.ask(&ixfr(serial));
        assert_eq!((types(&reply), header(&reply).counts), (vec![Type::SOA], [1, 1, 0, 0]));
    }
    for serial in [6, 7_u32.wrapping_sub(1 << 31)] {
        client.send(&ixfr(serial));
        let (_, records) = receive(&mut client);
        assert_eq!(sorted(&records), contents(&zone), "from serial {serial}");
    }
    // RFC 1995 §2: over UDP the SOA alone says that there is something new.
    assert_eq!(types(&server.udp().ask(&ixfr(6))), [Type::SOA]);
}

#[test]
fn a_record_that_fits_no_message_ends_the_transfer() {
    // NSD #273. 65,500 octets of data fit a message by themselves, not beside header, owner and signature.
    let text = format!("{ZONE}huge 60 TYPE65280 \\# 65500 {}\n", "00".repeat(65_500));
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let server = Setup { access, ..with_zone(&live(1, "example.", &text)) }.start();
    let mut client = server.tcp();
    let mut asked = query("example.", Type::AXFR);
    sign_request(&mut asked, key, now_secs());
    client.send(&asked);
    while client.receive().is_some() {}
    assert_eq!(server.stop().of(Event::TransferFailed), 1);
}

/// A client of another address whose transfer has begun, and is too large to be all on its way.
fn holding_a_place(address: [u8; 4], server: &Server) -> TcpClient {
    let mut client = connect_from(address, server);
    client.send(&query("example.", Type::AXFR));
    client.0.peek(&mut [0; 1]).unwrap();
    client
}

#[test]
fn there_are_as_many_transfers_at_a_time_as_allowed() {
    let limits = Limits { transfers: 1, transfer_wait: Duration::from_millis(100), ..Limits::default() };
    let server = Setup { limits, ..with_zone(&huge_zone()) }.start();
    let mut first = holding_a_place([127, 0, 0, 1], &server);
    assert_eq!(rcode(&server.tcp().ask(&query("example.", Type::AXFR))), Rcode::SERVFAIL);
    assert_eq!(rcode(&server.udp().ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(receive(&mut first).1.len(), 600_005);
    let mut second = server.tcp();
    second.send(&query("example.", Type::AXFR));
    assert_eq!(receive(&mut second).1.len(), 600_005);
    assert_eq!(server.stop().of(Event::TransferRefused), 1);
}

#[test]
fn one_client_cannot_take_all_places_for_transfers_and_is_told_so() {
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let limits = Limits {
        transfers: 3,
        transfers_per_client: 2,
        transfer_wait: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Setup { limits, access, ..with_zone(&huge_zone()) }.start();
    let _held = [0, 1].map(|_| holding_a_place([127, 0, 0, 1], &server));
    let mut asked = with_edns(query("example.", Type::AXFR), 1232);
    let mut verifier = sign_request(&mut asked, key, now_secs());
    let told = server.tcp().ask(&asked);
    assert_eq!((rcode(&told), types(&told)), (Rcode::SERVFAIL, vec![Type::OPT, Type::TSIG]));
    assert_eq!(verifier.verify(&told, now_secs()).unwrap(), Signature::Verified);
    assert!(told.windows(8).any(|octets| octets == b"too many"));
    let mut other = holding_a_place([127, 0, 0, 9], &server);
    assert_eq!(rcode(&connect_from([127, 0, 0, 10], &server).ask(&asked)), Rcode::SERVFAIL, "no place at all");
    assert_eq!(receive(&mut other).1.len(), 600_005);
    assert_eq!(server.stop().of(Event::TransferRefused), 2);
}

#[test]
fn who_waits_for_a_place_gets_the_one_that_becomes_free() {
    let limits = Limits { transfers: 1, transfer_wait: Duration::from_secs(60), ..Limits::default() };
    let server = Setup { limits, ..with_zone(&huge_zone()) }.start();
    let mut first = holding_a_place([127, 0, 0, 1], &server);
    let mut second = connect_from([127, 0, 0, 9], &server);
    second.send(&query("example.", Type::AXFR));
    assert_eq!(receive(&mut first).1.len(), 600_005);
    assert_eq!(receive(&mut second).1.len(), 600_005);
    assert_eq!(server.stop().of(Event::TransferRefused), 0);
}

#[test]
fn a_transfer_that_nobody_reads_is_cut_off() {
    let limits = Limits { transfers: 1, write: Duration::from_millis(100), ..Limits::default() };
    let server = Setup { limits, ..with_zone(&huge_zone()) }.start();
    let mut mute = server.tcp();
    mute.send(&query("example.", Type::AXFR));
    // The server stops reading meanwhile, and closes in the end: then this fails.
    while mute.0.write_all(&framed(&query("www.example.", Type::A)).repeat(10_000)).is_ok() {}
    let mut next = server.tcp();
    next.send(&query("example.", Type::AXFR));
    assert_eq!(rcode(&next.receive().unwrap()), Rcode::NOERROR, "its place is free again");
    drop(next);
    assert!(server.stop().of(Event::TransferFailed) >= 1);
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn keyed_server(zone: &Arc<ServedZone>, algorithm: Algorithm) -> (Server, String) {
    let key = key("key.", algorithm);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let server = Setup { access, ..with_zone(zone) }.start();
    (server, key.secret_base64())
}

#[test]
fn dig_takes_the_zone_with_every_algorithm() {
    let zone = large_zone(10_000);
    for algorithm in Algorithm::ALL {
        let (server, secret) = keyed_server(&zone, algorithm);
        let port = server.address.port().to_string();
        let signed = format!("{algorithm}:key.:{secret}");
        let output = run(Command::new("dig").args(["@127.0.0.1", "-p", &port, "-y", &signed, "example.", "AXFR"]));
        assert!(output.contains("XFR size: 20006 records"), "{algorithm}: {output:.2000}");
        assert!(!output.contains("WARNING") && !output.contains("could not be validated"), "{algorithm}");
        let output =
            run(Command::new("dig").args(["@127.0.0.1", "-p", &port, "-y", &signed, "+norec", "www.example."]));
        assert!(output.contains("status: NOERROR") && output.contains("192.0.2.80"), "{algorithm}: {output}");
        assert!(!output.contains("WARNING") && !output.contains("could not be validated"), "{algorithm}: {output}");
    }
}

const WITH_DNSPYTHON: &str = "
import sys
import dns.query, dns.tsigkeyring, dns.zone
port, secret, algorithm = int(sys.argv[1]), sys.argv[2], sys.argv[3]
keyring = dns.tsigkeyring.from_text({'key.': secret})
names = {'hmac-md5': 'hmac-md5.sig-alg.reg.int.'}
messages = dns.query.xfr('127.0.0.1', 'example.', port=port, keyring=keyring, keyname='key.',
                         keyalgorithm=names.get(algorithm, algorithm), relativize=False, timeout=20)
zone = dns.zone.from_xfr(messages, relativize=False)
print(sum(len(rdataset) for _, rdataset in zone.iterate_rdatasets()))
";

#[test]
fn dnspython_takes_the_zone_with_every_algorithm() {
    let zone = large_zone(3000);
    for algorithm in Algorithm::ALL {
        let (server, secret) = keyed_server(&zone, algorithm);
        let (port, name) = (server.address.port().to_string(), algorithm.to_string());
        let count = run(Command::new("/usr/bin/python3").args(["-c", WITH_DNSPYTHON, &port, &secret, &name]));
        assert_eq!(count.trim(), "6005", "{algorithm}");
    }
}
