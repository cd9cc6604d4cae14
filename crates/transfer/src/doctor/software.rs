//! What the primary may be: a hint for whoever has to configure it, and never more. What a server says about itself
//! anybody can set, and how it behaves may change with its next version.
//!
//! Found by trying BIND 9.18, Knot 3.2, NSD 4.6 and PowerDNS 4.7, each with what it says about itself switched off:
//!
//! - Asked for EDNS version 1, PowerDNS alone sets AA in its BADVERS.
//! - To the opcode STATUS with an OPT record, BIND answers NOTIMP without the question and with OPT, Knot with both,
//!   NSD with neither; PowerDNS is silent.
//! - A signature that it does not take PowerDNS answers with NOTAUTH and no TSIG record.

use std::fmt;
use std::time::Duration;

use dns::{CLASS_IN, Header, Opcode, Rcode, Type};
use tokio::time::timeout;
use xfr::Reason;

use super::line::Line;
use super::question::Question;

/// CHAOS names whose TXT record is a server's version (RFC 4892 and custom).
pub(super) const VERSION_NAMES: [&str; 2] = ["version.bind.", "version.server."];
/// Of what a server says about itself, so much is repeated.
const SAID_MAX: usize = 80;
/// For an answer that some servers never give.
const STATUS_PATIENCE: Duration = Duration::from_millis(500);

/// The servers whose configuration we know how to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Software {
    Bind,
    Knot,
    Nsd,
    PowerDns,
    Yadifa,
    WindowsDns,
}

impl Software {
    pub const ALL: [Self; 6] = [Self::Bind, Self::Knot, Self::Nsd, Self::PowerDns, Self::Yadifa, Self::WindowsDns];

    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Knot => "knot",
            Self::Nsd => "nsd",
            Self::PowerDns => "powerdns",
            Self::Yadifa => "yadifa",
            Self::WindowsDns => "windows_dns",
        }
    }
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bind => "BIND",
            Self::Knot => "Knot DNS",
            Self::Nsd => "NSD",
            Self::PowerDns => "PowerDNS",
            Self::Yadifa => "YADIFA",
            Self::WindowsDns => "Windows DNS",
        })
    }
}

/// What the primary may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// None when nothing speaks for any, or something for several.
    pub software: Option<Software>,
    /// What it says about itself, made readable.
    pub said: Option<String>,
}

/// What was noticed about a primary on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Manners {
    /// Its own words; empty when it says nothing.
    pub(super) said: Vec<String>,
    behaves_like: Vec<Software>,
}

impl Manners {
    pub(super) fn of_badvers(&mut self, header: Header) {
        if header.has(Header::AA) {
            self.behaves_like.push(Software::PowerDns);
        }
    }

    pub(super) fn of_refused_signature(&mut self, reason: &Reason) {
        if matches!(reason, Reason::TsigRejected { .. }) {
            self.behaves_like.push(Software::PowerDns);
        }
    }

    /// Asks what nobody asks.
    pub(super) async fn of_status(&mut self, line: &Line<'_>) {
        let (name, opcode) = (line.zone.clone(), Opcode(2));
        let question =
            Question { opcode, name, rtype: Type::SOA, class: CLASS_IN, edns: Some(dns::edns::VERSION), key: None };
        let Ok(Ok(answer)) = timeout(STATUS_PATIENCE, line.ask(question)).await else { return };
        let has_question = answer.header().counts[0] > 0;
        let like = match (answer.rcode(), has_question, answer.udp_octets()) {
            (Rcode::NOTIMP, false, Some(_)) => Software::Bind,
            (Rcode::NOTIMP, true, Some(_)) => Software::Knot,
            (Rcode::NOTIMP, false, None) => Software::Nsd,
            _ => return,
        };
        self.behaves_like.push(like);
    }
}

/// Its own words count first; where they name nothing, its manners, if all speak for one.
pub(super) fn guess(manners: &Manners) -> Guess {
    let said = manners.said.first().cloned();
    let named = manners.said.iter().find_map(|said| named(said));
    let software = named.or_else(|| {
        let (first, others) = manners.behaves_like.split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    });
    Guess { software, said }
}

fn named(said: &str) -> Option<Software> {
    let said = said.to_ascii_lowercase();
    let has = |word: &str| said.contains(word);
    // BIND gives a bare number, and distributions put their names behind it.
    let is_binds_number = said.starts_with("9.") || said.starts_with("8.") || said.starts_with("4.9");
    match () {
        () if has("knot") => Some(Software::Knot),
        () if has("powerdns") => Some(Software::PowerDns),
        () if has("microsoft") || has("windows") => Some(Software::WindowsDns),
        () if has("nsd") => Some(Software::Nsd),
        () if has("bind") || is_binds_number => Some(Software::Bind),
        () => None,
    }
}

/// The first string of a TXT record, fit to be shown on a terminal.
pub(super) fn readable(rdata: &[u8]) -> String {
    let [length, text @ ..] = rdata else { return String::new() };
    let text = text.get(..usize::from(*length)).unwrap_or(text);
    let printable = |octet: &u8| if (0x20..0x7f).contains(octet) { char::from(*octet) } else { '?' };
    text.iter().take(SAID_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::{Guess, Manners, Software, guess, readable};

    fn guessed(said: &[&str], behaves_like: &[Software]) -> Option<Software> {
        let said = said.iter().map(|&said| said.to_owned()).collect();
        guess(&Manners { said, behaves_like: behaves_like.to_vec() }).software
    }

    #[test]
    fn own_words_count_before_manners_and_manners_must_agree() {
        for (said, software) in [
            ("9.18.49-1~deb12u3-Debian", Some(Software::Bind)),
            ("Knot DNS 3.2.6", Some(Software::Knot)),
            ("NSD 4.6.1", Some(Software::Nsd)),
            ("PowerDNS Authoritative Server 4.7.3", Some(Software::PowerDns)),
            ("Microsoft DNS 10.0.20348 (4F7C0001)", Some(Software::WindowsDns)),
            ("go away", None),
        ] {
            assert_eq!(guessed(&[said], &[]), software, "{said}");
        }
        assert_eq!(guessed(&["NSD 4"], &[Software::Bind]), Some(Software::Nsd));
        assert_eq!(guessed(&["none"], &[Software::Bind]), Some(Software::Bind));
        assert_eq!(guessed(&[], &[Software::Bind, Software::Knot]), None);
        assert_eq!(guess(&Manners::default()), Guess { software: None, said: None });
    }

    #[test]
    fn what_a_server_says_cannot_play_tricks_on_a_terminal() {
        assert_eq!(readable(b"\x04ab\x1b["), "ab?[");
        assert_eq!(readable(b"\xffshort"), "short");
        assert_eq!(readable(b""), "");
        assert_eq!(readable(&[&[255][..], &[b'x'; 255]].concat()).len(), 80);
    }
}
