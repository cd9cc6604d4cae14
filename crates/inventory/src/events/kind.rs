//! The kinds of events there are.

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    TransferFailing,
    Stale,
    Expiring,
    Expired,
    Recovered,
    VersionHeld,
    SerialWentBack,
    PrimariesDisagree,
    SignaturesEnd,
    ContentsDoubtful,
    DelegationChanged,
    DelegationLame,
    ProofLost,
    NameTaken,
    StrangerNotifies,
    LimitNear,
    LimitExceeded,
    PlanEnded,
    PlanGraceEnded,
    DiskFilling,
    AlertUndelivered,
    Test,
}

impl EventKind {
    pub const ALL: [Self; 22] = [
        Self::TransferFailing,
        Self::Stale,
        Self::Expiring,
        Self::Expired,
        Self::Recovered,
        Self::VersionHeld,
        Self::SerialWentBack,
        Self::PrimariesDisagree,
        Self::SignaturesEnd,
        Self::ContentsDoubtful,
        Self::DelegationChanged,
        Self::DelegationLame,
        Self::ProofLost,
        Self::NameTaken,
        Self::StrangerNotifies,
        Self::LimitNear,
        Self::LimitExceeded,
        Self::PlanEnded,
        Self::PlanGraceEnded,
        Self::DiskFilling,
        Self::AlertUndelivered,
        Self::Test,
    ];

    /// A stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransferFailing => "transfer_failing",
            Self::Stale => "stale",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Recovered => "recovered",
            Self::VersionHeld => "version_held",
            Self::SerialWentBack => "serial_went_back",
            Self::PrimariesDisagree => "primaries_disagree",
            Self::SignaturesEnd => "signatures_end",
            Self::ContentsDoubtful => "contents_doubtful",
            Self::DelegationChanged => "delegation_changed",
            Self::DelegationLame => "delegation_lame",
            Self::ProofLost => "proof_lost",
            Self::NameTaken => "name_taken",
            Self::StrangerNotifies => "stranger_notifies",
            Self::LimitNear => "limit_near",
            Self::LimitExceeded => "limit_exceeded",
            Self::PlanEnded => "plan_ended",
            Self::PlanGraceEnded => "plan_grace_ended",
            Self::DiskFilling => "disk_filling",
            Self::AlertUndelivered => "alert_undelivered",
            Self::Test => "test",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Of one thing that it has happened to, and of many, as a headline says it.
    pub fn headline(self) -> (&'static str, &'static str) {
        match self {
            Self::TransferFailing => ("a zone cannot be copied", "zones cannot be copied"),
            Self::Stale => ("a zone is stale", "zones are stale"),
            Self::Expiring => ("a zone expires soon", "zones expire soon"),
            Self::Expired => ("a zone has expired", "zones have expired"),
            Self::Recovered => ("a zone is well again", "zones are well again"),
            Self::VersionHeld => ("a version is held back", "versions are held back"),
            Self::SerialWentBack => ("a serial went back", "serials went back"),
            Self::PrimariesDisagree => ("a zone's primaries disagree", "zones' primaries disagree"),
            Self::SignaturesEnd => ("a zone's signatures end", "zones' signatures end"),
            Self::ContentsDoubtful => ("a zone has faults", "zones have faults"),
            Self::DelegationChanged => ("a delegation has changed", "delegations have changed"),
            Self::DelegationLame => ("a delegation is lame", "delegations are lame"),
            Self::ProofLost => ("a proof does not show any more", "proofs do not show any more"),
            Self::NameTaken => ("a name is not answered for you any more", "names are not answered for you any more"),
            Self::StrangerNotifies => ("a NOTIFY came from a stranger", "NOTIFYs came from strangers"),
            Self::LimitNear => ("a limit is near", "limits are near"),
            Self::LimitExceeded => ("a limit is exceeded", "limits are exceeded"),
            Self::PlanEnded => ("the plan has ended", "plans have ended"),
            Self::PlanGraceEnded => ("the plan's grace has ended", "plans' graces have ended"),
            Self::DiskFilling => ("the disk is filling", "disks are filling"),
            Self::AlertUndelivered => ("an alert could not be delivered", "alerts could not be delivered"),
            Self::Test => ("this is a test", "these are tests"),
        }
    }

    /// Whether it is told that this is over, when it is.
    pub(crate) fn ends(self) -> bool {
        match self {
            Self::TransferFailing
            | Self::Stale
            | Self::Expiring
            | Self::Expired
            | Self::VersionHeld
            | Self::SerialWentBack
            | Self::PrimariesDisagree => true,
            Self::Recovered
            | Self::SignaturesEnd
            | Self::ContentsDoubtful
            | Self::DelegationChanged
            | Self::DelegationLame
            | Self::ProofLost
            | Self::NameTaken
            | Self::StrangerNotifies
            | Self::LimitNear
            | Self::LimitExceeded
            | Self::PlanEnded
            | Self::PlanGraceEnded
            | Self::DiskFilling
            | Self::AlertUndelivered
            | Self::Test => false,
        }
    }

    /// Whether it says that others of the same subject are over, which may then be told anew.
    pub(crate) fn ends_others(self) -> bool {
        self == Self::Recovered
    }
}
