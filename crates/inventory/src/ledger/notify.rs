//! NOTIFYs, as they are put on record and as they are read back.

use std::net::IpAddr;

use dns::{Name, Serial};
use xfr::notify::Channel;
use xfr::{Moment, Prefix};

/// NOTIFYs for one zone that were alike; the row that they become may stand for many more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    pub sender: NotifySender,
    /// Of strangers, how the last one came.
    pub channel: Channel,
    /// The key that the last one was signed with.
    pub signed_by: Option<Name>,
    /// What the last one said about the serial.
    pub serial: Option<Serial>,
    /// [`xfr::notify::Decline::code`]; none when they were taken. A row outlives the program that wrote it.
    pub declined: Option<String>,
    pub span: NotifySpan,
}

/// Who sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifySender {
    /// An address that the zone's owner has named, or that signed with a key of the zone.
    Known(IpAddr),
    /// Strangers, all those of a block of addresses together.
    Strangers(Prefix),
}

/// When they came, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotifySpan {
    pub first: Moment,
    pub last: Moment,
    /// At least one.
    pub count: u64,
}

/// NOTIFYs from one block of addresses for zones that are not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerNotify {
    pub site: Prefix,
    pub span: NotifySpan,
    /// The last one, as an example: where it came from, how, which zone it named, and why it was not taken.
    pub from: IpAddr,
    pub channel: Channel,
    pub zone: Option<Name>,
    pub declined: String,
}
