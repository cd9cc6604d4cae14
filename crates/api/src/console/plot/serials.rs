//! A zone's serials over time: a line that rises with each version, from the ledger and the versions that are kept.
//!
//! Serials are numbers on a circle (RFC 1982): what is drawn is how far each is from the one before.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::WIDTH;
use crate::console::words::when;
use crate::json::{AttemptOutcome, History, Time};

const TOP: f64 = 10.0;
const FOOT: f64 = 98.0;
const HEIGHT: f64 = 108.0;

/// The picture's parts, in its own units.
pub(crate) struct Serials {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) top: f64,
    pub(crate) foot: f64,
    /// As SVG writes paths, in the picture's own width.
    pub(crate) path: String,
    pub(crate) dots: Vec<SerialDot>,
    pub(crate) lowest: u32,
    pub(crate) highest: u32,
    pub(crate) begins: String,
    pub(crate) ends: String,
    /// What it shows, for those who do not see it.
    pub(crate) summary: String,
}

pub(crate) struct SerialDot {
    /// In hundredths of the width.
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Whether the serial went back.
    pub(crate) is_back: bool,
    pub(crate) title: String,
}

/// None where there are no two versions to be compared.
#[expect(clippy::cast_precision_loss, reason = "a picture has a thousand points")]
pub(crate) fn serials(history: &History) -> Option<Serials> {
    let points = points(history);
    let heights = heights(&points);
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 2 || first.0 == last.0 {
        return None;
    }
    let lowest = (0..points.len()).min_by_key(|at| heights[*at])?;
    let highest = (0..points.len()).max_by_key(|at| heights[*at])?;
    let range = (heights[highest] - heights[lowest]).max(1) as f64;
    let x = |at: u64| WIDTH * (at - first.0) as f64 / (last.0 - first.0) as f64;
    let y = |height: i64| FOOT - (FOOT - TOP) * (height - heights[lowest]) as f64 / range;
    let mut path = String::new();
    let mut dots = Vec::new();
    let mut backs = 0;
    for (at, ((moment, serial), height)) in points.iter().zip(&heights).enumerate() {
        let is_back = at > 0 && *height < heights[at - 1];
        backs += usize::from(is_back);
        let (x, y) = (x(*moment), y(*height));
        let _ = if at == 0 { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
        let title = format!("{}: serial {serial}", when(&Time::from_unix_ms(*moment)));
        dots.push(SerialDot { x: 100.0 * x / WIDTH, y, is_back, title });
    }
    let at = |unix_ms| when(&Time::from_unix_ms(unix_ms)).to_string();
    Some(Serials {
        width: WIDTH,
        height: HEIGHT,
        top: TOP,
        foot: FOOT,
        path,
        lowest: points[lowest].1,
        highest: points[highest].1,
        begins: at(first.0),
        ends: at(last.0),
        summary: format!(
            "{} versions, from serial {} to serial {}; {backs} went back",
            points.len(),
            first.1,
            last.1
        ),
        dots,
    })
}

/// When which serial came, in their order; a version that both know of is one.
fn points(history: &History) -> Vec<(u64, u32)> {
    let updated = history.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Updated);
    let of_attempts = updated.filter_map(|attempt| Some((attempt.at.unix_ms(), attempt.to_serial?)));
    let of_versions = history.versions.iter().map(|version| (version.at.unix_ms(), version.serial));
    let by_time: BTreeMap<(u64, u32), ()> = of_attempts.chain(of_versions).map(|point| (point, ())).collect();
    let mut points: Vec<(u64, u32)> = by_time.into_keys().collect();
    // An attempt is put on record when it began, its version when it was published.
    points.dedup_by_key(|(_, serial)| *serial);
    points
}

/// How far each is from the first, going from one to the next the shorter way round.
fn heights(points: &[(u64, u32)]) -> Vec<i64> {
    let mut height = 0_i64;
    let mut before = points.first().map_or(0, |(_, serial)| *serial);
    let step = |(_, serial): &(u64, u32)| {
        height += i64::from(serial.wrapping_sub(before).cast_signed());
        before = *serial;
        height
    };
    points.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::serials;
    use crate::json::{History, Time, Version};

    fn history(serials: &[u32]) -> History {
        let version = |(at, serial): (usize, &u32)| Version {
            generation: at as u64,
            serial: *serial,
            at: Time::from_unix_ms(1_795_262_400_000 + at as u64 * 60_000),
            from_generation: None,
            from_serial: None,
            removed: 0,
            added: 1,
        };
        History {
            versions: serials.iter().enumerate().map(version).rev().collect(),
            attempts: Vec::new(),
            next: None,
        }
    }

    #[test]
    fn serials_rise_over_the_end_of_their_numbers_and_go_back_where_they_do() {
        let plot = serials(&history(&[u32::MAX - 1, 2, 5, 3])).unwrap();
        assert_eq!((plot.lowest, plot.highest), (u32::MAX - 1, 5));
        assert_eq!(plot.dots.iter().map(|dot| dot.is_back).collect::<Vec<_>>(), [false, false, false, true]);
        assert!(plot.dots[0].y > plot.dots[1].y && plot.dots[1].y > plot.dots[2].y, "the higher, the further up");
        assert_eq!(plot.summary, "4 versions, from serial 4294967294 to serial 3; 1 went back");
    }

    #[test]
    fn there_is_nothing_to_see_of_one_version() {
        assert!(serials(&history(&[])).is_none() && serials(&history(&[7])).is_none());
        assert!(serials(&history(&[7, 7])).is_none(), "a version that is told of twice is one");
    }
}
