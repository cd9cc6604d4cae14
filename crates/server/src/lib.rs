//! The sockets around `answer`: UDP, TCP, TLS and QUIC, NOTIFY in, zones out to those who may take them, NOTIFY out.
//!
//! ```text
//! bind          addresses → sockets, or whose fault it is that there are none
//! udp, tcp      octets from and to the network; everything that waits has a deadline, everything that grows a bound
//!   conversation  one connection over TCP or TLS: replies and transfers beside each other
//! tls           the certificate, and the handshake; what comes after it is TCP's
//! quic          who is let in; visit: one connection; stream: one query
//! house         what all connections share
//! front         one message → one reply, the same for every transport
//!   peek          is it an ordinary query?  yes: `answer`, no: the desk
//!   desk          TSIG, NOTIFY, requests for transfers; request: what these ask, and short replies
//! transfer_out  one snapshot, or the differences that lead there, packed message by message; its places, its log lines
//! connections   places for connections
//! differences   the door to whoever keeps them
//! rate_limit    how often one network gets the same answer over UDP
//! notify_out    NOTIFY to those who copy from us
//! access        who may do what: plain tables, replaced as a whole
//! counters      what was seen and done
//! heard         NOTIFYs, added up for the ledger
//! queries       what is asked of each zone
//! ```
//!
//! Invariants: whatever strangers send, no thread ends, no memory grows without bound, and nobody is waited for without
//! a deadline; a NOTIFY does no more than put notes into bounded places; nothing here changes a zone.
//!
//! Does not do: deciding which zones there are, fetching anything, keeping differences.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod bind;
mod connections;
mod counters;
mod desk;
mod differences;
mod front;
mod heard;
mod house;
mod limits;
mod notify_out;
mod peek;
mod queries;
mod quic;
mod rate_limit;
mod request;
mod running;
mod tcp;
mod tls;
mod transfer_out;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;

use answer::{Persona, ZoneTable};
use arc_swap::ArcSwap;
use dns::{Name, Serial};
use xfr::Moment;
use zone::ZoneId;

pub use access::{Access, Admissions, Keys, Rules, Spread, TransferOut};
pub use bind::{BindError, Protocol, Secured, Sockets, bind};
pub use counters::{Counters, Event, Tally};
pub use differences::{Differences, NothingKept, Way};
pub use heard::{Heard, HeardNotify, Latest, Who};
pub use limits::Limits;
pub use notify_out::{AnnounceTally, Announcer, Random, announcer};
#[doc(hidden)]
pub use queries::benching;
pub use queries::{AskedFor, CameOf, Queries, QueryCounts, TakenQueries};
pub use rate_limit::RateLimit;
pub use running::{Running, serve};
pub use tls::{TlsError, TlsServer};

/// The clock that zones expire by.
pub type Now = Arc<dyn Fn() -> Moment + Send + Sync>;

/// What the sockets read and others replace.
#[derive(Clone)]
pub struct Shared {
    pub zones: Arc<ArcSwap<ZoneTable>>,
    /// Zones that are for those who may copy zones, and answered to nobody else (RFC 9432 §7).
    pub catalogs: Arc<ArcSwap<ZoneTable>>,
    pub access: Arc<ArcSwap<Access>>,
    /// What the server says of itself.
    pub persona: Arc<ArcSwap<Persona>>,
    pub differences: Arc<dyn Differences>,
    pub now: Now,
}

/// A primary says that a zone has changed, and may say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    pub zone: ZoneId,
    pub from: SocketAddr,
    /// A hint, no more: it can be forged where only the address was checked (RFC 1996 §3.7).
    pub serial: Option<Serial>,
    /// The key that signed it.
    pub signed_by: Option<Name>,
}
