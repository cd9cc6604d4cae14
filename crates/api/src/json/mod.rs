//! What the API says, as plain types: written by the server, read by the command line.
//!
//! Invariants: words are closed enums, times are RFC 3339 in UTC, serials and generations are numbers, names are
//! absolute (with the last dot). Nothing here decides anything, but for [`State::derive`].

mod account;
mod alert;
mod attempt;
mod catalog;
mod delegation;
mod examination;
mod import;
mod job;
mod key;
mod node;
mod notify;
mod organisation;
mod ownership;
mod plan;
mod primary;
mod promotion;
mod queries;
mod removed;
mod time;
mod words;
mod zone;

pub use account::{
    Account, AddToken, AddUser, AddedToken, Audit, AuditEntry, PasswordLink, Role, Scope, Session, Token, Tokens,
    User, Users,
};
pub use alert::{
    AddAlertRule, AddedAlertRule, AlertChannel, AlertDeliveries, AlertDelivery, AlertDeliveryState, AlertGroup,
    AlertRule, AlertRules, AlertWanted, AlertedEvent, EventKind,
};
pub use attempt::{Attempt, AttemptKind, AttemptOutcome, Fault, Reason, Trigger};
pub use catalog::{
    AcceptCatalog, AddCatalog, Catalog, CatalogMember, CatalogMembers, Catalogs, ChangeCatalog, ChangeGuard,
    ChangeTemplate, Guard, MemberState, MemberTemplate,
};
#[cfg(test)]
pub(crate) use delegation::tests::delegated_to;
pub use delegation::{
    DelegatedServer, Delegation, DelegationBegun, DelegationDifference, DelegationFailure, DelegationFault,
    DelegationFit, DelegationState, FoundAt, GluedName, KnownDelegation, ParentSaid, ParentView, ServerFound,
};
pub use examination::{
    Examination, Examine, ExaminedPrimary, Paste, PastePart, PrimaryLines, PrimarySoftware, Step, StepOutcome,
};
pub use import::{ImportZones, Imported, ImportedLine, LineOutcome};
pub use job::{Job, JobProgress, JobState, Jobs};
pub use key::{AddKey, AddedKey, Key, KeyAlgorithm, Keys};
pub use node::{
    AnnounceCounts, Certificate, Health, InventoryStatus, NodeStatus, NotifyCounts, QueryCounts, TransferOutCounts,
    ZoneCounts,
};
pub use notify::{
    Notify, NotifyOutcome, NotifyReason, NotifyStanding, NotifyTransport, StrangerNotifies, StrangerNotify,
    ZoneNotifies,
};
pub use organisation::{
    AddInvitation, AddOrganisation, AddedOrganisation, ChangeMember, ChangeOrganisation, Invitation, Invitations,
    Member, Members, Organisation, Organisations,
};
pub use ownership::{
    Claim, Claims, HandOver, Ownership, OwnershipChallenge, OwnershipNeighbour, OwnershipProof, OwnershipSeen,
    OwnershipState,
};
pub use plan::{Event, Events, OwnPlan, Plan, PlanLimits, PlanStanding, PlanUse, Plans, PutPlan, SetPlan, Severity};
pub use primary::{Primary, PrimaryTls};
pub use promotion::{
    ComparedVersion, Comparison, FinishPromotion, FinishedPromotion, NewPrimaries, Promote, Promotion, SignedZone,
};
pub use queries::{
    Month, NotAMonth, OrganisationUsage, QueriesByResult, QueriesByType, QueryNumbers, QueryPoint, QueryStep,
    TopName, Usage, ZoneQueries,
};
pub use removed::{RemovedZone, RemovedZones};
pub use time::{NotATime, Time};
pub use words::UnknownWord;
pub use zone::{
    AddZone, ChangeZone, Ending, Freshness, HeldBack, History, Hold, HoldOrder, OrderHold, Origin, Refresh,
    Refreshed, Service, ServiceOrder, SilentPrimary, State, TagCount, TagCounts, Transfer, TransferUnderWay, Version,
    Zone, ZoneLines, ZoneOrder, ZoneRecords, ZoneWarning, Zones,
};
