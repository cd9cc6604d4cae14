//! Following a primary: by differences if that may be, else whole, and by the next primary where it fails.

use transfer::Fetch;
use xfr::settings::{IxfrFrom, SerialWentBack};
use xfr::{Reason, Shown};
use zone::Snapshot;

use super::choice::{Candidate, Choice};
use super::{Attempt, Kind, UnderWay};
use crate::followed::{Guard, Source, Transfer, Wake};
use crate::holds::Want;
use crate::refresh::{Received, Refreshed, Way, refresh};

impl UnderWay<'_> {
    /// Follows the best primary, and when that fails, the next one that could help.
    pub(super) async fn follow(&self, choice: Choice, wake: &Wake) -> Attempt {
        let Choice { best, others, silent, held } = choice;
        let accepts_older = self.zone.instructions().policy.serial_went_back == SerialWentBack::Accept;
        // A primary that is away may hold ours: nobody goes back because of one that lags behind.
        let is_frozen = self.zone.condition().hold.is_frozen();
        let goes_back = accepts_older && !is_frozen && silent == 0 && self.went_back(&best, held.as_ref());
        let want = match (wake.transfer, wake.guard) {
            _ if is_frozen => Want::Newer,
            (Transfer::Full, _) => Want::Anything,
            // An expired zone takes any valid version: there is nothing left to protect.
            _ if goes_back || self.is_expired() => Want::Anything,
            (Transfer::Newer, Guard::Released(released)) => Want::Released(released),
            (Transfer::Newer, Guard::On) => Want::Newer,
        };
        let transfer = if goes_back { Transfer::Full } else { wake.transfer };
        let mut attempt = self.follow_one(&best, held.as_ref(), transfer, want).await;
        for other in others {
            match &attempt.result {
                Err(reason) if !reason.is_the_same_anywhere() => {}
                _ => break,
            }
            if self.could_help(&other, held.as_ref(), transfer) {
                self.node.record(self.zone, &attempt);
                attempt = self.follow_one(&other, held.as_ref(), transfer, want).await;
            }
        }
        attempt
    }

    /// Whether the newest serial that any primary shows is older than ours.
    fn went_back(&self, best: &Candidate, held: Option<&Snapshot>) -> bool {
        let Some(held) = held else { return false };
        let (ours, theirs) = (held.image.serial(), best.shown.soa.serial);
        ours != theirs && !theirs.is_newer_than(ours)
    }

    /// Whether this primary has anything that we do not hold already, or hold too long.
    fn could_help(&self, candidate: &Candidate, held: Option<&Snapshot>, transfer: Transfer) -> bool {
        let (Some(held), Transfer::Newer) = (held, transfer) else { return true };
        candidate.shown.soa.serial.is_newer_than(held.image.serial()) || self.is_expired()
    }

    fn is_expired(&self) -> bool {
        self.zone.condition().timers.is_expired(self.at)
    }

    async fn follow_one(
        &self,
        candidate: &Candidate,
        held: Option<&Snapshot>,
        transfer: Transfer,
        want: Want,
    ) -> Attempt {
        let Candidate { source, shown } = candidate;
        if let (Some(held), Transfer::Newer) = (held, transfer) {
            let (ours, theirs) = (held.image.serial(), shown.soa.serial);
            if ours == theirs {
                return self.checked(source, held, *shown, Ok(Refreshed::Unchanged));
            }
            let is_newer = theirs.is_newer_than(ours);
            let kept_back = self.zone.condition().hold.keeps_back(theirs).filter(|_| is_newer && want == Want::Newer);
            if let Some(reason) = kept_back {
                return self.checked(source, held, *shown, Ok(Refreshed::Held(reason)));
            }
            match want {
                Want::Anything => {}
                _ if is_newer => return self.step_or_replace(source, *shown, held, want).await,
                _ => return self.checked(source, held, *shown, Err(Reason::of_older_serial(ours, theirs))),
            }
        }
        self.transfer(source, Kind::Axfr, held, *shown, want).await
    }

    /// An attempt that ended with the primary's serial.
    fn checked(&self, source: &Source, held: &Snapshot, shown: Shown, result: Result<Refreshed, Reason>) -> Attempt {
        let mut attempt = self.ended(Some(source), Kind::Check, Some(held), result);
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
    async fn step_or_replace(&self, source: &Source, shown: Shown, held: &Snapshot, want: Want) -> Attempt {
        if !self.has_our_history(source) || !self.node.transfers.may_know_ixfr(&source.primary) {
            return self.transfer(source, Kind::Axfr, Some(held), shown, want).await;
        }
        let stepped = self.transfer(source, Kind::Ixfr, Some(held), shown, want).await;
        match &stepped.result {
            Err(reason) if !reason.is_the_same_anywhere() => {
                self.node.record(self.zone, &stepped);
                self.transfer(source, Kind::Axfr, Some(held), shown, want).await
            }
            _ => stepped,
        }
    }

    async fn transfer(
        &self,
        source: &Source,
        kind: Kind,
        held: Option<&Snapshot>,
        shown: Shown,
        want: Want,
    ) -> Attempt {
        let fetch = match (kind, held) {
            (Kind::Ixfr, Some(held)) => Fetch::Ixfr { soa_rdata: held.image.soa_record().rdata.to_vec() },
            _ => Fetch::Axfr,
        };
        let mut received = Received::default();
        let expires_in_secs = shown.expires_in_secs;
        let way = Way { primary: &source.primary, lane: self.lane, fetch, want, expires_in_secs };
        let result = refresh(self.node, self.zone, way, &mut received).await;
        let result = match (result, held) {
            // Several servers behind one address, most likely: the zone is not confirmed, and not what it should be.
            (Ok(Refreshed::Unchanged), Some(held)) if shown.soa.serial.is_newer_than(held.image.serial()) => {
                Err(Reason::LessThanShown { shown: shown.soa.serial, given: held.image.serial() })
            }
            (result, _) => result,
        };
        let mut attempt = self.ended(Some(source), kind, held, result);
        attempt.received = received;
        attempt.expires_in_secs = expires_in_secs;
        attempt.to_serial = match attempt.result {
            Ok(Refreshed::Unchanged | Refreshed::Published) => {
                self.zone.condition().held.as_ref().map(|held| held.image.serial())
            }
            Ok(Refreshed::Held(_)) | Err(_) => Some(shown.soa.serial),
        };
        attempt
    }
}
