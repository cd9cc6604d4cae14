//! The sockets of a scripted primary.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::behaviour::{Behaviour, Order};
use super::message::{Origin, Transport};
use super::respond::respond;
use super::state::{Shared, State};
use super::tls;

/// What is done on a connection, one after the other.
#[derive(Debug)]
pub enum Action {
    /// A message, with its length before it on TCP.
    Send(Vec<u8>),
    /// A message so many octets at a time.
    Trickle { message: Vec<u8>, octets: usize, pause: Duration },
    /// The first half of a message under the length of the whole; then the connection closes.
    Part(Vec<u8>),
    /// The same message for ever.
    Repeat(Vec<u8>),
    /// Nothing more, but the connection stays open until the client closes it.
    Hang,
    /// Says that this is the end, and closes.
    Close,
    /// Closes without saying anything, which only TLS tells from the other.
    Cut,
}

pub(super) struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
    tls: TcpListener,
}

/// UDP and TCP on one free port, and another for TLS.
pub(super) async fn bind(address: IpAddr) -> Sockets {
    for _ in 0..100 {
        let tcp = TcpListener::bind((address, 0)).await.expect("a TCP port");
        let plain = tcp.local_addr().expect("an address");
        if let Ok(udp) = UdpSocket::bind(plain).await {
            let tls = TcpListener::bind((address, 0)).await.expect("a port for TLS");
            return Sockets { udp, tcp, tls };
        }
    }
    panic!("no port is free for both UDP and TCP");
}

impl Sockets {
    pub(super) fn address(&self) -> SocketAddr {
        self.tcp.local_addr().expect("an address")
    }

    pub(super) fn tls_address(&self) -> SocketAddr {
        self.tls.local_addr().expect("an address")
    }

    pub(super) async fn serve(self, shared: Arc<Shared>) {
        tokio::join!(
            serve_udp(self.udp, shared.clone()),
            serve_connections(self.tcp, Transport::Tcp, shared.clone()),
            serve_connections(self.tls, Transport::Tls, shared)
        );
    }
}

async fn serve_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let mut query = vec![0; 65_535];
    let origin = Origin { transport: Transport::Udp, number: 1 };
    loop {
        // On Linux a client that is gone shows as an error here: that is no reason to stop.
        let Ok((length, client)) = socket.recv_from(&mut query).await else { continue };
        let actions = shared.change(|state| respond(state, &query[..length], origin));
        for action in actions {
            if let Action::Send(message) = action {
                let _ = socket.send_to(&message, client).await;
            }
        }
    }
}

async fn serve_connections(listener: TcpListener, transport: Transport, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            shared.change(|state| {
                *state.accepted(transport) += 1;
                state.connections += 1;
                state.connections_most = state.connections_most.max(state.connections);
            });
            let _ = serve(stream, transport, &shared).await;
            shared.change(|state| state.connections -= 1);
        });
    }
}

async fn serve(stream: TcpStream, transport: Transport, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if transport == Transport::Tls {
        tls::serve(stream, shared).await
    } else {
        converse(stream, transport, shared).await
    }
}

/// Answers whatever comes on one connection.
pub(super) async fn converse<S>(mut stream: S, transport: Transport, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut number = 0;
    let mut waiting = Vec::new();
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        number += 1;
        waiting.push(shared.change(|state| {
            state.requests_most = state.requests_most.max(number);
            respond(state, &query, Origin { transport, number })
        }));
        let Some(actions) = shared.look(|state| in_order(state, &mut waiting)) else { continue };
        for action in actions {
            if act(&mut stream, action).await?.is_break() {
                return Ok(());
            }
        }
    }
}

/// What is done about the requests that wait, when there are enough of them.
fn in_order(state: &State, waiting: &mut Vec<Vec<Action>>) -> Option<Vec<Action>> {
    let gathering = state.told(|behaviour| match behaviour {
        Behaviour::Gather { requests, order } => Some((*requests, *order)),
        _ => None,
    });
    let (enough, order) = gathering.unwrap_or((1, Order::Reversed));
    if waiting.len() < enough {
        return None;
    }
    let answers = std::mem::take(waiting);
    Some(match order {
        Order::Reversed => answers.into_iter().rev().flatten().collect(),
        Order::Interleaved => interleaved(answers),
    })
}

/// The first of each, then the second of each, and so on.
fn interleaved(answers: Vec<Vec<Action>>) -> Vec<Action> {
    let mut all = Vec::new();
    let mut rest: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
    while !rest.is_empty() {
        rest.retain_mut(|answer| answer.next().map(|action| all.push(action)).is_some());
    }
    all
}

async fn act<S>(stream: &mut S, action: Action) -> io::Result<ControlFlow<()>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match action {
        Action::Send(message) => stream.write_all(&framed(&message)).await?,
        Action::Trickle { message, octets, pause } => {
            for piece in framed(&message).chunks(octets) {
                stream.write_all(piece).await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
        }
        Action::Part(message) => {
            stream.write_all(&framed(&message)[..message.len() / 2]).await?;
            stream.shutdown().await?;
            return Ok(ControlFlow::Break(()));
        }
        Action::Repeat(message) => loop {
            stream.write_all(&framed(&message)).await?;
        },
        Action::Hang => {
            while stream.read(&mut [0; 64]).await? > 0 {}
            return Ok(ControlFlow::Break(()));
        }
        Action::Close => {
            stream.shutdown().await?;
            return Ok(ControlFlow::Break(()));
        }
        Action::Cut => return Ok(ControlFlow::Break(())),
    }
    stream.flush().await?;
    Ok(ControlFlow::Continue(()))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut octets = (message.len() as u16).to_be_bytes().to_vec();
    octets.extend(message);
    octets
}
