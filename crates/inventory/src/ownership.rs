//! Whose claim on a name counts: what follows from what was seen of the name in the world. Pure.
//!
//! ```text
//!              the parent is seen to delegate elsewhere,      a text that only the claimant knows is seen
//!              and later to the tenant's own name servers     at the servers that the parent delegates to
//!                               │                                            │
//!   claimed ────────────────────┴──────────────► proven ◄────────────────────┴──── the operator's word, or the holder's
//!                                                  │ ▲
//!                            neither shows any more│ │ one shows again
//!                                                  ▼ │
//!                                                lapsed: answered on, and another claim may be proven in its place
//! ```
//!
//! Nothing follows from what was not seen: a parent that says nothing, or different things, neither proves nor disproves.
//! What is below a zone is whoever's that has it, for as long as they have. What the claimant's own primary says proves nothing
//! at all. No operator's word is ever doubted here, and a holder's only when the parent names another tenant; once something
//! shows what was handed over, it is a proof like others.

use xfr::Moment;

use crate::claims::{Claim, Proof};

/// To whom the parent delegates the name, with one voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delegated {
    /// To the tenant's own name servers, all of them, and to no others of this service.
    ToOwn,
    /// To name servers of this service that are not this tenant's alone, which says nothing about whose the name is.
    ToShared,
    /// To name servers of this service that are other tenants'. No text can be shown there: what is answered there is what
    /// the holder's primary says.
    ToOthers,
    /// To others, or to nobody.
    Elsewhere,
    /// It could not be seen.
    Unknown,
}

/// Whether the claim's text stands where the name is delegated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Yes,
    No,
    Unknown,
}

/// What was seen of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub at: Moment,
    pub delegated: Delegated,
    pub shown: Shown,
    pub above: Above,
}

/// Whose the nearest proven zone above the name is, where strangers do not have zones side by side (as below `co.uk`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Above {
    /// The claimant's.
    Own,
    /// There is none, or it is somebody else's.
    None,
}

/// What follows for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing new.
    Nothing,
    /// It is shown in this way.
    Proves(Proof),
    /// The proof does not show any more.
    Lapses,
    /// It shows again.
    ShowsAgain,
}

impl Look {
    /// What follows for the claim as it was before this look.
    pub fn finding(&self, claim: &Claim) -> Finding {
        match &claim.proven {
            None => self.proof(claim).map_or(Finding::Nothing, Finding::Proves),
            // Somebody's word needs no look at the world.
            Some(proven) if proven.by == Proof::Operator => Finding::Nothing,
            // Whoever gave the name away may show it still, and whoever has it now not yet.
            Some(proven) if proven.by == Proof::HandedOver && self.delegated != Delegated::ToOthers => {
                let shown = self.proof(claim).filter(|proof| *proof != Proof::Above);
                shown.map_or(Finding::Nothing, Finding::Proves)
            }
            Some(proven) => match (self.still_shows(proven.by), proven.lapsed_at) {
                (Some(false), None) => Finding::Lapses,
                (Some(true), Some(_)) => Finding::ShowsAgain,
                _ => Finding::Nothing,
            },
        }
    }

    fn proof(&self, claim: &Claim) -> Option<Proof> {
        // Only who has seen the name elsewhere since the claim sees it change. One that already pointed here may have been
        // left behind by whoever was here before.
        if self.delegated == Delegated::ToOwn && claim.seen_elsewhere_at.is_some() {
            return Some(Proof::Delegation);
        }
        if self.shown == Shown::Yes {
            return Some(Proof::Challenge);
        }
        // Whoever has the zone above says what is below.
        (self.above == Above::Own).then_some(Proof::Above)
    }

    /// None where it cannot be said.
    fn still_shows(&self, proof: Proof) -> Option<bool> {
        match (self.delegated, self.shown) {
            _ if self.above == Above::Own => Some(true),
            (Delegated::ToOwn, _) | (_, Shown::Yes) => Some(true),
            // Nothing but the zone above did, and whose that is is no matter of looks.
            _ if proof == Proof::Above => Some(false),
            (Delegated::ToShared, _) => Some(true),
            (Delegated::ToOthers, _) | (Delegated::Elsewhere, Shown::No) => Some(false),
            (Delegated::Elsewhere, Shown::Unknown) | (Delegated::Unknown, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use dns::Name;
    use xfr::Moment;
    use zone::{TenantId, ZoneId};

    use super::{Above, Delegated, Finding, Look, Shown};
    use crate::claims::{Claim, Proof, Proven};

    const NOW: Moment = Moment(9);

    fn claim(seen_elsewhere_at: Option<Moment>, proven: Option<Proven>) -> Claim {
        Claim {
            zone: ZoneId(1),
            tenant: TenantId(2),
            name: "example.".parse::<Name>().unwrap(),
            claimed_at: Moment(1),
            proven,
            seen_elsewhere_at,
            looked_at: None,
            challenge: Some("token".into()),
        }
    }

    fn found(claim: &Claim, delegated: Delegated, shown: Shown) -> Finding {
        Look { at: NOW, delegated, shown, above: Above::None }.finding(claim)
    }

    #[test]
    fn a_claim_is_proven_by_a_change_or_by_its_text_and_by_nothing_else() {
        use Delegated::{Elsewhere, ToOwn, ToShared, Unknown};
        let (fresh, seen) = (claim(None, None), claim(Some(Moment(5)), None));
        assert_eq!(found(&seen, ToOwn, Shown::Unknown), Finding::Proves(Proof::Delegation));
        assert_eq!(found(&fresh, ToOwn, Shown::No), Finding::Nothing, "it pointed here before anybody claimed it");
        assert_eq!(found(&seen, ToShared, Shown::No), Finding::Nothing, "it may be meant for anybody here");
        for claim in [&fresh, &seen] {
            assert_eq!(found(claim, Elsewhere, Shown::Yes), Finding::Proves(Proof::Challenge));
            for delegated in [Elsewhere, Unknown] {
                for shown in [Shown::No, Shown::Unknown] {
                    assert_eq!(found(claim, delegated, shown), Finding::Nothing);
                }
            }
        }
    }

    #[test]
    fn a_proof_lapses_when_it_is_seen_that_nothing_shows_it_and_not_when_nothing_is_seen() {
        use Delegated::{Elsewhere, ToOthers, ToOwn, ToShared, Unknown};
        let proven = |by, lapsed_at| claim(None, Some(Proven { by, at: Moment(2), lapsed_at }));
        for by in [Proof::Delegation, Proof::Challenge] {
            let (holds, lapsed) = (proven(by, None), proven(by, Some(Moment(5))));
            assert_eq!(found(&holds, Elsewhere, Shown::No), Finding::Lapses);
            for shown in [Shown::No, Shown::Unknown] {
                assert_eq!(found(&holds, ToOthers, shown), Finding::Lapses, "its text cannot stand there");
                assert_eq!(found(&lapsed, ToOthers, shown), Finding::Nothing);
            }
            for (delegated, shown) in [(Unknown, Shown::No), (Elsewhere, Shown::Unknown), (Unknown, Shown::Unknown)] {
                assert_eq!(found(&holds, delegated, shown), Finding::Nothing);
                assert_eq!(found(&lapsed, delegated, shown), Finding::Nothing);
            }
            for (delegated, shown) in [(ToOwn, Shown::No), (ToShared, Shown::No), (Elsewhere, Shown::Yes)] {
                assert_eq!(found(&holds, delegated, shown), Finding::Nothing);
                assert_eq!(found(&lapsed, delegated, shown), Finding::ShowsAgain);
            }
        }
        assert_eq!(found(&proven(Proof::Operator, None), Elsewhere, Shown::No), Finding::Nothing);
    }

    #[test]
    fn whoever_has_the_zone_above_has_the_one_below_for_as_long() {
        let look = |above| Look { at: NOW, delegated: Delegated::Elsewhere, shown: Shown::No, above };
        assert_eq!(look(Above::Own).finding(&claim(None, None)), Finding::Proves(Proof::Above));
        let proven = claim(None, Some(Proven { by: Proof::Above, at: Moment(2), lapsed_at: None }));
        assert_eq!(look(Above::Own).finding(&proven), Finding::Nothing);
        assert_eq!(look(Above::None).finding(&proven), Finding::Lapses);
        for delegated in [Delegated::Elsewhere, Delegated::ToShared, Delegated::ToOthers, Delegated::Unknown] {
            assert_eq!(found(&proven, delegated, Shown::Unknown), Finding::Lapses, "{delegated:?}");
        }
    }

    #[test]
    fn a_holders_word_holds_until_something_shows_the_name_or_the_parent_names_another() {
        use Delegated::{Elsewhere, ToOthers, ToOwn, Unknown};
        let handed = |seen| claim(seen, Some(Proven { by: Proof::HandedOver, at: Moment(2), lapsed_at: None }));
        for delegated in [Elsewhere, Unknown] {
            assert_eq!(found(&handed(None), delegated, Shown::No), Finding::Nothing);
        }
        assert_eq!(found(&handed(None), ToOthers, Shown::Unknown), Finding::Lapses);
        assert_eq!(found(&handed(None), Elsewhere, Shown::Yes), Finding::Proves(Proof::Challenge));
        assert_eq!(found(&handed(Some(Moment(3))), ToOwn, Shown::No), Finding::Proves(Proof::Delegation));
    }
}
