//! Room on the disk: whoever runs the service is told before there is none, while something can still be done about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inventory::{EventKind, Severity, TenantId};

use crate::events::{self, Event};
use crate::node::Node;

const LOOK_EVERY: Duration = Duration::from_secs(60);
const GIB: u64 = 1 << 30;

/// How much of the disk is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    Enough,
    /// Less than a tenth, and than 10 GiB.
    Little,
    /// Less than three percent, and than 2 GiB: some hours of a busy day.
    HardlyAny,
}

impl Room {
    fn of(free: u64, all: u64) -> Self {
        let is_less =
            |percent: u64, octets: u64| free < octets && free.saturating_mul(100) < all.saturating_mul(percent);
        if is_less(3, 2 * GIB) {
            Self::HardlyAny
        } else if is_less(10, 10 * GIB) {
            Self::Little
        } else {
            Self::Enough
        }
    }
}

/// Looks at the disk with the data directory, for ever.
pub(crate) async fn watch(node: Arc<Node>, data: PathBuf) {
    let mut before = Room::Enough;
    loop {
        let looked = data.clone();
        // A disk that hangs keeps nobody waiting but this.
        if let Ok(Some((free, all))) = tokio::task::spawn_blocking(move || room_at(&looked)).await {
            let now = Room::of(free, all);
            if now != before {
                tell(&node, &data, now, free, all);
            }
            before = now;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Octets that are free to us, and all.
fn room_at(directory: &Path) -> Option<(u64, u64)> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
}

fn tell(node: &Node, data: &Path, room: Room, free: u64, all: u64) {
    let (free, all, place) = (free / (1 << 20), all / (1 << 20), data.display());
    let subject = format!("the disk with {place}");
    let left = format!("{free} of {all} MiB are free on the disk with {place}");
    let event = match room {
        Room::Enough => {
            tracing::info!("{left}");
            Event::about(EventKind::Recovered, Severity::Info, subject, left)
        }
        Room::Little => {
            let message = format!("{left}: make room before new versions cannot be written");
            tracing::warn!("{message}");
            Event::about(EventKind::DiskFilling, Severity::Warning, subject, message).at_stage("little")
        }
        Room::HardlyAny => {
            let message =
                format!("{left}: when it is full, new versions are served from memory and lost with a restart");
            tracing::error!("{message}");
            Event::about(EventKind::DiskFilling, Severity::Error, subject, message).at_stage("hardly-any")
        }
    };
    events::tell(node, TenantId::DEFAULT, event);
}

#[cfg(test)]
mod tests {
    use super::{GIB, Room, room_at};

    #[test]
    fn a_large_disk_with_much_left_is_not_filling() {
        for (free, all, expected) in [
            (50 * GIB, 100 * GIB, Room::Enough),
            (9 * GIB, 100 * GIB, Room::Little),
            (11 * GIB, 1000 * GIB, Room::Enough),
            (9 * GIB, 1000 * GIB, Room::Little),
            (GIB, 1000 * GIB, Room::HardlyAny),
            (GIB, 20 * GIB, Room::Little),
            (GIB / 9, GIB, Room::Enough),
            (GIB / 100, GIB, Room::HardlyAny),
            (0, GIB, Room::HardlyAny),
        ] {
            assert_eq!(Room::of(free, all), expected, "{free} of {all}");
        }
    }

    #[test]
    fn the_disk_of_a_directory_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let (free, all) = room_at(directory.path()).unwrap();
        assert!(free <= all && all > 0, "{free} of {all}");
    }
}
