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
//! What the claimant's own primary says proves nothing at all. The operator's word is never doubted here. Who was handed a
//! name has it by what the one before had to show, for as long as that shows or something of their own does.
//!
//! Below another tenant's proven zone the world is not asked: what that zone's contents delegate to the claimant's own name
//! servers is the claimant's, at once and for as long, and nothing else is.

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
    /// The same of whoever has handed the name over; there for a name that was.
    pub handed: Option<Evidence>,
}

/// What is seen of that by which a name was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub delegated: Delegated,
    pub shown: Shown,
    /// Whether the nearest proven zone above is still that of whoever gave the name away by it.
    pub above: bool,
}

/// Whose the nearest proven zone above the name is, where strangers do not have zones side by side (as below `co.uk`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Above {
    /// The claimant's.
    Own,
    /// Somebody else's, whose contents are what was seen of the delegation: unknown where they are not answered now.
    Others,
    /// There is none.
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
    /// The proof does not show any more, and the name is for somebody else to say: it is a claim again.
    Ends,
}

impl Look {
    /// What follows for the claim as it was before this look.
    pub fn finding(&self, claim: &Claim) -> Finding {
        let Some(proven) = &claim.proven else {
            return self.proof(claim).map_or(Finding::Nothing, Finding::Proves);
        };
        // The operator's word needs no look at the world.
        if claim.is_by_operator() {
            return Finding::Nothing;
        }
        // Once something of their own shows it, it hangs on nobody else's word and on no zone above.
        if matches!(proven.by, Proof::HandedOver | Proof::Above)
            && let Some(proof) = self.proof(claim)
            && (proof != Proof::Above || proven.by == Proof::HandedOver && claim.origin() == Some(Proof::Above))
        {
            return Finding::Proves(proof);
        }
        match (self.still_shows(proven.by), proven.lapsed_at) {
            (Some(false), _) if self.above == Above::Others => Finding::Ends,
            (Some(false), None) => Finding::Lapses,
            (Some(true), Some(_)) => Finding::ShowsAgain,
            _ => Finding::Nothing,
        }
    }

    fn proof(&self, claim: &Claim) -> Option<Proof> {
        match self.above {
            // Whoever has the zone above says what is below, but where the operator has said otherwise.
            Above::Own => return claim.disproven_at.is_none().then_some(Proof::Above),
            Above::Others => {
                let is_new = claim.disproven_at.is_none() || claim.seen_elsewhere_at.is_some();
                return (self.delegated == Delegated::ToOwn && is_new).then_some(Proof::Delegation);
            }
            Above::None => {}
        }
        // Only who has seen the name elsewhere since the claim sees it change. One that already pointed here may have been
        // left behind by whoever was here before.
        if self.delegated == Delegated::ToOwn && claim.seen_elsewhere_at.is_some() {
            return Some(Proof::Delegation);
        }
        (self.shown == Shown::Yes).then_some(Proof::Challenge)
    }

    /// None where it cannot be said.
    fn still_shows(&self, proof: Proof) -> Option<bool> {
        if self.above == Above::Own {
            return Some(true);
        }
        let own = match proof {
            // Nothing but the zone above did, and whose that is is no matter of looks.
            Proof::Above if self.above == Above::None => Some(false),
            _ => self.shows(self.delegated, self.shown),
        };
        match self.handed {
            None => own,
            Some(handed) if handed.above => Some(true),
            Some(handed) => match (own, self.shows(handed.delegated, handed.shown)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                (None, _) | (_, None) => None,
            },
        }
    }

    /// Whether this shows a name; none where it cannot be said.
    fn shows(&self, delegated: Delegated, shown: Shown) -> Option<bool> {
        match (delegated, shown) {
            (Delegated::ToOwn, _) => Some(true),
            (Delegated::Unknown | Delegated::ToShared, _) if self.above == Above::Others => None,
            _ if self.above == Above::Others => Some(false),
            (_, Shown::Yes) => Some(true),
            (Delegated::ToOthers, _) | (Delegated::Elsewhere, Shown::No) => Some(false),
            // Whoever's it is, it is delegated so.
            (Delegated::ToShared, _) => None,
            (Delegated::Elsewhere, Shown::Unknown) | (Delegated::Unknown, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use dns::Name;
    use xfr::Moment;
    use zone::{TenantId, ZoneId};

    use super::{Above, Delegated, Evidence, Finding, Look, Shown};
    use crate::claims::{Claim, Handed, Proof, Proven};

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
            handed: None,
            taken_at: None,
            disproven_at: None,
        }
    }

    fn found(claim: &Claim, delegated: Delegated, shown: Shown) -> Finding {
        Look { at: NOW, delegated, shown, above: Above::None, handed: None }.finding(claim)
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
            for (delegated, shown) in [(ToOwn, Shown::No), (Elsewhere, Shown::Yes)] {
                assert_eq!(found(&holds, delegated, shown), Finding::Nothing);
                assert_eq!(found(&lapsed, delegated, shown), Finding::ShowsAgain);
            }
            assert_eq!(found(&holds, ToShared, Shown::No), Finding::Nothing, "it may be meant for it");
            assert_eq!(found(&lapsed, ToShared, Shown::No), Finding::Nothing, "it may be meant for another");
        }
        assert_eq!(found(&proven(Proof::Operator, None), Elsewhere, Shown::No), Finding::Nothing);
    }

    #[test]
    fn whoever_has_the_zone_above_has_the_one_below_for_as_long() {
        let look = |above| Look { at: NOW, delegated: Delegated::Elsewhere, shown: Shown::No, above, handed: None };
        assert_eq!(look(Above::Own).finding(&claim(None, None)), Finding::Proves(Proof::Above));
        let proven = claim(None, Some(Proven { by: Proof::Above, at: Moment(2), lapsed_at: None }));
        assert_eq!(look(Above::Own).finding(&proven), Finding::Nothing);
        assert_eq!(look(Above::None).finding(&proven), Finding::Lapses);
        assert_eq!(look(Above::Others).finding(&proven), Finding::Ends);
        for delegated in [Delegated::Elsewhere, Delegated::ToShared, Delegated::ToOthers, Delegated::Unknown] {
            assert_eq!(found(&proven, delegated, Shown::Unknown), Finding::Lapses, "{delegated:?}");
        }
    }

    #[test]
    fn below_anothers_zone_its_contents_say_whose_the_name_is_and_nothing_else_does() {
        use Delegated::{Elsewhere, ToOthers, ToOwn, ToShared, Unknown};
        let below = |claim: &Claim, delegated, shown| {
            Look { at: NOW, delegated, shown, above: Above::Others, handed: None }.finding(claim)
        };
        let fresh = claim(None, None);
        assert_eq!(
            below(&fresh, ToOwn, Shown::No),
            Finding::Proves(Proof::Delegation),
            "it is said now, and on purpose"
        );
        for delegated in [Elsewhere, ToOthers, ToShared, Unknown] {
            assert_eq!(below(&fresh, delegated, Shown::Yes), Finding::Nothing, "{delegated:?}");
        }
        for by in [Proof::Delegation, Proof::Challenge] {
            for lapsed_at in [None, Some(Moment(5))] {
                let proven = claim(None, Some(Proven { by, at: Moment(2), lapsed_at }));
                let again = if lapsed_at.is_some() { Finding::ShowsAgain } else { Finding::Nothing };
                assert_eq!(below(&proven, ToOwn, Shown::No), again);
                assert_eq!(
                    below(&proven, Unknown, Shown::No),
                    Finding::Nothing,
                    "those contents are not answered now"
                );
                assert_eq!(below(&proven, ToShared, Shown::No), Finding::Nothing, "it may be meant for it");
                for delegated in [Elsewhere, ToOthers] {
                    assert_eq!(below(&proven, delegated, Shown::Yes), Finding::Ends, "{delegated:?}");
                }
            }
        }
        // The operator's no stands until the zone above is seen to say something else, and then this again.
        let disproven = |seen| Claim { disproven_at: Some(Moment(4)), ..claim(seen, None) };
        assert_eq!(below(&disproven(None), ToOwn, Shown::No), Finding::Nothing);
        assert_eq!(below(&disproven(Some(Moment(5))), ToOwn, Shown::No), Finding::Proves(Proof::Delegation));
        let own = Look { at: NOW, delegated: Elsewhere, shown: Shown::No, above: Above::Own, handed: None };
        assert_eq!(own.finding(&disproven(None)), Finding::Nothing);
        let word = claim(None, Some(Proven { by: Proof::Operator, at: Moment(2), lapsed_at: None }));
        assert_eq!(below(&word, Elsewhere, Shown::No), Finding::Nothing);
    }

    #[test]
    fn what_was_handed_over_holds_for_as_long_as_the_givers_proof_shows_or_one_of_their_own_does() {
        use Delegated::{Elsewhere, ToOthers, ToOwn, Unknown};
        let handed = |seen, proof| Claim {
            handed: Some(Handed { proof, tenant: TenantId(9), challenge: None, name_servers: None }),
            ..claim(seen, Some(Proven { by: Proof::HandedOver, at: Moment(2), lapsed_at: None }))
        };
        let look = |claim: &Claim, own: (Delegated, Shown), givers: (Delegated, Shown)| {
            let evidence = Evidence { delegated: givers.0, shown: givers.1, above: false };
            Look { at: NOW, delegated: own.0, shown: own.1, above: Above::None, handed: Some(evidence) }
                .finding(claim)
        };
        let given = handed(None, Proof::Delegation);
        let (nothing, nobody) = ((Elsewhere, Shown::No), (Unknown, Shown::Unknown));
        // The parent names the giver's servers still, or the giver's text stands there.
        assert_eq!(look(&given, (ToOthers, Shown::Unknown), (ToOwn, Shown::Unknown)), Finding::Nothing);
        assert_eq!(look(&given, nothing, (Elsewhere, Shown::Yes)), Finding::Nothing);
        assert_eq!(look(&given, nobody, nobody), Finding::Nothing);
        // Sold: neither shows.
        assert_eq!(look(&given, nothing, nothing), Finding::Lapses);
        assert_eq!(look(&given, (ToOthers, Shown::No), (ToOthers, Shown::No)), Finding::Lapses);
        // Then it is theirs by themselves.
        assert_eq!(look(&given, (Elsewhere, Shown::Yes), nothing), Finding::Proves(Proof::Challenge));
        let seen = handed(Some(Moment(3)), Proof::Challenge);
        assert_eq!(look(&seen, (ToOwn, Shown::No), nothing), Finding::Proves(Proof::Delegation));
        // What the operator gave is given on as such.
        assert_eq!(look(&handed(None, Proof::Operator), nothing, nothing), Finding::Nothing);
        // And what is below a zone goes with that.
        for (above, expected) in [(true, Finding::Nothing), (false, Finding::Ends)] {
            let evidence = Evidence { delegated: Elsewhere, shown: Shown::No, above };
            let look = Look {
                at: NOW,
                delegated: Elsewhere,
                shown: Shown::No,
                above: Above::Others,
                handed: Some(evidence),
            };
            assert_eq!(look.finding(&handed(None, Proof::Above)), expected);
        }
    }
}
