//! What a doctor does with a zone that will not be copied: asks its primaries everything that can be asked, says what is
//! wrong and whose fault it is, and writes down the lines that put it right there.
//!
//! ```text
//! walk        one primary, step by step ──► steps, and what was seen
//!   └► line       the questions' way to it: datagrams, connections, TLS
//!        └► question  one question and its answer
//! together    what all primaries together say: serials, also beside ours, NS records, timers
//! software    what the primary may be, by what it says and how it behaves
//! paste       the lines for its configuration
//! step        what is said: steps, outcomes, sentences      concern   what is wrong without making an attempt fail
//! ```
//!
//! What can make an attempt fail is said with the attempt's own [`Reason`](xfr::Reason), code, fault and advice. Invariants:
//! everything is bounded and over by [`EXAMINATION_MAX`]; nothing is changed here or there; a transfer is begun to see
//! whether it is allowed, and given up as soon as that is known; what is to go over TLS goes over nothing else.
//!
//! Deliberately not here: names are not looked up, and so nobody is asked but the primaries.

mod concern;
mod line;
mod paste;
mod question;
mod software;
mod step;
mod together;
mod walk;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dns::{Name, Serial, Soa};
use tokio::time::Instant;
use xfr::Pin;
use xfr::notify::Decline;

use crate::{Primary, Transfers};

pub use concern::Concern;
pub use paste::{Part, Paste, SECRET, Us, Way, zone_file};
pub use software::{Guess, Software};
pub use step::{Cause, Outcome, Step, StepName};

/// For one examination: a primary that answers needs a second, one that is mute some twenty.
pub const EXAMINATION_MAX: Duration = Duration::from_secs(60);

/// What is to be examined.
#[derive(Clone, Debug)]
pub struct Patient {
    pub zone: Name,
    pub primaries: Vec<Primary>,
    /// Where the world is to ask us; empty when that is not known.
    pub own_addresses: Vec<IpAddr>,
    pub notifies: Notifies,
    /// None where no version of the zone is here.
    pub ours: Option<Ours>,
}

/// The version that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ours {
    pub serial: Serial,
    pub takes: Takes,
}

/// Which other versions are taken in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Newer,
    /// Its owner has set so, or it has expired.
    OlderToo,
    /// It is frozen.
    None,
}

/// Whether the primaries' NOTIFYs reach us, which no question to them shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notifies {
    /// The zone is not here, or nobody has kept a record.
    Unknown,
    /// None has come.
    None,
    /// The last one was taken.
    Taken,
    /// The last one was not.
    Declined { from: String, why: Decline },
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Those of each primary in the order in which they were given, then those of all together.
    pub steps: Vec<Step>,
    pub primaries: Vec<Examined>,
}

/// What is known of a primary besides its steps.
#[derive(Clone, Debug)]
pub struct Examined {
    pub address: SocketAddr,
    /// The address of ours that it sees.
    pub source: Option<IpAddr>,
    /// Of the key that it shows over TLS.
    pub pin: Option<Pin>,
    pub guess: Guess,
}

/// A version of the zone as one primary shows it.
#[derive(Clone, Debug)]
struct Seen {
    primary: SocketAddr,
    soa: Soa,
    soa_rdata: Vec<u8>,
    /// The names in its NS records, in lower case; or why they are not known.
    name_servers: Result<BTreeSet<Name>, String>,
    /// Of name servers within the zone; none for those that have none.
    addresses: Vec<(Name, Vec<IpAddr>)>,
}

/// Why it was not looked at what a primary holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unseen {
    /// It has not shown the zone.
    NotShown,
    /// Our signed query to it failed, and it may have shown the SOA record all the same.
    SignedFailed(SocketAddr),
}

pub(crate) async fn examine(transfers: &Transfers, patient: &Patient) -> Examination {
    let until = Instant::now() + EXAMINATION_MAX;
    let mut walks = tokio::task::JoinSet::new();
    for (index, primary) in patient.primaries.iter().cloned().enumerate() {
        let (transfers, zone) = (transfers.clone(), patient.zone.clone());
        walks.spawn(async move { (index, walk::walk(&transfers, &zone, &primary, until).await) });
    }
    let mut walked = walks.join_all().await;
    walked.sort_by_key(|(index, _)| *index);
    let mut examination = Examination { steps: Vec::new(), primaries: Vec::new() };
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for (_, walked) in walked {
        examination.steps.extend(walked.steps);
        examination.primaries.push(walked.examined);
        match walked.seen {
            Ok(version) => seen.push(version),
            Err(why) => unseen.push(why),
        }
    }
    examination.steps.extend(together::steps(patient, &seen, &unseen));
    examination
}
