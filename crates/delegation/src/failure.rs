//! Why a server gave nothing that can be used, and why a walk ended without a word of the parent's.

use std::fmt;

use dns::query::NoAnswer;
use dns::{Malformed, Name, Rcode};
use xfr::RefusedAddress;

use crate::Server;

/// What a walk had no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    Queries { limit: u32 },
    Time { secs: u64 },
    Cuts { limit: usize },
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queries { limit } => write!(f, "{limit} queries"),
            Self::Time { secs } => write!(f, "{secs} s"),
            Self::Cuts { limit } => write!(f, "{limit} referrals"),
        }
    }
}

/// Why one server gave nothing that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("{0}")]
    AddressRefused(RefusedAddress),
    #[error("no answer within {millis} ms")]
    Silent { millis: u64 },
    /// Nothing has been sent.
    #[error("no way leads to it from this machine")]
    NoRoute,
    #[error("it cannot be reached: {detail}")]
    Unreachable { detail: String },
    #[error("what came from it is no answer: {0}")]
    NoAnswer(NoAnswer),
    #[error("its answer over TCP says that it is truncated")]
    TruncatedOverTcp,
    #[error("it answers with {0}")]
    Answers(Rcode),
    #[error("it is lame: it answers without the AA flag, as a server that does not hold the zone")]
    NotAuthoritative,
    #[error("it is a resolver, or one answers in its place: it answers without authority from somewhere else")]
    Resolver,
    #[error("it is lame: it refers to the servers of {to}, which is no step nearer")]
    RefersAway { to: Name },
    #[error("it names more than {limit} name servers")]
    TooManyNameServers { limit: usize },
    #[error("nothing more is asked: the walk has had its {0}")]
    Spent(Spent),
    #[error("a fault of our own: {detail}")]
    Ours { detail: String },
}

impl From<NoAnswer> for Trouble {
    fn from(no_answer: NoAnswer) -> Self {
        Self::NoAnswer(no_answer)
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Self::NoAnswer(NoAnswer::Malformed(malformed))
    }
}

impl Trouble {
    /// The stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressRefused(_) => "address_refused",
            Self::Silent { .. } => "timed_out",
            Self::NoRoute => "no_route",
            Self::Unreachable { .. } => "unreachable",
            Self::NoAnswer(_) => "no_answer",
            Self::TruncatedOverTcp => "truncated_over_tcp",
            Self::Answers(_) => "other_rcode",
            Self::NotAuthoritative => "not_authoritative",
            Self::Resolver => "resolver",
            Self::RefersAway { .. } => "refers_away",
            Self::TooManyNameServers { .. } => "too_many_name_servers",
            Self::Spent(_) => "budget_spent",
            Self::Ours { .. } => "internal",
        }
    }

    /// Whether something was sent to the server.
    pub(crate) fn has_cost_a_query(&self) -> bool {
        !matches!(self, Self::AddressRefused(_) | Self::NoRoute | Self::Spent(_) | Self::Ours { .. })
    }

    /// Whether the server is there and does not serve the zone that it was asked for.
    pub fn is_lame(&self) -> bool {
        matches!(self, Self::Answers(_) | Self::NotAuthoritative | Self::Resolver | Self::RefersAway { .. })
    }
}

/// One server, and what was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub server: Server,
    pub trouble: Trouble,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.trouble)
    }
}

/// Who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those who run the servers of this zone.
    ServersOf(Name),
    Network,
    Configuration,
    Ours,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServersOf(zone) => write!(f, "those who run the name servers of {zone}"),
            Self::Network => f.write_str("the network between those servers and us"),
            Self::Configuration => f.write_str("the configuration here"),
            Self::Ours => f.write_str("ours"),
        }
    }
}

/// Why a walk ended without a word of the parent's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the root has no parent that could delegate it")]
    Root,
    #[error("the name {zone} is so long that nothing can stand before it: it has no challenge")]
    TooLong { zone: Name },
    #[error("no name server of {zone} gives an answer that can be used: {}", listed(.troubles))]
    NobodyAnswers { zone: Name, troubles: Vec<Told> },
    #[error("no address of a name server of {zone} can be found: it delegates to {}", names(.to))]
    NoAddresses { zone: Name, to: Vec<Name> },
    #[error("the walk to the parent of {zone} was given up after {spent}")]
    Spent { zone: Name, spent: Spent },
    #[error("a fault of our own: {detail}")]
    Ours { detail: String },
}

impl Failure {
    /// The stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::TooLong { .. } => "name_too_long",
            Self::NobodyAnswers { .. } => "nobody_answers",
            Self::NoAddresses { .. } => "no_addresses",
            Self::Spent { .. } => "budget_spent",
            Self::Ours { .. } => "internal",
        }
    }

    pub fn whose(&self) -> Whose {
        match self {
            Self::Root | Self::TooLong { .. } => Whose::Configuration,
            Self::NobodyAnswers { zone, troubles } => whose(zone, troubles),
            Self::NoAddresses { zone, .. } | Self::Spent { zone, .. } => Whose::ServersOf(zone.clone()),
            Self::Ours { .. } => Whose::Ours,
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match (self, self.whose()) {
            (Self::Root, _) => "Name a zone below the root.",
            (Self::TooLong { .. }, _) => "Prove the name in another way: by its delegation, or by the operator.",
            (_, Whose::Network) => {
                "Check that this machine reaches the internet's name servers: UDP and TCP to port 53 of any address must \
                 pass every firewall on the way, and nothing may answer in their place."
            }
            (_, Whose::Configuration) => {
                "These servers have addresses that are not asked from here. If they are meant to be, whoever runs this \
                 service can put them on the list of addresses that are allowed, or give other root hints."
            }
            (_, Whose::ServersOf(_)) => {
                "Nothing can be done here: whoever runs those servers has to look. It is tried again later."
            }
            (_, Whose::Ours) => "Look into our log; if it says no more, tell us.",
        }
    }
}

/// Servers that are silent all together are not reached; where a single one says a word, the way is there.
fn whose(zone: &Name, troubles: &[Told]) -> Whose {
    let all = |is: fn(&Trouble) -> bool| !troubles.is_empty() && troubles.iter().all(|told| is(&told.trouble));
    if all(|trouble| matches!(trouble, Trouble::AddressRefused(_))) {
        return Whose::Configuration;
    }
    if all(|trouble| matches!(trouble, Trouble::Ours { .. })) {
        return Whose::Ours;
    }
    let is_of_the_way = |trouble: &Trouble| {
        let is_unheard = matches!(trouble, Trouble::Silent { .. } | Trouble::NoRoute | Trouble::Unreachable { .. });
        is_unheard || matches!(trouble, Trouble::AddressRefused(_) | Trouble::Resolver)
    };
    if all(is_of_the_way) {
        return Whose::Network;
    }
    Whose::ServersOf(zone.clone())
}

fn listed(troubles: &[Told]) -> String {
    troubles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn names(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
