//! The primary stays hidden: whatever somebody asks, of whatever zone in whatever condition, no answer shows where the
//! zone is copied from, unless the zone itself does.
//!
//! The primaries are at addresses that occur nowhere else, and the key for them has such a name. Everything that is sent
//! to anybody but them is collected and looked through. What the primaries themselves are sent is theirs to see.

mod collector;
mod requests;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dns::edns::extended_error;
use dns::{MessageReader, Name, Opcode, Rcode, Type};
use testing::certificate::Authority;
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::tls::Client;
use testing::zone_text::{of_hosts, small};
use testing::{eventually, port, query};
use xfr::{Algorithm, Key};

use crate::scene::{FAST_TIMERS, SOON, ZONE, secondo, serves};
use collector::{Collector, Trace};
use requests::Request;

const HIDDEN: Ipv4Addr = Ipv4Addr::new(127, 66, 77, 88);
const HIDDEN_V6: Ipv6Addr = Ipv6Addr::LOCALHOST;
const HIDDEN_KEY: &str = "hidden-key.test";
/// Whoever asks: no primary.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

const SHOWN: &str = "shown.test";
const PENDING: &str = "pending.test";
const DISABLED: &str = "disabled.test";
const CATALOG: &str = "catalog.test";
/// The catalog that we make of our zones.
const MADE: &str = "made.test";
const CATALOG_TEXT: &str = "@ 0 SOA invalid. invalid. 1 60 60 6000 0\n@ 0 NS invalid.\nversion 0 TXT \"2\"\n";

/// The key that copies of ours are signed with.
const OUR_KEY: &str = "copies.test";
const SECRET: &str = "c2Vjb25kbyB0ZXN0cyB1c2UgdGhpcyBzZWNyZXQsIDMyKw==";

const PERSONA: &str = "name = \"node-1\"\nversion = \"1.2\"\nreport_agent = \"reports.test\"\n";

/// Secondo beside primaries that nobody is to see.
struct Scene {
    secondo: Secondo,
    primaries: Vec<Primary>,
    over_tls: SocketAddr,
    authority: Authority,
    /// Where our NOTIFYs go.
    notified: UdpSocket,
}

impl Scene {
    /// `persona` are lines of its configuration about itself.
    fn new(persona: &str) -> Self {
        let primaries: Vec<Primary> =
            [IpAddr::from(HIDDEN), HIDDEN_V6.into()].map(Primary::start_at).into_iter().collect();
        for primary in &primaries {
            primary.add_key(key(HIDDEN_KEY));
            primary.publish(ZONE, &of_hosts(1, 400));
            primary.publish(DISABLED, &small(1));
            primary.publish(SHOWN, &(small(1) + &format!("www A {HIDDEN}\nwww TXT \"{HIDDEN}\"\n")));
            primary.publish(CATALOG, CATALOG_TEXT);
        }
        let (secondo, over_tls, authority) = (secondo(), port::free(), Authority::new());
        let notified = UdpSocket::bind((STRANGER, 0)).unwrap();
        notified.set_read_timeout(Some(SOON)).unwrap();
        let directory: PathBuf = secondo.data().parent().unwrap().into();
        let (chain, key) = authority.server(&["dns.example"]).write_files(&directory, "ours");
        let addresses: Vec<String> = primaries.iter().map(|primary| format!("\"{}\"", primary.address())).collect();
        let addresses = addresses.join(", ");
        let keys = [HIDDEN_KEY, OUR_KEY].map(|name| format!("[[key]]\nname = \"{name}\"\nsecret = \"{SECRET}\"\n"));
        let section = |kind: &str, name: &str| {
            format!("[[{kind}]]\nname = \"{name}\"\nprimaries = [{addresses}]\nkey = \"{HIDDEN_KEY}\"\n")
        };
        let zones = [ZONE, SHOWN, PENDING, DISABLED].map(|name| section("zone", name)).concat();
        let configuration = format!(
            "[dns]\ntls_listen = [\"{over_tls}\"]\n{persona}\
             [tls]\ncertificate = \"{}\"\nkey = \"{}\"\n\
             [transfer_out]\nallow = [\"127.0.0.0/8\", \"key={OUR_KEY}\"]\nnotify = [\"{}\"]\ncatalog = \"{MADE}\"\n\
             {FAST_TIMERS}{}{zones}{}",
            chain.display(),
            key.display(),
            notified.local_addr().unwrap(),
            keys.concat(),
            section("catalog", CATALOG),
        );
        let secondo = secondo.configured(&configuration).started();
        let scene = Self { secondo, primaries, over_tls, authority, notified };
        scene.settles();
        scene
    }

    /// Waits until each zone is as this test wants it; the one at version 2 has the differences from 1.
    fn settles(&self) {
        for zone in [ZONE, SHOWN, DISABLED] {
            serves(&self.secondo, zone, 1);
        }
        self.secondo.expect(&["zone", "disable", DISABLED]);
        self.primaries.iter().for_each(|primary| primary.publish(ZONE, &of_hosts(2, 400)));
        assert_eq!(
            self.primaries[0].notify_signed(ZONE, self.secondo.dns(), Some(key(HIDDEN_KEY))),
            Some(Rcode::NOERROR)
        );
        serves(&self.secondo, ZONE, 2);
        eventually(SOON, "the catalog to be here", || match self.secondo.json(&["catalog", "show", CATALOG]) {
            catalog if catalog["followed_serial"] == 1 => Ok(()),
            catalog => Err(catalog.to_string()),
        });
    }

    /// Takes the NOTIFYs that we send, one of each zone at least.
    fn is_notified(&self, collector: &mut Collector) {
        let mut waiting = vec![ZONE, SHOWN, MADE];
        let mut buffer = [0; 1_232];
        while !waiting.is_empty() {
            let length = self.notified.recv(&mut buffer).unwrap_or_else(|error| panic!("{waiting:?}: {error}"));
            let message = &buffer[..length];
            let about = MessageReader::new(message).unwrap().question().unwrap().unwrap();
            waiting.retain(|zone| about.name.borrow() != zone.parse::<Name>().unwrap().borrow());
            collector.add("a NOTIFY of ours", message.to_vec());
        }
    }

    /// Switches the primaries off and waits until the zone has expired.
    fn expires(&mut self) {
        self.primaries.clear();
        self.secondo.expect(&["zone", "set", ZONE, "expire-max=1s"]);
        eventually(SOON, "the zone to expire", || match query::ask(self.secondo.dns(), ZONE, Type::SOA)? {
            reply if reply.extended_errors == [extended_error::INVALID_DATA] => Ok(()),
            reply => Err(format!("{reply:?}")),
        });
    }

    /// Asks everything about this zone over every transport.
    fn ask_about(&self, zone: &str, collector: &mut Collector) {
        let mut requests = requests::about(zone);
        requests.extend(requests::for_copies_of(zone));
        requests.extend(requests::about_nothing());
        requests.extend([OUR_KEY, "unknown.test"].into_iter().flat_map(|name| signed(zone, name)));
        self.over_udp(&requests, Mute::Never, collector);
        self.over_connections(&requests, Mute::Never, collector);
        let malformed = requests::malformed(zone);
        self.over_udp(&malformed, Mute::Perhaps, collector);
        self.over_connections(&malformed, Mute::Perhaps, collector);
    }

    fn over_udp(&self, requests: &[Request], mute: Mute, collector: &mut Collector) {
        let socket = UdpSocket::bind((STRANGER, 0)).unwrap();
        socket.connect(self.secondo.dns()).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let mut buffer = vec![0; dns::message::MESSAGE_OCTETS_MAX];
        for Request { what, octets } in requests {
            socket.send(octets).unwrap();
            let mut receive = |socket: &UdpSocket| {
                let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{what}, UDP: {error}"));
                buffer[..length].to_vec()
            };
            if mute == Mute::Perhaps {
                let last = last();
                socket.send(&last).unwrap();
                loop {
                    let message = receive(&socket);
                    let is_last = message[..2] == last[..2];
                    collector.add(&format!("{what}, UDP"), message);
                    if is_last {
                        break;
                    }
                }
            } else {
                collector.add(&format!("{what}, UDP"), receive(&socket));
            }
        }
    }

    fn over_connections(&self, requests: &[Request], mute: Mute, collector: &mut Collector) {
        over(requests, mute, "TCP", collector, || {
            let stream = TcpStream::connect(self.secondo.dns()).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            stream
        });
        over(requests, mute, "TLS", collector, || {
            Client::trusting(&self.authority).connect(self.over_tls, "dns.example").unwrap()
        });
    }
}

/// Whether there may be no answer.
#[derive(Clone, Copy, PartialEq)]
enum Mute {
    Never,
    Perhaps,
}

/// Sends each request, and a question behind it whose answer says that all has come; a connection that is closed in place
/// of that is made anew.
fn over<S: Read + Write>(
    requests: &[Request],
    mute: Mute,
    transport: &str,
    collector: &mut Collector,
    connect: impl Fn() -> S,
) {
    let mut stream = connect();
    let last = last();
    for Request { what, octets } in requests {
        let mut count = 0;
        // What cannot be sent any more is not answered either, which is found below.
        let _ = query::send(&mut stream, octets).and_then(|()| query::send(&mut stream, &last));
        loop {
            match query::receive(&mut stream) {
                Ok(message) => {
                    let is_last = message[..2] == last[..2];
                    collector.add(&format!("{what}, {transport}"), message);
                    if is_last {
                        break;
                    }
                    count += 1;
                }
                Err(_) => {
                    stream = connect();
                    break;
                }
            }
        }
        assert!(count > 0 || mute == Mute::Perhaps, "{what}, {transport}: no answer");
    }
}

/// The question behind others.
fn last() -> Vec<u8> {
    let mut octets = query::request(Opcode::QUERY, "last.invalid", Type::A, None);
    octets[..2].copy_from_slice(&[0xff, 0xff]);
    octets
}

/// Requests with this key: what it is answered and signed with is the name that was sent.
fn signed(zone: &str, name: &str) -> Vec<Request> {
    let now_secs = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let kinds = [(Opcode::QUERY, Type::AXFR), (Opcode::QUERY, Type::SOA), (Opcode::NOTIFY, Type::SOA)];
    let requests = kinds.map(|(opcode, qtype)| {
        let mut octets = query::request(opcode, zone, qtype, None);
        xfr::tsig::sign_request(&mut octets, key(name), now_secs);
        Request { what: format!("opcode {}, {zone} {qtype}, signed with {name}", opcode.0), octets }
    });
    requests.into()
}

fn key(name: &str) -> Arc<Key> {
    Arc::new(Key::from_base64(name.parse().unwrap(), Algorithm::HmacSha256, SECRET).unwrap())
}

fn hidden() -> Vec<Trace> {
    [Trace::of_address(HIDDEN.into()), Trace::of_address(HIDDEN_V6.into()), Trace::of_text(HIDDEN_KEY)]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn nothing_that_is_sent_shows_where_a_zone_is_copied_from_unless_the_zone_does() {
    let traces = hidden();
    for persona in ["", PERSONA] {
        let mut scene = Scene::new(persona);
        let mut collector = Collector::default();
        scene.is_notified(&mut collector);
        for zone in [ZONE, PENDING, DISABLED, CATALOG, MADE] {
            scene.ask_about(zone, &mut collector);
        }
        scene.expires();
        scene.ask_about(ZONE, &mut collector);
        let shown = collector.showing(&traces);
        assert!(shown.is_empty(), "of {} messages: {shown:#?}", collector.len());
        let says_its_name = !collector.showing(&Trace::of_text("node-1")).is_empty();
        assert_eq!(says_its_name, !persona.is_empty());

        // What the zone says itself is said, and would be found.
        let mut collector = Collector::default();
        scene.ask_about(SHOWN, &mut collector);
        let shown = collector.showing(&traces);
        for (name, trace) in
            [("www.shown.test A", "the octets of"), ("www.shown.test TXT", "the text"), ("AXFR", "the text")]
        {
            for transport in
                ["UDP", "TCP", "TLS"].into_iter().filter(|transport| (name, *transport) != ("AXFR", "UDP"))
            {
                let found = format!("{transport}: {trace} {HIDDEN}");
                assert!(
                    shown.iter().any(|line| line.contains(name) && line.ends_with(&found)),
                    "{name}, {found}: {shown:#?}"
                );
            }
        }
    }
}
