//! Catalogs and what their plans do, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use std::collections::BTreeSet;
use std::time::Duration;

use dns::Name;
use inventory::{
    Above, AddZoneError, ApplyError, By, Catalog, CatalogError, CatalogSettings, Changed, Claim, Delegated, Ensured,
    Finding, Intent, Inventory, Limits, Look, NewPlan, NewZone, Proof, Proving, RemoveKeyError, Shown, TenantId,
    ZoneId,
};
use place::{BY, Engine, NOW, Place, key, name, open, primary, zone, zone_by_id, zone_by_name};
use xfr::Moment;
use zone::catalog::{Action, Consent, Guard, Label, Listing, State, Taken, Warrant, plan};

on_both_engines!(
    a_catalog_is_found_as_it_was_set_after_reopening,
    other_settings_take_the_place_of_the_first,
    of_changes_to_one_catalog_at_a_time_none_is_lost,
    a_catalog_is_its_tenants_alone,
    a_plan_adds_changes_and_removes_members,
    a_configured_zone_is_never_touched,
    each_action_is_carried_out_whole_or_not_at_all,
    a_member_that_is_imported_is_a_configured_zone_with_its_contents,
    a_member_that_comes_back_in_time_under_its_label_is_the_same_zone,
    somebody_of_the_tenants_own_may_have_what_a_catalog_removed,
    what_has_been_kept_for_long_enough_is_nobodys_any_more,
    a_reset_zone_is_another_one_of_the_same_name,
    a_reset_zone_is_the_same_claim_and_a_name_that_was_taken_does_not_come_back,
    a_zone_moves_to_another_catalog_with_its_contents_or_without,
    a_catalog_that_goes_leaves_its_members_as_configured_zones,
    a_member_that_is_configured_is_the_catalogs_no_longer,
    a_member_that_is_added_by_hand_is_the_same_zone_and_configured,
    a_catalog_comes_with_its_zone_and_is_made_sure_of,
    what_a_plan_starts_from_is_all_that_the_tenant_has,
    a_wait_begins_once_and_ends_when_the_zone_is_found,
    only_what_goes_at_once_is_counted,
    plans_lead_to_what_the_catalog_lists_and_an_empty_one_only_after_its_delay,
    ten_thousand_members_come_and_go_at_once,
    of_some_zones_the_same_is_read_as_of_all,
    a_key_that_only_a_catalog_names_is_there_and_stays_for_as_long,
);

const OURS: TenantId = TenantId::DEFAULT;
const HOUR: Duration = Duration::from_secs(3600);

fn settings() -> CatalogSettings {
    CatalogSettings {
        suffixes: vec![name("Example."), name("other.")],
        template: "{\"plain\":true}".into(),
        groups: [("gold".into(), "{\"gold\":true}".into())].into(),
        guard: Guard { share_percent: 30, zones_min: 5, delay: 12 * HOUR },
    }
}

/// A zone of that name that is a catalog.
async fn catalog(inventory: &Inventory, text: &str) -> Catalog {
    inventory.add_catalog(&BY, OURS, &zone(text, &["192.0.2.1:53"]), &settings(), place::keys_of).await.unwrap();
    let mut catalogs = inventory.list_catalogs(OURS).await.unwrap();
    catalogs.retain(|catalog| catalog.name == name(text));
    catalogs.remove(0)
}

/// Members without a group come from one primary, those of a group from another.
fn make(zone_name: &Name, group: Option<&str>) -> NewZone {
    zone(&zone_name.to_string(), &[if group.is_some() { "192.0.2.7:53" } else { "192.0.2.1:53" }])
}

async fn apply(inventory: &Inventory, catalog: &Catalog, actions: &[Action]) -> Vec<Result<(), ApplyError>> {
    inventory.apply_plan(catalog, actions, &make, NOW, NOW).await.unwrap()
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn add(text: &str) -> Action {
    Action::Add { zone: name(text), label: label("l"), group: None }
}

fn remove(text: &str) -> Action {
    Action::Remove { zone: name(text), warrant: Warrant::Ordinary }
}

fn reset(text: &str) -> Action {
    Action::Reset { zone: name(text), label: label("new"), group: None, warrant: Warrant::Waited }
}

async fn id_of(inventory: &Inventory, text: &str) -> ZoneId {
    zone_by_name(inventory, OURS, &name(text)).await.unwrap().id
}

async fn is_there(inventory: &Inventory, text: &str) -> bool {
    zone_by_name(inventory, OURS, &name(text)).await.is_some()
}

async fn a_catalog_is_found_as_it_was_set_after_reopening(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let set = catalog(&inventory, "Cat.invalid").await;
    inventory.close().await;
    let inventory = place.open().await;
    let found = inventory.all_catalogs().await.unwrap();
    assert_eq!(found[0], set);
    assert_eq!((found[0].name.to_string().as_str(), found[0].created_at), ("Cat.invalid.", NOW));
    assert_eq!(found[0].settings, settings());
    assert!(set.rules().allow(&name("a.EXAMPLE.")) && !set.rules().allow(&name("example.org.")));
    assert_eq!(set.rules().groups, ["gold".into()].into());
}

async fn other_settings_take_the_place_of_the_first(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let first = catalog(&inventory, "cat.").await;
    let other = CatalogSettings {
        suffixes: vec![],
        template: "{}".into(),
        groups: [("lead".into(), "{}".into())].into(),
        guard: Guard::default(),
    };
    let mut changes = inventory.changes();
    let decide = |_: &CatalogSettings| Ok::<_, ()>(other.clone());
    assert_eq!(
        inventory.change_catalog(&By::machine(Moment(1)), OURS, &name("CAT."), place::keys_of, decide).await.unwrap(),
        Ok(first.id)
    );
    changes.changed().await.unwrap();
    let found = inventory.list_catalogs(OURS).await.unwrap();
    assert_eq!((&found[0].settings, found[0].created_at), (&other, NOW));
    let no =
        inventory.change_catalog(&BY, OURS, &name("cat."), place::keys_of, |_| Err::<CatalogSettings, _>("no")).await;
    assert_eq!(no.unwrap(), Err("no"));
    assert_eq!(inventory.list_catalogs(OURS).await.unwrap(), found);
}

async fn of_changes_to_one_catalog_at_a_time_none_is_lost(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    catalog(&inventory, "cat.").await;
    let change = async |more: &str| {
        let decide = |before: &CatalogSettings| {
            Ok::<_, ()>(CatalogSettings { template: format!("{}{more}", before.template), ..before.clone() })
        };
        inventory.change_catalog(&BY, OURS, &name("cat."), place::keys_of, decide).await.unwrap().unwrap()
    };
    tokio::join!(change("a"), change("b"), change("c"));
    let template = &inventory.list_catalogs(OURS).await.unwrap()[0].settings.template;
    assert_eq!(template.len(), settings().template.len() + 3, "{template}");
}

async fn a_catalog_is_its_tenants_alone(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    let ours = catalog(&inventory, "cat.").await;
    let decide = |before: &CatalogSettings| Ok::<_, ()>(before.clone());
    let unknown = inventory.change_catalog(&BY, theirs, &name("cat."), place::keys_of, decide).await;
    assert!(matches!(unknown, Err(CatalogError::NotCatalog(_))));
    assert!(matches!(inventory.remove_catalog(&BY, theirs, &name("cat.")).await, Err(CatalogError::NotCatalog(_))));
    assert!(inventory.list_catalogs(theirs).await.unwrap().is_empty());
    let forged = Catalog { tenant: theirs, ..ours };
    let refused = inventory.apply_plan(&forged, &[add("a.example.")], &make, NOW, NOW).await;
    assert!(matches!(refused, Err(CatalogError::NotCatalog(_))));
}

async fn a_plan_adds_changes_and_removes_members(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    let gold = Action::Add { zone: name("B.example."), label: label("x"), group: Some("gold".into()) };
    let results = apply(&inventory, &cat, &[add("a.example."), gold]).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let members = inventory.catalog_members(&cat).await.unwrap();
    assert_eq!(members.len(), 2);
    assert_eq!((members[1].name.to_string().as_str(), &members[1].label), ("B.example.", &label("X")));
    assert_eq!((members[1].group.as_deref(), members[1].missing_since), (Some("gold"), None));
    assert_eq!(inventory.catalog_of(OURS, &name("a.example.")).await.unwrap(), Some(name("cat.")));
    assert_eq!(inventory.catalog_of(OURS, &name("cat.")).await.unwrap(), None);

    let regrouped = Action::ChangeGroup { zone: name("b.example."), group: None };
    let id = id_of(&inventory, "a.example.").await;
    apply(&inventory, &cat, &[regrouped, remove("A.example.")]).await;
    let b = zone_by_name(&inventory, OURS, &name("b.example.")).await.unwrap();
    assert_eq!(b.primaries, [primary("192.0.2.1:53")]);
    assert_eq!(inventory.catalog_members(&cat).await.unwrap()[0].group, None);
    assert_eq!(inventory.intent().await.unwrap().removed, [id].into(), "on record until it is carried out");
    assert!(!is_there(&inventory, "a.example.").await);
}

async fn a_configured_zone_is_never_touched(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    let other = catalog(&inventory, "other.").await;
    let own = inventory.add_zone(&BY, OURS, &zone("own.example.", &["192.0.2.9:53"])).await.unwrap();
    apply(&inventory, &other, &[add("theirs.example.")]).await;
    let before = inventory.intent().await.unwrap();
    let migrate = |from: &str| Action::Migrate {
        zone: name("own.example."),
        from: name(from),
        label: label("l"),
        group: None,
        state: State::Reset,
    };
    let of_no_catalog = [migrate("other."), migrate("own.example."), migrate("nowhere."), migrate("cat.")];
    for text in ["own.example.", "theirs.example.", "cat.", "missing."] {
        let change = Action::ChangeGroup { zone: name(text), group: None };
        let hold = Action::Hold { zone: name(text), remaining: HOUR };
        let actions = [remove(text), reset(text), change, hold, Action::Found { zone: name(text) }];
        for result in apply(&inventory, &cat, &actions).await {
            assert!(matches!(result, Err(ApplyError::NotMember(_))), "{text}: {result:?}");
        }
    }
    for result in apply(&inventory, &cat, &of_no_catalog).await {
        assert!(matches!(result, Err(ApplyError::NotMember(_))), "{result:?}");
    }
    let clash = apply(&inventory, &cat, &[add("OWN.example."), add("theirs.example.")]).await;
    let exists =
        |result: &Result<(), ApplyError>| matches!(result, Err(ApplyError::Zone(AddZoneError::ExistsAlready(_))));
    assert!(clash.iter().all(exists), "{clash:?}");
    let after = inventory.intent().await.unwrap();
    assert_eq!((after.zones, after.removed), (before.zones, before.removed));
    assert_eq!(zone_by_id(&inventory, OURS, own).await.unwrap().primaries, [primary("192.0.2.9:53")]);
}

async fn each_action_is_carried_out_whole_or_not_at_all(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example."), add("c.example.")]).await;
    let before = inventory.intent().await.unwrap();
    let members = inventory.catalog_members(&cat).await.unwrap();
    // What members are made of names a key that is not there, but for one of them.
    let keyed = |zone_name: &Name, group: Option<&str>| {
        let mut zone = make(zone_name, group);
        if *zone_name != name("fine.example.") {
            zone.primaries[0].key = Some(name("missing"));
        }
        zone
    };
    let regrouped = Action::ChangeGroup { zone: name("b.example."), group: Some("gold".into()) };
    let actions = [reset("a.example."), regrouped, add("d.example."), add("fine.example."), remove("c.example.")];
    let results = inventory.apply_plan(&cat, &actions, &keyed, NOW, NOW).await.unwrap();
    for result in &results[..3] {
        assert!(matches!(result, Err(ApplyError::Zone(AddZoneError::UnknownKey { .. }))), "{result:?}");
    }
    assert!(results[3..].iter().all(Result::is_ok));
    let after = inventory.intent().await.unwrap();
    assert_eq!(after.zones[..3], before.zones[..3], "the catalog, a and b are as they were");
    assert_eq!(after.removed.len(), 1, "and only c is removed");
    assert_eq!(inventory.catalog_members(&cat).await.unwrap()[..2], members[..2]);
    inventory.add_key(&BY, OURS, &key("missing")).await.unwrap();
    assert!(inventory.apply_plan(&cat, &actions[..3], &keyed, NOW, NOW).await.unwrap().iter().all(Result::is_ok));
}

async fn a_member_that_is_imported_is_a_configured_zone_with_its_contents(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example.")]).await;
    let before = id_of(&inventory, "a.example.").await;
    let mut keyed = zone("b.example.", &["192.0.2.9:53"]);
    keyed.primaries[0].key = Some(name("missing"));
    let lines = [zone("A.example.", &["192.0.2.9:53"]), keyed, zone("a.example.", &["192.0.2.8:53"])];
    let results = inventory.import_zones(&BY, OURS, &lines).await.unwrap();
    assert_eq!(*results[0].as_ref().unwrap(), before);
    assert!(matches!(results[1], Err(AddZoneError::UnknownKey { .. })), "{results:?}");
    assert!(matches!(results[2], Err(AddZoneError::ExistsAlready(_))), "{results:?}");
    let imported = zone_by_name(&inventory, OURS, &name("a.example.")).await.unwrap();
    assert_eq!(imported.primaries, [primary("192.0.2.9:53")]);
    let members = inventory.catalog_members(&cat).await.unwrap();
    assert_eq!(members.iter().map(|member| &member.name).collect::<Vec<_>>(), [&name("b.example.")]);
}

/// Removes the zone, whose contents are kept for an hour.
async fn remove_and_keep(inventory: &Inventory, cat: &Catalog, text: &str) -> ZoneId {
    let id = id_of(inventory, text).await;
    let removed = inventory.apply_plan(cat, &[remove(text)], &make, NOW, NOW.plus(HOUR)).await.unwrap();
    assert!(removed[0].is_ok(), "{removed:?}");
    let intent = inventory.intent().await.unwrap();
    assert_eq!((intent.kept.get(&id), intent.removed.len()), (Some(&NOW.plus(HOUR)), 0));
    id
}

async fn a_member_that_comes_back_in_time_under_its_label_is_the_same_zone(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example.")]).await;
    let id = remove_and_keep(&inventory, &cat, "a.example.").await;
    apply(&inventory, &cat, &[add("A.example.")]).await;
    assert_eq!(id_of(&inventory, "a.example.").await, id);
    assert!(inventory.intent().await.unwrap().kept.is_empty());
    // Another label means a zone of another kind (RFC 9432 §5.4).
    remove_and_keep(&inventory, &cat, "a.example.").await;
    let other = Action::Add { zone: name("a.example."), label: label("other"), group: None };
    apply(&inventory, &cat, &[other]).await;
    assert!(id_of(&inventory, "a.example.").await > id);
    assert!(inventory.intent().await.unwrap().kept.contains_key(&id), "nobody has taken it");
}

async fn somebody_of_the_tenants_own_may_have_what_a_catalog_removed(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example."), add("c.example.")]).await;
    let (a, b) = (
        remove_and_keep(&inventory, &cat, "a.example.").await,
        remove_and_keep(&inventory, &cat, "b.example.").await,
    );
    let new = |text: &str| zone(text, &["192.0.2.9:53"]);
    assert_eq!(inventory.add_zone(&BY, OURS, &new("a.example.")).await.unwrap(), a);
    assert!(inventory.add_zone(&BY, theirs, &new("b.example.")).await.unwrap() > b);
    assert!(inventory.add_zone(&BY, OURS, &new("b.example.")).await.is_err(), "answered for another tenant");
    assert!(inventory.intent().await.unwrap().kept.contains_key(&b), "and still kept");
    // What somebody removes is deleted at once, also what is kept.
    let c = remove_and_keep(&inventory, &cat, "c.example.").await;
    assert!(inventory.remove_stored_zone(&BY, OURS, &name("c.example."), c).await.unwrap());
    inventory.remove_zone(&BY, OURS, &name("a.example.")).await.unwrap();
    assert_eq!(inventory.intent().await.unwrap().removed, [a, c].into());
    assert!(inventory.add_zone(&BY, OURS, &new("c.example.")).await.unwrap() > c);
}

async fn what_has_been_kept_for_long_enough_is_nobodys_any_more(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example.")]).await;
    let (a, b) = (
        remove_and_keep(&inventory, &cat, "a.example.").await,
        remove_and_keep(&inventory, &cat, "b.example.").await,
    );
    inventory.end_keeping(NOW).await.unwrap();
    assert_eq!(inventory.intent().await.unwrap().kept.len(), 2);
    // Its time is over, though nobody has deleted it yet.
    let later = NOW.plus(HOUR);
    let readded = inventory.apply_plan(&cat, &[add("b.example.")], &make, later, later).await.unwrap();
    assert!(readded[0].is_ok() && id_of(&inventory, "b.example.").await > b);
    inventory.end_keeping(later).await.unwrap();
    let intent = inventory.intent().await.unwrap();
    assert_eq!((intent.removed, intent.kept.len()), ([a, b].into(), 0));
    inventory.forget_removed(&[a, b]).await.unwrap();
    assert!(inventory.is_deleted(a).await.unwrap());
}

async fn a_reset_zone_is_another_one_of_the_same_name(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example.")]).await;
    let before = id_of(&inventory, "a.example.").await;
    // Where the store still holds the name, its contents must not come back.
    let stored =
        |zone_name: &Name, group: Option<&str>| NewZone { stored_as: Some(before), ..make(zone_name, group) };
    inventory.apply_plan(&cat, &[reset("A.example.")], &stored, NOW, NOW).await.unwrap()[0].as_ref().unwrap();
    let after = zone_by_name(&inventory, OURS, &name("a.example.")).await.unwrap();
    assert!(after.id > before);
    assert_eq!(inventory.intent().await.unwrap().removed, [before].into());
    assert_eq!(inventory.catalog_members(&cat).await.unwrap()[0].label, label("new"));
}

async fn a_reset_zone_is_the_same_claim_and_a_name_that_was_taken_does_not_come_back(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    let a = name("a.example.");
    let claimed = |zone_name: &Name, group: Option<&str>| NewZone { proof: None, ..make(zone_name, group) };
    let apply = async |action: Action| {
        inventory.apply_plan(&cat, &[action], &claimed, NOW, NOW.plus(HOUR)).await.unwrap().remove(0).unwrap();
        inventory.claim(OURS, &a).await.unwrap()
    };
    let prove = async |zone, proof| {
        inventory.prove(&BY, &Proving { zone, proof, consenting: None, is_seen: false }).await.unwrap();
    };
    // A proof that has lapsed, and what was seen before.
    let first = apply(add("a.example.")).await.unwrap().zone;
    inventory.challenge(first, "text").await.unwrap();
    prove(first, Proof::Challenge).await;
    let look = Look {
        at: NOW.plus(HOUR),
        delegated: Delegated::Elsewhere,
        shown: Shown::No,
        above: Above::None,
        handed: None,
    };
    let proven = inventory.claim(OURS, &a).await.unwrap().unwrap();
    assert_eq!(inventory.record_look(&BY, &proven, &look).await.unwrap(), Finding::Lapses);
    let before = inventory.claim(OURS, &a).await.unwrap().unwrap();
    let after = apply(reset("a.example.")).await.unwrap();
    assert!(after.zone > first);
    assert_eq!(after, Claim { zone: after.zone, ..before });
    // What the operator gave, and then took, stays taken under every label.
    prove(after.zone, Proof::Operator).await;
    assert_eq!(apply(remove("a.example.")).await, None);
    let other = Action::Add { zone: a.clone(), label: label("other"), group: None };
    let other = apply(other).await.unwrap().zone;
    prove(other, Proof::Operator).await;
    inventory.disprove(&BY, other).await.unwrap();
    apply(remove("a.example.")).await;
    let again = apply(Action::Add { zone: a.clone(), label: label("new"), group: None }).await.unwrap();
    assert_eq!((again.zone, again.proven), (after.zone, None));
}

async fn a_zone_moves_to_another_catalog_with_its_contents_or_without(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let (from, to) = (catalog(&inventory, "from.").await, catalog(&inventory, "to.").await);
    apply(&inventory, &from, &[add("kept.example."), add("reset.example.")]).await;
    let kept = id_of(&inventory, "kept.example.").await;
    let reset = id_of(&inventory, "reset.example.").await;
    let migrate = |text: &str, state| Action::Migrate {
        zone: name(text),
        from: name("FROM."),
        label: label("m"),
        group: Some("gold".into()),
        state,
    };
    let actions = [migrate("kept.example.", State::Kept), migrate("reset.example.", State::Reset)];
    let results = apply(&inventory, &to, &actions).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(id_of(&inventory, "kept.example.").await, kept);
    assert!(id_of(&inventory, "reset.example.").await > reset);
    assert_eq!(inventory.intent().await.unwrap().removed, [reset].into());
    assert!(inventory.catalog_members(&from).await.unwrap().is_empty());
    for member in inventory.catalog_members(&to).await.unwrap() {
        assert_eq!((member.label, member.group.as_deref()), (label("m"), Some("gold")));
        let zone = zone_by_id(&inventory, OURS, member.id).await.unwrap();
        assert_eq!(zone.primaries, [primary("192.0.2.7:53")], "as the new catalog has them");
    }
    let again = apply(&inventory, &to, &actions[..1]).await;
    assert!(matches!(again[0], Err(ApplyError::NotMember(_))), "{again:?}");
}

async fn a_catalog_that_goes_leaves_its_members_as_configured_zones(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    for (text, is_removed_as_zone) in [("one.", false), ("two.", true)] {
        let cat = catalog(&inventory, text).await;
        let member = format!("a.{text}");
        apply(&inventory, &cat, &[add(&member), add(&format!("b.{text}"))]).await;
        apply(&inventory, &cat, &[remove(&format!("b.{text}"))]).await;
        assert!(matches!(
            inventory.remove_catalog(&BY, OURS, &name(&member)).await,
            Err(CatalogError::NotCatalog(_))
        ));
        if is_removed_as_zone {
            inventory.remove_zone(&BY, OURS, &name(text)).await.unwrap();
        } else {
            assert_eq!(inventory.remove_catalog(&BY, OURS, &name(text)).await.unwrap(), cat.id);
        }
        assert!(matches!(inventory.remove_catalog(&BY, OURS, &name(text)).await, Err(CatalogError::NotCatalog(_))));
        assert!(!is_there(&inventory, text).await, "what it lists is not to be answered");
        assert!(is_there(&inventory, &member).await);
        assert_eq!(inventory.catalog_of(OURS, &name(&member)).await.unwrap(), None);
        let late = inventory.apply_plan(&cat, &[remove(&member)], &make, NOW, NOW).await;
        assert!(matches!(late, Err(CatalogError::NotCatalog(_))));
    }
    assert!(inventory.all_catalogs().await.unwrap().is_empty());
}

async fn a_member_that_is_configured_is_the_catalogs_no_longer(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example.")]).await;
    let same = zone("a.example.", &["192.0.2.1:53"]);
    let Ensured::Changed(id) = inventory.ensure_zone(OURS, &same, NOW).await.unwrap() else { panic!("not changed") };
    assert_eq!(inventory.ensure_zone(OURS, &same, NOW).await.unwrap(), Ensured::AsItWas(id));
    assert!(inventory.catalog_members(&cat).await.unwrap().is_empty());
    assert!(matches!(apply(&inventory, &cat, &[remove("a.example.")]).await[0], Err(ApplyError::NotMember(_))));
    assert!(is_there(&inventory, "a.example.").await);
}

async fn a_member_that_is_added_by_hand_is_the_same_zone_and_configured(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example.")]).await;
    let before = id_of(&inventory, "a.example.").await;
    let own = zone("a.example.", &["192.0.2.9:53"]);
    assert_eq!(inventory.add_zone(&BY, OURS, &own).await.unwrap(), before);
    let found = zone_by_id(&inventory, OURS, before).await.unwrap();
    assert_eq!(found.primaries, [primary("192.0.2.9:53")]);
    assert!(inventory.intent().await.unwrap().members.is_empty());
    assert!(matches!(inventory.add_zone(&BY, OURS, &own).await, Err(AddZoneError::ExistsAlready(_))));
}

async fn a_catalog_comes_with_its_zone_and_is_made_sure_of(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = zone("cat.", &["192.0.2.1:53"]);
    let id = inventory.add_catalog(&BY, OURS, &cat, &settings(), place::keys_of).await.unwrap();
    assert_eq!(inventory.intent().await.unwrap().catalogs, [(id, name("cat."))].into());
    let again = inventory.add_catalog(&BY, OURS, &cat, &settings(), place::keys_of).await;
    assert!(matches!(again, Err(AddZoneError::ExistsAlready(_))));
    let ensure =
        async |settings: CatalogSettings| inventory.ensure_catalog(OURS, &cat, &settings, NOW).await.unwrap();
    let changes = inventory.changes();
    let in_another_order = vec![name("other."), name("example."), name("OTHER.")];
    assert_eq!(ensure(CatalogSettings { suffixes: in_another_order, ..settings() }).await, Ensured::AsItWas(id));
    assert!(!changes.has_changed().unwrap());
    let other = CatalogSettings { template: "{}".into(), ..settings() };
    assert_eq!(ensure(other.clone()).await, Ensured::Changed(id));
    assert_eq!(inventory.list_catalogs(OURS).await.unwrap()[0].settings, other);
    let cat = zone("more.", &["192.0.2.1:53"]);
    assert!(matches!(inventory.ensure_catalog(OURS, &cat, &other, NOW).await, Ok(Ensured::Created(_))));
    let plain = zone("plain.", &["192.0.2.1:53"]);
    let id = inventory.add_zone(&BY, OURS, &plain).await.unwrap();
    assert_eq!(inventory.ensure_catalog(OURS, &plain, &other, NOW).await.unwrap(), Ensured::Changed(id));
}

async fn what_a_plan_starts_from_is_all_that_the_tenant_has(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    let (cat, other) = (catalog(&inventory, "cat.").await, catalog(&inventory, "other.").await);
    inventory.add_zone(&BY, theirs, &zone("foreign.example.", &["192.0.2.1:53"])).await.unwrap();
    inventory.add_zone(&BY, OURS, &zone("Own.example.", &["192.0.2.1:53"])).await.unwrap();
    apply(&inventory, &cat, &[add("a.example."), add("gone.example."), add("held.example.")]).await;
    apply(&inventory, &other, &[add("theirs.example.")]).await;
    let hold = Action::Hold { zone: name("held.example."), remaining: HOUR };
    apply(&inventory, &cat, &[remove("gone.example."), hold]).await;

    let (holdings, _) = inventory.holdings(&cat, NOW.plus(HOUR)).await.unwrap();
    let members: Vec<_> = holdings.members.iter().map(|m| (m.zone.to_string(), m.missing_for)).collect();
    assert_eq!(members, [("a.example.".into(), None), ("held.example.".into(), Some(HOUR))]);
    let theirs = Taken::Member { catalog: name("other."), label: label("l"), offered_to: None };
    let taken = [
        (name("cat."), Taken::Configured),
        (name("other."), Taken::Configured),
        (name("own.example."), Taken::Configured),
        (name("theirs.example."), theirs),
    ];
    assert_eq!(holdings.taken, taken.into());
    assert_eq!(holdings.removed_lately, 1);
    assert_eq!(inventory.holdings(&other, NOW).await.unwrap().0.removed_lately, 0);
    assert_eq!(inventory.holdings(&cat, NOW.plus(12 * HOUR)).await.unwrap().0.removed_lately, 0, "that is long ago");
}

async fn a_wait_begins_once_and_ends_when_the_zone_is_found(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example.")]).await;
    let changes = inventory.changes();
    let hold = [Action::Hold { zone: name("a.example."), remaining: HOUR }];
    let since = async || inventory.catalog_members(&cat).await.unwrap()[0].missing_since;
    inventory.apply_plan(&cat, &hold, &make, NOW, NOW).await.unwrap();
    inventory.apply_plan(&cat, &hold, &make, NOW.plus(HOUR), NOW.plus(HOUR)).await.unwrap();
    assert_eq!(since().await, Some(NOW));
    inventory.apply_plan(&cat, &[Action::Found { zone: name("a.example.") }], &make, NOW, NOW).await.unwrap();
    assert_eq!(since().await, None);
    assert!(!changes.has_changed().unwrap(), "no zone has changed: whoever plans when woken would never rest");
}

async fn only_what_goes_at_once_is_counted(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example."), add("c.example.")]).await;
    for (text, warrant) in [("a.example.", Warrant::Waited), ("b.example.", Warrant::Consented)] {
        apply(&inventory, &cat, &[Action::Remove { zone: name(text), warrant }]).await;
    }
    assert_eq!(inventory.holdings(&cat, NOW).await.unwrap().0.removed_lately, 0);
    let warrant = Warrant::Ordinary;
    let reset = Action::Reset { zone: name("c.example."), label: label("new"), group: None, warrant };
    apply(&inventory, &cat, &[reset]).await;
    assert_eq!(inventory.holdings(&cat, NOW).await.unwrap().0.removed_lately, 1);
}

/// What a catalog of that name with these members lists.
fn listing(catalog: &str, members: &[&str]) -> Listing {
    let mut text = "@ 0 SOA invalid. invalid. 1 2 3 4 5\n@ 0 NS invalid.\nversion 0 TXT 2\n".to_owned();
    for member in members {
        text += &format!("l-{}.zones 0 PTR {member}\n", member.replace('.', "-"));
    }
    let records = dns::text::zone_from_text(catalog, &text).unwrap();
    let image =
        zone::advance(name(catalog).borrow(), None, &zone::Change::Full(records), [1; 16], zone::Limits::default())
            .unwrap()
            .image;
    zone::catalog::read(&image).unwrap()
}

async fn plans_lead_to_what_the_catalog_lists_and_an_empty_one_only_after_its_delay(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    inventory.add_zone(&BY, OURS, &zone("own.example.", &["192.0.2.1:53"])).await.unwrap();
    let follow = async |listing: &Listing, now| {
        let (holdings, _) = inventory.holdings(&cat, now).await.unwrap();
        let actions = plan(listing, &holdings, &cat.rules(), Consent::NotGiven);
        for result in inventory.apply_plan(&cat, &actions, &make, now, now).await.unwrap() {
            result.unwrap();
        }
        inventory.catalog_members(&cat).await.unwrap().len()
    };
    let full = listing("cat.", &["a.example.", "b.example.", "own.example.", "cat.", "out.of.scope."]);
    let empty = listing("cat.", &[]);
    assert_eq!(follow(&full, NOW).await, 2);
    assert_eq!(follow(&empty, NOW).await, 2);
    assert_eq!(follow(&full, NOW.plus(11 * HOUR)).await, 2, "they are there again: the wait is over");
    assert_eq!(follow(&empty, NOW.plus(13 * HOUR)).await, 2);
    assert_eq!(follow(&empty, NOW.plus(24 * HOUR)).await, 2);
    assert_eq!(follow(&empty, NOW.plus(25 * HOUR)).await, 0);
    assert!(is_there(&inventory, "own.example.").await && is_there(&inventory, "cat.").await);
    assert_eq!(follow(&full, NOW.plus(26 * HOUR)).await, 2);
}

async fn ten_thousand_members_come_and_go_at_once(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let cat = catalog(&inventory, "cat.").await;
    let adding: Vec<_> = (0..10_000).map(|n| add(&format!("z{n}.example."))).collect();
    assert!(apply(&inventory, &cat, &adding).await.iter().all(Result::is_ok));
    assert_eq!(inventory.catalog_members(&cat).await.unwrap().len(), 10_000);
    let removing: Vec<_> = (0..10_000).map(|n| remove(&format!("z{n}.example."))).collect();
    assert!(apply(&inventory, &cat, &removing).await.iter().all(Result::is_ok));
    assert_eq!(inventory.intent().await.unwrap().removed.len(), 10_000);
}

fn only<const ZONES: usize, const KEYS: usize>(zones: [ZoneId; ZONES], keys: [(TenantId, Name); KEYS]) -> Changed {
    Changed::Only { zones: zones.into(), keys: keys.into(), tenants: BTreeSet::new() }
}

/// What is read of one zone or key is what is read of it with everything else.
async fn of_some_zones_the_same_is_read_as_of_all(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    inventory.add_key(&BY, OURS, &key("k")).await.unwrap();
    inventory.add_key(&BY, theirs, &key("k")).await.unwrap();
    let cat = catalog(&inventory, "cat.").await;
    apply(&inventory, &cat, &[add("a.example."), add("b.example.")]).await;
    let kept = remove_and_keep(&inventory, &cat, "b.example.").await;
    let mut keyed = zone("c.example.", &["192.0.2.1:53", "192.0.2.2:53"]);
    keyed.primaries[1].key = Some(name("k."));
    let keyed = inventory.add_zone(&BY, OURS, &keyed).await.unwrap();
    inventory.add_zone(&BY, theirs, &zone("d.example.", &["192.0.2.1:53"])).await.unwrap();
    let removed = inventory.add_zone(&BY, OURS, &zone("e.example.", &["192.0.2.1:53"])).await.unwrap();
    inventory.remove_zone(&BY, OURS, &name("e.example.")).await.unwrap();
    let limits = Limits { primaries_max: Some(3), ..Limits::default() };
    let plan = NewPlan { name: "small".into(), limits, grace_days: 1 };
    inventory.add_plan(&BY, &plan).await.unwrap();
    let all = inventory.intent().await.unwrap();
    assert_eq!((all.zones.len(), all.members.len(), all.keys.len(), all.terms.len()), (4, 1, 2, 1));
    for zone in &all.zones {
        let one = inventory.intent_of(&only([zone.id], [])).await.unwrap();
        assert_eq!(one.zones, std::slice::from_ref(zone));
        assert_eq!(one.members.get(&zone.id), all.members.get(&zone.id));
        assert_eq!(one.catalogs.contains_key(&zone.id), zone.id == cat.id);
        let catalog = all.members.get(&zone.id).map(|catalog| &all.catalogs[catalog]);
        assert_eq!(one.members.get(&zone.id).map(|catalog| &one.catalogs[catalog]), catalog);
        assert_eq!(one.keys.len(), usize::from(zone.id == keyed));
        let key =
            |intent: &Intent| zone.primaries.iter().map(|one| intent.key(zone, one).cloned()).collect::<Vec<_>>();
        assert_eq!(key(&one), key(&all));
        assert_eq!(one.terms.get(&zone.tenant), all.terms.get(&zone.tenant));
        assert!(one.removed.is_empty() && one.kept.is_empty());
    }
    for tenant in [OURS, theirs] {
        let tenants = BTreeSet::from([tenant]);
        // One of its zones has changed as well.
        let changed = Changed::Only { zones: [keyed].into(), keys: BTreeSet::new(), tenants };
        let read = inventory.intent_of(&changed).await.unwrap();
        let is_read = |zone: &&inventory::Zone| zone.tenant == tenant || zone.id == keyed;
        assert_eq!(read.zones, all.zones.iter().filter(is_read).cloned().collect::<Vec<_>>());
        let is_ours = tenant == OURS;
        assert_eq!((read.members == all.members, read.catalogs == all.catalogs), (is_ours, is_ours));
        assert!(read.removed.is_empty() && read.kept.is_empty(), "what was removed goes by no plan");
        assert_eq!(
            (read.terms.len(), read.terms.get(&theirs)),
            if is_ours { (0, None) } else { (1, all.terms.get(&theirs)) }
        );
        for zone in &read.zones {
            let key =
                |intent: &Intent| zone.primaries.iter().map(|one| intent.key(zone, one).cloned()).collect::<Vec<_>>();
            assert_eq!(key(&read), key(&all));
        }
    }
    let gone = inventory.intent_of(&only([kept, removed, ZoneId(999)], [])).await.unwrap();
    assert!(gone.zones.is_empty());
    assert_eq!((&gone.kept, &gone.removed), (&all.kept, &all.removed));
    let of_key = inventory.intent_of(&only([], [(theirs, name("K.")), (theirs, name("unknown."))])).await.unwrap();
    assert_eq!(
        of_key.keys.into_iter().collect::<Vec<_>>(),
        [((theirs, name("k.")), all.keys[&(theirs, name("k."))].clone())]
    );
}

async fn a_key_that_only_a_catalog_names_is_there_and_stays_for_as_long(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    for (tenant, text) in [(OURS, "one.example"), (OURS, "two.example"), (theirs, "theirs.example")] {
        inventory.add_key(&BY, tenant, &key(text)).await.unwrap();
    }
    let template = |key: &str| format!("{{\"key={key}\":true}}");
    let naming = |plain: &str, gold: &str| CatalogSettings {
        template: template(plain),
        groups: [("gold".to_owned(), template(gold))].into(),
        ..settings()
    };
    let cat = zone("cat.", &["192.0.2.1:53"]);
    for wrong in [naming("gone.example", "one.example"), naming("one.example", "theirs.example")] {
        let refused = inventory.add_catalog(&BY, OURS, &cat, &wrong, place::keys_of).await;
        assert!(matches!(refused, Err(AddZoneError::UnknownKey { .. })), "{refused:?}");
        assert_eq!(inventory.list_catalogs(OURS).await.unwrap(), []);
    }
    inventory.add_catalog(&BY, OURS, &cat, &naming("One.Example", "two.example"), place::keys_of).await.unwrap();
    let remove = async |text: &str| inventory.remove_key(&BY, OURS, &name(text), place::keys_of).await;
    for key in ["one.example", "two.example"] {
        let refused = remove(key).await.unwrap_err();
        assert!(
            matches!(&refused, RemoveKeyError::NamedByCatalog { catalog, .. } if *catalog == name("cat.")),
            "{key}: {refused}"
        );
    }
    // What another tenant's catalogs name is another key.
    inventory.remove_key(&BY, theirs, &name("theirs.example"), place::keys_of).await.unwrap();
    let change = async |settings: CatalogSettings| {
        inventory.change_catalog(&BY, OURS, &name("cat."), place::keys_of, |_| Ok::<_, ()>(settings)).await
    };
    let refused = change(naming("one.example", "gone.example")).await.unwrap_err();
    assert!(matches!(refused, CatalogError::Invalid(AddZoneError::UnknownKey { .. })), "{refused}");
    change(naming("one.example", "one.example")).await.unwrap().unwrap();
    remove("two.example").await.unwrap();
    assert!(matches!(remove("one.example").await, Err(RemoveKeyError::NamedByCatalog { .. })));
    inventory.remove_catalog(&BY, OURS, &name("cat.")).await.unwrap();
    remove("one.example").await.unwrap();
}
