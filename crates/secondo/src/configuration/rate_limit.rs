//! `[rate_limit]`: how often one network gets the same answer over UDP. Off unless it is set, or many organisations use
//! the service.

use std::ops::RangeInclusive;

use serde::Deserialize;
use server::RateLimit;
use toml::Spanned;
use xfr::{NoPrefix, Prefix};

use super::Mode;
use super::problems::Problems;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimitSection {
    responses_per_second: Option<Spanned<u32>>,
    all_per_second: Option<Spanned<u32>>,
    exempt: Option<Vec<Spanned<String>>>,
}

const PER_SECOND: RangeInclusive<u32> = 0..=1_000_000;
/// Where organisations share the service, nobody's zone is to be what others are flooded with. Resolvers keep an answer for
/// its TTL: a network of them that asks as often for one has lost it.
const RESPONSES_AMONG_MANY: u32 = 50;
/// How many answers of all kinds there are for one of a kind, where nothing is said about it: a large resolver asks for
/// many names, and for none of them often.
const ALL_FOR_ONE: u32 = 50;

pub(super) fn read_rate_limit(section: &RateLimitSection, mode: Mode, problems: &mut Problems) -> Option<RateLimit> {
    let unless_set = match mode {
        Mode::Single => 0,
        Mode::Multi => RESPONSES_AMONG_MANY,
    };
    if let (None, Some(all), 0) = (&section.responses_per_second, &section.all_per_second, unless_set) {
        let message = "nothing is limited without responses_per_second: give it too, 0 for off";
        problems.note(all.span().start, message);
    }
    let responses_per_second = rate(section.responses_per_second.as_ref(), problems).unwrap_or(unless_set);
    let all_per_second = rate(section.all_per_second.as_ref(), problems);
    let exempt = match &section.exempt {
        Some(texts) => texts.iter().filter_map(|text| problems.read(text, prefix)).collect(),
        None => RateLimit::exempt_by_default(),
    };
    let all_per_second = match all_per_second {
        // 0 is no limit, as it is for one of a kind.
        Some(0) => *PER_SECOND.end(),
        Some(rate) => rate,
        None => responses_per_second.saturating_mul(ALL_FOR_ONE).min(*PER_SECOND.end()),
    };
    (responses_per_second > 0).then_some(RateLimit { responses_per_second, all_per_second, exempt })
}

fn rate(number: Option<&Spanned<u32>>, problems: &mut Problems) -> Option<u32> {
    let number = number?;
    if !PER_SECOND.contains(number.get_ref()) {
        problems.note(number.span().start, format!("it is 0 (off) to {}", PER_SECOND.end()));
    }
    Some(*number.get_ref())
}

fn prefix(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(|error: NoPrefix| error.to_string())
}
