//! Clients that mean no good: none of them may cost the others anything.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use dns::{Rcode, Type};
use server::{Event, Limits};
use testing::certificate::Authority;

use crate::support::{Server, Setup, ZONE, connect_from, framed, live, query, rcode, types};

fn assert_answers(server: &Server) {
    assert_eq!(rcode(&server.udp().ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(rcode(&server.tcp().ask(&query("www.example.", Type::A))), Rcode::NOERROR);
}

/// Octets that look random and are the same in each run.
pub(crate) fn noise(seed: u64) -> impl FnMut(usize) -> Vec<u8> {
    let mut state = seed;
    move |octets| {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..octets).map(|_| next()).collect()
    }
}

#[test]
fn floods_of_garbage_are_survived() {
    // Room for all strangers at once: how soon the server sees that one has gone is not what is tested.
    let strangers = 200;
    let limits = Limits { connections_per_client: strangers + 1, ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let mut noise = noise(2026);
    let client = server.udp();
    for round in 0..20_000 {
        // So often that what waits in between fits the socket's buffer: the kernel drops none of it.
        if round % 64 == 0 {
            assert_eq!(rcode(&server.udp().ask(&query("www.example.", Type::A))), Rcode::NOERROR);
        }
        let mut garbage = noise(round % 600);
        match round % 3 {
            // Headers that promise all sorts of things.
            0 => garbage.iter_mut().skip(2).take(1).for_each(|flags| *flags &= 0x7f),
            // Almost a query.
            1 => {
                let whole = query("www.example.", Type::A);
                garbage.splice(..garbage.len().min(whole.len() - round % 20), whole);
            }
            _ => {}
        }
        client.send(&garbage);
    }
    client.send(&vec![0; 60_000]);
    for round in 0..strangers {
        let mut stranger = server.tcp();
        // The server may close at any octet of it: that is its right.
        let _ = stranger.0.write_all(&noise(round * 37));
    }
    assert_answers(&server);
}

#[test]
fn answers_and_empty_datagrams_get_no_reply() {
    let server = Setup::default().start();
    let client = server.udp();
    let mut answer = query("www.example.", Type::A);
    answer[2] |= 0x80;
    client.send(&answer);
    client.send(&[]);
    client.send(&[0; 11]);
    // Replies come in order on one socket: the first is to what was sent last.
    let mut asked = query("www.example.", Type::A);
    asked[0] = 99;
    assert_eq!(client.ask(&asked)[0], 99);
    let tally = server.stop();
    assert_eq!((tally.of(Event::Dropped), tally.replies()), (3, 1));
}

#[test]
fn a_message_that_never_ends_is_cut_off() {
    // Slow-loris, CVE-2018-5743. The first octet of the length counts already.
    let limits = Limits { message: Duration::from_millis(50), ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let whole = framed(&query("www.example.", Type::A));
    for octets in [1, 2, 3, whole.len() - 1] {
        let mut client = server.tcp();
        client.0.write_all(&whole[..octets]).unwrap();
        assert_eq!(client.receive(), None);
    }
    assert_answers(&server);
    assert_eq!(server.stop().of(Event::TcpTimedOut), 4);
}

#[test]
fn a_silent_connection_is_closed() {
    let limits = Limits { idle: Duration::from_millis(500), ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    assert_eq!(server.tcp().receive(), None);
    let mut client = server.tcp();
    client.ask(&query("www.example.", Type::A));
    assert_eq!(client.receive(), None);
    assert_eq!(server.stop().of(Event::TcpTimedOut), 2);
}

#[test]
fn silent_connections_make_room_when_it_gets_crowded() {
    let limits = Limits { connections: 2, idle_when_crowded: Duration::from_millis(50), ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let mut first = server.tcp();
    first.ask(&query("www.example.", Type::A));
    assert_eq!(server.tcp().receive(), None, "the second waits in a crowd");
    assert_eq!(rcode(&first.ask(&query("www.example.", Type::A))), Rcode::NOERROR, "the first waits longer");
}

#[test]
fn a_message_of_no_octets_ends_the_connection() {
    let server = Setup::default().start();
    let mut client = server.tcp();
    client.0.write_all(&[0, 0]).unwrap();
    assert_eq!(client.receive(), None);
}

#[test]
fn a_client_that_never_reads_is_cut_off() {
    // CVE-2024-0760.
    let texts: String = (0..200).map(|n| format!("big 60 TXT \"{n:0200}\"\n")).collect();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let limits = Limits { write: Duration::from_millis(100), ..Limits::default() };
    let server = Setup { zones, limits, ..Setup::default() }.start();
    let mut client = server.tcp();
    let asked = framed(&query("big.example.", Type::TXT)).repeat(1000);
    // The server stops reading while it cannot write, and closes in the end: then this fails.
    while client.0.write_all(&asked).is_ok() {}
    assert_answers(&server);
    assert_eq!(server.stop().of(Event::TcpTimedOut), 1);
}

#[test]
fn who_sends_without_end_what_gets_no_reply_is_cut_off_as_well_when_it_does_not_read() {
    let texts: String = (0..60_000).map(|n| format!("host{n} 60 TXT \"{n:0200}\"\n")).collect();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let limits = Limits { write: Duration::from_millis(200), ..Limits::default() };
    let server = Setup { zones, limits, ..Setup::default() }.start();
    let mut client = server.tcp();
    client.send(&query("example.", Type::AXFR));
    let mut answer = query("www.example.", Type::A);
    answer[..3].copy_from_slice(&[0, 1, 0x80]);
    let answers = framed(&answer).repeat(1000);
    // It ends when the server has closed the connection, and not before.
    while client.0.write_all(&answers).is_ok() {}
    let tally = server.stop();
    assert_eq!((tally.of(Event::TcpTimedOut), tally.of(Event::TransferFailed)), (1, 1));
}

#[test]
fn who_misses_a_deadline_is_reset_and_who_is_silent_is_closed() {
    // What is closed with octets unread stays with the kernel for minutes, 256 KiB each.
    let authority = Authority::new();
    let texts: String = (0..60_000).map(|n| format!("host{n} 60 TXT \"{n:0200}\"\n")).collect();
    let limits = Limits {
        idle: Duration::from_millis(1500),
        message: Duration::from_millis(100),
        write: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Setup {
        zones: vec![live(1, "example.", &format!("{ZONE}{texts}"))],
        certificate: Some(authority.server(&["127.0.0.1"])),
        limits,
        ..Setup::default()
    }
    .start();
    let over_tls = |octets: &[u8]| {
        let address = server.tls_address.unwrap();
        let mut connection = testing::tls::Client::trusting(&authority).connect(address, "127.0.0.1").unwrap();
        connection.write_all(octets).unwrap();
        connection.sock
    };
    let over_tcp = |octets: &[u8]| {
        let mut stream = server.tcp().0;
        stream.write_all(octets).unwrap();
        stream
    };
    let transfer = framed(&query("example.", Type::AXFR));
    for (octets, end) in [
        (&transfer[..], Err(ErrorKind::ConnectionReset)),
        (&transfer[..transfer.len() - 1], Err(ErrorKind::ConnectionReset)),
        (&[], Ok(())),
    ] {
        let before = server.counters.read().of(Event::TcpTimedOut);
        let streams = [over_tcp(octets), over_tls(octets)];
        // Nobody reads until the server has given up.
        testing::eventually(Duration::from_secs(20), "both to miss a deadline", || {
            let missed = server.counters.read().of(Event::TcpTimedOut) - before;
            if missed == 2 { Ok(()) } else { Err(missed.to_string()) }
        });
        for mut stream in streams {
            let read = std::io::copy(&mut stream, &mut std::io::sink());
            assert_eq!(read.map(drop).map_err(|error| error.kind()), end, "{} octets", octets.len());
        }
    }
}

#[test]
fn who_asks_much_and_reads_nothing_costs_the_others_nothing() {
    let texts: String = (0..20_000).map(|n| format!("host{n} 60 TXT \"{n:0200}\"\n")).collect();
    let server = Setup { zones: vec![live(1, "example.", &format!("{ZONE}{texts}"))], ..Setup::default() }.start();
    let axfr = |id| {
        let mut asked = query("example.", Type::AXFR);
        asked[1] = id;
        framed(&asked)
    };
    let asked = [
        framed(&query("host1.example.", Type::TXT)).repeat(1000),
        (0..10).flat_map(axfr).collect(),
        [(0..10).flat_map(axfr).collect(), framed(&query("host1.example.", Type::TXT)).repeat(1000)].concat(),
    ];
    // Ten connections of each kind: they hold all places for transfers that one client may have.
    let held: Vec<_> = (0..30)
        .map(|number| {
            let mut client = server.tcp();
            client.0.set_nonblocking(true).unwrap();
            // Not all of it is taken: the server reads no more.
            let _ = client.0.write_all(&asked[number % 3]);
            client
        })
        .collect();
    assert_answers(&server);
    let mut other = connect_from([127, 0, 0, 9], &server);
    other.send(&query("example.", Type::AXFR));
    let mut soas = 0;
    while soas < 2 {
        let message = other.receive().expect("the transfer is whole");
        soas += types(&message).iter().filter(|rtype| **rtype == Type::SOA).count();
    }
    assert_answers(&server);
    // And none of the others': they still hold their places.
    testing::eventually(Duration::from_secs(20), "the one transfer to be counted", || {
        let sent = server.counters.read().of(Event::TransferSent);
        if sent == 1 { Ok(()) } else { Err(sent.to_string()) }
    });
    drop(held);
}

#[test]
fn one_client_cannot_take_all_connections() {
    let limits = Limits { connections: 10, connections_per_client: 2, ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let mut held: Vec<_> = (0..2).map(|_| server.tcp()).collect();
    // An answer shows that the connection was taken.
    held.iter_mut().for_each(|client| drop(client.ask(&query("www.example.", Type::A))));
    assert_eq!(server.tcp().receive(), None, "a third is turned away");

    let mut other = connect_from([127, 0, 0, 9], &server);
    assert_eq!(rcode(&other.ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(server.stop().of(Event::TcpTurnedAway), 1);
}

#[test]
fn messages_that_never_end_have_less_time_in_a_crowd() {
    // A message has a minute; who waits for that in vain fails.
    let limits = Limits {
        connections: 40,
        message: Duration::from_secs(60),
        idle_when_crowded: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Setup { limits, ..Setup::default() }.start();
    let asked = query("www.example.", Type::A);
    // They are not idle: each has said something and goes on to say something.
    let mut crowd: Vec<_> = (0..21).map(|number| connect_from([127, 0, number, 1], &server)).collect();
    crowd.iter_mut().for_each(|client| drop(client.ask(&asked)));
    crowd.iter_mut().for_each(|client| client.0.write_all(&framed(&asked)[..5]).unwrap());
    crowd.iter_mut().for_each(|client| assert_eq!(client.receive(), None));
    assert_answers(&server);
}

#[test]
fn where_all_places_are_taken_a_newcomer_is_answered_at_the_cost_of_who_has_most() {
    let limits = Limits { connections: 12, idle_when_crowded: Duration::from_secs(60), ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let asked = query("www.example.", Type::A);
    let connected = |network| {
        let mut client = connect_from([127, 0, network, 1], &server);
        client.ask(&asked);
        client
    };
    let mut greedy: Vec<_> = (0..10).map(|_| connected(1)).collect();
    greedy.iter_mut().for_each(|client| client.0.write_all(&framed(&asked)[..5]).unwrap());
    let mut modest = [connected(2), connected(2)];
    let mut newcomer = connected(3);
    assert_eq!(greedy[0].receive(), None, "the oldest of the ten");
    modest
        .iter_mut()
        .chain([&mut newcomer])
        .for_each(|client| assert_eq!(rcode(&client.ask(&asked)), Rcode::NOERROR));
    assert_eq!(server.stop().of(Event::TcpTurnedAway), 1);
}

#[test]
fn where_a_few_networks_have_all_places_whoever_comes_from_another_is_answered() {
    let limits = Limits { connections: 20, connections_per_network: 10, ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let asked = query("www.example.", Type::A);
    // Each client of its own, with one connection.
    let _held: Vec<_> = [5, 6]
        .into_iter()
        .flat_map(|network| (1..=10).map(move |host| (network, host)))
        .map(|(network, host)| {
            let mut client = connect_from([127, 0, network, host], &server);
            client.ask(&asked);
            client
        })
        .collect();
    let mut newcomers: Vec<_> = (1..=3).map(|host| connect_from([127, 0, 7, host], &server)).collect();
    newcomers.iter_mut().for_each(|client| assert_eq!(rcode(&client.ask(&asked)), Rcode::NOERROR));
    assert_eq!(server.stop().of(Event::TcpTurnedAway), 3, "as many of the others");
}

#[test]
fn one_network_cannot_take_all_connections() {
    let limits = Limits { connections: 40, connections_per_network: 10, ..Limits::default() };
    let server = Setup { limits, ..Setup::default() }.start();
    let asked = query("www.example.", Type::A);
    // Messages that have begun, and do not end.
    let begin = |network, host| {
        let mut client = connect_from([127, 0, network, host], &server);
        assert!(client.0.write_all(&framed(&asked)[..5]).is_ok());
        client
    };
    let mut held: Vec<_> = (1..=10).map(|host| begin(9, host)).collect();
    held.iter_mut().for_each(|client| client.0.write_all(&framed(&asked)[5..]).unwrap());
    held.iter_mut().for_each(|client| assert!(client.receive().is_some()));
    assert_eq!(connect_from([127, 0, 9, 11], &server).receive(), None, "an eleventh is turned away");
    assert_answers(&server);
    assert_eq!(rcode(&connect_from([127, 0, 10, 11], &server).ask(&asked)), Rcode::NOERROR);
    assert_eq!(server.stop().of(Event::TcpTurnedAway), 1);
}

#[test]
fn stopping_closes_connections_and_frees_the_port() {
    let server = Setup::default().start();
    let mut client = server.tcp();
    client.ask(&query("www.example.", Type::A));
    let address = server.address;
    server.stop();
    assert_eq!(client.0.read(&mut [0; 1]).unwrap(), 0);
    server::bind(&[address], 2).unwrap();
}
