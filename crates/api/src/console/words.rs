//! How things are shown to people: numbers, times, states.

use std::fmt::{self, Display, Formatter};

use xfr::Setting;

use crate::json::{
    AlertDeliveryState, Attempt, AttemptKind, AttemptOutcome, FoundAt, Freshness, ParentSaid, Reason, ServerFound,
    Severity, State, Time, Trigger, Zone, ZoneOrder,
};

/// A moment in UTC; the script says it in the browser's own words.
pub(crate) struct When(Time);

pub(crate) fn when(time: &Time) -> When {
    When(*time)
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let (day, rest) = text.split_once('T').unwrap_or((&text, ""));
        write!(f, "{day} {} UTC", rest.get(..8).unwrap_or(rest))
    }
}

/// A number with a thin space between each three digits.
pub(crate) fn number(number: &u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number in a few letters, for scales.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
pub(crate) fn short(number: u64) -> String {
    let mut amount = number as f64;
    for unit in ["", "k", "M", "G", "T", "P"] {
        if amount < 1_000.0 {
            let places = usize::from(amount < 10.0 && amount.fract() > 0.04);
            return format!("{amount:.places$}{unit}");
        }
        amount /= 1_000.0;
    }
    format!("{amount:.0}E")
}

/// Octets in the unit in which they are below a thousand.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn octets(octets: &u64) -> String {
    let mut amount = *octets as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if amount < 999.5 || unit == "TB" {
            let places = usize::from(unit != "B" && amount < 99.95);
            return format!("{amount:.places$} {unit}");
        }
        amount /= 1000.0;
    }
    unreachable!("the last unit is taken whatever the amount")
}

/// Milliseconds as people say them.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(crate) fn millis(millis: &u64) -> String {
    match *millis {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// A zone's name in a path.
pub(crate) fn segment(name: &str) -> String {
    name.parse().map(|name| crate::path::segment_of(&name)).unwrap_or_default()
}

/// The name of a zone for people: without its last dot.
pub(crate) fn bare(name: &str) -> &str {
    if name == "." { name } else { name.strip_suffix('.').unwrap_or(name) }
}

/// The same in other letters than ASCII, where it stands for some.
pub(crate) fn unicode(name: &str) -> Option<String> {
    crate::text::unicode_name(bare(name))
}

/// Names for people, with commas.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")
}

/// The same, as templates hand them over.
pub(crate) fn listed(all: &[String]) -> String {
    names(all)
}

/// A text without what is to be typed at the command line: here are pages for it.
fn without_commands(detail: &str) -> String {
    let mut text = detail.to_owned();
    for begin in [": see `secondo ", " with `secondo ", ": `secondo "] {
        while let Some(at) = text.find(begin) {
            let Some(length) = text[at + begin.len()..].find('`') else { break };
            text.replace_range(at..=at + begin.len() + length, "");
        }
    }
    if let Some(at) = text.find(": see secondo ") {
        text.truncate(at);
    }
    text
}

/// A problem's detail, which begins in lower case and has no full stop, as a sentence for people who look at pages.
pub(crate) fn sentence(detail: &str) -> String {
    let detail = &*without_commands(detail);
    let mut characters = detail.chars();
    let Some(first) = characters.next() else { return String::new() };
    // The name of a setting, or something quoted, stays as it is.
    let is_word =
        detail.split(' ').next().is_some_and(|word| word.chars().all(|c| c.is_alphabetic() || "'-".contains(c)));
    let first = if is_word { first.to_uppercase().to_string() } else { first.to_string() };
    let rest = characters.as_str();
    let end = if rest.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{rest}{end}")
}

/// How serious a state is, for its colour.
pub(crate) fn tone(state: &State) -> &'static str {
    match state {
        State::Active => "good",
        State::Pending => "busy",
        State::Frozen
        | State::Paused
        | State::Held
        | State::OverLimit
        | State::Stale
        | State::Unproven
        | State::Suspended => "warn",
        State::Expired => "bad",
        State::Disabled => "off",
    }
}

/// A state in words.
pub(crate) fn state(state: &State) -> &'static str {
    match state {
        State::Active => "Active",
        State::Frozen => "Frozen",
        State::Paused => "Paused",
        State::Held => "Held back",
        State::OverLimit => "Over limit",
        State::Stale => "Stale",
        State::Pending => "Pending",
        State::Expired => "Expired",
        State::Disabled => "Disabled",
        State::Unproven => "Unproven",
        State::Suspended => "Suspended",
    }
}

/// Why the zone's last attempt failed, if it did.
pub(crate) fn failing(zone: &Zone) -> Option<&Reason> {
    let last = zone.last_attempt.as_ref().filter(|last| last.outcome == AttemptOutcome::Failed);
    last.and_then(|last| last.reason.as_ref())
}

/// A zone's state in words: one that is tried in vain does not just wait.
pub(crate) fn zone_state(zone: &Zone) -> &'static str {
    if zone.state == State::Pending && failing(zone).is_some() { "Failing" } else { state(&zone.state) }
}

/// The same for its colour.
pub(crate) fn zone_tone(zone: &Zone) -> &'static str {
    if zone.state == State::Pending && failing(zone).is_some() { "bad" } else { tone(&zone.state) }
}

/// What lists of zones go by.
pub(crate) fn order(order: &ZoneOrder) -> &'static str {
    match order {
        ZoneOrder::Name => "Name",
        ZoneOrder::State => "What needs you",
        ZoneOrder::Serial => "Serial",
        ZoneOrder::Records => "Records",
        ZoneOrder::Confirmed => "Last confirmed",
        ZoneOrder::Expires => "Expires first",
    }
}

/// A stable code as words.
pub(crate) fn spelled(code: &str) -> String {
    code.replace('_', " ")
}

/// A text as a part of a query.
pub(crate) fn encoded(text: &str) -> String {
    crate::path::percent_encoded(text)
}

/// How the zone is, in one sentence.
pub(crate) fn condition(zone: &Zone) -> &'static str {
    let is_trying = zone.last_attempt.is_none();
    match zone.state {
        State::Active => "Served here, and up to date with its primary.",
        State::Pending if is_trying => "Being copied for the first time.",
        State::Pending => "Nothing has been copied yet: the reason is below. It is tried again by itself.",
        State::Stale => {
            "Served here in its last good version; its primary could not be reached or gave nothing usable when it was last asked."
        }
        State::Expired if zone.answers_until > zone.expires_at => {
            "Its time has run out and it is served all the same, as is set for it."
        }
        State::Expired => "No primary has confirmed it for as long as its SOA allows: it is answered with SERVFAIL.",
        State::Held => "Served here; a newer version is held back until you say what becomes of it.",
        State::Frozen if zone.freshness == Freshness::Pending => "Frozen, with nothing left to serve.",
        State::Frozen => "Served here at a version of your choice; it follows no primary until it is thawed.",
        State::OverLimit => {
            "Served here in its last good version: a newer one has more records than the plan allows."
        }
        State::Paused => "Served here, and not followed: changes at the primary do not arrive.",
        State::Disabled => "Switched off: queries for it are refused.",
        State::Suspended => {
            "Not answered, because the organisation's plan has ended: with a plan it is answered again."
        }
        State::Unproven => "Not answered until you have shown that the name is yours.",
    }
}

/// How an attempt ended, for its colour.
pub(crate) fn outcome_tone(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Updated => "good",
        AttemptOutcome::Unchanged => "off",
        AttemptOutcome::Held => "warn",
        AttemptOutcome::Failed => "bad",
    }
}

/// What was done in an attempt, and why.
pub(crate) fn attempt(attempt: &Attempt) -> String {
    let what = match attempt.kind {
        AttemptKind::Check => "Check of the serial",
        AttemptKind::Ixfr => "Transfer of what changed (IXFR)",
        AttemptKind::Axfr => "Full transfer (AXFR)",
        AttemptKind::Publish => "Publication of a version that was here",
    };
    let why = match attempt.trigger {
        Trigger::First => "for the new zone",
        Trigger::Start => "after a restart",
        Trigger::Notify => "after a NOTIFY",
        Trigger::Refresh => "as scheduled",
        Trigger::Retry => "tried again",
        Trigger::Request => "asked for by hand",
    };
    format!("{what}, {why}")
}

/// A browser as people know it, of what it says of itself; what is not known says its own words.
pub(crate) fn browser(agent: &str) -> String {
    // The more particular first: each says that it is one of those behind it too.
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ];
    let agent = agent.trim();
    let known =
        |names: &[(&str, &'static str)]| names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    match (known(&BROWSERS), known(&SYSTEMS)) {
        _ if agent.is_empty() => "Unknown browser".to_owned(),
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent.to_owned(),
    }
}

/// What a setting is called on pages.
pub(crate) fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::RefreshMin => "Shortest time between checks",
        Setting::RefreshMax => "Longest time between checks",
        Setting::RetryMin => "Shortest time before another try",
        Setting::RetryMax => "Longest time before another try",
        Setting::ExpireMin => "Shortest life without a confirmation",
        Setting::ExpireMax => "Longest life without a confirmation",
        Setting::SerialWentBack => "When the serial goes back",
        Setting::IxfrFrom => "Differences are taken from",
        Setting::Notify => "NOTIFYs that are taken",
        Setting::NotifyFrom => "Others who may send NOTIFYs",
        Setting::NotifyKeys => "Keys that may sign NOTIFYs",
        Setting::Zonemd => "When the ZONEMD does not fit",
        Setting::ShrinkLimit => "Hold back what loses more than",
        Setting::HoldFor => "Hold back for",
        Setting::ServePastExpiry => "Serve past expiry for",
        Setting::HistoryFor => "Keep versions for",
        Setting::HistoryVersions => "Versions kept",
        Setting::AllowTransfer => "Who may copy the zone from here",
        Setting::NotifyTo => "Who is told of new versions",
        Setting::Any => "Answer to ANY",
    }
}

/// What a setting can be, where that is one of a few words.
pub(crate) fn choices(setting: Setting) -> &'static [&'static str] {
    match setting {
        Setting::SerialWentBack => &["wait", "accept"],
        Setting::IxfrFrom => &["same", "any"],
        Setting::Notify => &["any", "signed"],
        Setting::Zonemd => &["warn", "refuse"],
        Setting::Any => &["one", "all"],
        _ => &[],
    }
}

/// The same by its name, which stands for itself where another version of this program has set it.
pub(crate) fn setting_named(name: &str) -> String {
    name.parse().map_or_else(|_| name.to_owned(), |known| setting(known).to_owned())
}

/// How much an event matters, for its colour.
pub(crate) fn severity_tone(severity: &Severity) -> &'static str {
    match severity {
        Severity::Info => "off",
        Severity::Warning => "warn",
        Severity::Error => "bad",
    }
}

/// How good an alert's delivery is.
pub(crate) fn delivery_tone(state: AlertDeliveryState) -> &'static str {
    match state {
        AlertDeliveryState::Sent => "good",
        AlertDeliveryState::Failed => "bad",
        AlertDeliveryState::Gathering => "off",
        AlertDeliveryState::Trying => "warn",
    }
}

/// What a server of a zone's parent said.
pub(crate) fn parent_said(said: &ParentSaid) -> &'static str {
    match said {
        ParentSaid::Delegated => "delegates it",
        ParentSaid::Itself => "answers from the zone itself",
        ParentSaid::NotDelegated => "delegates no such zone",
        ParentSaid::Nothing => "gives nothing that can be used",
    }
}

/// What a server says that a zone is delegated to.
pub(crate) fn found(at: &FoundAt) -> &'static str {
    match at.found {
        ServerFound::Lame => "lame",
        ServerFound::Here if at.is_lame() => "lame",
        ServerFound::Serves | ServerFound::Here => "answers",
        ServerFound::Silent => "no answer",
        ServerFound::NotAsked => "not asked",
    }
}

/// The same for its colour.
pub(crate) fn found_tone(at: &FoundAt) -> &'static str {
    match at.found {
        ServerFound::Lame => "bad",
        ServerFound::Here if at.is_lame() => "bad",
        ServerFound::Serves | ServerFound::Here => "good",
        ServerFound::Silent => "warn",
        ServerFound::NotAsked => "off",
    }
}

#[cfg(test)]
mod tests {
    use super::{bare, browser, choices, millis, number, octets, sentence, short, when};
    use crate::json::Time;

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        assert_eq!(
            [0, 999, 1_000, 12_345_678].map(|n| number(&n).replace('\u{202f}', " ")),
            ["0", "999", "1 000", "12 345 678"]
        );
        assert_eq!(
            [0, 999, 1_500, 99_999, 999_999, 12_300_000].map(|n| octets(&n)),
            ["0 B", "999 B", "1.5 kB", "100 kB", "1.0 MB", "12.3 MB"]
        );
        assert_eq!([7, 1_500, 59_999, 61_000].map(|n| millis(&n)), ["7 ms", "1.5 s", "60.0 s", "1 min 1 s"]);
        assert_eq!(
            [0, 999, 1_000, 1_500, 20_000, 2_000_000, u64::MAX].map(short),
            ["0", "999", "1k", "1.5k", "20k", "2M", "18E"]
        );
        assert_eq!(octets(&u64::MAX), "18446744 TB");
        assert_eq!(when(&Time::from_unix_ms(1_795_262_400_250)).to_string(), "2026-11-21 12:00:00 UTC");
        assert_eq!(["example.org.", ".", "a"].map(bare), ["example.org", ".", "a"]);
    }

    #[test]
    fn browsers_are_called_as_people_know_them() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        for (agent, name) in [
            (chrome, "Chrome on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (&format!("{chrome} Edg/140.0.0.0"), "Edge on Linux"),
            ("curl/8.5.0", "curl/8.5.0"),
            (" ", "Unknown browser"),
            ("", "Unknown browser"),
        ] {
            assert_eq!(browser(agent), name, "{agent}");
        }
    }

    #[test]
    fn whatever_can_be_chosen_for_a_setting_can_be_set() {
        for setting in xfr::Setting::ALL {
            for choice in choices(setting) {
                xfr::Settings::default().set(setting, Some(choice)).unwrap();
            }
        }
    }

    #[test]
    fn a_detail_becomes_a_sentence() {
        for (detail, said) in [
            ("the primary refused our request", "The primary refused our request."),
            ("refresh_max cannot be \"soon\"", "refresh_max cannot be \"soon\"."),
            ("example.org is taken", "example.org is taken."),
            ("e-mail is down!", "E-mail is down!"),
            ("", ""),
            ("there is no zone a.example.: see secondo zone list", "There is no zone a.example."),
            (
                "it is disabled: have it answered again with `secondo zone enable a.example.` first",
                "It is disabled: have it answered again first.",
            ),
            ("it is not kept: see `secondo zone history a.example.`", "It is not kept."),
        ] {
            assert_eq!(sentence(detail), said);
        }
    }
}
