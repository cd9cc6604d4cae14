//! Lengths of time as people write them: `30s`, `5m`, `2h`, `1d`, also one behind the other.

use jiff::{Span, SpanRelativeTo};

/// The text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no length of time: write one such as 30s, 5m, 2h or 1d, at least 1s")]
pub struct NoSpan(String);

/// Reads a length of time, in seconds; at least one.
pub fn seconds(text: &str) -> Result<u32, NoSpan> {
    let wrong = || NoSpan(text.to_owned());
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    u32::try_from(duration.as_secs()).ok().filter(|secs| *secs > 0).ok_or_else(wrong)
}

/// Writes seconds with the largest unit that they are a whole number of.
pub fn text(secs: u32) -> String {
    match secs {
        secs if secs % 86_400 == 0 && secs > 0 => format!("{}d", secs / 86_400),
        secs if secs % 3600 == 0 && secs > 0 => format!("{}h", secs / 3600),
        secs if secs % 60 == 0 && secs > 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{seconds, text};

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (said, secs, written) in [
            ("30s", 30, "30s"),
            ("5m", 300, "5m"),
            ("90m", 5400, "90m"),
            ("120m", 7200, "2h"),
            ("1d 1h", 90_000, "25h"),
            ("7d", 604_800, "7d"),
            ("4294967295s", u32::MAX, "4294967295s"),
        ] {
            assert_eq!(seconds(said).unwrap(), secs, "{said}");
            assert_eq!(text(secs), written, "{said}");
            assert_eq!(seconds(written).unwrap(), secs, "{said}");
        }
        for said in ["", "5", "-5m", "0s", "soon", "1mo", "5000000000s"] {
            assert!(seconds(said).is_err(), "{said}");
        }
    }
}
