//! Claims on names, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use std::collections::BTreeSet;

use dns::Name;
use inventory::{
    Above, Actor, Around, AuditOf, By, Delegated, Finding, Handed, Inventory, Look, NewZone, Proof, ProveError,
    Proving, Shown, TenantId, ZoneId,
};
use place::{BY, Engine, NOW, Place, name, zone};
use xfr::Moment;

on_both_engines!(
    of_all_claims_on_a_name_one_is_proven_and_a_proof_that_holds_is_not_taken,
    a_proof_that_has_lapsed_falls_to_who_can_show_one,
    a_name_seen_elsewhere_is_remembered_for_the_claim_that_was_there_then,
    below_or_above_another_tenants_zone_nothing_is_proven_without_consent,
    a_lapsed_zone_gives_nothing_below_it_and_keeps_nobody_from_being_above,
    a_name_below_somebodys_zone_that_this_does_not_delegate_is_a_claim_again,
    a_look_changes_nothing_of_a_claim_that_is_another_by_then,
    a_public_suffix_has_no_say_in_whose_the_names_below_it_are,
    what_somebody_else_has_proven_since_does_not_come_back_with_a_removed_zone,
    a_removed_zone_comes_back_as_the_claim_that_it_was_beside_its_neighbours,
    what_was_seen_is_used_up_when_a_name_goes_to_another,
    a_name_that_hangs_on_the_zone_above_goes_with_that_whoever_has_it,
    a_lapsed_proof_comes_back_and_is_handed_over_as_one,
    a_removed_zone_loses_its_proof_by_the_operators_word,
    a_holder_hands_a_name_over_to_the_claim_with_the_text_and_nobody_learns_who_they_are,
    a_claims_text_is_made_once_and_goes_with_it,
    the_operators_word_gives_and_takes_names,
    a_set_of_name_servers_is_given_to_one_tenant_and_never_again,
    claims_are_found_in_parts_and_proven_ones_when_their_time_has_come,
);

const OURS: TenantId = TenantId::DEFAULT;
const THEIRS: TenantId = TenantId(2);

fn at(ms: u64) -> Moment {
    Moment(NOW.0 + ms)
}

fn by(actor: Actor, ms: u64) -> By {
    By { actor, address: Some([192, 0, 2, 7].into()), at: at(ms) }
}

fn service(ms: u64) -> By {
    By { actor: Actor::Service, address: None, at: at(ms) }
}

async fn claim(inventory: &Inventory, tenant: TenantId, text: &str) -> ZoneId {
    let claim = NewZone { proof: None, ..zone(text, &["192.0.2.1:53"]) };
    inventory.add_zone(&BY, tenant, &claim).await.unwrap()
}

async fn prove(inventory: &Inventory, zone: ZoneId, proof: Proof) -> Result<(), ProveError> {
    inventory.prove(&service(1), &Proving { zone, proof, consenting: None, is_seen: false }).await.map(drop)
}

async fn look(inventory: &Inventory, zone: ZoneId, ms: u64, delegated: Delegated, shown: Shown) -> Finding {
    let look = Look { at: at(ms), delegated, shown, above: Above::None, handed: None };
    let before = inventory.claim_of_zone(zone).await.unwrap().unwrap();
    inventory.record_look(&service(ms), &before, &look).await.unwrap()
}

async fn proof_of(inventory: &Inventory, tenant: TenantId, text: &str) -> Option<Proof> {
    inventory.claim(tenant, &name(text)).await.unwrap()?.proven.map(|proven| proven.by)
}

async fn of_all_claims_on_a_name_one_is_proven_and_a_proof_that_holds_is_not_taken(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (ours, theirs) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "Example.ORG").await);
    assert!(inventory.intent().await.unwrap().zones.iter().all(|zone| zone.proof.is_none()));
    prove(&inventory, theirs, Proof::Challenge).await.unwrap();
    assert!(matches!(prove(&inventory, ours, Proof::Delegation).await, Err(ProveError::Held(_))));
    assert_eq!(inventory.holder(&name("EXAMPLE.org")).await.unwrap().unwrap().zone, theirs);
    assert_eq!(proof_of(&inventory, OURS, "example.org").await, None);
    // When the holder's zone goes, the name is free again.
    inventory.remove_zone(&BY, THEIRS, &name("example.org")).await.unwrap();
    prove(&inventory, ours, Proof::Delegation).await.unwrap();
    assert_eq!(proof_of(&inventory, OURS, "example.org").await, Some(Proof::Delegation));
}

async fn a_proof_that_has_lapsed_falls_to_who_can_show_one(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (ours, theirs) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "example.org").await);
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    assert_eq!(look(&inventory, ours, 5, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    let lapsed = inventory.claim(OURS, &name("example.org")).await.unwrap().unwrap().proven.unwrap();
    assert_eq!((lapsed.by, lapsed.lapsed_at), (Proof::Challenge, Some(at(5))), "it is answered on");
    assert_eq!(look(&inventory, ours, 6, Delegated::Elsewhere, Shown::Yes).await, Finding::ShowsAgain);
    assert!(matches!(prove(&inventory, theirs, Proof::Challenge).await, Err(ProveError::Held(_))));
    assert_eq!(look(&inventory, ours, 7, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    let mut changes = inventory.changes();
    changes.mark_unchanged();
    prove(&inventory, theirs, Proof::Challenge).await.unwrap();
    assert!(changes.has_changed().unwrap(), "the node is to answer for the other");
    assert_eq!(proof_of(&inventory, OURS, "example.org").await, None);
    let log = inventory.audit(AuditOf::Tenant(OURS), None, 9).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|entry| entry.act.as_str()).collect();
    let expected = [
        "zone.proof-taken",
        "zone.proof-lapsed",
        "zone.proof-shows-again",
        "zone.proof-lapsed",
        "zone.proven",
        "zone.added",
    ];
    assert_eq!(acts, expected);
}

async fn a_name_seen_elsewhere_is_remembered_for_the_claim_that_was_there_then(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let ours = claim(&inventory, OURS, "example.org").await;
    assert_eq!(look(&inventory, ours, 1, Delegated::ToOwn, Shown::No).await, Finding::Nothing);
    assert_eq!(look(&inventory, ours, 2, Delegated::Elsewhere, Shown::Unknown).await, Finding::Nothing);
    assert_eq!(look(&inventory, ours, 3, Delegated::Unknown, Shown::Unknown).await, Finding::Nothing);
    let delegation = Finding::Proves(Proof::Delegation);
    assert_eq!(look(&inventory, ours, 4, Delegated::ToOwn, Shown::No).await, delegation);
    let seen = inventory.claim(OURS, &name("example.org")).await.unwrap().unwrap();
    assert_eq!((seen.seen_elsewhere_at, seen.looked_at), (Some(at(2)), Some(at(4))));
    // Whoever claims it anew begins anew.
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    let again = claim(&inventory, OURS, "example.org").await;
    assert_eq!(look(&inventory, again, 5, Delegated::ToOwn, Shown::No).await, Finding::Nothing);
}

async fn below_or_above_another_tenants_zone_nothing_is_proven_without_consent(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let above = claim(&inventory, OURS, "example.org").await;
    let below = claim(&inventory, THEIRS, "a.b.example.org").await;
    prove(&inventory, above, Proof::Challenge).await.unwrap();
    assert!(matches!(prove(&inventory, below, Proof::Delegation).await, Err(ProveError::Below(_))));
    let nearest = async |text: &str| inventory.nearest_above(&name(text)).await.unwrap().map(|zone| zone.zone);
    assert_eq!(nearest("A.b.example.org").await, Some(above));
    let around = async |zone| {
        let claim = inventory.claim_of_zone(zone).await.unwrap().unwrap();
        inventory.others_around(&claim).await.unwrap()
    };
    assert_eq!(around(below).await, Around::Above);
    look(&inventory, below, 2, Delegated::Unknown, Shown::Unknown).await;
    let consented = Proving { zone: below, proof: Proof::Delegation, consenting: Some(above), is_seen: false };
    inventory.prove(&service(2), &consented).await.unwrap();
    let between = claim(&inventory, OURS, "b.example.org").await;
    let elsewhere = claim(&inventory, THEIRS, "a.b.example.test").await;
    assert_eq!((around(between).await, around(elsewhere).await), (Around::Below, Around::Nowhere));
    inventory.remove_zone(&BY, OURS, &name("b.example.org")).await.unwrap();
    // Whoever was let in says what is below: for themselves, and for others.
    let own = claim(&inventory, THEIRS, "own.a.b.example.org").await;
    prove(&inventory, own, Proof::Above).await.unwrap();
    let strangers = claim(&inventory, OURS, "z.a.b.example.org").await;
    let by_above = Proving { zone: strangers, proof: Proof::Delegation, consenting: Some(above), is_seen: false };
    assert!(matches!(inventory.prove(&service(2), &by_above).await, Err(ProveError::Below(_))));
    // And what lies below it is its own affair, for whoever is above.
    let top = claim(&inventory, OURS, "b.example.org").await;
    let top = inventory.claim_of_zone(top).await.unwrap().unwrap();
    assert_eq!(inventory.others_around(&top).await.unwrap(), Around::Below);
    inventory.remove_zone(&BY, OURS, &name("b.example.org")).await.unwrap();
    let by_nearest = Proving { consenting: Some(below), ..by_above };
    inventory.prove(&service(2), &by_nearest).await.unwrap();
    inventory.remove_zone(&BY, OURS, &name("z.a.b.example.org")).await.unwrap();
    // The other way round: somebody has a zone below.
    for (text, is_above) in [("b.example.org", true), ("x.example.org", false), ("org", true), (".", true)] {
        let zone = claim(&inventory, TenantId::DEFAULT, text).await;
        let proven = prove(&inventory, zone, Proof::Challenge).await;
        assert_eq!(matches!(proven, Err(ProveError::Above(_))), is_above, "{text}: {proven:?}");
    }
    // A label with a dot in it is no two labels.
    let dotted = claim(&inventory, THEIRS, "c\\.d.test").await;
    prove(&inventory, dotted, Proof::Challenge).await.unwrap();
    let other = claim(&inventory, OURS, "d.test").await;
    prove(&inventory, other, Proof::Challenge).await.unwrap();
}

async fn a_lapsed_zone_gives_nothing_below_it_and_keeps_nobody_from_being_above(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let ours = claim(&inventory, OURS, "example.org").await;
    let (sub, subsub) =
        (claim(&inventory, OURS, "b.example.org").await, claim(&inventory, OURS, "a.b.example.org").await);
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    prove(&inventory, sub, Proof::Above).await.unwrap();
    prove(&inventory, subsub, Proof::Above).await.unwrap();
    let above = async || inventory.nearest_above(&name("x.a.b.example.org")).await.unwrap().map(|zone| zone.zone);
    assert_eq!(above().await, Some(subsub));
    assert_eq!(look(&inventory, ours, 5, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    assert_eq!(above().await, None, "what is below goes with it, before anybody looks at it");
    let other = claim(&inventory, THEIRS, "shop.example.org").await;
    prove(&inventory, other, Proof::Challenge).await.unwrap();
    // Until somebody else has the name: then what nothing shows any more is nobody's, and what does show is in the way.
    let own = claim(&inventory, OURS, "own.example.org").await;
    prove(&inventory, own, Proof::Challenge).await.unwrap();
    let theirs = claim(&inventory, THEIRS, "example.org").await;
    assert!(matches!(prove(&inventory, theirs, Proof::Challenge).await, Err(ProveError::Above(_))));
    let in_the_way = inventory.others_below(THEIRS, &name("example.org"), 9).await.unwrap();
    assert_eq!(in_the_way.iter().map(|zone| zone.zone).collect::<Vec<_>>(), [own]);
    assert_eq!(look(&inventory, own, 6, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    let proving = Proving { zone: theirs, proof: Proof::Challenge, consenting: None, is_seen: false };
    let taken = inventory.prove(&service(7), &proving).await.unwrap();
    assert_eq!(taken.map(|taken| taken.zone), Some(ours));
    // What is below is looked at soon, and is then what the zone above says.
    let due = inventory.claims_to_look_at(ZoneId(0), at(0), 99).await.unwrap();
    let due: BTreeSet<ZoneId> = due.iter().map(|claim| claim.zone).collect();
    assert!([sub, subsub, own].iter().all(|zone| due.contains(zone)), "{due:?}");
    for zone in [sub, subsub, own] {
        let before = inventory.claim_of_zone(zone).await.unwrap().unwrap();
        let delegated = Delegated::Elsewhere;
        let look = Look { at: at(8), delegated, shown: Shown::Unknown, above: Above::Others, handed: None };
        assert_eq!(inventory.record_look(&service(8), &before, &look).await.unwrap(), Finding::Ends);
        let left = inventory.claim_of_zone(zone).await.unwrap().unwrap();
        assert_eq!((left.proven, left.taken_at, left.challenge), (None, Some(at(8)), None));
    }
    // A proof that shows again is not put above what somebody has proven meanwhile, but above what was below it before.
    let (open, let_in) =
        (claim(&inventory, OURS, "open.test").await, claim(&inventory, THEIRS, "let-in.open.test").await);
    prove(&inventory, open, Proof::Challenge).await.unwrap();
    let proving = Proving { zone: let_in, proof: Proof::Delegation, consenting: Some(open), is_seen: true };
    inventory.prove(&service(7), &proving).await.unwrap();
    assert_eq!(look(&inventory, open, 8, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    assert_eq!(look(&inventory, open, 9, Delegated::Elsewhere, Shown::Yes).await, Finding::ShowsAgain);
    let late = claim(&inventory, OURS, "late.test").await;
    prove(&inventory, late, Proof::Challenge).await.unwrap();
    assert_eq!(look(&inventory, late, 8, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    let shop = claim(&inventory, THEIRS, "shop.late.test").await;
    let proving = Proving { zone: shop, proof: Proof::Challenge, consenting: None, is_seen: false };
    inventory.prove(&service(9), &proving).await.unwrap();
    assert_eq!(look(&inventory, late, 9, Delegated::Elsewhere, Shown::Yes).await, Finding::Nothing);
}

async fn a_name_below_somebodys_zone_that_this_does_not_delegate_is_a_claim_again(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (above, below) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "sub.example.org").await);
    prove(&inventory, above, Proof::Challenge).await.unwrap();
    let consented = Proving { zone: below, proof: Proof::Delegation, consenting: Some(above), is_seen: false };
    inventory.prove(&service(2), &consented).await.unwrap();
    let sees = async |ms, delegated| {
        let look = Look { at: at(ms), delegated, shown: Shown::Unknown, above: Above::Others, handed: None };
        let before = inventory.claim_of_zone(below).await.unwrap().unwrap();
        inventory.record_look(&service(ms), &before, &look).await.unwrap()
    };
    assert_eq!(sees(3, Delegated::ToOwn).await, Finding::Nothing);
    let mut changes = inventory.changes();
    changes.mark_unchanged();
    assert_eq!(sees(4, Delegated::Elsewhere).await, Finding::Ends);
    assert!(changes.has_changed().unwrap(), "the node is to answer no more for it");
    assert_eq!(proof_of(&inventory, THEIRS, "sub.example.org").await, None);
    let log = inventory.audit(AuditOf::Tenant(THEIRS), None, 1).await.unwrap();
    assert_eq!(log[0].act, "zone.proof-taken");
    assert_eq!(sees(5, Delegated::ToOwn).await, Finding::Proves(Proof::Delegation));
    // Contents that cannot be seen say nothing, and it is looked at again as soon as they can be.
    let looked_at = inventory.claim_of_zone(below).await.unwrap().unwrap().looked_at;
    assert_eq!(sees(6, Delegated::Unknown).await, Finding::Nothing);
    assert_eq!(inventory.claim_of_zone(below).await.unwrap().unwrap().looked_at, looked_at);
    // Let in again, whatever is below it meanwhile.
    let deeper = claim(&inventory, OURS, "deep.sub.example.org").await;
    prove(&inventory, deeper, Proof::Above).await.unwrap();
    inventory.prove(&service(6), &consented).await.unwrap();
    // The operator's no counts for what the zone above says, too, until that has changed.
    inventory.disprove(&by(Actor::Machine, 7), below).await.unwrap();
    assert_eq!(sees(8, Delegated::ToOwn).await, Finding::Nothing);
    assert_eq!(sees(9, Delegated::Elsewhere).await, Finding::Nothing);
    assert_eq!(sees(10, Delegated::ToOwn).await, Finding::Proves(Proof::Delegation));
}

async fn a_look_changes_nothing_of_a_claim_that_is_another_by_then(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (ours, theirs) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "example.org").await);
    inventory.challenge(ours, "ours").await.unwrap();
    inventory.challenge(theirs, "theirs").await.unwrap();
    let read = async |zone| inventory.claim_of_zone(zone).await.unwrap().unwrap();
    let nothing =
        Look { at: at(9), delegated: Delegated::Elsewhere, shown: Shown::No, above: Above::None, handed: None };
    let shown = Look { shown: Shown::Yes, ..nothing };
    // It was proven while somebody looked, and saw nothing yet.
    let before = read(ours).await;
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    assert_eq!(inventory.record_look(&service(9), &before, &nothing).await.unwrap(), Finding::Nothing);
    assert_eq!(read(ours).await.proven.unwrap().lapsed_at, None);
    // It was handed over.
    let before = read(theirs).await;
    inventory.hand_over(&service(3), OURS, &name("example.org"), "theirs").await.unwrap();
    assert_eq!(inventory.record_look(&service(9), &before, &nothing).await.unwrap(), Finding::Nothing);
    assert_eq!(read(theirs).await.proven.unwrap().lapsed_at, None);
    // The operator has said no: neither what was being looked at counts, nor what was just seen.
    let before = read(theirs).await;
    inventory.disprove(&by(Actor::Machine, 4), theirs).await.unwrap();
    assert_eq!(inventory.record_look(&service(9), &before, &shown).await.unwrap(), Finding::Nothing);
    let proving = Proving { zone: theirs, proof: Proof::Challenge, consenting: None, is_seen: true };
    inventory.prove(&service(9), &proving).await.unwrap();
    assert_eq!(read(theirs).await.proven, None);
}

async fn a_public_suffix_has_no_say_in_whose_the_names_below_it_are(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let ours = claim(&inventory, OURS, "example.co.uk").await;
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    look(&inventory, ours, 2, Delegated::Elsewhere, Shown::No).await;
    for text in [".", "co.uk"] {
        let suffix = claim(&inventory, THEIRS, text).await;
        prove(&inventory, suffix, Proof::Operator).await.unwrap();
    }
    assert_eq!(inventory.nearest_above(&name("example.co.uk")).await.unwrap(), None);
    let lapsed = inventory.claim_of_zone(ours).await.unwrap().unwrap();
    assert_eq!((lapsed.proven.map(|proven| proven.by), lapsed.looked_at), (Some(Proof::Challenge), Some(at(2))));
    assert_eq!(look(&inventory, ours, 3, Delegated::Elsewhere, Shown::Yes).await, Finding::ShowsAgain);
    let other = claim(&inventory, OURS, "other.co.uk").await;
    prove(&inventory, other, Proof::Challenge).await.unwrap();
}

async fn what_somebody_else_has_proven_since_does_not_come_back_with_a_removed_zone(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let org = name("example.org");
    for proof in [Proof::Operator, Proof::Challenge] {
        let ours = claim(&inventory, OURS, "example.org").await;
        prove(&inventory, ours, proof).await.unwrap();
        inventory.remove_zone_and_keep(&BY, OURS, &org, at(1_000)).await.unwrap();
        let theirs = claim(&inventory, THEIRS, "example.org").await;
        prove(&inventory, theirs, proof).await.unwrap();
        inventory.remove_zone_and_keep(&BY, THEIRS, &org, at(1_000)).await.unwrap();
        inventory.restore_zone(&BY, OURS, &org).await.unwrap();
        assert_eq!(proof_of(&inventory, OURS, "example.org").await, None, "{proof}");
        inventory.restore_zone(&BY, THEIRS, &org).await.unwrap();
        assert_eq!(proof_of(&inventory, THEIRS, "example.org").await, Some(proof));
        inventory.remove_zone(&BY, OURS, &org).await.unwrap();
        inventory.remove_zone(&BY, THEIRS, &org).await.unwrap();
    }
}

async fn a_removed_zone_comes_back_as_the_claim_that_it_was_beside_its_neighbours(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (above, below) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "sub.example.org").await);
    look(&inventory, above, 2, Delegated::Elsewhere, Shown::No).await;
    inventory.challenge(above, "ours").await.unwrap();
    prove(&inventory, above, Proof::Delegation).await.unwrap();
    let consented = Proving { zone: below, proof: Proof::Delegation, consenting: Some(above), is_seen: false };
    inventory.prove(&service(3), &consented).await.unwrap();
    for (tenant, text) in [(OURS, "example.org"), (THEIRS, "sub.example.org")] {
        let before = inventory.claim(tenant, &name(text)).await.unwrap().unwrap();
        inventory.remove_zone_and_keep(&BY, tenant, &name(text), at(1_000)).await.unwrap();
        inventory.restore_zone(&service(9), tenant, &name(text)).await.unwrap();
        assert_eq!(inventory.claim(tenant, &name(text)).await.unwrap().unwrap(), before);
    }
    // What somebody has proven meanwhile, above or below, it would have to be let in by.
    inventory.remove_zone_and_keep(&BY, OURS, &name("example.org"), at(1_000)).await.unwrap();
    let other = claim(&inventory, THEIRS, "other.example.org").await;
    prove(&inventory, other, Proof::Challenge).await.unwrap();
    inventory.restore_zone(&service(9), OURS, &name("example.org")).await.unwrap();
    assert_eq!(proof_of(&inventory, OURS, "example.org").await, None);
}

async fn what_was_seen_is_used_up_when_a_name_goes_to_another(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let org = name("example.org");
    let (ours, theirs) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "example.org").await);
    look(&inventory, ours, 2, Delegated::Elsewhere, Shown::No).await;
    inventory.challenge(ours, "ours").await.unwrap();
    inventory.challenge(theirs, "theirs").await.unwrap();
    let servers: BTreeSet<Name> = ["ns1.us", "ns2.us"].map(name).into();
    inventory.give_name_servers(OURS, std::slice::from_ref(&servers)).await.unwrap();
    prove(&inventory, ours, Proof::Delegation).await.unwrap();
    inventory.hand_over(&service(3), OURS, &org, "theirs").await.unwrap();
    let given = inventory.claim(OURS, &org).await.unwrap().unwrap();
    assert_eq!((given.seen_elsewhere_at, given.challenge), (None, None));
    // The parent names the giver's servers still: that is no change for them, and shows the name for who has it now.
    assert_eq!(look(&inventory, ours, 4, Delegated::ToOwn, Shown::No).await, Finding::Nothing);
    let handed = async || inventory.claim(THEIRS, &org).await.unwrap().unwrap().handed;
    let expected = Handed {
        proof: Proof::Delegation,
        tenant: OURS,
        challenge: Some("ours".into()),
        name_servers: Some(servers),
    };
    assert_eq!(handed().await, Some(expected.clone()));
    // From hand to hand it is what the first had.
    inventory.challenge(ours, "again").await.unwrap();
    inventory.hand_over(&service(5), THEIRS, &org, "again").await.unwrap();
    assert_eq!(inventory.claim(OURS, &org).await.unwrap().unwrap().handed, Some(expected));
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    assert_eq!(inventory.claim(OURS, &org).await.unwrap().unwrap().handed, None);
    // The operator's no stays one until something new is seen.
    inventory.challenge(ours, "third").await.unwrap();
    inventory.disprove(&by(Actor::Machine, 6), ours).await.unwrap();
    let left = inventory.claim(OURS, &org).await.unwrap().unwrap();
    assert_eq!((left.proven, left.seen_elsewhere_at, left.challenge), (None, None, None));
}

async fn a_name_that_hangs_on_the_zone_above_goes_with_that_whoever_has_it(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (above, sub, theirs) = (
        claim(&inventory, OURS, "example.org").await,
        claim(&inventory, OURS, "sub.example.org").await,
        claim(&inventory, THEIRS, "sub.example.org").await,
    );
    prove(&inventory, above, Proof::Challenge).await.unwrap();
    prove(&inventory, sub, Proof::Above).await.unwrap();
    inventory.challenge(theirs, "theirs").await.unwrap();
    inventory.hand_over(&service(3), OURS, &name("sub.example.org"), "theirs").await.unwrap();
    let before = inventory.claim_of_zone(theirs).await.unwrap().unwrap();
    let own = Look { at: at(3), delegated: Delegated::Elsewhere, shown: Shown::No, above: Above::Own, handed: None };
    assert_eq!(own.finding(&before), Finding::Proves(Proof::Above), "where they get the zone above too");
    assert_eq!(inventory.others_below(OURS, &name("example.org"), 9).await.unwrap().len(), 1, "it holds");
    look(&inventory, above, 4, Delegated::Elsewhere, Shown::No).await;
    assert!(inventory.others_below(OURS, &name("example.org"), 9).await.unwrap().is_empty());
    // Sold: whoever has the zone above now has nothing of it in the way.
    let third = inventory.add_tenant(&BY, "Third").await.unwrap();
    let sold = claim(&inventory, third, "example.org").await;
    prove(&inventory, sold, Proof::Challenge).await.unwrap();
}

async fn a_lapsed_proof_comes_back_and_is_handed_over_as_one(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let org = name("example.org");
    let ours = claim(&inventory, OURS, "example.org").await;
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    look(&inventory, ours, 5, Delegated::Elsewhere, Shown::No).await;
    inventory.remove_zone_and_keep(&BY, OURS, &org, at(1_000)).await.unwrap();
    inventory.restore_zone(&BY, OURS, &org).await.unwrap();
    let lapsed = async |tenant| inventory.claim(tenant, &org).await.unwrap().unwrap().proven.unwrap();
    assert_eq!((lapsed(OURS).await.by, lapsed(OURS).await.lapsed_at), (Proof::Challenge, Some(at(5))));
    let theirs = claim(&inventory, THEIRS, "example.org").await;
    inventory.challenge(theirs, "theirs").await.unwrap();
    inventory.hand_over(&service(6), OURS, &org, "theirs").await.unwrap();
    assert_eq!((lapsed(THEIRS).await.by, lapsed(THEIRS).await.lapsed_at), (Proof::HandedOver, Some(at(5))));
    prove(&inventory, theirs, Proof::Challenge).await.unwrap();
    assert_eq!((lapsed(THEIRS).await.by, lapsed(THEIRS).await.lapsed_at), (Proof::Challenge, None));
}

async fn a_removed_zone_loses_its_proof_by_the_operators_word(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let org = name("example.org");
    let theirs = claim(&inventory, THEIRS, "example.org").await;
    prove(&inventory, theirs, Proof::Operator).await.unwrap();
    inventory.remove_zone_and_keep(&BY, THEIRS, &org, at(1_000)).await.unwrap();
    assert_eq!(inventory.disprove(&by(Actor::Machine, 4), theirs).await.unwrap(), None);
    assert!(matches!(inventory.disprove(&by(Actor::Machine, 5), theirs).await, Err(ProveError::Gone)));
    inventory.restore_zone(&BY, THEIRS, &org).await.unwrap();
    let back = inventory.claim_of_zone(theirs).await.unwrap().unwrap();
    assert_eq!((back.proven, back.challenge, back.seen_elsewhere_at), (None, None, None));
    assert_eq!(back.disproven_at, Some(at(4)));
}

async fn a_holder_hands_a_name_over_to_the_claim_with_the_text_and_nobody_learns_who_they_are(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (ours, theirs) =
        (claim(&inventory, OURS, "example.org").await, claim(&inventory, THEIRS, "example.org").await);
    let alice = by(Actor::Token("alices".into()), 3);
    let hand = async |text: &str| inventory.hand_over(&alice, OURS, &name("example.org"), text).await;
    assert!(matches!(hand("theirs").await, Err(ProveError::NotHeld(_))));
    prove(&inventory, ours, Proof::Challenge).await.unwrap();
    inventory.challenge(ours, "ours").await.unwrap();
    inventory.challenge(theirs, "theirs").await.unwrap();
    for text in ["", "ours", "nobodys"] {
        assert!(matches!(hand(text).await, Err(ProveError::NoSuchClaim(_))), "{text}");
    }
    hand("theirs").await.unwrap();
    assert_eq!(proof_of(&inventory, THEIRS, "example.org").await, Some(Proof::HandedOver));
    assert_eq!(proof_of(&inventory, OURS, "example.org").await, None);
    let log = |tenant| inventory.audit(AuditOf::Tenant(tenant), None, 1);
    let (to, from) = (log(THEIRS).await.unwrap().remove(0), log(OURS).await.unwrap().remove(0));
    assert_eq!((to.act.as_str(), to.actor.as_str(), to.address), ("zone.proven", "the service", None));
    assert_eq!((from.act.as_str(), from.actor.as_str()), ("zone.proof-taken", "token alices"));
}

async fn a_claims_text_is_made_once_and_goes_with_it(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let ours = claim(&inventory, OURS, "example.org").await;
    assert_eq!(inventory.challenge(ours, "first").await.unwrap().as_deref(), Some("first"));
    assert_eq!(inventory.challenge(ours, "second").await.unwrap().as_deref(), Some("first"));
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    assert_eq!(inventory.challenge(ours, "third").await.unwrap(), None);
    let again = claim(&inventory, OURS, "example.org").await;
    assert_eq!(inventory.challenge(again, "fourth").await.unwrap().as_deref(), Some("fourth"));
}

async fn the_operators_word_gives_and_takes_names(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let (ours, theirs) = (claim(&inventory, OURS, "org").await, claim(&inventory, THEIRS, "org").await);
    let below = claim(&inventory, THEIRS, "example.org").await;
    prove(&inventory, below, Proof::Challenge).await.unwrap();
    // Above another tenant's zone, and instead of who had it.
    prove(&inventory, ours, Proof::Operator).await.unwrap();
    prove(&inventory, theirs, Proof::Operator).await.unwrap();
    assert_eq!(
        (proof_of(&inventory, OURS, "org").await, proof_of(&inventory, THEIRS, "org").await),
        (None, Some(Proof::Operator))
    );
    assert_eq!(look(&inventory, theirs, 9, Delegated::Elsewhere, Shown::No).await, Finding::Nothing);
    inventory.disprove(&by(Actor::Machine, 4), theirs).await.unwrap();
    assert!(matches!(inventory.disprove(&by(Actor::Machine, 5), theirs).await, Err(ProveError::NotHeld(_))));
    assert_eq!(inventory.holder(&name("org")).await.unwrap(), None);
    assert!(matches!(prove(&inventory, ZoneId(4711), Proof::Operator).await, Err(ProveError::Gone)));
}

async fn a_set_of_name_servers_is_given_to_one_tenant_and_never_again(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let set = |texts: [&str; 2]| -> BTreeSet<Name> { texts.map(name).into() };
    let (one, other) = (set(["NS1.example", "ns2.example"]), set(["ns2.example", "ns3.example"]));
    assert_eq!(inventory.name_servers(OURS).await.unwrap(), None);
    assert_eq!(inventory.give_name_servers(OURS, std::slice::from_ref(&one)).await.unwrap(), Some(one.clone()));
    let same = set(["ns2.EXAMPLE", "ns1.example"]);
    assert_eq!(
        inventory.give_name_servers(THEIRS, std::slice::from_ref(&same)).await.unwrap(),
        None,
        "all are given"
    );
    assert_eq!(inventory.give_name_servers(THEIRS, &[same, other.clone()]).await.unwrap(), Some(other.clone()));
    assert_eq!(inventory.give_name_servers(OURS, &[other]).await.unwrap(), Some(one.clone()), "it has its own");
    assert_eq!(inventory.name_servers(OURS).await.unwrap(), Some(one));
    // A delegation that is being changed may show a part of a set.
    let third = inventory.add_tenant(&BY, "Third").await.unwrap();
    let more = [&["ns1.example", "ns2.example", "ns4.example"][..], &["ns3.example"], &["ns5.example"]];
    let more: Vec<BTreeSet<Name>> = more.map(|set| set.iter().map(|text| name(text)).collect()).into();
    assert_eq!(inventory.give_name_servers(third, &more).await.unwrap().as_ref(), more.last());
    assert_eq!(inventory.tenant_of_name_servers(&set(["ns1.example", "NS2.example"])).await.unwrap(), Some(OURS));
    assert_eq!(inventory.tenant_of_name_servers(&set(["ns1.example", "ns3.example"])).await.unwrap(), None);
}

async fn claims_are_found_in_parts_and_proven_ones_when_their_time_has_come(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let mut ids = Vec::new();
    for text in ["a.test", "b.test", "c.test", "d.test"] {
        ids.push(claim(&inventory, THEIRS, text).await);
    }
    let found = async |after, before, limit| -> Vec<ZoneId> {
        let found = inventory.claims_to_look_at(after, at(before), limit).await.unwrap();
        found.iter().map(|claim| claim.zone).collect()
    };
    assert_eq!(found(ZoneId(0), 0, 3).await, ids[..3]);
    assert_eq!(found(ids[2], 0, 3).await, ids[3..]);
    prove(&inventory, ids[0], Proof::Operator).await.unwrap();
    prove(&inventory, ids[1], Proof::Challenge).await.unwrap();
    look(&inventory, ids[1], 50, Delegated::Elsewhere, Shown::Yes).await;
    assert_eq!(found(ZoneId(0), 49, 9).await, ids[2..]);
    assert_eq!(found(ZoneId(0), 50, 9).await, ids[1..]);
    let theirs_too = claim(&inventory, OURS, "A.test").await;
    let waiting = inventory.waiting_claims(ZoneId(0), 9).await.unwrap();
    let shown = waiting.iter().map(|claim| (claim.zone, claim.tenant, claim.organisation.as_str(), claim.is_held));
    let expected =
        [(ids[2], THEIRS, "second", false), (ids[3], THEIRS, "second", false), (theirs_too, OURS, "default", true)];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert_eq!((waiting[2].name.to_string().as_str(), waiting[2].claimed_at), ("A.test.", NOW));
    assert_eq!((waiting[0].looked_at, waiting[1].looked_at), (None, None));
    assert_eq!(inventory.waiting_claims(ids[2], 1).await.unwrap(), waiting[1..2]);
    inventory.remove_zone(&BY, OURS, &name("a.test")).await.unwrap();
    look(&inventory, ids[2], 60, Delegated::Elsewhere, Shown::No).await;
    assert_eq!(inventory.waiting_claims(ZoneId(0), 1).await.unwrap()[0].looked_at, Some(at(60)));
    let new = inventory.new_claims(ZoneId(0), 9).await.unwrap();
    assert_eq!(new.iter().map(|claim| claim.zone).collect::<Vec<_>>(), ids[3..], "nobody has looked at it yet");
    assert!(inventory.new_claims(ids[3], 9).await.unwrap().is_empty());
}
