//! How long somebody waits, and for whom: for a place, which is ours to give, or for the primary.
//!
//! Waiting for places takes nothing of the time that the primary has: with thousands of zones overdue at once that may
//! take far longer than any answer, and is no fault of the primary's.

use tokio::time::{Duration, Instant, timeout_at};
use xfr::Reason;

use crate::limits::Deadlines;

pub(crate) struct Patience {
    began: Instant,
    /// When no place is waited for any more.
    places_until: Instant,
    /// When the primary must have done its part.
    primary_until: Instant,
}

impl Patience {
    /// So much for the primary, and for places what everybody has.
    pub(crate) fn new(deadlines: &Deadlines, for_primary: Duration) -> Self {
        let began = Instant::now();
        Self { began, places_until: began + deadlines.slot, primary_until: began + for_primary }
    }

    /// A place, or a turn, as soon as there is one.
    pub(crate) async fn place<T>(&mut self, coming: impl Future<Output = T>) -> Result<T, Reason> {
        let waiting_since = Instant::now();
        let place = timeout_at(self.places_until, coming).await;
        self.primary_until += waiting_since.elapsed();
        place.map_err(|_| Reason::Busy { secs: self.began.elapsed().as_secs() })
    }

    pub(crate) fn primary_until(&self) -> Instant {
        self.primary_until
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Duration, Instant, sleep};

    use super::Patience;
    use crate::limits::Deadlines;

    #[tokio::test(start_paused = true)]
    async fn waiting_for_places_takes_nothing_of_the_primarys_time() {
        let deadlines = Deadlines { slot: Duration::from_secs(600), ..Deadlines::default() };
        let left = |patience: &Patience| patience.primary_until().duration_since(Instant::now()).as_secs();
        let mut patience = Patience::new(&deadlines, Duration::from_secs(10));
        patience.place(sleep(Duration::from_secs(99))).await.unwrap();
        assert_eq!(left(&patience), 10);
        sleep(Duration::from_secs(4)).await;
        patience.place(sleep(Duration::from_secs(99))).await.unwrap();
        assert_eq!(left(&patience), 6);
        let reason = patience.place(pending::<()>()).await.unwrap_err();
        assert_eq!((reason.code(), reason.fault()), ("busy", xfr::Fault::Ours));
        assert!(reason.to_string().contains("600 s"), "{reason}");
    }
}
