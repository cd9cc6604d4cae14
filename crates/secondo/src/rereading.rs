//! Files of ours that may change while we run: looked at every few seconds, and at once on SIGHUP.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The files are looked at so often.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// Whether what cannot be used may only be half-written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    Routine,
    /// Somebody has said that all is there.
    Order,
}

/// The times to look. From the first one on, SIGHUP does not end this process.
pub(crate) struct Looks(Signal);

impl Looks {
    /// # Errors
    /// When this machine lets nobody listen for signals.
    pub(crate) fn begin() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Occasion {
        tokio::select! {
            () = tokio::time::sleep(LOOKED_AT_EVERY) => Occasion::Routine,
            Some(()) = self.0.recv() => Occasion::Order,
        }
    }
}

/// Reads a file of at most so many octets.
///
/// # Errors
/// When it cannot be read, is longer, or is none: a pipe would be waited for, and a device has no end.
pub(crate) fn read(file: &Path, octets_max: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut octets = Vec::new();
    File::open(file)?.take(octets_max + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > octets_max {
        return Err(io::Error::other(format!("it has more than {octets_max} octets")));
    }
    Ok(octets)
}
