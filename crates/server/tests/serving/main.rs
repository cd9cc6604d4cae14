//! The server from outside: real sockets on loopback, zones from text, clients that behave and clients that do not.

#![allow(clippy::unwrap_used)]

mod differences;
mod hostile;
mod notify;
mod notify_out;
mod pipelining;
mod queries;
mod quic;
mod rate_limit;
mod support;
mod tls;
mod transfers;
