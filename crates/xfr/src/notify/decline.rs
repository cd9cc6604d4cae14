//! Every way in which a NOTIFY is not taken: code, what is answered, a sentence, what to do.

use std::fmt;

use dns::Rcode;

use crate::tsig::TsigError;

/// Why a NOTIFY was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decline {
    /// It cannot be read to its end.
    Malformed,
    /// It has no question, or several.
    QuestionCount,
    Opcode,
    Class,
    /// It is about something else than the zone's contents, such as RFC 9859's CDS.
    Type,
    UnknownZone,
    Stranger,
    /// From an address that is allowed, but the zone wants a signature.
    Unsigned,
    /// Signed with a key that is right, but not the zone's.
    OtherKey,
    BadKey,
    BadSig,
    BadTime,
    BadTrunc,
    ZonePaused,
    /// Too many waited to be looked at.
    QueueFull,
}

/// Code, response code, sentence, advice.
struct Entry(&'static str, Rcode, &'static str, &'static str);

const SENDER: &str = "see to it that the sender is a name server that sends whole and well-formed NOTIFYs (RFC 1996)";
const SAME_KEY: &str = "give the sender and this server the same key: its name, algorithm and secret (`secondo key list` \
                        shows the keys here)";
const NOTHING: &str = "nothing, unless you know the sender: anybody can send these";

impl Decline {
    pub const ALL: [Self; 15] = [
        Self::Malformed,
        Self::QuestionCount,
        Self::Opcode,
        Self::Class,
        Self::Type,
        Self::UnknownZone,
        Self::Stranger,
        Self::Unsigned,
        Self::OtherKey,
        Self::BadKey,
        Self::BadSig,
        Self::BadTime,
        Self::BadTrunc,
        Self::ZonePaused,
        Self::QueueFull,
    ];

    /// The one with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decline| decline.code() == code)
    }

    /// The stable name for programs.
    pub fn code(self) -> &'static str {
        self.entry().0
    }

    /// What is answered.
    pub fn rcode(self) -> Rcode {
        self.entry().1
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        self.entry().3
    }

    fn entry(self) -> Entry {
        match self {
            Self::Malformed => Entry("malformed", Rcode::FORMERR, "it cannot be read to its end", SENDER),
            // RFC 9619 for queries, and RFC 1996 §3.7 here.
            Self::QuestionCount => Entry("question_count", Rcode::FORMERR, "it has not one question", SENDER),
            Self::Opcode => Entry("opcode", Rcode::NOTIMP, "it is no NOTIFY", SENDER),
            Self::Class => Entry("class", Rcode::NOTIMP, "it is about another class than IN", SENDER),
            Self::Type => Entry(
                "type",
                Rcode::NOTIMP,
                "it is not about the zone's SOA",
                "nothing: it says nothing about what is copied here",
            ),
            Self::UnknownZone => {
                Entry("unknown_zone", Rcode::NOTAUTH, "there is no such zone here, or it is disabled", NOTHING)
            }
            Self::Stranger => Entry(
                "stranger",
                Rcode::REFUSED,
                "it comes from no address that may notify the zone, and is not signed",
                "if the sender is yours, allow it beside those that are set: secondo zone set NAME notify-from=ADDRESS,…",
            ),
            Self::Unsigned => Entry(
                "unsigned",
                Rcode::REFUSED,
                "it is not signed, and the zone takes signed ones only",
                "have the primary sign its NOTIFYs, or take unsigned ones: secondo zone set NAME notify=any",
            ),
            Self::OtherKey => Entry(
                "other_key",
                Rcode::REFUSED,
                "it is signed with a key that may not notify the zone",
                "if the sender is yours, allow its key beside those that are set: secondo zone set NAME notify-keys=KEY,…",
            ),
            Self::BadKey => {
                Entry("tsig_bad_key", Rcode::NOTAUTH, "it is signed with a key that is not here (BADKEY)", SAME_KEY)
            }
            Self::BadSig => Entry("tsig_bad_sig", Rcode::NOTAUTH, "its signature is wrong (BADSIG)", SAME_KEY),
            Self::BadTime => Entry(
                "tsig_bad_time",
                Rcode::NOTAUTH,
                "its signature is of another time (BADTIME)",
                "set the sender's clock and this server's right",
            ),
            Self::BadTrunc => Entry(
                "tsig_bad_trunc",
                Rcode::NOTAUTH,
                "its signature is shortened (BADTRUNC)",
                "have the sender sign with the algorithm's whole length",
            ),
            // It was heard: to send it again would help nobody.
            Self::ZonePaused => Entry(
                "zone_paused",
                Rcode::NOERROR,
                "the zone is paused, and is checked when it is followed again",
                "secondo zone resume NAME",
            ),
            Self::QueueFull => Entry(
                "queue_full",
                Rcode::SERVFAIL,
                "too many NOTIFYs were waiting",
                "nothing: the primary sends it again, and the zone is checked at its refresh time in any case",
            ),
        }
    }
}

impl fmt::Display for Decline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().2)
    }
}

impl From<TsigError> for Decline {
    fn from(error: TsigError) -> Self {
        match error {
            TsigError::FormErr => Self::Malformed,
            TsigError::BadKey => Self::BadKey,
            TsigError::BadSig => Self::BadSig,
            TsigError::BadTime => Self::BadTime,
            TsigError::BadTrunc => Self::BadTrunc,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Decline;

    #[test]
    fn every_code_is_one_reasons_own_and_leads_back_to_it() {
        let codes: HashSet<&str> = Decline::ALL.iter().map(|decline| decline.code()).collect();
        assert_eq!(codes.len(), Decline::ALL.len());
        for decline in Decline::ALL {
            assert_eq!(Decline::of_code(decline.code()), Some(decline));
            assert!(!decline.to_string().is_empty() && !decline.advice().is_empty());
        }
        assert_eq!(Decline::of_code("none of ours"), None);
    }
}
