//! How long attempts took and how much came, as a picture: drawn here, so that no page needs a script for it. Below it are
//! pictures of other things.
//!
//! Time goes to the right, durations go up, on a scale on which each line is ten times the one below: a check takes
//! milliseconds and a first transfer may take minutes.

pub(crate) mod serials;
pub(crate) mod stacked;

use std::fmt::Write as _;

use super::words::{millis, number, when};
use crate::json::{Attempt, AttemptOutcome};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 8.0;
/// Between the ends of the scale and the first and last dots, which are whole.
const INSET: f64 = 12.0;
/// With fewer a list says all, and a picture is a few dots in a large space.
const ATTEMPTS_MIN: usize = 4;

/// The picture's parts, in its own units.
pub(crate) struct Plot {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) lines: Vec<Line>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) begins: String,
    pub(crate) ends: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) foot: f64,
    /// What it shows, for those who do not see it.
    pub(crate) summary: String,
}

/// A line of the scale.
pub(crate) struct Line {
    pub(crate) y: f64,
    pub(crate) label: String,
}

pub(crate) struct Dot {
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
    let (right, foot) = (WIDTH - 10.0, HEIGHT - BOTTOM);
    let span = right - LEFT - 2.0 * INSET;
    let x = |at: u64| LEFT + INSET + span * (at - begin) as f64 / (end - begin) as f64;
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
        width: WIDTH,
        height: HEIGHT,
        lines,
        dots: attempts.iter().map(dot).collect(),
        summary: format!("{} attempts, {failed} failed; the longest took {}", attempts.len(), millis(&longest)),
        begins: at(begin),
        ends: at(end),
        left: LEFT,
        right,
        foot,
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
