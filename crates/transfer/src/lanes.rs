//! Three lanes, each with places of its own: however many zones wait in one, the others go on.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why something is asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody wants to know now; takes the places of NOTIFY.
    Request,
    /// Somebody said that there is news.
    Notify,
    /// The zone's time has come.
    Refresh,
    /// There is nothing of the zone yet: a thousand of these may come at once.
    First,
}

impl Lane {
    pub(crate) const COUNT: usize = 3;

    /// The place of the lane among those that have places of their own.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Request | Self::Notify => 0,
            Self::Refresh => 1,
            Self::First => 2,
        }
    }

    /// Of the connections to one address, how many are left to those who must not wait.
    pub(crate) fn left_to_others(self) -> usize {
        match self {
            Self::Request | Self::Notify => 0,
            Self::Refresh => 1,
            Self::First => 2,
        }
    }
}

/// So many places, shared out among the lanes.
pub(crate) struct Lanes([Arc<Semaphore>; Lane::COUNT]);

impl Lanes {
    /// Half of the places are for refreshes, which are most of what is done, and a quarter for each of the others.
    pub(crate) fn new(places: usize) -> Self {
        let quarter = (places / 4).max(1);
        Self([quarter, (places / 2).max(1), quarter].map(|places| Arc::new(Semaphore::new(places))))
    }

    /// A place if one is free now.
    pub(crate) fn try_take(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        self.of(lane).try_acquire_owned().ok()
    }

    /// A place as soon as one is free; how long that is waited for is the caller's.
    pub(crate) async fn take(&self, lane: Lane) -> OwnedSemaphorePermit {
        self.of(lane).acquire_owned().await.expect("the places of a lane are never closed")
    }

    /// Whether anybody holds one of the places.
    pub(crate) fn are_taken(&self) -> bool {
        // Each place that is taken has its lane with it.
        self.0.iter().any(|places| Arc::strong_count(places) > 1)
    }

    fn of(&self, lane: Lane) -> Arc<Semaphore> {
        self.0[lane.index()].clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Lane, Lanes};

    #[tokio::test]
    async fn a_full_lane_holds_nobody_up_in_another() {
        let lanes = Lanes::new(8);
        let soon = Duration::from_millis(20);
        let first: Vec<_> =
            [lanes.try_take(Lane::First), lanes.try_take(Lane::First)].into_iter().flatten().collect();
        assert_eq!(first.len(), 2);
        assert!(timeout(soon, lanes.take(Lane::First)).await.is_err());
        assert!(lanes.try_take(Lane::Notify).is_some() && lanes.try_take(Lane::Refresh).is_some());
        assert!(lanes.are_taken());
        drop(first);
        assert!(timeout(soon, lanes.take(Lane::First)).await.is_ok());
        assert!(!lanes.are_taken());
    }
}
