//! To whom zones are delegated: asked when somebody wants to know, by a few at a time, and kept for a minute.
//!
//! Invariants: of one zone there is never more than one walk under way, and none begins within a minute after the last;
//! whoever goes away does not end a walk that others may be waiting for; what is kept is bounded.

pub(crate) mod round;
pub(crate) mod shown;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delegation::{Challenge, Examined, Failure, Walker};
use dns::Name;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use xfr::Moment;

/// Walks at a time: each has a handful of sockets.
pub(crate) const WALKS_MAX: usize = 8;
/// Of these places so many are left to people who wait, whatever pages want to know for themselves.
const LEFT_TO_PEOPLE: usize = 4;
/// How long one waits for the others.
const PLACE_WITHIN: Duration = Duration::from_secs(20);
/// For how long nobody is asked again; NS records change over hours.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// For how long it is shown to those who do not ask themselves.
const KNOWN_FOR: Duration = Duration::from_secs(3600);
/// Zones of which something is kept. The largest answers, which nobody honest has, are some 50 kB each.
const KEPT_MAX: usize = 1024;

/// What came of one walk.
#[derive(Debug)]
pub(crate) struct Walked {
    /// When it began.
    pub(crate) at: Moment,
    pub(crate) found: Result<Examined, Failure>,
}

/// Who waits for a walk: somebody, or a page that shows it when it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    Somebody,
    Page,
}

pub(crate) struct Delegations {
    walker: Walker,
    /// To whom the world is to delegate: this service's name servers.
    pub(crate) name_servers: BTreeSet<Name>,
    places: Arc<Semaphore>,
    kept: Mutex<HashMap<Name, Kept>>,
    good_for: Duration,
}

struct Kept {
    last: Option<(Instant, Arc<Walked>)>,
    /// Open as long as a walk is under way or waits for its place; closed without a value when it has found none.
    walk: Walking,
}

type Walking = watch::Receiver<Option<Arc<Walked>>>;

impl Kept {
    fn is_under_way(&self) -> bool {
        self.walk.borrow().is_none() && self.walk.has_changed().is_ok()
    }

    fn ended_within(&self, span: Duration) -> Option<&Arc<Walked>> {
        self.last.as_ref().filter(|(at, _)| at.elapsed() < span).map(|(_, walked)| walked)
    }
}

impl Delegations {
    pub(crate) fn new(walker: Walker, name_servers: BTreeSet<Name>) -> Self {
        let places = Arc::new(Semaphore::new(WALKS_MAX));
        Self { walker, name_servers, places, kept: Mutex::default(), good_for: GOOD_FOR }
    }

    /// What was found within the last minute, or else now; none when there is no place for another walk. `told` is called
    /// when something new is known.
    pub(crate) async fn walked(
        self: &Arc<Self>,
        zone: &Name,
        now: Moment,
        told: impl FnOnce() + Send + 'static,
    ) -> Option<Arc<Walked>> {
        let mut walk = self.begin(zone, now, Asking::Somebody, told)?;
        let ended = walk.wait_for(Option::is_some).await.ok()?;
        ended.clone()
    }

    /// Has the zone asked about unless it was within the last minute or is being; none when there is no place.
    pub(crate) fn begin(
        self: &Arc<Self>,
        zone: &Name,
        now: Moment,
        asking: Asking,
        told: impl FnOnce() + Send + 'static,
    ) -> Option<Walking> {
        let mut kept = self.kept();
        let last = match kept.get(zone) {
            Some(one) if one.is_under_way() || one.ended_within(self.good_for).is_some() => {
                return Some(one.walk.clone());
            }
            one => one.and_then(|one| one.last.clone()),
        };
        if asking == Asking::Page && self.places.available_permits() <= LEFT_TO_PEOPLE {
            return None;
        }
        if !kept.contains_key(zone) && !make_room(&mut kept) {
            return None;
        }
        let (ended, walk) = watch::channel(None);
        kept.insert(zone.clone(), Kept { last, walk: walk.clone() });
        drop(kept);
        let (all, zone) = (self.clone(), zone.clone());
        // A task of its own: whoever asked may go away, and somebody else wait.
        tokio::spawn(async move {
            let Ok(Ok(_place)) = tokio::time::timeout(PLACE_WITHIN, all.places.acquire()).await else { return };
            let walked = Arc::new(Walked { at: now, found: all.walker.servers(&zone).await });
            if let Some(kept) = all.kept().get_mut(&zone) {
                kept.last = Some((Instant::now(), walked.clone()));
            }
            ended.send_replace(Some(walked));
            told();
        });
        Some(walk)
    }

    /// The texts at the zone's challenge, asked for now; none when there is no place for another walk.
    pub(crate) async fn challenge(&self, zone: &Name) -> Option<Result<Challenge, Failure>> {
        let _place = tokio::time::timeout(PLACE_WITHIN, self.places.acquire()).await.ok()?.ok()?;
        Some(self.walker.challenge(zone).await)
    }

    /// What was found last, if that is not long ago. Nobody is asked.
    pub(crate) fn known(&self, zone: &Name) -> Option<Arc<Walked>> {
        self.kept().get(zone).and_then(|one| one.ended_within(KNOWN_FOR)).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Name, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what is oldest where there is no room; false when all that is kept is under way.
fn make_room(kept: &mut HashMap<Name, Kept>) -> bool {
    if kept.len() < KEPT_MAX {
        return true;
    }
    kept.retain(|_, one| one.is_under_way() || one.ended_within(KNOWN_FOR).is_some());
    let ended = kept.iter().filter(|(_, one)| !one.is_under_way());
    let oldest = ended.min_by_key(|(_, one)| one.last.as_ref().map(|(at, _)| *at)).map(|(zone, _)| zone.clone());
    if kept.len() < KEPT_MAX {
        return true;
    }
    oldest.is_some_and(|zone| kept.remove(&zone).is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use delegation::{Failure, Limits, Walker};
    use dns::Name;
    use xfr::{Destinations, Moment};

    use super::{Asking, Delegations, KEPT_MAX, LEFT_TO_PEOPLE, WALKS_MAX};

    /// A root whose only server refuses everything, and counts.
    fn refusing() -> (Walker, Arc<AtomicUsize>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (socket.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        std::thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut octets) {
                count.fetch_add(1, Ordering::SeqCst);
                octets[2] |= 0x80;
                octets[3] = 5;
                let _ = socket.send_to(&octets[..length], from);
            }
        });
        (walker(port), asked)
    }

    fn walker(port: u16) -> Walker {
        let hints = ". NS a.root.\na.root. A 127.0.0.1\n".parse().unwrap();
        let patient = Limits { udp_try: Duration::from_secs(30), time: Duration::from_secs(60), ..Limits::default() };
        Walker::new(hints, Destinations::Anything).at_port(port).within(patient)
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn one_walk_serves_all_who_ask_within_a_minute() {
        let (walker, asked) = refusing();
        let delegations = Arc::new(Delegations::new(walker, BTreeSet::new()));
        let told = Arc::new(AtomicUsize::new(0));
        let zone = name("example.org");
        assert!(delegations.known(&zone).is_none());
        let ask = |zone: Name| {
            let (delegations, told) = (delegations.clone(), told.clone());
            async move {
                let told = move || {
                    told.fetch_add(1, Ordering::SeqCst);
                };
                delegations.walked(&zone, Moment(7), told).await
            }
        };
        let (one, other) = tokio::join!(ask(zone.clone()), ask(name("EXAMPLE.org")));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()), "they waited for the same");
        let once = asked.load(Ordering::SeqCst);
        let again = ask(zone.clone()).await.unwrap();
        assert_eq!((asked.load(Ordering::SeqCst), told.load(Ordering::SeqCst)), (once, 1), "nobody was asked again");
        assert!(matches!(again.found, Err(Failure::NobodyAnswers { .. })) && again.at == Moment(7), "{again:?}");
        assert!(delegations.known(&zone).is_some_and(|known| Arc::ptr_eq(&known, &again)));
        ask(name("example.net")).await.unwrap();
        assert!(asked.load(Ordering::SeqCst) > once, "another zone is another question");
    }

    #[tokio::test]
    async fn after_its_time_it_is_asked_again_and_shown_until_there_is_news() {
        let (walker, asked) = refusing();
        let delegations = Delegations { good_for: Duration::ZERO, ..Delegations::new(walker, BTreeSet::new()) };
        let (delegations, zone) = (Arc::new(delegations), name("example.org"));
        let first = delegations.walked(&zone, Moment(1), || {}).await.unwrap();
        let once = asked.load(Ordering::SeqCst);
        let mut walk = delegations.begin(&zone, Moment(2), Asking::Page, || {}).unwrap();
        assert!(delegations.known(&zone).is_some_and(|known| Arc::ptr_eq(&known, &first)), "nothing newer is known");
        walk.wait_for(Option::is_some).await.unwrap();
        assert_eq!(delegations.known(&zone).unwrap().at, Moment(2));
        assert!(asked.load(Ordering::SeqCst) > once);
    }

    #[tokio::test]
    async fn pages_leave_places_to_people_and_walks_are_bounded() {
        // Nobody answers there, and nobody says so.
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let walker = walker(silent.local_addr().unwrap().port());
        let delegations = Arc::new(Delegations::new(walker, BTreeSet::new()));
        let mut begun = 0;
        for number in 0..WALKS_MAX {
            let zone = name(&format!("page{number}.example"));
            begun += usize::from(delegations.begin(&zone, Moment(1), Asking::Page, || {}).is_some());
            // It has its place now.
            tokio::task::yield_now().await;
        }
        assert_eq!(begun, WALKS_MAX - LEFT_TO_PEOPLE);
        let begin = |number| {
            let zone = name(&format!("somebody{number}.example"));
            delegations.begin(&zone, Moment(1), Asking::Somebody, || {}).is_some()
        };
        let begun = begun + (0..KEPT_MAX).filter(|number| begin(*number)).count();
        assert_eq!(begun, KEPT_MAX, "more are not even taken up");
        assert_eq!(delegations.places.available_permits(), LEFT_TO_PEOPLE);
    }
}
