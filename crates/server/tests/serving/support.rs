//! A server with zones from text, and clients for it. Every read has a deadline, so that a test that waits in vain
//! fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use answer::{Contents, Persona, ServedZone, ZoneTable};
use arc_swap::ArcSwap;
use dns::text::{rdata_from_text, zone_from_text};
use dns::writer::CompressionTable;
use dns::{CLASS_IN, Header, MessageReader, MessageWriter, Name, Opcode, Question, Rcode, RecordRef, Section, Type};
use server::{
    Access, Counters, Differences, Heard, Limits, NothingKept, Notified, Queries, Running, Shared, Tally, TlsServer,
    bind, serve,
};
use socket2::{Domain, Socket};
use testing::certificate::Certificate;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use xfr::Moment;
use xfr::notify::{Checks, NotifyRule};
use xfr::policy::NotifyTrust;
use xfr::tsig::{Algorithm, Key};
use zone::{Change, Generation, Snapshot, TenantId, ZoneId, advance};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const ZONE: &str = "\
@ 3600 SOA ns1 hostmaster 7 7200 3600 1209600 300
@ 3600 NS ns1
ns1 3600 A 192.0.2.1
www 60 A 192.0.2.80
Mixed.Case 60 TXT \"kept\"
";

pub(crate) struct Server {
    runtime: Runtime,
    running: Option<Running>,
    pub(crate) notifies: mpsc::Receiver<Notified>,
    pub(crate) access: Arc<ArcSwap<Access>>,
    pub(crate) address: SocketAddr,
    /// Where it speaks TLS.
    pub(crate) tls_address: Option<SocketAddr>,
    /// Where it speaks QUIC.
    pub(crate) quic_address: Option<SocketAddr>,
    /// What it shows over TLS and QUIC.
    pub(crate) tls: Option<TlsServer>,
    pub(crate) counters: Counters,
    pub(crate) heard: Heard,
    pub(crate) queries: Queries,
}

pub(crate) struct Setup {
    pub(crate) listen: &'static str,
    /// Beside that.
    pub(crate) listen_too: Vec<SocketAddr>,
    pub(crate) zones: Vec<Arc<ServedZone>>,
    pub(crate) catalogs: Vec<Arc<ServedZone>>,
    pub(crate) access: Access,
    pub(crate) differences: Arc<dyn Differences>,
    pub(crate) limits: Limits,
    pub(crate) persona: Persona,
    pub(crate) notifies_max: usize,
    /// Shown over TLS and QUIC; without it there is neither.
    pub(crate) certificate: Option<Certificate>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0",
            listen_too: Vec::new(),
            zones: vec![live(1, "example.", ZONE)],
            catalogs: Vec::new(),
            access: Access::default(),
            differences: Arc::new(NothingKept),
            limits: Limits::default(),
            persona: Persona::default(),
            notifies_max: 16,
            certificate: None,
        }
    }
}

impl Setup {
    pub(crate) fn start(self) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let inside = runtime.enter();
        let zones = Arc::new(ArcSwap::from_pointee(ZoneTable::new(self.zones)));
        let access = Arc::new(ArcSwap::from_pointee(self.access));
        let (sender, notifies) = mpsc::channel(self.notifies_max);
        let listen = self.listen.parse().unwrap();
        let mut sockets = bind(&[&[listen], &self.listen_too[..]].concat(), 2).unwrap();
        let tls = self.certificate.map(|shown| TlsServer::new(shown.chain(), shown.key()).unwrap());
        if let Some(tls) = &tls {
            sockets = sockets.with_tls(&[listen], tls.clone()).unwrap();
            sockets = sockets.with_quic(&[listen], tls.clone()).unwrap();
        }
        let shared = Shared {
            zones,
            catalogs: Arc::new(ArcSwap::from_pointee(ZoneTable::new(self.catalogs))),
            access: access.clone(),
            persona: Arc::new(ArcSwap::from_pointee(self.persona)),
            differences: self.differences,
            now: Arc::new(|| Moment(0)),
        };
        let running = serve(sockets, shared, sender, self.limits).unwrap();
        let (address, counters) = (running.addresses()[0], running.counters().clone());
        let tls_address = running.tls_addresses().first().copied();
        let quic_address = running.quic_addresses().first().copied();
        let (heard, queries) = (running.heard().clone(), running.queries().clone());
        drop(inside);
        let running = Some(running);
        Server {
            runtime,
            running,
            notifies,
            access,
            address,
            tls_address,
            quic_address,
            tls,
            counters,
            heard,
            queries,
        }
    }
}

impl Server {
    pub(crate) fn udp(&self) -> UdpClient {
        self.udp_at(self.address)
    }

    pub(crate) fn udp_at(&self, address: SocketAddr) -> UdpClient {
        let any = if address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(any).unwrap();
        // Replies from any other address do not come through.
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        UdpClient(socket)
    }

    pub(crate) fn tcp(&self) -> TcpClient {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        TcpClient(stream)
    }

    /// A TCP connection to the port for TLS, on which nothing has been said yet.
    pub(crate) fn at_tls(&self) -> TcpClient {
        let stream = TcpStream::connect(self.tls_address.unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        TcpClient(stream)
    }

    /// Stops it, and gives the final numbers.
    pub(crate) fn stop(mut self) -> Tally {
        self.runtime.block_on(self.running.take().unwrap().stop());
        self.counters.read()
    }
}

pub(crate) struct UdpClient(pub(crate) UdpSocket);

impl UdpClient {
    pub(crate) fn send(&self, message: &[u8]) {
        self.0.send(message).unwrap();
    }

    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut octets = vec![0; 65_535];
        let length = self.0.recv(&mut octets).unwrap();
        octets.truncate(length);
        octets
    }

    pub(crate) fn ask(&self, message: &[u8]) -> Vec<u8> {
        self.send(message);
        self.receive()
    }
}

pub(crate) struct TcpClient(pub(crate) TcpStream);

impl TcpClient {
    pub(crate) fn send(&mut self, message: &[u8]) {
        self.0.write_all(&framed(message)).unwrap();
    }

    /// The next message; none when the server has closed the connection.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 2];
        match self.0.read(&mut length[..1]) {
            Ok(0) => return None,
            Ok(_) => self.0.read_exact(&mut length[1..]).unwrap(),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}"),
        }
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut message).unwrap();
        Some(message)
    }

    pub(crate) fn ask(&mut self, message: &[u8]) -> Vec<u8> {
        self.send(message);
        self.receive().expect("the server answers")
    }
}

/// A connection from an address of this machine.
pub(crate) fn connect_from(address: [u8; 4], server: &Server) -> TcpClient {
    let socket = Socket::new(Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
    socket.connect(&server.address.into()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    TcpClient(socket.into())
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

pub(crate) fn live(id: u64, apex: &str, text: &str) -> Arc<ServedZone> {
    let apex: Name = apex.parse().unwrap();
    let records = zone_from_text(&apex.to_string(), text).unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [7; 16], zone::Limits::default()).unwrap().image;
    let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image }));
    Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex, contents))
}

pub(crate) fn absent(id: u64, apex: &str) -> Arc<ServedZone> {
    Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex.parse().unwrap(), Contents::Absent))
}

pub(crate) fn expired(id: u64, apex: &str) -> Arc<ServedZone> {
    Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex.parse().unwrap(), Contents::Expired))
}

pub(crate) fn key(name: &str, algorithm: Algorithm) -> Arc<Key> {
    Arc::new(Key::new(name.parse().unwrap(), algorithm, b"a secret of two octets and thirty".to_vec()).unwrap())
}

/// NOTIFYs for the zone with the ID 1 are taken from this machine.
pub(crate) fn notified_from_here() -> Access {
    let senders = ["127.0.0.1".parse().unwrap()].into();
    let rule = NotifyRule {
        zone: ZoneId(1),
        tenant: TenantId::DEFAULT,
        senders,
        keys: [].into(),
        trust: NotifyTrust::Any,
        checks: Checks::Made,
    };
    let mut access = Access::default();
    access.notify.insert("example.".parse().unwrap(), [rule].into());
    access
}

/// A message with one question and maybe an SOA with this serial in a section.
pub(crate) fn message(opcode: Opcode, name: &str, qtype: Type, soa: Option<(Section, u32)>) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let flags = Header::request_flags(opcode);
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 4711, flags);
    let name: Name = name.parse().unwrap();
    writer.question(&Question { name: name.borrow().into(), qtype, qclass: CLASS_IN }).unwrap();
    if let Some((section, serial)) = soa {
        let rdata = rdata_from_text(Type::SOA, &format!("a. b. {serial} 1 1 1 1")).unwrap();
        let record = RecordRef { owner: name.borrow(), rtype: Type::SOA, ttl: 0, rdata: &rdata };
        writer.record(section, record).unwrap();
    }
    let length = writer.finish();
    out.truncate(length);
    out
}

pub(crate) fn query(name: &str, qtype: Type) -> Vec<u8> {
    message(Opcode::QUERY, name, qtype, None)
}

/// With an OPT record that asks when the copy expires (RFC 7314).
pub(crate) fn asking_expire(message: Vec<u8>) -> Vec<u8> {
    let mut message = with_edns(message, 1232);
    let length = message.len();
    message[length - 1] = 4;
    message.extend([0, 9, 0, 0]);
    message
}

/// With an OPT record that takes so many octets over UDP.
pub(crate) fn with_edns(mut message: Vec<u8>, udp_octets: u16) -> Vec<u8> {
    message[11] += 1;
    message.extend([0, 0, 41]);
    message.extend(udp_octets.to_be_bytes());
    message.extend([0; 6]);
    message
}

pub(crate) fn header(message: &[u8]) -> Header {
    Header::parse(message).unwrap()
}

pub(crate) fn rcode(message: &[u8]) -> Rcode {
    header(message).rcode()
}

/// The types of a message's records, in order; fails if it cannot be read to its end.
pub(crate) fn types(message: &[u8]) -> Vec<Type> {
    let mut reader = MessageReader::new(message).unwrap();
    let mut types = Vec::new();
    while let Some(record) = reader.record().unwrap() {
        types.push(record.rtype);
    }
    reader.finish().unwrap();
    types
}

pub(crate) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
