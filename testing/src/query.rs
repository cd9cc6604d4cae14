//! A small DNS client: one question, one answer, over UDP or TCP, with bounded waiting.
//!
//! It reads what Secondo and the peers send with our own reader; whole transfers are compared with `dig`, which is
//! not ours ([`transfer`]).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use dns::edns::{Edns, option};
use dns::writer::{CompressionTable, MessageWriter};
use dns::{CLASS_IN, Header, MessageReader, Name, NameBuf, Opcode, Question, Rcode, RecordRef, Section, Serial, Soa};
use dns::{Malformed, Type, text};

/// Both ends are on this machine: who has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

static NEXT_ID: AtomicU16 = AtomicU16::new(1);

/// What a server said.
#[derive(Clone, Debug)]
pub struct Reply {
    pub rcode: Rcode,
    pub flags: u16,
    /// The answer section, a line of zone file text for each record.
    pub answer: Vec<String>,
    pub authority: Vec<String>,
    /// The additional section without OPT and TSIG.
    pub additional: Vec<String>,
    /// The serial of the first SOA record in the answer section.
    pub serial: Option<Serial>,
    /// Codes of extended errors (RFC 8914).
    pub extended_errors: Vec<u16>,
}

impl Reply {
    pub fn is_authoritative(&self) -> bool {
        self.flags & Header::AA != 0
    }
}

/// Asks over UDP, and over TCP when the answer was cut short.
pub fn ask(server: SocketAddr, name: &str, qtype: Type) -> Result<Reply, String> {
    let reply = ask_udp(server, name, qtype)?;
    if reply.flags & Header::TC == 0 { Ok(reply) } else { ask_tcp(server, name, qtype) }
}

pub fn ask_udp(server: SocketAddr, name: &str, qtype: Type) -> Result<Reply, String> {
    let request = request(Opcode::QUERY, name, qtype, None);
    read_reply(&exchange_udp(Ipv4Addr::LOCALHOST, server, &request)?).map_err(|error| error.to_string())
}

pub fn ask_tcp(server: SocketAddr, name: &str, qtype: Type) -> Result<Reply, String> {
    let request = request(Opcode::QUERY, name, qtype, None);
    read_reply(&exchange_tcp(server, &request)?).map_err(|error| error.to_string())
}

/// The serial that a server answers with; an error says what it answered instead.
pub fn serial(server: SocketAddr, zone: &str) -> Result<u32, String> {
    let reply = ask(server, zone, Type::SOA)?;
    match reply.serial {
        Some(serial) if reply.rcode == Rcode::NOERROR => Ok(serial.0),
        _ => Err(format!("{server} has no SOA of {zone}: {reply:?}")),
    }
}

/// Succeeds when the server answers with this serial.
pub fn has_serial(server: SocketAddr, zone: &str, wanted: u32) -> Result<(), String> {
    let seen = serial(server, zone)?;
    if seen == wanted { Ok(()) } else { Err(format!("serial {seen} in place of {wanted}")) }
}

/// Sends an unsigned NOTIFY (RFC 1996) with this serial from an address of this machine (any of 127.0.0.0/8), and
/// returns the answer.
pub fn notify(from: Ipv4Addr, server: SocketAddr, zone: &str, serial: u32) -> Result<Reply, String> {
    let request = request(Opcode::NOTIFY, zone, Type::SOA, Some(serial));
    read_reply(&exchange_udp(from, server, &request)?).map_err(|error| error.to_string())
}

/// A whole transfer by `dig`, sorted: names as sent, one line for each record, the closing SOA left out.
pub fn transfer(server: SocketAddr, zone: &str) -> Result<Vec<String>, String> {
    let output = Command::new("dig")
        .args(["+noall", "+answer", "+onesoa", "+nocookie", "+time=5", "+tries=1"])
        .args([&format!("@{}", server.ip()), "-p", &server.port().to_string(), zone, "AXFR"])
        .output()
        .map_err(|error| format!("dig: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = printed
        .lines()
        .filter(|line| !line.starts_with(';') && !line.is_empty())
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    if lines.is_empty() {
        return Err(format!("{server} does not transfer {zone}: {printed}"));
    }
    lines.sort();
    Ok(lines)
}

/// The octets of a request; a NOTIFY may say which serial.
pub fn request(opcode: Opcode, name: &str, qtype: Type, serial: Option<u32>) -> Vec<u8> {
    let mut out = vec![0; 1_232];
    let mut table = CompressionTable::small();
    let name: Name = name.parse().expect("tests ask for names");
    let mut flags = Header::request_flags(opcode);
    if opcode == Opcode::NOTIFY {
        flags |= Header::AA;
    }
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, id, flags);
    let question = Question { name: NameBuf::from(name.borrow()), qtype, qclass: CLASS_IN };
    writer.question(&question).expect("a question fits");
    if let Some(serial) = serial {
        let rdata = text::rdata_from_text(Type::SOA, &format!("ns. host. {serial} 3600 600 604800 60"))
            .expect("an SOA record's text");
        let record = RecordRef { owner: name.borrow(), rtype: Type::SOA, ttl: 60, rdata: &rdata };
        writer.record(Section::Answer, record).expect("an SOA record fits");
    }
    writer.opt(1_232, Rcode::NOERROR, false, &[]).expect("an OPT record fits");
    let length = writer.finish();
    out.truncate(length);
    out
}

/// Sends one datagram from `from` and waits for the one that answers it.
pub fn exchange_udp(from: Ipv4Addr, server: SocketAddr, request: &[u8]) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| format!("{server}, UDP: {error}");
    let socket = UdpSocket::bind((from, 0)).map_err(words)?;
    socket.connect(server).map_err(words)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(words)?;
    socket.send(request).map_err(words)?;
    let mut buffer = vec![0; dns::message::MESSAGE_OCTETS_MAX];
    loop {
        let length = socket.recv(&mut buffer).map_err(words)?;
        if buffer[..length].get(..2) == request.get(..2) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

/// Sends one message over a connection of its own and waits for the first one that comes back.
pub fn exchange_tcp(server: SocketAddr, request: &[u8]) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| format!("{server}, TCP: {error}");
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE).map_err(words)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(words)?;
    send(&mut stream, request)?;
    receive(&mut stream)
}

/// Sends one message on a connection, in one write: over TLS in one record.
pub fn send(stream: &mut impl Write, message: &[u8]) -> Result<(), String> {
    let length = u16::try_from(message.len()).map_err(|error| error.to_string())?;
    let framed = [&length.to_be_bytes()[..], message].concat();
    stream.write_all(&framed).and_then(|()| stream.flush()).map_err(|error| error.to_string())
}

/// The next message on a connection. Over TLS the error of an end says whether it was announced (close_notify).
pub fn receive(stream: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).map_err(|error| error.to_string())?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
    stream.read_exact(&mut message).map_err(|error| error.to_string())?;
    Ok(message)
}

/// What a message that came back says.
pub fn read_reply(message: &[u8]) -> Result<Reply, Malformed> {
    let mut reader = MessageReader::new(message)?;
    let header = reader.header();
    let mut reply = Reply {
        rcode: header.rcode(),
        flags: header.flags,
        answer: Vec::new(),
        authority: Vec::new(),
        additional: Vec::new(),
        serial: None,
        extended_errors: Vec::new(),
    };
    while let Some(record) = reader.record()? {
        if record.rtype == Type::OPT {
            let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record))?;
            reply.rcode = Rcode(u16::from(edns.rcode_high) << 4 | header.rcode().0);
            let codes = edns.options().filter(|(code, data)| *code == option::EXTENDED_ERROR && data.len() >= 2);
            reply.extended_errors.extend(codes.map(|(_, data)| u16::from_be_bytes([data[0], data[1]])));
            continue;
        }
        if record.rtype == Type::TSIG {
            continue;
        }
        let mut rdata = Vec::new();
        reader.rdata(&record, &mut rdata)?;
        if record.section == Section::Answer && record.rtype == Type::SOA && reply.serial.is_none() {
            reply.serial = Soa::parse(&rdata).map(|soa| soa.serial);
        }
        let owner = record.owner.borrow();
        let line = text::record_to_text(RecordRef { owner, rtype: record.rtype, ttl: record.ttl, rdata: &rdata });
        match record.section {
            Section::Answer => reply.answer.push(line),
            Section::Authority => reply.authority.push(line),
            Section::Additional => reply.additional.push(line),
        }
    }
    reader.finish()?;
    Ok(reply)
}
