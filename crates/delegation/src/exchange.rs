//! One question to one server: the judge of its address, sockets, deadlines, EDNS, and TCP for what does not fit.
//!
//! Each query has a socket of its own, from a port that the kernel picks at random, and a random ID (RFC 5452 §9.2); the
//! socket hears nobody but the server. What comes and is no answer to the question is passed over: whoever only guesses
//! changes nothing. A server that does not know EDNS is asked without.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use dns::{Header, MessageReader, Rcode, query};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};
use xfr::Destinations;
use xfr::probe::EdnsOffer;

use crate::budget::Budget;
use crate::failure::Trouble;
use crate::reply::{Question, Reply};

/// No answer to a query of ours is longer: we offer [`dns::edns::UDP_OCTETS`], and some send more.
const DATAGRAM_OCTETS_MAX: usize = 4096;
/// Messages over UDP that are no answer to the query: who sends more guesses, and is not waited for.
const STRAY_MAX: usize = 64;

/// The way to servers.
pub(crate) struct Exchange<'a> {
    pub(crate) destinations: &'a Destinations,
    pub(crate) port: u16,
    pub(crate) budget: &'a Budget,
}

/// A whole message, or the need for another try.
enum Came {
    Message(Vec<u8>),
    Truncated,
}

impl Exchange<'_> {
    /// Puts the question to the server at this address, and reads what it says.
    pub(crate) async fn ask(&self, server: IpAddr, question: Question<'_>) -> Result<Reply, Trouble> {
        let mut edns = EdnsOffer::Offered;
        loop {
            let message = match self.over_udp(server, question, edns).await? {
                Came::Message(message) => message,
                Came::Truncated => self.over_tcp(server, question, edns).await?,
            };
            // What it answers has been checked.
            let reader = MessageReader::new(&message)?;
            if edns == EdnsOffer::Offered && query::dislikes_edns(&reader) {
                edns = EdnsOffer::Without;
                continue;
            }
            return question.read(reader);
        }
    }

    /// Where to send to, judged anew for each datagram and each connection.
    fn way_to(&self, server: IpAddr) -> Result<SocketAddr, Trouble> {
        self.destinations.judge(server).map_err(Trouble::AddressRefused)?;
        Ok((server, self.port).into())
    }

    async fn over_udp(&self, server: IpAddr, question: Question<'_>, edns: EdnsOffer) -> Result<Came, Trouble> {
        let to = self.way_to(server)?;
        let (id, request) = request(question, edns)?;
        let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await.map_err(|error| unreachable(&error))?;
        // This sends nothing: where no way leads, the walk goes on as if the address were not there.
        socket.connect(to).await.map_err(|error| unreachable(&error))?;
        let until = self.budget.take(self.budget.limits().udp_try)?;
        let began = Instant::now();
        socket.send(&request).await.map_err(|error| unreachable(&error))?;
        let mut octets = vec![0; DATAGRAM_OCTETS_MAX];
        let mut stray = None;
        for _ in 0..STRAY_MAX {
            let Ok(received) = timeout_at(until, socket.recv(&mut octets)).await else { break };
            let message = &octets[..received.map_err(|error| unreachable(&error))?];
            match answer(message, id, question) {
                Ok(header) if header.has(Header::TC) => return Ok(Came::Truncated),
                Ok(_) => return Ok(Came::Message(message.to_vec())),
                Err(no_answer) => stray = Some(no_answer),
            }
        }
        Err(stray.map_or_else(|| silent(began), Trouble::NoAnswer))
    }

    async fn over_tcp(&self, server: IpAddr, question: Question<'_>, edns: EdnsOffer) -> Result<Vec<u8>, Trouble> {
        let to = self.way_to(server)?;
        let until = self.budget.take(self.budget.limits().tcp_try)?;
        let began = Instant::now();
        let (id, request) = request(question, edns)?;
        let exchanged = timeout_at(until, converse(to, &request)).await.map_err(|_| silent(began))?;
        let message = exchanged.map_err(|error| unreachable(&error))?;
        let header = answer(&message, id, question)?;
        if header.has(Header::TC) {
            return Err(Trouble::TruncatedOverTcp);
        }
        Ok(message)
    }
}

/// One message there and one back, each with its length before it (RFC 1035 §4.2.2), in one write (RFC 7766 §8).
async fn converse(to: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to).await?;
    let mut framed = (request.len() as u16).to_be_bytes().to_vec();
    framed.extend(request);
    stream.write_all(&framed).await?;
    let mut message = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// A query and its ID.
fn request(question: Question<'_>, edns: EdnsOffer) -> Result<(u16, Vec<u8>), Trouble> {
    let mut octets = [0; 2];
    getrandom::fill(&mut octets)
        .map_err(|error| Trouble::Ours { detail: format!("the system gave no random numbers: {error}") })?;
    let id = u16::from_be_bytes(octets);
    let Question { name, qtype, .. } = question;
    Ok(match edns {
        EdnsOffer::Offered => (id, query::octets_with_edns(id, name, qtype, &[])),
        EdnsOffer::Without => (id, query::octets(id, name, qtype)),
    })
}

/// The header of what answers the question. Only an error may come without the question: of an answer it is half of what
/// tells a server from somebody who guesses.
fn answer(message: &[u8], id: u16, question: Question<'_>) -> Result<Header, query::NoAnswer> {
    let header = query::open(message, id, question.name, question.qtype)?.header();
    if header.counts[0] == 0 && matches!(header.rcode(), Rcode::NOERROR | Rcode::NXDOMAIN) {
        return Err(query::NoAnswer::WrongQuestion);
    }
    Ok(header)
}

fn silent(began: Instant) -> Trouble {
    Trouble::Silent { millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

fn unreachable(error: &io::Error) -> Trouble {
    if matches!(error.kind(), ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown) {
        return Trouble::NoRoute;
    }
    let detail = match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => "it closed the connection".to_owned(),
        _ => error.to_string(),
    };
    Trouble::Unreachable { detail }
}
