//! Claims on names, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use std::collections::BTreeSet;

use dns::Name;
use inventory::{
    Above, Actor, AuditOf, By, Delegated, Finding, Inventory, Look, NewZone, Proof, ProveError, Proving, Shown,
    TenantId, ZoneId,
};
use place::{BY, Engine, NOW, Place, name, zone};
use xfr::Moment;

on_both_engines!(
    of_all_claims_on_a_name_one_is_proven_and_a_proof_that_holds_is_not_taken,
    a_proof_that_has_lapsed_falls_to_who_can_show_one,
    a_name_seen_elsewhere_is_remembered_for_the_claim_that_was_there_then,
    below_or_above_another_tenants_zone_nothing_is_proven_without_consent,
    a_lapsed_zone_gives_nothing_below_it_and_keeps_nobody_from_being_above,
    what_somebody_else_has_proven_since_does_not_come_back_with_a_removed_zone,
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
    inventory.prove(&service(1), &Proving { zone, proof, consenting: &[] }).await.map(drop)
}

async fn look(inventory: &Inventory, zone: ZoneId, ms: u64, delegated: Delegated, shown: Shown) -> Finding {
    inventory
        .record_look(&service(ms), zone, &Look { at: at(ms), delegated, shown, above: Above::None })
        .await
        .unwrap()
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
    let others = inventory.zones_above(&name("A.b.example.org")).await.unwrap();
    assert_eq!(others.iter().map(|zone| zone.zone).collect::<Vec<_>>(), [above]);
    let consented = Proving { zone: below, proof: Proof::Delegation, consenting: &[above] };
    inventory.prove(&service(2), &consented).await.unwrap();
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
    // The same tenant's zones lie as they like.
    let own = claim(&inventory, THEIRS, "z.a.b.example.org").await;
    let own = Proving { zone: own, proof: Proof::Challenge, consenting: &[above] };
    inventory.prove(&service(3), &own).await.unwrap();
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
    let above = async || -> Vec<ZoneId> {
        let above = inventory.zones_above(&name("x.a.b.example.org")).await.unwrap();
        above.iter().map(|zone| zone.zone).collect()
    };
    assert_eq!(above().await, [subsub, sub, ours]);
    assert_eq!(look(&inventory, ours, 5, Delegated::Elsewhere, Shown::No).await, Finding::Lapses);
    assert!(above().await.is_empty(), "what is below goes with it, before anybody looks at it");
    let other = claim(&inventory, THEIRS, "shop.example.org").await;
    prove(&inventory, other, Proof::Challenge).await.unwrap();
    let theirs = claim(&inventory, THEIRS, "example.org").await;
    prove(&inventory, theirs, Proof::Challenge).await.unwrap();
    let below = claim(&inventory, THEIRS, "b.example.org").await;
    assert!(matches!(prove(&inventory, below, Proof::Above).await, Err(ProveError::Held(_))));
    assert_eq!(look(&inventory, sub, 6, Delegated::Elsewhere, Shown::Unknown).await, Finding::Lapses);
    prove(&inventory, below, Proof::Above).await.unwrap();
    // What shows by itself stays in the way.
    let own = claim(&inventory, OURS, "own.test").await;
    prove(&inventory, own, Proof::Challenge).await.unwrap();
    let top = claim(&inventory, THEIRS, "test").await;
    assert!(matches!(prove(&inventory, top, Proof::Challenge).await, Err(ProveError::Above(_))));
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
    assert_eq!(proof_of(&inventory, THEIRS, "example.org").await, None);
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
    let unproven = inventory.unproven_claims(ZoneId(0), 9).await.unwrap();
    assert_eq!(unproven.iter().map(|claim| claim.zone).collect::<Vec<_>>(), ids[2..]);
    look(&inventory, ids[2], 60, Delegated::Elsewhere, Shown::No).await;
    let new = inventory.new_claims(ZoneId(0), 9).await.unwrap();
    assert_eq!(new.iter().map(|claim| claim.zone).collect::<Vec<_>>(), ids[3..], "nobody has looked at it yet");
    assert!(inventory.new_claims(ids[3], 9).await.unwrap().is_empty());
}
