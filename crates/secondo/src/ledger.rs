//! Attempts as the ledger keeps them and as the API shows them.

use std::str::FromStr;

use api::json;
use inventory::{Outcome, RecordedAttempt, RecordedReason};
use xfr::Moment;

use crate::attempt::{Attempt, Kind};
use crate::followed::{Followed, Trigger};
use crate::refresh::Refreshed;

/// The row for an attempt.
fn row(zone: &Followed, attempt: &Attempt) -> inventory::Attempt {
    inventory::Attempt {
        at: attempt.at,
        primary: attempt.primary,
        trigger: match attempt.trigger {
            Trigger::First => inventory::Trigger::First,
            Trigger::Start => inventory::Trigger::Start,
            Trigger::Notify => inventory::Trigger::Notify,
            Trigger::Refresh => inventory::Trigger::Refresh,
            Trigger::Retry => inventory::Trigger::Retry,
            Trigger::Request => inventory::Trigger::Request,
        },
        kind: match attempt.kind {
            Kind::Check => inventory::Kind::Check,
            Kind::Ixfr => inventory::Kind::Ixfr,
            Kind::Axfr => inventory::Kind::Axfr,
            Kind::Publish => inventory::Kind::Publish,
        },
        from_serial: attempt.from_serial,
        to_serial: attempt.to_serial,
        octets: attempt.received.octets,
        records: attempt.received.records,
        millis: attempt.millis,
        outcome: match &attempt.result {
            Ok(Refreshed::Unchanged) => Outcome::Unchanged,
            Ok(Refreshed::Published) => Outcome::Updated,
            Ok(Refreshed::Held(reason)) => Outcome::Held(Box::new(RecordedReason::of(reason, &zone.name))),
            Err(reason) => Outcome::Failed(Box::new(RecordedReason::of(reason, &zone.name))),
        },
    }
}

/// An attempt as it would be read back from the ledger, before it is there.
pub(crate) fn recorded(zone: &Followed, attempt: &Attempt) -> RecordedAttempt {
    RecordedAttempt { id: 0, attempt: row(zone, attempt), last_at: attempt.at, count: 1 }
}

/// A recorded attempt for the API.
pub(crate) fn shown(recorded: &RecordedAttempt) -> json::Attempt {
    let attempt = &recorded.attempt;
    let (outcome, reason) = match &attempt.outcome {
        Outcome::Unchanged => (json::AttemptOutcome::Unchanged, None),
        Outcome::Updated => (json::AttemptOutcome::Updated, None),
        Outcome::Held(reason) => (json::AttemptOutcome::Held, Some(shown_reason(reason))),
        Outcome::Failed(reason) => (json::AttemptOutcome::Failed, Some(shown_reason(reason))),
    };
    json::Attempt {
        at: time(attempt.at),
        last_at: time(recorded.last_at),
        count: recorded.count,
        primary: attempt.primary.map(|address| address.to_string()),
        trigger: same_word(attempt.trigger.as_str()),
        kind: same_word(attempt.kind.as_str()),
        from_serial: attempt.from_serial.map(|serial| serial.0),
        to_serial: attempt.to_serial.map(|serial| serial.0),
        bytes: attempt.octets,
        records: attempt.records,
        millis: attempt.millis,
        outcome,
        reason,
    }
}

pub(crate) fn time(moment: Moment) -> json::Time {
    json::Time::from_unix_ms(moment.0)
}

fn shown_reason(reason: &RecordedReason) -> json::Reason {
    json::Reason {
        code: reason.code.clone(),
        // A row outlives the program that wrote it: a word that we do not know is our fault.
        fault: reason.fault.parse().unwrap_or(json::Fault::Ours),
        message: reason.message.clone(),
        advice: reason.advice.clone(),
    }
}

/// The ledger and the API have the same words for these.
fn same_word<T: FromStr>(word: &str) -> T {
    word.parse().ok().expect("the ledger and the API have the same words")
}

#[cfg(test)]
mod tests {
    use inventory::{Kind, Trigger};

    use super::same_word;

    #[test]
    fn the_ledger_and_the_api_have_the_same_words() {
        for trigger in
            [Trigger::First, Trigger::Start, Trigger::Notify, Trigger::Refresh, Trigger::Retry, Trigger::Request]
        {
            assert_eq!(same_word::<api::json::Trigger>(trigger.as_str()).to_string(), trigger.as_str());
        }
        for kind in [Kind::Check, Kind::Ixfr, Kind::Axfr, Kind::Publish] {
            assert_eq!(same_word::<api::json::AttemptKind>(kind.as_str()).to_string(), kind.as_str());
        }
    }
}
