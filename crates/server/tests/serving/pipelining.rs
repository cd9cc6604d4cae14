//! Many things asked on one connection: what comes back is told apart by its ID, and comes in no order but a fair one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use answer::ServedZone;
use dns::{MessageReader, Opcode, Rcode, RecordRef, Records, Section, Type};
use server::{Access, Event};
use socket2::{Domain, Socket};
use testing::certificate::Authority;
use testing::tls::Client;
use xfr::tsig::{Algorithm, Signature, sign_request};
use zone::TenantId;

use crate::support::{Server, Setup, ZONE, framed, header, key, live, message, now_secs, query, rcode, types};

/// As large as some twenty messages, and more than all buffers between a client of [`connect`] and the server hold.
fn zone(id: u64, apex: &str) -> Arc<ServedZone> {
    let mut text = ZONE.to_owned();
    for host in 0..12_000 {
        writeln!(text, "host{host} 300 TXT \"{id:010}{host:0100}\"").unwrap();
    }
    live(id, apex, &text)
}

fn zones(count: u64) -> Vec<Arc<ServedZone>> {
    (1..=count).map(|id| zone(id, &format!("zone{id}."))).collect()
}

trait ReadWrite: Read + Write {}

impl<S: Read + Write> ReadWrite for S {}

/// A connection over TCP or TLS.
type Stream = Box<dyn ReadWrite>;

/// A connection that holds little of what it has not read.
fn connect(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(65_536).unwrap();
    socket.connect(&address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// One over TCP and one over TLS, to a server of [`over_both`].
fn both(authority: &Authority, server: &Server) -> [Stream; 2] {
    let over_tls = Client::trusting(authority).connect(server.tls_address.unwrap(), "127.0.0.1").unwrap();
    [Box::new(connect(server.address)), Box::new(over_tls)]
}

/// Who vouches for the server's certificate, and a setup that shows it.
fn over_both(zones: &[Arc<ServedZone>]) -> (Authority, Setup) {
    let authority = Authority::new();
    let certificate = Some(authority.server(&["127.0.0.1"]));
    (authority, Setup { zones: zones.to_vec(), certificate, ..Setup::default() })
}

fn with_id(mut message: Vec<u8>, id: u16) -> Vec<u8> {
    message[..2].copy_from_slice(&id.to_be_bytes());
    message
}

fn axfr(zone: &ServedZone, id: u16) -> Vec<u8> {
    with_id(query(&zone.apex.to_string(), Type::AXFR), id)
}

/// Sends all at once.
fn send(stream: &mut impl Write, messages: &[Vec<u8>]) {
    let octets: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
    stream.write_all(&octets).unwrap();
    stream.flush().unwrap();
}

/// All messages until the transfers of these IDs are whole and so many others have come, and what was transferred.
fn receive(stream: &mut impl Read, transfers: &[u16], others: usize) -> (Vec<Vec<u8>>, HashMap<u16, Records>) {
    let mut contents: HashMap<u16, Records> = transfers.iter().map(|id| (*id, Records::new())).collect();
    let (mut messages, mut ends, mut others_left) = (Vec::new(), 0, others);
    while ends < 2 * transfers.len() || others_left > 0 {
        let message = testing::query::receive(stream).expect("there is more to come");
        let id = header(&message).id;
        match contents.get_mut(&id) {
            Some(records) => ends += put(&message, records),
            None => others_left -= 1,
        }
        messages.push(message);
    }
    (messages, contents)
}

/// Puts what the message transfers behind what is there, without the last SOA, and returns how many SOAs it has.
fn put(message: &[u8], records: &mut Records) -> usize {
    assert_eq!(rcode(message), Rcode::NOERROR);
    let mut soas = 0;
    let mut reader = MessageReader::new(message).unwrap();
    while let Some(record) = reader.record().unwrap().filter(|record| record.section == Section::Answer) {
        let mut rdata = Vec::new();
        reader.rdata(&record, &mut rdata).unwrap();
        let is_last = record.rtype == Type::SOA && !records.is_empty();
        soas += usize::from(record.rtype == Type::SOA);
        if !is_last {
            let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
            records.push(RecordRef { owner, rtype, ttl, rdata: &rdata });
        }
    }
    soas
}

fn sorted(records: &Records) -> Vec<String> {
    let mut lines: Vec<_> = records.iter().map(dns::text::record_to_text).collect();
    lines.sort();
    lines
}

#[track_caller]
fn assert_whole(records: &Records, zone: &ServedZone) {
    assert!(sorted(records) == sorted(&zone.snapshot().unwrap().image.records().collect()), "{}", zone.apex);
}

fn ids(messages: &[Vec<u8>]) -> Vec<u16> {
    messages.iter().map(|message| header(message).id).collect()
}

fn first(ids: &[u16], id: u16) -> usize {
    ids.iter().position(|each| *each == id).unwrap()
}

fn last(ids: &[u16], id: u16) -> usize {
    ids.iter().rposition(|each| *each == id).unwrap()
}

#[test]
fn what_is_asked_behind_a_transfer_is_answered_before_that_has_ended() {
    let zones = zones(1);
    let (authority, setup) = over_both(&zones);
    let server = setup.start();
    for stream in &mut both(&authority, &server) {
        let soa = || query("zone1.", Type::SOA);
        send(stream, &[axfr(&zones[0], 1), with_id(soa(), 2), with_id(query("none.zone1.", Type::A), 3)]);
        let (messages, contents) = receive(stream, &[1], 2);
        let order = ids(&messages);
        assert!(last(&order, 2) < last(&order, 1) && last(&order, 3) < last(&order, 1), "{order:?}");
        assert_eq!(rcode(&messages[last(&order, 3)]), Rcode::NXDOMAIN);
        assert_whole(&contents[&1], &zones[0]);
        // And it goes on as any.
        send(stream, &[with_id(soa(), 1)]);
        assert_eq!(header(&testing::query::receive(stream).unwrap()).id, 1);
    }
    assert_eq!(server.stop().of(Event::TransferSent), 2);
}

#[test]
fn transfers_on_one_connection_share_it_message_by_message_and_each_is_whole_and_signed_by_itself() {
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    let zones = zones(3);
    let (authority, setup) = over_both(&zones);
    let server = Setup { access, ..setup }.start();
    for stream in &mut both(&authority, &server) {
        let mut requests = [axfr(&zones[0], 1), axfr(&zones[1], 2), axfr(&zones[2], 3)];
        let mut verifiers =
            [0, 1].map(|signed| (signed as u16 + 1, sign_request(&mut requests[signed], key.clone(), now_secs())));
        send(stream, &requests);
        let (messages, contents) = receive(stream, &[1, 2, 3], 0);
        let order = ids(&messages);
        for (id, zone) in (1..).zip(&zones) {
            assert_whole(&contents[&id], zone);
            assert!([1, 2, 3].iter().all(|other| first(&order, id) < last(&order, *other)), "{order:?}");
        }
        for (id, verifier) in &mut verifiers {
            for message in messages.iter().filter(|message| header(message).id == *id) {
                assert_eq!(verifier.verify(message, now_secs()).unwrap(), Signature::Verified);
            }
        }
    }
    assert_eq!(server.stop().of(Event::TransferSent), 6);
}

#[test]
fn more_transfers_than_run_beside_each_other_wait_for_their_turn() {
    let zones = zones(5);
    let server = Setup { zones: zones.clone(), ..Setup::default() }.start();
    let mut stream = connect(server.address);
    let requests: Vec<_> = (1..).zip(&zones).map(|(id, zone)| axfr(zone, id)).collect();
    send(&mut stream, &requests);
    let (messages, contents) = receive(&mut stream, &[1, 2, 3, 4, 5], 0);
    (1..).zip(&zones).for_each(|(id, zone)| assert_whole(&contents[&id], zone));
    let order = ids(&messages);
    let at_a_time = |at: usize| (1..=5).filter(|id| (first(&order, *id)..=last(&order, *id)).contains(&at)).count();
    assert_eq!((0..order.len()).map(at_a_time).max(), Some(3), "{order:?}");
}

#[test]
fn what_has_the_id_of_a_transfer_under_way_is_answered_behind_it() {
    let zones = zones(1);
    let server = Setup { zones: zones.clone(), ..Setup::default() }.start();
    let mut stream = connect(server.address);
    send(&mut stream, &[axfr(&zones[0], 1), axfr(&zones[0], 1), with_id(query("www.zone1.", Type::A), 1)]);
    for _ in 0..2 {
        assert_whole(&receive(&mut stream, &[1], 0).1[&1], &zones[0]);
    }
    assert_eq!(types(&testing::query::receive(&mut stream).unwrap()), [Type::A]);
}

#[test]
fn who_ends_the_own_side_gets_all_that_was_asked_for_before() {
    let zones = zones(4);
    let server = Setup { zones: zones.clone(), ..Setup::default() }.start();
    let mut stream = connect(server.address);
    let mut requests: Vec<_> = (1..).zip(&zones).map(|(id, zone)| axfr(zone, id)).collect();
    requests.push(with_id(query("www.zone1.", Type::A), 9));
    send(&mut stream, &requests);
    stream.shutdown(Shutdown::Write).unwrap();
    let (_, contents) = receive(&mut stream, &[1, 2, 3, 4], 1);
    (1..).zip(&zones).for_each(|(id, zone)| assert_whole(&contents[&id], zone));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "a well-meant end");
}

#[test]
fn a_transfer_that_fails_lets_those_beside_it_end_and_then_nothing_more_comes() {
    // Its octets and its owner's fit no message beside a header.
    let broken = live(2, "broken.", &format!("{ZONE}huge 60 TYPE65280 \\# 65505 {}\n", "00".repeat(65_505)));
    let zones = vec![zone(1, "zone1."), broken];
    let (authority, setup) = over_both(&zones);
    let server = setup.start();
    for stream in &mut both(&authority, &server) {
        send(stream, &[axfr(&zones[0], 1), axfr(&zones[1], 2), with_id(query("www.zone1.", Type::A), 3)]);
        let mut whole = Records::new();
        let mut ends = 0;
        while let Ok(message) = testing::query::receive(stream) {
            if header(&message).id == 1 {
                ends += put(&message, &mut whole);
            }
        }
        assert_eq!(ends, 2);
        assert_whole(&whole, &zones[0]);
        let end = stream.read(&mut [0]);
        assert!(!matches!(end, Ok(1..)), "{end:?}");
    }
    let tally = server.stop();
    assert_eq!((tally.of(Event::TransferSent), tally.of(Event::TransferFailed)), (2, 2));
}

#[test]
fn a_secondary_that_is_up_to_date_is_told_so_between_the_messages_of_a_transfer() {
    let zones = zones(2);
    let server = Setup { zones: zones.clone(), ..Setup::default() }.start();
    let mut stream = connect(server.address);
    let poll = message(Opcode::QUERY, "zone2.", Type::IXFR, Some((Section::Authority, 7)));
    send(&mut stream, &[axfr(&zones[0], 1), with_id(poll, 2)]);
    let (messages, contents) = receive(&mut stream, &[1], 1);
    assert!(last(&ids(&messages), 2) < last(&ids(&messages), 1));
    assert_whole(&contents[&1], &zones[0]);
}
