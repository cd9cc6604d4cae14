//! Delegations: what a zone's parent says about it, and what the servers that it names answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// What all that the parent's servers say comes to.
    DelegationState {
        /// All of them that were heard name the same name servers.
        Delegated = "delegated",
        NotDelegated = "not_delegated",
        /// They name different name servers, or one delegates the zone and another does not.
        Differing = "differing",
        /// They hold the zone beside its parent, and show nothing but the zone's own NS records.
        OnlyItself = "only_itself",
        /// Nobody could be asked, or nobody said anything that can be used.
        Unknown = "unknown",
    }
}

words! {
    /// How what the parent delegates to fits the name servers of this service.
    DelegationFit {
        /// All of them, and no others.
        Exactly = "exactly",
        /// At least one of them; others beside it, or some of them are missing.
        Among = "among",
        /// None of them.
        None = "none",
        /// The parent has not said it with one voice, or it is not configured which are ours.
        Unknown = "unknown",
    }
}

words! {
    /// In what those servers of the parent differ that show what it delegates.
    DelegationDifference {
        NameServers = "name_servers",
        Glue = "glue",
        Ds = "ds",
    }
}

words! {
    /// What one server of the parent said.
    ParentSaid {
        Delegated = "delegated",
        /// It holds the zone too, and answers from it.
        Itself = "itself",
        NotDelegated = "not_delegated",
        /// Nothing that can be used.
        Nothing = "nothing",
    }
}

words! {
    /// Whether a name server answers for the zone at one of its addresses.
    ServerFound {
        Serves = "serves",
        /// It is there, and does not serve the zone.
        Lame = "lame",
        /// It says nothing that can be used.
        Silent = "silent",
        /// From here it cannot be asked, which says nothing about it.
        NotAsked = "not_asked",
        /// It is this service, which asks itself nothing over the network: what it answers with has a serial.
        Here = "here",
    }
}

words! {
    /// Who has to do something about a check that failed.
    DelegationFault {
        NameServers = "name_servers",
        Network = "network",
        Configuration = "configuration",
        Ours = "ours",
    }
}

/// To whom a zone is delegated. Names are absolute; they are in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delegation {
    /// The zone's, with the last dot.
    #[schema(example = "example.org.")]
    pub name: String,
    /// When that was asked.
    pub asked_at: Time,
    pub state: DelegationState,
    pub fit: DelegationFit,
    /// The zone that delegates this one, or would; none when it could not be found.
    #[schema(example = "org.")]
    pub parent: Option<String>,
    /// What the zone is delegated to, where the parent says that with one voice.
    pub name_servers: Vec<String>,
    /// The name servers of this service; empty when they are not configured.
    pub wanted: Vec<String>,
    /// The NS records at the apex of the version that is served here; none when nothing is served.
    pub own: Option<Vec<String>>,
    pub differences: Vec<DelegationDifference>,
    /// The servers of the parent, in the order in which they were asked.
    pub views: Vec<ParentView>,
    /// The servers that the zone is delegated to, each asked for it.
    pub servers: Vec<DelegatedServer>,
    /// Why nothing is known; there when the state is `unknown`.
    pub failure: Option<DelegationFailure>,
}

/// What one server of the parent said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParentView {
    #[schema(example = "a0.org.afilias-nst.info.")]
    pub server: String,
    #[schema(example = "199.19.56.1")]
    pub address: String,
    pub said: ParentSaid,
    pub name_servers: Vec<GluedName>,
    /// How many DS records it has; none when it has not said.
    pub ds: Option<u32>,
    /// One sentence for people, where there is more to say.
    pub message: Option<String>,
}

/// A name server as the parent names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GluedName {
    pub name: String,
    /// The addresses that came with it.
    pub glue: Vec<String>,
}

/// One server that the zone is delegated to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelegatedServer {
    pub name: String,
    /// Whether it is one of this service's.
    pub is_ours: bool,
    /// What is found at each of its addresses; empty when it has none, which is as bad as lame.
    pub at: Vec<FoundAt>,
}

/// What a name server said at one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundAt {
    #[schema(example = "192.0.2.53")]
    pub address: String,
    pub found: ServerFound,
    /// There when it serves the zone, also `here`.
    pub serial: Option<u32>,
    /// Stable, for programs; there when it does not.
    pub code: Option<String>,
    /// One sentence for people, there when it does not.
    pub message: Option<String>,
}

/// Why nothing is known of a delegation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelegationFailure {
    /// Stable, for programs: `nobody_answers`, `budget_spent`, …
    #[schema(example = "nobody_answers")]
    pub code: String,
    pub fault: DelegationFault,
    /// The same in words, with the zone where it lies with name servers.
    pub whose: String,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

impl FoundAt {
    /// Whether there is a server that does not serve the zone.
    pub fn is_lame(&self) -> bool {
        self.found == ServerFound::Lame || self.found == ServerFound::Here && self.serial.is_none()
    }
}

impl DelegatedServer {
    /// Whether it answers somewhere that it does not serve the zone.
    pub fn is_lame(&self) -> bool {
        self.at.iter().any(FoundAt::is_lame)
    }

    /// Whether part of the world's questions get no answer from it.
    pub fn is_bad(&self) -> bool {
        self.at.is_empty() || self.at.iter().any(|at| at.is_lame() || at.found == ServerFound::Silent)
    }
}

impl Delegation {
    /// Name servers of this service that the parent does not name.
    pub fn missing(&self) -> impl Iterator<Item = &String> {
        self.wanted.iter().filter(|wanted| !self.name_servers.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
    }

    /// Name servers that the parent names, and that are not this service's.
    pub fn others(&self) -> impl Iterator<Item = &String> {
        self.name_servers.iter().filter(|name| !self.wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
    }

    /// Whether the parent delegates to others than the zone's own NS records say; none where one of both is not known.
    pub fn differs_from_own(&self) -> Option<bool> {
        let own = self.own.as_ref().filter(|_| self.state == DelegationState::Delegated)?;
        let lower = |names: &[String]| {
            let mut lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            lower.sort();
            lower
        };
        Some(lower(own) != lower(&self.name_servers))
    }
}

/// To whom a zone is delegated, if that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownDelegation {
    /// None when it has not been asked, or long ago.
    pub delegation: Option<Delegation>,
}

/// Whether it is being found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DelegationBegun {
    /// No while too many others wait: ask again in a minute.
    pub begun: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A zone that is delegated to these, by both servers of `org.`, with these wanted; each serves it.
    pub(crate) fn delegated_to(named: &[&str], wanted: &[&str], fit: DelegationFit) -> Delegation {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let view = |address: &str| ParentView {
            server: "a.nic.org.".into(),
            address: address.into(),
            said: ParentSaid::Delegated,
            name_servers: named.iter().map(|name| GluedName { name: (*name).into(), glue: Vec::new() }).collect(),
            ds: Some(0),
            message: None,
        };
        let server = |name: &&str| DelegatedServer {
            name: (*name).into(),
            is_ours: wanted.contains(name),
            at: vec![FoundAt {
                address: "192.0.2.53".into(),
                found: ServerFound::Serves,
                serial: Some(7),
                code: None,
                message: None,
            }],
        };
        Delegation {
            name: "example.org.".into(),
            asked_at: Time::from_unix_ms(0),
            state: DelegationState::Delegated,
            fit,
            parent: Some("org.".into()),
            name_servers: texts(named),
            wanted: texts(wanted),
            own: Some(texts(named)),
            differences: Vec::new(),
            views: vec![view("192.0.2.1"), view("192.0.2.2")],
            servers: named.iter().map(server).collect(),
            failure: None,
        }
    }

    #[test]
    fn names_are_compared_whatever_the_case_of_their_letters() {
        let mut found = delegated_to(&["NS1.us.", "ns.them."], &["ns1.us.", "ns2.us."], DelegationFit::Among);
        assert_eq!(found.missing().collect::<Vec<_>>(), ["ns2.us."]);
        assert_eq!(found.others().collect::<Vec<_>>(), ["ns.them."]);
        found.own = Some(vec!["NS.them.".into(), "ns1.us.".into()]);
        assert_eq!(found.differs_from_own(), Some(false));
        found.own = Some(vec!["ns1.us.".into()]);
        assert_eq!(found.differs_from_own(), Some(true));
        found.own = None;
        assert_eq!(found.differs_from_own(), None);
    }
}
