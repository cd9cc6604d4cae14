//! An attempt, as it is put on record and as it is read back.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use dns::{Name, Serial};
use xfr::Moment;

use crate::error::InventoryError;

/// An enum whose variants are words in the database.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$note])* $variant,)* }

        impl $name {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = InventoryError;

            fn from_str(text: &str) -> Result<Self, InventoryError> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(InventoryError::Damaged(format!("an attempt holds the word {text:?}"))),
                }
            }
        }
    };
}

words! {
    /// Why an attempt was made.
    Trigger {
        /// The zone is new here.
        First = "first",
        /// The program has started and the zone's check was due.
        Start = "start",
        /// A primary said that the zone has changed.
        Notify = "notify",
        /// The SOA's REFRESH interval has passed.
        Refresh = "refresh",
        /// The last attempt failed.
        Retry = "retry",
        /// Somebody asked for it.
        Request = "request",
    }
}

words! {
    /// What was asked of the primary.
    Kind {
        /// Only its SOA.
        Check = "check",
        Ixfr = "ixfr",
        Axfr = "axfr",
        /// Nothing: a version that was here already is published.
        Publish = "publish",
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The primary confirmed the version that is served.
    Unchanged,
    /// A newer version is served.
    Updated,
    /// There is a newer version, which is kept back.
    Held(Box<RecordedReason>),
    /// Nothing was installed.
    Failed(Box<RecordedReason>),
}

impl Outcome {
    /// Whether the primaries gave nothing that could be used.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// Why an attempt brought nothing, in words: a row outlives the program that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReason {
    /// [`xfr::Reason::code`], or another stable code.
    pub code: String,
    /// `primary`, `network`, `configuration` or `ours`.
    pub fault: String,
    pub message: String,
    pub advice: String,
}

impl RecordedReason {
    /// As whoever reads it of this zone is to have it.
    pub fn of(reason: &xfr::Reason, zone: &Name) -> Self {
        Self {
            code: reason.code().to_owned(),
            fault: reason.fault().to_string(),
            message: reason.to_string(),
            advice: reason.advice(zone),
        }
    }
}

/// One try to bring a zone up to its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Moment,
    /// None when no primary could be asked.
    pub primary: Option<SocketAddr>,
    pub trigger: Trigger,
    pub kind: Kind,
    /// What was served before.
    pub from_serial: Option<Serial>,
    /// What the primary offered.
    pub to_serial: Option<Serial>,
    /// Received.
    pub octets: u64,
    /// Received.
    pub records: u64,
    /// From beginning to end.
    pub millis: u64,
    pub outcome: Outcome,
}

/// An attempt on record; one row may stand for several consecutive checks without news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAttempt {
    /// Grows with time; the cursor for reading on.
    pub id: u64,
    /// The first try; its octets and records are those of all together, its milliseconds those of the last, and so is
    /// what brought it about.
    pub attempt: Attempt,
    /// When the last try began.
    pub last_at: Moment,
    /// How many tries, at least one.
    pub count: u64,
}
