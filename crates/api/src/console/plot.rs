//! How long attempts took and how much came, as a picture: drawn here, so that no page needs a script for it. Below it are
//! pictures of other things.
//!
//! Time goes to the right, durations go up, on a scale on which each line is ten times the one below: a check takes
//! milliseconds and a first transfer may take minutes.
//!
//! A picture is as wide as there is room, on any screen: what lies across is a part of the width, what lies up and down, and
//! all text, is in points. So nothing is scrolled, and no letter is smaller than on the rest of the page.

pub(crate) mod serials;
pub(crate) mod stacked;

use std::fmt::Write as _;

use super::words::{millis, number, when};
use crate::json::{Attempt, AttemptOutcome};

/// The whole width, in the units of paths; everything else across is in hundredths of it.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 136.0;
/// Room for the half of a label.
const TOP: f64 = 8.0;
const BOTTOM: f64 = 8.0;
/// With fewer a list says all, and a picture is a few dots in a large space.
const ATTEMPTS_MIN: usize = 4;

/// The picture's parts, in its own units.
pub(crate) struct Plot {
    pub(crate) height: f64,
    pub(crate) lines: Vec<Line>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) begins: String,
    pub(crate) ends: String,
    /// What it shows, for those who do not see it.
    pub(crate) summary: String,
}

/// A line of the scale.
pub(crate) struct Line {
    pub(crate) y: f64,
    pub(crate) label: String,
}

pub(crate) struct Dot {
    /// In hundredths of the width.
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Grows with what came.
    pub(crate) radius: f64,
    pub(crate) tone: &'static str,
    pub(crate) title: String,
}

/// None where there is too little to see.
#[expect(clippy::cast_precision_loss, reason = "a picture has a thousand points")]
pub(crate) fn of(attempts: &[Attempt]) -> Option<Plot> {
    let begin = attempts.iter().map(|attempt| attempt.last_at.unix_ms()).min()?;
    let end = attempts.iter().map(|attempt| attempt.last_at.unix_ms()).max()?;
    if attempts.len() < ATTEMPTS_MIN || begin == end {
        return None;
    }
    let longest = attempts.iter().map(|attempt| attempt.millis.max(1)).max()?;
    let decades = (longest as f64).log10().ceil().max(1.0);
    let foot = HEIGHT - BOTTOM;
    let x = |at: u64| 100.0 * (at - begin) as f64 / (end - begin) as f64;
    let y = |ms: f64| foot - (foot - TOP) * ms.max(1.0).log10() / decades;
    let mut lines = Vec::new();
    let mut ms = 1_u64;
    while (ms as f64).log10() <= decades {
        lines.push(Line { y: y(ms as f64), label: label(ms) });
        ms = ms.saturating_mul(10);
    }
    let dot = |attempt: &Attempt| Dot {
        x: x(attempt.last_at.unix_ms()),
        y: y(attempt.millis as f64),
        radius: 2.5 + (attempt.records.max(1) as f64).log10(),
        tone: super::words::outcome_tone(&attempt.outcome),
        title: title(attempt),
    };
    let failed = attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Failed).count();
    let at = |unix_ms| when(&crate::json::Time::from_unix_ms(unix_ms)).to_string();
    Some(Plot {
        height: HEIGHT,
        lines,
        dots: attempts.iter().map(dot).collect(),
        summary: format!("{} attempts, {failed} failed; the longest took {}", attempts.len(), millis(&longest)),
        begins: at(begin),
        ends: at(end),
    })
}

fn label(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        _ => format!("{} s", ms / 1_000),
    }
}

fn title(attempt: &Attempt) -> String {
    let mut title = format!("{}: {}, {}", when(&attempt.last_at), attempt.outcome, millis(&attempt.millis));
    if attempt.records > 0 {
        let _ = write!(title, ", {} records", number(&attempt.records));
    }
    if let Some(reason) = &attempt.reason {
        let _ = write!(title, ": {}", reason.message);
    }
    title
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::json::{Attempt, AttemptKind, AttemptOutcome, Time, Trigger};

    #[test]
    fn the_newest_attempt_is_at_the_right_end_whatever_the_width() {
        let attempt = |minute: u64| Attempt {
            at: Time::from_unix_ms(minute * 60_000),
            last_at: Time::from_unix_ms(minute * 60_000),
            count: 1,
            primary: None,
            trigger: Trigger::Refresh,
            kind: AttemptKind::Check,
            from_serial: None,
            to_serial: None,
            bytes: 0,
            records: 0,
            millis: minute,
            outcome: AttemptOutcome::Unchanged,
            reason: None,
        };
        let plot = of(&[attempt(20), attempt(15), attempt(11), attempt(10)]).unwrap();
        assert_eq!(plot.dots.iter().map(|dot| dot.x).collect::<Vec<_>>(), [100.0, 50.0, 10.0, 0.0]);
        assert!(of(&[attempt(20), attempt(15), attempt(11)]).is_none(), "a list says all");
    }
}
