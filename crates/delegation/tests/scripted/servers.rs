//! Name servers that say what a test tells them: each at an address of its own of this machine, all at one port.
//!
//! A script gets the address that was asked, the question and the way that it came, and gives what is sent back. All
//! questions are on record.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use delegation::{Hints, Walker};
use dns::text::zone_from_text;
use dns::writer::{CompressionTable, MessageWriter};
use dns::{Header, MessageReader, Question, Rcode, Section, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use xfr::Destinations;

/// Where the root's only server is.
pub(crate) const ROOT: Ipv4Addr = Ipv4Addr::new(127, 0, 71, 1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    Tcp,
}

/// One question that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) at: Ipv4Addr,
    pub(crate) name: String,
    pub(crate) qtype: Type,
    pub(crate) way: Way,
    pub(crate) has_edns: bool,
    pub(crate) wants_recursion: bool,
    pub(crate) id: u16,
    /// The client's.
    pub(crate) port: u16,
}

/// What a script has to say.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Nothing,
    Message(Message),
    /// One after the other.
    Several(Vec<Message>),
    /// These octets, with the query's ID before them.
    Octets(Vec<u8>),
}

/// A message; its records are lines of a zone file with absolute names.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) flags: u16,
    pub(crate) rcode: Rcode,
    pub(crate) answer: String,
    pub(crate) authority: String,
    pub(crate) additional: String,
    /// Added to the query's ID.
    pub(crate) id_off: u16,
    /// In place of the question that was asked.
    pub(crate) question: Option<(&'static str, Type)>,
}

impl Message {
    pub(crate) fn new(flags: u16) -> Self {
        let text = String::new();
        let (answer, authority, additional) = (text.clone(), text.clone(), text);
        Self { flags, rcode: Rcode::NOERROR, answer, authority, additional, id_off: 0, question: None }
    }

    pub(crate) fn answer(records: &str) -> Self {
        Self { answer: records.into(), ..Self::new(Header::AA) }
    }

    /// `zone` is delegated to these name servers, with this glue.
    pub(crate) fn referral(zone: &str, to: &[&str], glue: &[(&str, &str)]) -> Self {
        let authority = to.iter().map(|name| format!("{zone} 60 NS {name}\n")).collect();
        let additional = glue.iter().map(|(name, address)| format!("{name} 60 A {address}\n")).collect();
        Self { authority, additional, ..Self::new(0) }
    }

    pub(crate) fn denial(zone: &str, rcode: Rcode) -> Self {
        let authority = format!("{zone} 60 SOA ns.{zone} host.{zone} 1 2 3 4 5\n");
        Self { authority, rcode, ..Self::new(Header::AA) }
    }

    pub(crate) fn error(rcode: Rcode) -> Self {
        Self { rcode, ..Self::new(0) }
    }

    pub(crate) fn octets(&self, query: &[u8]) -> Vec<u8> {
        let mut reader = MessageReader::new(query).unwrap();
        let id = reader.header().id.wrapping_add(self.id_off);
        let mut question = reader.question().unwrap().unwrap();
        if let Some((name, qtype)) = self.question {
            let name: dns::Name = name.parse().unwrap();
            question = Question { name: name.borrow().into(), qtype, qclass: question.qclass };
        }
        let (mut out, mut table) = (vec![0; 65_535], CompressionTable::small());
        let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, id, self.flags | Header::QR);
        writer.set_rcode(self.rcode);
        writer.question(&question).unwrap();
        let sections = [
            (Section::Answer, &self.answer),
            (Section::Authority, &self.authority),
            (Section::Additional, &self.additional),
        ];
        for (section, text) in sections {
            for record in &zone_from_text(".", text).unwrap() {
                writer.record(section, record).unwrap();
            }
        }
        let length = writer.finish();
        out.truncate(length);
        out
    }
}

impl From<Message> for Say {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

type Script = dyn Fn(&Asked) -> Say + Send + Sync;

/// Servers that run until they are dropped.
pub(crate) struct Servers {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    _serving: JoinSet<()>,
}

impl Servers {
    /// Has servers at [`ROOT`] and at 127.0.71.2 and so on, so many in all.
    pub(crate) async fn start(count: u8, script: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let (script, asked): (Arc<Script>, _) = (Arc::new(script), Arc::<Mutex<Vec<Asked>>>::default());
        let mut serving = JoinSet::new();
        let port = testing::port::free().port();
        for last in 1..=count {
            let at = Ipv4Addr::new(127, 0, 71, last);
            let address = SocketAddr::from((at, port));
            let (udp, tcp) = (UdpSocket::bind(address).await.unwrap(), TcpListener::bind(address).await.unwrap());
            serving.spawn(serve_udp(udp, at, script.clone(), asked.clone()));
            serving.spawn(serve_tcp(tcp, at, script.clone(), asked.clone()));
        }
        Self { port, asked, _serving: serving }
    }

    /// Who walks to their root, wherever else addresses lead.
    pub(crate) fn walker(&self) -> Walker {
        self.walker_to(Destinations::Anything)
    }

    pub(crate) fn walker_to(&self, destinations: Destinations) -> Walker {
        let hints: Hints = format!(". NS a.root.\na.root. A {ROOT}\n").parse().unwrap();
        Walker::new(hints, destinations).at_port(self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many questions came to 127.0.71.`last`.
    pub(crate) fn count_at(&self, last: u8) -> usize {
        self.asked().iter().filter(|asked| asked.at.octets()[3] == last).count()
    }
}

/// Where, how and from whom a question came.
type Came = (Ipv4Addr, Way, SocketAddr);

async fn serve_udp(socket: UdpSocket, at: Ipv4Addr, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut query = vec![0; 65_535];
    loop {
        // A client that is gone shows as an error here.
        let Ok((length, client)) = socket.recv_from(&mut query).await else { continue };
        for message in said(&query[..length], (at, Way::Udp, client), &script, &asked) {
            let _ = socket.send_to(&message, client).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, at: Ipv4Addr, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    loop {
        let Ok((stream, client)) = listener.accept().await else { continue };
        let _ = converse(stream, (at, Way::Tcp, client), &script, &asked).await;
    }
}

async fn converse(
    mut stream: TcpStream,
    came: Came,
    script: &Arc<Script>,
    asked: &Arc<Mutex<Vec<Asked>>>,
) -> std::io::Result<()> {
    let mut query = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut query).await?;
    for message in said(&query, came, script, asked) {
        stream.write_u16(u16::try_from(message.len()).unwrap()).await?;
        stream.write_all(&message).await?;
    }
    Ok(())
}

fn said(query: &[u8], came: Came, script: &Arc<Script>, asked: &Arc<Mutex<Vec<Asked>>>) -> Vec<Vec<u8>> {
    let (at, way, client) = came;
    let mut reader = MessageReader::new(query).unwrap();
    let question = reader.question().unwrap().unwrap();
    let header = reader.header();
    let question = Asked {
        at,
        name: question.name.to_string(),
        qtype: question.qtype,
        way,
        has_edns: header.counts[3] == 1,
        wants_recursion: header.has(Header::RD),
        id: header.id,
        port: client.port(),
    };
    asked.lock().unwrap().push(question.clone());
    match script(&question) {
        Say::Nothing => Vec::new(),
        Say::Message(message) => vec![message.octets(query)],
        Say::Several(messages) => messages.iter().map(|message| message.octets(query)).collect(),
        Say::Octets(octets) => vec![[&query[..2], &octets].concat()],
    }
}
