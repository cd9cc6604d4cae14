//! The walk to a zone's parent: what the parent delegates, what the servers that it delegates to answer, and nothing from
//! anybody else's memory.
//!
//! ```text
//! root hints ──► the root's servers ──referral──► … ──referral──► the parent's servers, two of them
//!                                                                      │ NS, glue, DS
//!   delegation   what these two say about the zone ◄───────────────────┤
//!   challenge    TXT at _secondo-challenge.ZONE ◄──────────────────────┤ at the servers that they delegate to
//!   servers      does each answer for the zone, with which serial ◄────┘
//!
//! walk      from one cut to the next, and the addresses of name servers that have no glue
//! views     the last step: two of the parent's servers, side by side
//! reply     what a message says to a question put to a server of a certain zone: pure
//! exchange  one question to one server: sockets, deadlines, EDNS, TCP
//! budget    how much one walk may cost
//! hints     where the walk begins
//! kept      where the root refers for each TLD, from one walk to the next
//! compare   the parent's name servers beside those that are wanted: pure
//! ```
//!
//! Invariants: no resolver is ever asked, nor anything that answers from a cache (a resolver returns the child's NS
//! records, and fails where the child is lame, which is when somebody looks); every address passes the judge of
//! destinations before anything is sent to it; addresses of name servers are believed only from servers of a zone that
//! they lie in; nothing that servers say makes a walk longer than its budget.
//!
//! The walk asks for each name between the root and the zone in turn, so that no cut is passed over where one server has
//! several zones above each other (as those of `uk` have `co.uk`): asked for the zone at once, such a server answers from
//! the deepest, and the parent would be taken for the grandparent.
//!
//! A server that has the zone beside its parent answers from the zone (RFC 1034 §4.3.2): it hides what the parent
//! delegates, which nothing but the DS records then shows (RFC 4035 §3.1.4.1). So other servers of the parent are asked,
//! and what the zone's own say is kept apart ([`Said::Itself`]): resolvers see no more than that either, but it is
//! no word of the parent's. It does not prove that the parent has delegated anything.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod challenge;
pub mod compare;
mod exchange;
mod failure;
mod hints;
mod kept;
mod reply;
mod servers;
mod views;
mod walk;

use std::sync::Arc;

use dns::Name;
use xfr::Destinations;

pub use budget::Limits;
pub use challenge::{CHALLENGE_LABEL, Challenge};
pub use failure::{Failure, Spent, Told, Trouble, Whose};
pub use hints::{Hints, NoHints};
pub use reply::{Denial, NsSet};
pub use servers::{Examined, Found, NameServer};
pub use views::{Delegation, Differences, Ds, Said, Verdict, View};

use kept::Kept;
use walk::Walk;

/// The port of name servers; delegations know no other (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// A name server at one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub name: Name,
    pub address: std::net::IpAddr,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

/// Walks to parents. Clones share what they keep of the root's referrals, and nothing else is kept.
#[derive(Clone, Debug)]
pub struct Walker {
    hints: Hints,
    destinations: Destinations,
    limits: Limits,
    port: u16,
    kept: Arc<Kept>,
}

impl Walker {
    pub fn new(hints: Hints, destinations: Destinations) -> Self {
        Self { hints, destinations, limits: Limits::default(), port: DNS_PORT, kept: Arc::default() }
    }

    /// The same with other bounds.
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with all name servers at this port, as tests without a network of their own have them.
    pub fn at_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// What the parent's servers say about the zone now.
    ///
    /// # Errors
    /// When the parent cannot be found, or none of its servers says anything.
    pub async fn delegation(&self, zone: &Name) -> Result<Delegation, Failure> {
        Walk::new(self).delegation(zone).await
    }

    /// The texts at the zone's challenge, from two of the servers to which the parent delegates now.
    ///
    /// # Errors
    /// As of [`Walker::delegation`].
    pub async fn challenge(&self, zone: &Name) -> Result<Challenge, Failure> {
        Walk::new(self).challenge(zone).await
    }

    /// Each of the servers to which the parent delegates now: whether it answers for the zone, and with which serial.
    ///
    /// # Errors
    /// As of [`Walker::delegation`].
    pub async fn servers(&self, zone: &Name) -> Result<Examined, Failure> {
        Walk::new(self).servers(zone).await
    }
}
