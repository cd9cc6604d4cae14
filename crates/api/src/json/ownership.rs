//! Whose names are: claims, and what proves them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// Whether a zone's name is known to be its organisation's.
    OwnershipState {
        /// It is, and the zone may be answered.
        Proven = "proven",
        /// It is, and what proved it does not show any more: the zone is answered on, and another organisation may prove the
        /// name.
        Lapsed = "lapsed",
        /// It is not known. The zone is copied, and not answered.
        Claimed = "claimed",
    }
}

words! {
    /// What shows that a name is an organisation's.
    OwnershipProof {
        /// Whoever runs the service says so.
        Operator = "operator",
        /// The parent was seen to change its delegation to the organisation's name servers.
        Delegation = "delegation",
        /// The claim's text was seen where the name is delegated to.
        Challenge = "challenge",
        /// The zone above it is proven for the same organisation.
        Above = "above",
        /// Whoever had the name proven has handed it over.
        HandedOver = "handed-over",
    }
}

words! {
    /// Where another organisation has a zone, so that neither a text nor the registry's delegation proves the name.
    OwnershipNeighbour {
        /// Above it: the name is given by what that zone delegates.
        Above = "above",
        /// Below it: the name is given by whoever runs the service alone.
        Below = "below",
    }
}

/// Whose a zone's name is, as far as that is known, and how it can be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ownership {
    pub name: String,
    pub state: OwnershipState,
    pub proof: Option<OwnershipProof>,
    pub proven_at: Option<Time>,
    /// Since when the proof does not show any more.
    pub lapsed_at: Option<Time>,
    /// A TXT record that proves the name where it is delegated to now; with whoever has its text, the name can also be handed
    /// over to this claim. None for a name that only whoever runs the service can give.
    pub challenge: Option<OwnershipChallenge>,
    /// The name servers that the name is to be delegated to.
    pub name_servers: Vec<String>,
    /// Whether they are this organisation's alone, so that a delegation that changes to them proves the name.
    pub name_servers_are_own: bool,
    /// Below the name others have theirs: it is given by whoever runs the service alone.
    pub is_public_suffix: bool,
    /// None where no other organisation's zone stands in the way, and for a name that is proven.
    pub neighbour: Option<OwnershipNeighbour>,
    /// What was seen when it was last looked at; none when that has not been since the server started.
    pub seen: Option<OwnershipSeen>,
}

impl Ownership {
    /// Whether the name is delegated to the organisation's own name servers and was not seen to come there for this claim, which
    /// proves nothing: whoever had it before may have left it so. Nor can a text be shown there.
    pub fn pointed_here_before(&self) -> bool {
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect::<BTreeSet<_>>();
        let delegated_to = self.seen.as_ref().and_then(|seen| seen.delegated_to.as_ref());
        self.state == OwnershipState::Claimed
            && self.name_servers_are_own
            && self.neighbour.is_none()
            && delegated_to.is_some_and(|names| lower(names) == lower(&self.name_servers))
    }
}

/// A record that proves a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnershipChallenge {
    /// Of a TXT record.
    #[schema(example = "_secondo-challenge.example.org.")]
    pub name: String,
    pub text: String,
}

/// What was seen of a name in the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnershipSeen {
    pub at: Time,
    /// The name servers that the parent delegates it to; none where that could not be seen.
    pub delegated_to: Option<Vec<String>>,
    /// Whether the text stands there; none where that could not be seen.
    pub text_shown: Option<bool>,
    /// Why it could not be seen, or why the name is not this organisation's all the same.
    pub message: Option<String>,
}

/// A name to hand over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The text of the other organisation's claim on the name: it stands on the page of their zone.
    pub to: String,
}

/// A claim that is not proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claim {
    /// Of the zone.
    pub id: u64,
    pub name: String,
    /// The organisation's number.
    pub tenant: u64,
    /// What it is called.
    #[schema(example = "Example Ltd")]
    pub organisation: String,
    pub claimed_at: Time,
    pub looked_at: Option<Time>,
    /// Whether another organisation has proven the name.
    pub is_held: bool,
    pub is_public_suffix: bool,
}

/// Claims that are not proven, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claims {
    pub claims: Vec<Claim>,
    /// For `after`, to read on; none at the end.
    pub next: Option<u64>,
}
