//! The same over QUIC (RFC 9250), and clients over it that mean no good.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use dns::{Opcode, Rcode, Section, Serial, Type};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use server::{Access, BindError, Event, Limits, Secured, TlsServer, Who, bind};
use testing::certificate::{Authority, Certificate};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use xfr::notify::Channel;
use zone::ZoneId;

use crate::support::{
    Server, Setup, ZONE, connect_from, framed, header, live, message, notified_from_here, query, rcode, types,
    with_edns,
};

const NAME: &str = "dns.example";
/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// RFC 9250 §4.3.
const NO_ERROR: u32 = 0;
const PROTOCOL_ERROR: u32 = 2;
const REQUEST_CANCELLED: u32 = 3;
const EXCESSIVE_LOAD: u32 = 4;

/// Who vouches for the server's certificate, and a setup that shows it.
fn with_quic() -> (Authority, Setup) {
    let authority = Authority::new();
    let certificate = authority.server(&[NAME, "127.0.0.1"]);
    (authority, Setup { certificate: Some(certificate), ..Setup::default() })
}

/// A client with a socket and a runtime of its own, which must outlive the rest.
struct Client {
    endpoint: Endpoint,
    configuration: ClientConfig,
    runtime: Runtime,
}

impl Client {
    fn trusting(authority: &Authority) -> Self {
        Self::with(authority, b"doq", TransportConfig::default())
    }

    fn with(authority: &Authority, protocol: &[u8], mut transport: TransportConfig) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.root()).unwrap();
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![protocol.to_vec()];
        transport.max_idle_timeout(Some(PATIENCE.try_into().unwrap()));
        let mut configuration = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        configuration.transport_config(Arc::new(transport));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let inside = runtime.enter();
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        drop(inside);
        Self { endpoint, configuration, runtime }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { timeout(PATIENCE, future).await.expect("the server does something") })
    }

    fn connect(&self, server: &Server) -> Result<Connection, ConnectionError> {
        self.connect_to(server.quic_address.unwrap())
    }

    fn connect_to(&self, address: SocketAddr) -> Result<Connection, ConnectionError> {
        self.wait(async { self.endpoint.connect_with(self.configuration.clone(), address, NAME).unwrap().await })
    }

    /// What comes back on a stream of its own.
    fn ask(&self, connection: &Connection, asked: &[u8]) -> Vec<u8> {
        self.wait(async {
            let (mut send, receive) = connection.open_bi().await.unwrap();
            send.write_all(&framed(asked)).await.unwrap();
            send.finish().unwrap();
            one_message(receive).await
        })
    }

    /// The code and the words with which the server closes.
    fn closed(&self, connection: &Connection) -> (VarInt, String) {
        match self.wait(connection.closed()) {
            ConnectionError::ApplicationClosed(close) => {
                (close.error_code, String::from_utf8_lossy(&close.reason).into_owned())
            }
            other => panic!("{other}"),
        }
    }
}

async fn one_message(mut receive: RecvStream) -> Vec<u8> {
    let octets = receive.read_to_end(1 << 20).await.unwrap();
    let length = usize::from(u16::from_be_bytes([octets[0], octets[1]]));
    assert_eq!(octets.len(), 2 + length, "one message and the end");
    octets[2..].to_vec()
}

/// As RFC 9250 §4.2.1 wants it.
fn without_id(mut message: Vec<u8>) -> Vec<u8> {
    message[..2].fill(0);
    message
}

fn question(name: &str, qtype: Type) -> Vec<u8> {
    without_id(query(name, qtype))
}

fn assert_answers(authority: &Authority, server: &Server) {
    let client = Client::trusting(authority);
    let connection = client.connect(server).unwrap();
    server.queries.take();
    assert_eq!(rcode(&client.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(rcode(&server.udp().ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(server.queries.take().zones[&ZoneId(1)].total(), 2);
    connection.close(VarInt::from_u32(NO_ERROR), b"");
    client.wait(client.endpoint.wait_idle());
}

fn counted(server: &Server, event: Event, times: u64) {
    testing::eventually(PATIENCE, &format!("{times} × {event:?}"), || match server.counters.read().of(event) {
        found if found == times => Ok(()),
        other => Err(other.to_string()),
    });
}

#[test]
fn queries_are_answered_over_quic_as_over_tcp() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    for name in ["www.example.", "none.example.", "mixed.case.example."] {
        for qtype in [Type::A, Type::TXT, Type::SOA] {
            let asked = with_edns(question(name, qtype), 1232);
            assert_eq!(client.ask(&connection, &asked), server.tcp().ask(&asked));
        }
    }
    let tally = server.stop();
    assert_eq!((tally.of(Event::QuicAccepted), tally.of(Event::QuicMessage), tally.of(Event::TcpMessage)), (1, 9, 9));
    assert_eq!(client.closed(&connection).0, VarInt::from_u32(NO_ERROR), "the server says that it goes");
}

#[test]
fn each_query_is_answered_on_its_own_stream_whatever_the_others_do() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    client.wait(async {
        // The first asks only half of its question, until all others are answered.
        let (mut first, first_reply) = connection.open_bi().await.unwrap();
        let asked = framed(&question("ns1.example.", Type::A));
        first.write_all(&asked[..9]).await.unwrap();
        for _ in 0..20 {
            let mut streams = Vec::new();
            for name in ["www.example.", "none.example."].repeat(15) {
                let (mut send, receive) = connection.open_bi().await.unwrap();
                send.write_all(&framed(&question(name, Type::A))).await.unwrap();
                send.finish().unwrap();
                streams.push((name, receive));
            }
            while let Some((name, receive)) = streams.pop() {
                let wanted = if name == "www.example." { Rcode::NOERROR } else { Rcode::NXDOMAIN };
                assert_eq!(rcode(&one_message(receive).await), wanted);
            }
        }
        first.write_all(&asked[9..]).await.unwrap();
        first.finish().unwrap();
        assert_eq!(rcode(&one_message(first_reply).await), Rcode::NOERROR);
    });
    assert_eq!(server.stop().of(Event::QuicMessage), 601);
}

#[test]
fn a_message_as_long_as_there_can_be_is_read_to_its_end() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let mut asked = question("www.example.", Type::A);
    asked.resize(65_535, 0);
    assert_eq!(client.ask(&connection, &asked), server.tcp().ask(&asked));
}

/// The messages of a stream, without their lengths.
async fn messages(mut receive: RecvStream) -> Vec<Vec<u8>> {
    let octets = receive.read_to_end(64 << 20).await.unwrap();
    let mut rest = &octets[..];
    let mut messages = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (message, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        messages.push(message.to_vec());
        rest = after;
    }
    messages
}

#[test]
fn a_zone_is_transferred_as_many_messages_on_one_stream_and_others_are_answered_meanwhile() {
    let (authority, setup) = with_quic();
    let texts: String = (0..20_000).map(|n| format!("host{n} 60 TXT \"{n:0100}\"\n")).collect();
    let server = Setup { zones: vec![live(1, "example.", &format!("{ZONE}{texts}"))], ..setup }.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let received = client.wait(async {
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(&framed(&question("example.", Type::AXFR))).await.unwrap();
        send.finish().unwrap();
        // Nothing of it is read yet, so that it cannot be over.
        let (mut send, reply) = connection.open_bi().await.unwrap();
        send.write_all(&framed(&question("www.example.", Type::A))).await.unwrap();
        send.finish().unwrap();
        assert_eq!(rcode(&one_message(reply).await), Rcode::NOERROR);
        messages(receive).await
    });
    assert!(received.len() > 10, "{}", received.len());
    let types: Vec<Type> = received.iter().flat_map(|message| types(message)).collect();
    assert!(received.iter().all(|message| header(message).id == 0));
    assert_eq!((types.len(), types[0], *types.last().unwrap()), (20_006, Type::SOA, Type::SOA));
    counted(&server, Event::TransferSent, 1);
}

#[test]
fn transfers_have_their_turn_on_a_connection_and_no_more_places_than_over_tcp() {
    let (authority, setup) = with_quic();
    let texts: String = (0..20_000).map(|n| format!("host{n} 60 TXT \"{n:0100}\"\n")).collect();
    let limits = Limits { transfers_per_client: 3, transfer_wait: Duration::from_millis(100), ..Limits::default() };
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let server = Setup { zones, limits, ..setup }.start();
    let client = Client::trusting(&authority);
    let (connection, another) = (client.connect(&server).unwrap(), client.connect(&server).unwrap());
    client.wait(async {
        let transfer = async |connection: &Connection| {
            let (mut send, receive) = connection.open_bi().await.unwrap();
            send.write_all(&framed(&question("example.", Type::AXFR))).await.unwrap();
            send.finish().unwrap();
            receive
        };
        let mut streams = Vec::new();
        for _ in 0..3 {
            let mut stream = transfer(&connection).await;
            stream.read_exact(&mut [0; 2]).await.unwrap();
            streams.push(stream);
        }
        // Nothing more of them is read yet: they hold all places. Those behind them wait, another connection does not.
        for _ in 0..2 {
            streams.push(transfer(&connection).await);
        }
        assert_eq!(rcode(&one_message(transfer(&another).await).await), Rcode::SERVFAIL);
        let whole: Vec<_> = streams
            .into_iter()
            .map(|mut stream| tokio::spawn(async move { stream.read_to_end(64 << 20).await.unwrap().len() }))
            .collect();
        for octets in whole {
            assert!(octets.await.unwrap() > 2_000_000);
        }
    });
    counted(&server, Event::TransferSent, 5);
    assert_eq!(server.stop().of(Event::TransferRefused), 1);
}

#[test]
fn a_notify_over_quic_wakes_the_zone_and_is_told_as_such() {
    let (authority, setup) = with_quic();
    let access = notified_from_here();
    let mut server = Setup { access, ..setup }.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let notify = message(Opcode::NOTIFY, "example.", Type::SOA, Some((Section::Answer, 7)));
    let reply = client.ask(&connection, &without_id(notify));
    assert_eq!((header(&reply).opcode(), rcode(&reply)), (Opcode::NOTIFY, Rcode::NOERROR));
    let notified = server.notifies.blocking_recv().unwrap();
    assert_eq!((notified.zone, notified.serial), (ZoneId(1), Some(Serial(7))));
    let heard = server.heard.take();
    assert!(matches!(heard[0].who, Who::Known { channel: Channel::Quic, declined: None, .. }), "{heard:?}");
}

#[test]
fn transfers_over_quic_have_the_access_of_those_over_tcp() {
    let (authority, setup) = with_quic();
    let access = Access {
        transfer_out: server::TransferOut { default: Vec::new(), ..server::TransferOut::default() },
        ..Access::default()
    };
    let server = Setup { access, ..setup }.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let refused = client.ask(&connection, &question("example.", Type::AXFR));
    assert_eq!((rcode(&refused), types(&refused)), (Rcode::REFUSED, vec![]));
}

#[test]
fn only_doq_is_spoken() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::with(&authority, b"h3", TransportConfig::default());
    let refused = client.connect(&server).unwrap_err();
    // RFC 7301 §3.2: no_application_protocol, 120, as QUIC carries it.
    assert!(
        matches!(&refused, ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == 0x100 + 120),
        "{refused}"
    );
    assert_answers(&authority, &server);
    assert_eq!(server.stop().of(Event::QuicFailed), 1);
}

#[test]
fn who_breaks_the_rules_loses_the_connection_and_learns_why() {
    // RFC 9250 §4.3.3.
    let (authority, setup) = with_quic();
    let server = setup.start();
    let good = framed(&question("www.example.", Type::A));
    let mut keepalive = with_edns(question("www.example.", Type::A), 1232);
    let length = keepalive.len();
    keepalive[length - 1] = 4;
    keepalive.extend([0, 11, 0, 0]);
    let mut response = question("www.example.", Type::A);
    response[2] |= 0x80;
    let broken: [(Vec<u8>, &str); 7] = [
        (framed(&query("www.example.", Type::A)), "ID"),
        (good.repeat(2), "more than one message"),
        (good[..good.len() - 1].to_vec(), "ended before"),
        (vec![0], "ended before"),
        (vec![0, 0], "too short"),
        (framed(&keepalive), "keepalive"),
        (framed(&response), "response"),
    ];
    for (octets, why) in &broken {
        let client = Client::trusting(&authority);
        let connection = client.connect(&server).unwrap();
        client.wait(async {
            let (mut send, _receive) = connection.open_bi().await.unwrap();
            send.write_all(octets).await.unwrap();
            send.finish().unwrap();
            connection.closed().await;
        });
        let (code, said) = client.closed(&connection);
        assert_eq!(code, VarInt::from_u32(PROTOCOL_ERROR));
        assert!(said.contains(why), "{said}");
    }
    // A stream that goes one way only: there may be none.
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    client.wait(async {
        let opened = timeout(Duration::from_millis(200), connection.open_uni()).await;
        assert!(opened.is_err(), "no stream is granted");
    });
    assert_answers(&authority, &server);
    assert_eq!(server.stop().of(Event::QuicMisused), broken.len() as u64);
}

#[test]
fn queries_that_are_given_up_free_their_streams() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    client.wait(async {
        // Ten times as many as may be open at one time.
        for round in 0..320 {
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            send.write_all(&framed(&question("www.example.", Type::A))[..10]).await.unwrap();
            if round % 2 == 0 {
                send.reset(VarInt::from_u32(REQUEST_CANCELLED)).unwrap();
                let end = receive.read(&mut [0]).await;
                assert_eq!(end, Err(quinn::ReadError::Reset(VarInt::from_u32(REQUEST_CANCELLED))));
            } else {
                receive.stop(VarInt::from_u32(REQUEST_CANCELLED)).unwrap();
                send.reset(VarInt::from_u32(REQUEST_CANCELLED)).unwrap();
            }
        }
    });
    assert_eq!(rcode(&client.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
}

#[test]
fn a_message_that_never_ends_is_given_up_and_a_connection_of_such_is_closed() {
    let (authority, setup) = with_quic();
    let limits =
        Limits { message: Duration::from_millis(200), idle: Duration::from_millis(1000), ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let mut streams: Vec<(SendStream, RecvStream)> = Vec::new();
    client.wait(async {
        let asked = framed(&question("www.example.", Type::A));
        // Long ones too, of which only one at a time is read.
        let long = [&60_000_u16.to_be_bytes()[..], &[0; 4094]].concat();
        for octets in [&asked[..1], &asked[..2], &asked[..asked.len() - 1], &asked[..], &long, &long] {
            let (mut send, receive) = connection.open_bi().await.unwrap();
            send.write_all(octets).await.unwrap();
            streams.push((send, receive));
        }
        for (_, receive) in &mut streams {
            let end = receive.read(&mut [0]).await;
            assert_eq!(end, Err(quinn::ReadError::Reset(VarInt::from_u32(EXCESSIVE_LOAD))));
        }
    });
    assert_answers(&authority, &server);
    assert_eq!(client.closed(&connection).0, VarInt::from_u32(NO_ERROR));
    assert_eq!(server.stop().of(Event::QuicTimedOut), 7);
}

#[test]
fn a_connection_that_is_only_kept_awake_is_closed() {
    let (authority, setup) = with_quic();
    let limits = Limits { idle: Duration::from_millis(500), ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let mut transport = TransportConfig::default();
    transport.keep_alive_interval(Some(Duration::from_millis(50)));
    let client = Client::with(&authority, b"doq", transport);
    let connection = client.connect(&server).unwrap();
    client.ask(&connection, &question("www.example.", Type::A));
    assert_eq!(client.closed(&connection).0, VarInt::from_u32(NO_ERROR));
    assert_eq!(server.stop().of(Event::QuicTimedOut), 1);
}

#[test]
fn where_all_places_are_taken_a_connection_is_closed_for_a_newcomer_and_told_why() {
    let (authority, setup) = with_quic();
    let limits = Limits { connections: 4, idle_when_crowded: PATIENCE, ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let client = Client::trusting(&authority);
    let held: Vec<Connection> = (0..4).map(|_| client.connect(&server).unwrap()).collect();
    let mut newcomer = connect_from([127, 0, 0, 9], &server);
    assert_eq!(rcode(&newcomer.ask(&query("www.example.", Type::A))), Rcode::NOERROR);
    let (code, why) = client.closed(&held[0]);
    assert_eq!((code, why.as_str()), (VarInt::from_u32(EXCESSIVE_LOAD), "there are too many connections"));
    assert_eq!(rcode(&client.ask(&held[1], &question("www.example.", Type::A))), Rcode::NOERROR);
    assert_eq!(server.stop().of(Event::QuicTurnedAway), 1);
}

#[test]
fn who_vanishes_gives_the_place_back() {
    let (authority, setup) = with_quic();
    let limits = Limits { connections_per_client: 1, idle: Duration::from_millis(500), ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let vanishing = Client::trusting(&authority);
    let connection = vanishing.connect(&server).unwrap();
    vanishing.ask(&connection, &question("www.example.", Type::A));
    let other = Client::trusting(&authority);
    let refused = other.connect(&server).unwrap_err();
    assert!(
        matches!(&refused, ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == 2),
        "{refused}"
    );
    // From now on its packets come from another address, which is not its own: nobody hears it.
    let inside = vanishing.runtime.enter();
    vanishing.endpoint.rebind(UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    drop(inside);
    let connection =
        testing::eventually(PATIENCE, "its place", || other.connect(&server).map_err(|error| error.to_string()));
    assert_eq!(rcode(&other.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
    assert!(server.stop().of(Event::QuicTurnedAway) >= 1);
}

#[test]
fn a_client_that_never_reads_is_cut_off_and_what_breaks_off_does_not_look_whole() {
    let (authority, setup) = with_quic();
    let texts: String = (0..20_000).map(|n| format!("host{n} 60 TXT \"{n:0200}\"\n")).collect();
    let zones = vec![live(1, "example.", &format!("{ZONE}{texts}"))];
    let limits = Limits { write: Duration::from_millis(300), ..Limits::default() };
    let server = Setup { zones, limits, ..setup }.start();
    let mut transport = TransportConfig::default();
    transport.stream_receive_window(VarInt::from_u32(100_000));
    let client = Client::with(&authority, b"doq", transport);
    let connection = client.connect(&server).unwrap();
    client.wait(async {
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        send.write_all(&framed(&question("example.", Type::AXFR))).await.unwrap();
        send.finish().unwrap();
        tokio::task::spawn_blocking({
            let counters = server.counters.clone();
            move || {
                testing::eventually(PATIENCE, "the transfer to be cut off", || {
                    let failed = counters.read().of(Event::TransferFailed);
                    if failed == 1 { Ok(()) } else { Err(failed.to_string()) }
                });
            }
        })
        .await
        .unwrap();
        let end = receive.read_to_end(64 << 20).await;
        assert!(matches!(end, Err(quinn::ReadToEndError::Read(quinn::ReadError::Reset(_)))), "{end:?}");
    });
    // The connection goes on.
    assert_eq!(rcode(&client.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
    assert_answers(&authority, &server);
}

/// The first packet of a connection that nobody goes on with.
fn first_packet(authority: &Authority) -> Vec<u8> {
    let nowhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    nowhere.set_read_timeout(Some(PATIENCE)).unwrap();
    let client = Client::trusting(authority);
    let inside = client.runtime.enter();
    let address = nowhere.local_addr().unwrap();
    let _connecting = client.endpoint.connect_with(client.configuration.clone(), address, NAME).unwrap();
    drop(inside);
    let mut octets = vec![0; 2000];
    let length = nowhere.recv(&mut octets).unwrap();
    octets.truncate(length);
    octets
}

#[test]
fn handshakes_that_nobody_goes_on_with_take_few_places_and_the_others_prove_their_address() {
    let (authority, setup) = with_quic();
    let limits = Limits {
        connections: 32,
        connections_per_client: 32,
        handshake: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = Setup { limits, ..setup }.start();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..20 {
        stranger.send_to(&first_packet(&authority), server.quic_address.unwrap()).unwrap();
    }
    counted(&server, Event::QuicRetried, 16);
    assert_answers(&authority, &server);
    counted(&server, Event::QuicTimedOut, 4);
    assert_eq!(server.counters.read().of(Event::QuicTurnedAway), 0);
    // With the places given back nobody has to prove anything.
    let before = server.counters.read().of(Event::QuicRetried);
    assert_answers(&authority, &server);
    assert_eq!(server.counters.read().of(Event::QuicRetried), before);
}

#[test]
fn whoever_has_half_of_a_clients_places_proves_the_address_of_the_next() {
    let (authority, setup) = with_quic();
    let limits = Limits { connections_per_client: 4, ..Limits::default() };
    let server = Setup { limits, ..setup }.start();
    let clients: Vec<Client> = (0..5).map(|_| Client::trusting(&authority)).collect();
    let connected: Vec<_> = clients.iter().map(|client| client.connect(&server)).collect();
    assert_eq!(connected.iter().filter(|connection| connection.is_ok()).count(), 4);
    let tally = server.stop();
    assert_eq!((tally.of(Event::QuicRetried), tally.of(Event::QuicTurnedAway)), (3, 1));
}

#[test]
fn floods_of_garbage_at_the_port_for_quic_are_survived() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let address = server.quic_address.unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut noise = crate::hostile::noise(2026);
    let whole = first_packet(&authority);
    for round in 0..10_000_usize {
        let mut garbage = noise(round % 1400);
        match round % 4 {
            // A short header, a long one, a plain query, a first packet with damage.
            0 => garbage.iter_mut().take(1).for_each(|first| *first = 0x40 | *first & 0x3f),
            1 => {
                let head = [0xc0, 0, 0, 0, 1, 8];
                garbage.splice(..garbage.len().min(head.len()), head);
            }
            2 => garbage = query("www.example.", Type::A),
            _ => {
                garbage.clone_from(&whole);
                garbage[round % whole.len()] ^= 1 << (round % 8);
            }
        }
        stranger.send_to(&garbage, address).unwrap();
        if round % 1000 == 0 {
            assert_answers(&authority, &server);
        }
    }
    assert_answers(&authority, &server);
}

#[test]
fn a_new_certificate_is_shown_over_quic_while_old_connections_go_on() {
    let (authority, setup) = with_quic();
    let server = setup.start();
    let client = Client::trusting(&authority);
    let connection = client.connect(&server).unwrap();
    let other = Authority::new();
    let renewed = other.server(&[NAME]);
    server.tls.as_ref().unwrap().show(renewed.chain(), renewed.key()).unwrap();
    assert_answers(&other, &server);
    assert!(Client::trusting(&authority).connect(&server).is_err());
    assert_eq!(rcode(&client.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
    assert!(server.tls.as_ref().unwrap().show(renewed.chain(), Certificate::of_nobody().key()).is_err());
    assert_answers(&other, &server);
}

#[test]
fn a_wildcard_socket_for_quic_answers_from_the_address_asked() {
    let (authority, setup) = with_quic();
    let server = Setup { listen: "0.0.0.0:0", ..setup }.start();
    let client = Client::trusting(&authority);
    for asked in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let address = SocketAddr::new(asked.into(), server.quic_address.unwrap().port());
        let connection = client.connect_to(address).unwrap();
        assert_eq!(rcode(&client.ask(&connection, &question("www.example.", Type::A))), Rcode::NOERROR);
    }
}

#[test]
fn a_port_is_for_plain_dns_or_for_quic() {
    let tls = || {
        let certificate = Certificate::of_nobody();
        TlsServer::new(certificate.chain(), certificate.key()).unwrap()
    };
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let sockets = bind(&[any], 1).unwrap();
    let plain = sockets.addresses()[0];
    let error = sockets.with_quic(&[plain], tls()).unwrap_err();
    assert!(matches!(error, BindError::PlainToo { secured: Secured::Quic, .. }), "{error}");
    // TLS and QUIC are of different protocols, and usually have the same port.
    let sockets = bind(&[any], 1).unwrap().with_tls(&[any], tls()).unwrap();
    let shared = sockets.tls_addresses()[0];
    let sockets = sockets.with_quic(&[shared], tls()).unwrap();
    assert_eq!(sockets.quic_addresses(), [shared]);
    let error = bind(&[any], 1).unwrap().with_quic(&[shared], tls()).unwrap_err();
    assert!(error.to_string().contains("UDP port"), "{error}");
}
