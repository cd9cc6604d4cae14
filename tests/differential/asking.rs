//! Asking one server many questions: over UDP with many under way at a time, over one connection one after the other.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use dns::message::MESSAGE_OCTETS_MAX;
use testing::query::{receive, send};

use crate::answers::{Answer, Heard};
use crate::queries::Query;

/// Questions under way at a time: fewer than a socket's buffer holds answers.
const UNDER_WAY_MAX: usize = 48;
/// How long nothing may come before everything under way is asked again.
const QUIET: Duration = Duration::from_millis(1_500);
const TRIES_MAX: u32 = 4;
/// How long one answer on a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server says to each question over UDP, in their order.
pub(crate) fn over_udp(server: SocketAddr, queries: &[&Query]) -> Vec<Heard> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.connect(server).expect("loopback can be reached");
    socket.set_read_timeout(Some(QUIET)).expect("a socket can have a deadline");
    let mut heard: Vec<Option<Heard>> = queries.iter().map(|_| None).collect();
    let mut under_way: HashMap<u16, (usize, u32)> = HashMap::new();
    let mut next = 0;
    let mut buffer = vec![0; MESSAGE_OCTETS_MAX];
    let ask = |index: usize| socket.send(&queries[index].to_message(id(index))).is_ok();
    while next < queries.len() || !under_way.is_empty() {
        while next < queries.len() && under_way.len() < UNDER_WAY_MAX {
            ask(next);
            under_way.insert(id(next), (next, 1));
            next += 1;
        }
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let message = &buffer[..length];
                let Some(id) = message.get(..2).map(|id| u16::from_be_bytes([id[0], id[1]])) else { continue };
                // What was asked twice may be answered twice.
                if let Some((index, _)) = under_way.remove(&id) {
                    heard[index] = Some(Answer::read(message).map_or_else(Heard::Garbage, Heard::Answer));
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                under_way.retain(|_, (_, tries)| *tries < TRIES_MAX);
                for (index, tries) in under_way.values_mut() {
                    *tries += 1;
                    ask(*index);
                }
            }
            Err(error) => panic!("{server} over UDP: {error}"),
        }
    }
    heard.into_iter().map(|heard| heard.unwrap_or(Heard::Silence)).collect()
}

/// A question's number modulo 2¹⁶: never so many are under way that two would have one.
fn id(index: usize) -> u16 {
    (index % 65_536) as u16
}

/// The same over TCP.
pub(crate) fn over_tcp(server: SocketAddr, queries: &[&Query]) -> Vec<Heard> {
    let mut connection = None;
    queries.iter().map(|query| on_connection(server, &mut connection, query)).collect()
}

fn on_connection(server: SocketAddr, connection: &mut Option<TcpStream>, query: &Query) -> Heard {
    for _ in 0..TRIES_MAX {
        // A server may have closed the one that there was.
        let mut stream = match connection.take().map_or_else(|| TcpStream::connect(server), Ok) {
            Ok(stream) => stream,
            Err(error) => panic!("{server} over TCP: {error}"),
        };
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket can have a deadline");
        stream.set_nodelay(true).expect("a socket can be told so");
        if send(&mut stream, &query.to_message(1)).is_err() {
            continue;
        }
        if let Ok(message) = receive(&mut stream) {
            *connection = Some(stream);
            return Answer::read(&message).map_or_else(Heard::Garbage, Heard::Answer);
        }
    }
    Heard::Silence
}
