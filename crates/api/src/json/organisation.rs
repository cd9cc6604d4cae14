//! Organisations, their members, and those who are to become members.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PasswordLink, Role, Time};

/// An organisation, whose zones, keys and tokens are its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organisation {
    /// Never given twice.
    pub id: u64,
    /// Any text; several may have the same.
    #[schema(example = "Example Ltd")]
    pub name: String,
    /// None for the one that was here first.
    pub created_at: Option<Time>,
    pub members: u64,
    pub zones: u64,
}

/// A page of all organisations, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organisations {
    pub organisations: Vec<Organisation>,
    /// Pass it as `after` for those behind them; none when there are none.
    pub next: Option<u64>,
}

/// An organisation to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOrganisation {
    /// 1 to 100 characters that are seen, and nothing that mail programs make a link of.
    #[schema(example = "Example Ltd", min_length = 1, max_length = 100)]
    pub name: String,
    /// Whoever is to own it is invited.
    #[serde(default)]
    pub owner: Option<String>,
}

/// An organisation that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedOrganisation {
    pub organisation: Organisation,
    /// By which its owner joins.
    pub invitation: Option<PasswordLink>,
}

/// What is to be changed about an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrganisation {
    /// 1 to 100 characters that are seen, and nothing that mail programs make a link of.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// Somebody who belongs to an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    #[schema(example = "alice@example.org")]
    pub email: String,
    pub role: Role,
    pub since: Time,
    pub second_factor: bool,
    /// When they last signed in.
    pub seen_at: Option<Time>,
}

/// Everybody who belongs to an organisation, in the order of their addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Members {
    pub members: Vec<Member>,
}

/// What is to be changed about a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    pub role: Role,
}

/// Somebody who was asked to become a member, and has not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    pub email: String,
    pub role: Role,
    pub made_by: String,
    pub created_at: Time,
    pub ends_at: Time,
}

/// All invitations that wait for an answer, in the order of their addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitations {
    pub invitations: Vec<Invitation>,
}

/// Somebody to invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddInvitation {
    #[schema(example = "alice@example.org")]
    pub email: String,
    pub role: Role,
}
