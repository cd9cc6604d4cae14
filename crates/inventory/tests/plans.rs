//! Plans and events, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    AddZoneError, AuditOf, ChangeZoneError, Inventory, Limits, NewPlan, PlanError, PlanId, PlanStanding, TenantId,
    Terms, ZoneChange,
};
use place::{BY, Engine, NOW, Place, name, primary, zone};
use xfr::Moment;

on_both_engines!(
    a_tenant_has_the_plan_that_it_was_given_or_the_oldest_and_the_default_one_has_none,
    no_more_zones_are_added_than_the_plan_allows_by_any_door,
    a_zone_has_no_more_primaries_than_the_plan_allows,
    after_a_plans_end_nothing_is_added_and_nothing_goes,
    a_plan_that_somebody_has_stays_and_names_are_there_once,
);

const THEIRS: TenantId = TenantId(2);
const DAY_MS: u64 = 24 * 3600 * 1000;

fn plan(name: &str, zones_max: u64) -> NewPlan {
    let limits = Limits { zones_max: Some(zones_max), primaries_max: Some(2), ..Limits::default() };
    NewPlan { name: name.into(), limits, grace_days: 14 }
}

async fn with_plan(place: &Place, zones_max: u64) -> (Inventory, PlanId) {
    let (inventory, _) = place.open_with_second_tenant().await;
    let id = inventory.add_plan(&BY, &plan("small", zones_max)).await.unwrap();
    (inventory, id)
}

async fn add(inventory: &Inventory, text: &str) -> Result<(), AddZoneError> {
    inventory.add_zone(&BY, THEIRS, &zone(text, &["192.0.2.1:53"])).await.map(drop)
}

async fn a_tenant_has_the_plan_that_it_was_given_or_the_oldest_and_the_default_one_has_none(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    assert_eq!(inventory.terms(THEIRS).await.unwrap(), Terms::default(), "there are no plans");
    let small = inventory.add_plan(&BY, &plan("small", 2)).await.unwrap();
    let large = inventory.add_plan(&BY, &plan("large", 9)).await.unwrap();
    assert_eq!(inventory.terms(THEIRS).await.unwrap().plan, Some((small, plan("small", 2))));
    inventory.set_plan(&BY, THEIRS, Some(large), Some(Moment(NOW.0 + 5))).await.unwrap();
    let terms = inventory.terms(THEIRS).await.unwrap();
    assert_eq!((terms.name(), terms.ends_at), ("large", Some(Moment(NOW.0 + 5))));
    assert_eq!(inventory.intent().await.unwrap().terms, [(THEIRS, terms)].into());
    assert_eq!(inventory.terms(TenantId::DEFAULT).await.unwrap(), Terms::default());
    let changed = NewPlan { grace_days: 1, ..plan("larger", 10) };
    inventory.change_plan(&BY, large, &changed).await.unwrap();
    assert_eq!(inventory.terms(THEIRS).await.unwrap().plan, Some((large, changed)));
    let log = inventory.audit(AuditOf::Tenant(THEIRS), None, 9).await.unwrap();
    assert_eq!((log[0].act.as_str(), &log[0].details["plan"]), ("tenant.plan", &"large".into()));
}

async fn no_more_zones_are_added_than_the_plan_allows_by_any_door(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = with_plan(&place, 3).await;
    add(&inventory, "a.test").await.unwrap();
    let many: Vec<_> = ["a.test", "b.test", "c.test", "d.test"].map(|text| zone(text, &["192.0.2.1:53"])).into();
    let results = inventory.import_zones(&BY, THEIRS, &many).await.unwrap();
    let refused = |result: &Result<_, AddZoneError>| matches!(result, Err(AddZoneError::PlanZones { limit: 3, .. }));
    assert!(matches!(results[0], Err(AddZoneError::ExistsAlready(_))));
    assert!(results[1].is_ok() && results[2].is_ok() && refused(&results[3]), "{results:?}");
    let one_more = add(&inventory, "d.test").await;
    assert!(one_more.as_ref().is_err_and(|error| error.to_string().contains("\"small\" is for 3 zone(s)")));
    assert_eq!(inventory.count_zones(THEIRS).await.unwrap(), 3);
    inventory.remove_zone(&BY, THEIRS, &name("a.test")).await.unwrap();
    add(&inventory, "d.test").await.unwrap();
    // Others' plans are others'.
    for text in ["a.test", "e.test", "f.test", "g.test"] {
        inventory.add_zone(&BY, TenantId::DEFAULT, &zone(text, &["192.0.2.1:53"])).await.unwrap();
    }
}

async fn a_zone_has_no_more_primaries_than_the_plan_allows(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = with_plan(&place, 3).await;
    let three = ["192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"];
    let added = inventory.add_zone(&BY, THEIRS, &zone("a.test", &three)).await;
    assert!(matches!(added, Err(AddZoneError::PlanPrimaries { limit: 2, .. })));
    inventory.add_zone(&BY, THEIRS, &zone("a.test", &three[..2])).await.unwrap();
    let primaries = Some(three.iter().map(|address| primary(address)).collect());
    let change = |_: &_| Ok::<_, ()>(ZoneChange { primaries, ..ZoneChange::default() });
    let changed = inventory.change_zone(&BY, THEIRS, &name("a.test"), change).await;
    assert!(matches!(changed, Err(ChangeZoneError::Invalid(AddZoneError::PlanPrimaries { .. }))));
    assert_eq!(inventory.intent().await.unwrap().zones[0].primaries.len(), 2);
}

async fn after_a_plans_end_nothing_is_added_and_nothing_goes(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, plan) = with_plan(&place, 3).await;
    add(&inventory, "a.test").await.unwrap();
    inventory.set_plan(&BY, THEIRS, Some(plan), Some(NOW)).await.unwrap();
    assert!(matches!(add(&inventory, "b.test").await, Err(AddZoneError::PlanEnded { .. })));
    assert_eq!(inventory.count_zones(THEIRS).await.unwrap(), 1);
    let terms = inventory.terms(THEIRS).await.unwrap();
    let until = Moment(NOW.0 + 14 * DAY_MS);
    assert_eq!((terms.standing(NOW), terms.standing(until)), (PlanStanding::Grace { until }, PlanStanding::Ended));
    inventory.set_plan(&BY, THEIRS, Some(plan), None).await.unwrap();
    add(&inventory, "b.test").await.unwrap();
}

async fn a_plan_that_somebody_has_stays_and_names_are_there_once(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, small) = with_plan(&place, 3).await;
    assert!(matches!(inventory.add_plan(&BY, &plan("small", 1)).await, Err(PlanError::ExistsAlready(_))));
    let other = inventory.add_plan(&BY, &plan("other", 1)).await.unwrap();
    assert!(matches!(inventory.change_plan(&BY, other, &plan("small", 1)).await, Err(PlanError::ExistsAlready(_))));
    inventory.set_plan(&BY, THEIRS, Some(small), None).await.unwrap();
    assert!(matches!(inventory.remove_plan(&BY, small).await, Err(PlanError::InUse { tenants: 1, .. })));
    assert_eq!(inventory.plans().await.unwrap().iter().map(|plan| plan.tenants).collect::<Vec<_>>(), [1, 0]);
    inventory.set_plan(&BY, THEIRS, None, None).await.unwrap();
    inventory.remove_plan(&BY, small).await.unwrap();
    assert!(matches!(inventory.remove_plan(&BY, small).await, Err(PlanError::Unknown)));
    assert!(matches!(inventory.change_plan(&BY, small, &plan("x", 1)).await, Err(PlanError::Unknown)));
    assert!(matches!(inventory.set_plan(&BY, THEIRS, Some(small), None).await, Err(PlanError::Unknown)));
    assert!(matches!(inventory.set_plan(&BY, TenantId(4711), None, None).await, Err(PlanError::NoTenant)));
    assert_eq!(inventory.terms(THEIRS).await.unwrap().name(), "other");
}
