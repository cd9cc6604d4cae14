//! Following a primary: by differences if that may be, else whole, and by the next primary where it fails.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Duration, Instant, sleep};
use transfer::{Fetch, Meter};
use xfr::policy::{IxfrFrom, SerialWentBack};
use xfr::{Reason, Shown};

use super::choice::{Candidate, Choice};
use super::{Attempt, Kind, UnderWay, millis_since};
use crate::followed::{Followed, Guard, Source, Transfer, Transferring};
use crate::holds::Want;
use crate::refresh::{Refreshed, Way, refresh};

/// What happens while primaries are followed.
enum Event {
    /// A transfer from this primary has ended.
    Transferred { primary: SocketAddr, attempt: Box<Attempt> },
    /// Others were asked again, and show this.
    News(Vec<Candidate>),
}

impl UnderWay<'_> {
    /// Follows the best primary; when that fails, the next one that could help; and when it takes long, all who have news
    /// meanwhile, beside it and each other: any of them may draw its transfer out too. The first that brings something ends
    /// it.
    pub(super) async fn follow(&self, choice: Choice) -> Attempt {
        let Choice { best, others, silent } = choice;
        let (transfer, want) = self.aim(&best, silent);
        let mut others = VecDeque::from(others);
        let mut asked = vec![best.source.primary.address];
        let mut events = FuturesUnordered::new();
        events.push(self.transferred(best, transfer, want, self.began).boxed());
        events.push(self.news_beside(asked.clone()).boxed());
        let mut end = None;
        while let Some(event) = events.next().await {
            match event {
                Event::Transferred { primary, attempt } if end.is_none() => {
                    asked.retain(|other| *other != primary);
                    if !attempt.result.as_ref().is_err_and(|reason| !reason.is_the_same_anywhere()) {
                        end = Some(attempt);
                    } else if !asked.is_empty() {
                        self.node.record(self.zone, &attempt);
                    } else if let Some(next) = self.next_that_helps(&mut others, transfer) {
                        self.node.record(self.zone, &attempt);
                        asked.push(next.source.primary.address);
                        events.push(self.transferred(next, transfer, want, Instant::now()).boxed());
                    } else {
                        end = Some(attempt);
                    }
                    if end.is_some() {
                        self.end();
                    }
                }
                Event::Transferred { attempt, .. } => self.record_late(*attempt, end.as_deref()),
                Event::News(candidates) if !self.is_given_up() => {
                    others.clear();
                    for next in candidates.into_iter().filter(|news| self.could_help(news, Transfer::Newer)) {
                        asked.push(next.source.primary.address);
                        events.push(self.transferred(next, transfer, want, Instant::now()).boxed());
                    }
                    events.push(self.news_beside(asked.clone()).boxed());
                }
                Event::News(_) => {}
            }
        }
        end.map_or_else(|| self.failed(None, Kind::Check, Reason::Overtaken), |end| *end)
    }

    /// What is to be fetched, and what is to be done with it.
    fn aim(&self, best: &Candidate, silent: usize) -> (Transfer, Want) {
        let accepts_older = self.zone.instructions().policy.serial_went_back == SerialWentBack::Accept;
        // A primary that is away may hold ours: nobody goes back because of one that lags behind.
        let is_frozen = self.zone.condition().hold.is_frozen();
        let goes_back = accepts_older && !is_frozen && silent == 0 && self.went_back(best);
        let want = match (self.wake.transfer, self.wake.guard) {
            _ if is_frozen => Want::Newer,
            (Transfer::Full, _) => Want::Anything,
            // An expired zone takes any valid version: there is nothing left to protect.
            _ if self.is_expired() => Want::Anything,
            _ if goes_back => Want::NewerOrOlder,
            (Transfer::Newer, Guard::Released(released)) => Want::Released(released),
            (Transfer::Newer, Guard::On) => Want::Newer,
        };
        (if goes_back { Transfer::Full } else { self.wake.transfer }, want)
    }

    /// Follows this primary, whose time is counted from then on.
    async fn transferred(&self, candidate: Candidate, transfer: Transfer, want: Want, since: Instant) -> Event {
        let mut attempt = self.follow_one(&candidate, transfer, want).await;
        attempt.millis = attempt.millis.min(millis_since(since));
        Event::Transferred { primary: candidate.source.primary.address, attempt: Box::new(attempt) }
    }

    /// What the zone's other primaries show when those that are asked for it have taken as long as a transfer may go without
    /// getting on.
    async fn news_beside(&self, asked: Vec<SocketAddr>) -> Event {
        let looked = async {
            sleep(self.node.transfers.deadlines().progress).await;
            let instructions = self.zone.instructions();
            let is_other = |source: &&Source| !asked.contains(&source.primary.address);
            let others = instructions.sources.iter().filter(is_other).cloned();
            self.ask(&others.collect::<Vec<_>>()).await.0
        };
        tokio::select! {
            biased;
            () = self.zone.until(|| self.is_given_up()) => Event::News(Vec::new()),
            candidates = looked => Event::News(candidates),
        }
    }

    /// Has what is still being fetched given up.
    fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
        self.zone.look_again();
    }

    /// What became of a transfer that another one came before.
    fn record_late(&self, mut attempt: Attempt, end: Option<&Attempt>) {
        let has_had_time = Duration::from_millis(attempt.millis) >= self.node.transfers.deadlines().progress;
        if has_had_time && attempt.result == Err(Reason::Overtaken) && end.is_some_and(|end| end.result.is_ok()) {
            attempt.result = Err(Reason::DrawnOut { secs: attempt.millis / 1000 });
        }
        self.node.record(self.zone, &attempt);
    }

    fn next_that_helps(&self, others: &mut VecDeque<Candidate>, transfer: Transfer) -> Option<Candidate> {
        while let Some(other) = others.pop_front() {
            if self.could_help(&other, transfer) {
                return Some(other);
            }
        }
        None
    }

    /// Whether the newest serial that any primary shows is older than ours.
    fn went_back(&self, best: &Candidate) -> bool {
        let Some(held) = &self.held else { return false };
        let (ours, theirs) = (held.image.serial(), best.shown.soa.serial);
        ours != theirs && !theirs.is_newer_than(ours)
    }

    /// Whether this primary has anything that we do not hold already, or hold too long.
    fn could_help(&self, candidate: &Candidate, transfer: Transfer) -> bool {
        let (Some(held), Transfer::Newer) = (&self.held, transfer) else { return true };
        candidate.shown.soa.serial.is_newer_than(held.image.serial()) || self.is_expired()
    }

    pub(super) fn is_expired(&self) -> bool {
        self.zone.condition().timers.is_expired(self.at)
    }

    async fn follow_one(&self, candidate: &Candidate, transfer: Transfer, want: Want) -> Attempt {
        let Candidate { source, shown } = candidate;
        // What was stored of it cannot be used: whoever froze it did not trust its primaries.
        if self.held.is_none() && self.zone.condition().hold.is_frozen() {
            let serial = shown.soa.serial;
            return self.checked(source, *shown, Ok(Refreshed::Held(Reason::FrozenAndLost { serial })));
        }
        if let (Some(held), Transfer::Newer) = (&self.held, transfer) {
            let (ours, theirs) = (held.image.serial(), shown.soa.serial);
            if ours == theirs {
                return self.checked(source, *shown, Ok(Refreshed::Unchanged));
            }
            let is_newer = theirs.is_newer_than(ours);
            let kept_back = self.zone.condition().hold.keeps_back(theirs).filter(|_| is_newer && want == Want::Newer);
            if let Some(reason) = kept_back {
                return self.checked(source, *shown, Ok(Refreshed::Held(reason)));
            }
            match want {
                Want::Anything | Want::NewerOrOlder => {}
                _ if is_newer => return self.step_or_replace(source, *shown, want).await,
                _ => return self.checked(source, *shown, Err(Reason::of_older_serial(ours, theirs))),
            }
        }
        self.transfer(source, Kind::Axfr, Some(*shown), want).await
    }

    /// An attempt that ended with the primary's serial.
    fn checked(&self, source: &Source, shown: Shown, result: Result<Refreshed, Reason>) -> Attempt {
        let mut attempt = self.ended(Some(source), Kind::Check, result);
        attempt.to_serial = Some(shown.soa.serial);
        attempt.expires_in_secs = shown.expires_in_secs;
        attempt
    }

    /// Whether differences from this primary lead on from our version.
    fn has_our_history(&self, source: &Source) -> bool {
        let instructions = self.zone.instructions();
        match self.zone.condition().came_from {
            _ if instructions.policy.ixfr_from == IxfrFrom::Any => true,
            Some(came_from) => came_from == source.primary.address,
            // After a start, and with nothing on record: one primary is the one that it came from.
            None => instructions.sources.len() == 1,
        }
    }

    /// IXFR, and AXFR at once from the same primary if that fails in a way that AXFR might not.
    async fn step_or_replace(&self, source: &Source, shown: Shown, want: Want) -> Attempt {
        if !self.has_our_history(source) || !self.node.transfers.may_know_ixfr(&source.primary) {
            return self.transfer(source, Kind::Axfr, Some(shown), want).await;
        }
        let stepped = self.transfer(source, Kind::Ixfr, Some(shown), want).await;
        match &stepped.result {
            Err(reason) if !reason.is_the_same_anywhere() => {
                self.node.record(self.zone, &stepped);
                self.transfer(source, Kind::Axfr, Some(shown), want).await
            }
            _ => stepped,
        }
    }

    /// One transfer from a primary, which has shown what it has, or has not been asked.
    pub(super) async fn transfer(&self, source: &Source, kind: Kind, shown: Option<Shown>, want: Want) -> Attempt {
        // Somebody's word has published another version while the primaries were asked: it may be the one that they show.
        if !self.is_still_held(&self.zone.condition()) {
            return self.failed(Some(source), kind, Reason::Overtaken);
        }
        let fetch = match (kind, &self.held) {
            (Kind::Ixfr, Some(held)) => Fetch::Ixfr { soa_rdata: held.image.soa_record().rdata.to_vec() },
            _ => Fetch::Axfr,
        };
        let meter = Arc::<Meter>::default();
        let expires_in_secs = shown.and_then(|shown| shown.expires_in_secs);
        let shown = shown.map(|shown| shown.soa.serial);
        let is_given_up = || self.is_given_up();
        let way = Way {
            primary: &source.primary,
            lane: self.lane,
            fetch,
            want,
            expires_in_secs,
            is_given_up: &is_given_up,
            meter: &meter,
        };
        let shown_under_way = ShownUnderWay::new(self, source.primary.address, meter.clone());
        let result = refresh(self.node, self.zone, way).await;
        drop(shown_under_way);
        let result = match (result, shown, &self.held) {
            // Several servers behind one address, most likely: the zone is not confirmed, and not what it should be.
            (Ok(Refreshed::Unchanged), Some(shown), Some(held)) if shown.is_newer_than(held.image.serial()) => {
                Err(Reason::LessThanShown { shown, given: held.image.serial() })
            }
            (result, ..) => result,
        };
        let mut attempt = self.ended(Some(source), kind, result);
        attempt.received = meter.read();
        attempt.expires_in_secs = expires_in_secs;
        attempt.to_serial = match attempt.result {
            Ok(Refreshed::Unchanged | Refreshed::Published) => {
                self.zone.condition().held.as_ref().map(|held| held.image.serial())
            }
            Ok(Refreshed::Held(_)) | Err(_) => shown,
        };
        attempt
    }
}

/// Has a transfer shown as under way, as long as it is there.
struct ShownUnderWay<'a> {
    zone: &'a Followed,
    primary: SocketAddr,
}

impl<'a> ShownUnderWay<'a> {
    fn new(under_way: &'a UnderWay<'_>, primary: SocketAddr, meter: Arc<Meter>) -> Self {
        let since = under_way.node.clock.now();
        under_way.zone.condition().transfers.push(Transferring { primary, since, meter });
        Self { zone: under_way.zone, primary }
    }
}

impl Drop for ShownUnderWay<'_> {
    fn drop(&mut self) {
        self.zone.condition().transfers.retain(|transfer| transfer.primary != self.primary);
    }
}
