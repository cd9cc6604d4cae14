//! Zones that were removed and are kept, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    AddZoneError, By, Inventory, Limits, NewPlan, NewZone, Proof, Proving, RestoreZoneError, Service, TenantId,
    ZoneChange, ZoneId,
};
use place::{BY, Engine, NOW, Place, name, zone};
use xfr::{Algorithm, Alpn, Identity, Key, Moment, Setting, Tls};

on_both_engines!(
    a_zone_comes_back_as_it_was_and_only_its_tenant_sees_it,
    a_name_of_a_kept_zone_is_free_and_a_zone_that_comes_back_is_a_claim_then,
    what_is_kept_does_not_count_for_the_plan_and_what_comes_back_does,
    a_zone_comes_back_only_with_its_keys_and_before_its_time_is_over,
);

const OURS: TenantId = TenantId::DEFAULT;
const THEIRS: TenantId = TenantId(2);
const WEEK_MS: u64 = 7 * 24 * 3600 * 1000;

fn at(ms: u64) -> Moment {
    Moment(NOW.0 + ms)
}

async fn remove(inventory: &Inventory, tenant: TenantId, text: &str) -> ZoneId {
    inventory.remove_zone_and_keep(&BY, tenant, &name(text), at(WEEK_MS)).await.unwrap()
}

async fn proof_of(inventory: &Inventory, tenant: TenantId, text: &str) -> Option<Proof> {
    inventory.claim(tenant, &name(text)).await.unwrap().unwrap().proven.map(|proven| proven.by)
}

async fn a_zone_comes_back_as_it_was_and_only_its_tenant_sees_it(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let key = Key::generate(name("k.example"), Algorithm::HmacSha256).unwrap();
    inventory.add_key(&BY, THEIRS, &key).await.unwrap();
    let mut new = zone("Example.ORG", &["192.0.2.1:53", "[2001:db8::1]:853"]);
    new.primaries[0].key = Some(name("k.example"));
    new.primaries[1].tls = Some(Tls { identity: Identity::Name("ns1.example.org".into()), alpn: Alpn::Required });
    new.settings.set(Setting::ShrinkLimit, Some("20")).unwrap();
    let id = inventory.add_zone(&BY, THEIRS, &new).await.unwrap();
    let pause = |_: &_| Ok::<_, ()>(ZoneChange { service: Some(Service::Paused), ..ZoneChange::default() });
    inventory.change_zone(&BY, THEIRS, &new.name, pause).await.unwrap().unwrap();
    let before = inventory.intent().await.unwrap().zones;
    assert_eq!(remove(&inventory, THEIRS, "example.org").await, id);
    let intent = inventory.intent().await.unwrap();
    assert_eq!((intent.zones.len(), intent.kept.get(&id)), (0, Some(&at(WEEK_MS))));
    assert!(intent.removed.is_empty(), "nothing is deleted yet");
    let kept = inventory.kept_zones(THEIRS, at(1), 10).await.unwrap();
    assert_eq!((kept.len(), kept[0].name.to_string().as_str(), kept[0].removed_at), (1, "Example.ORG.", NOW));
    assert!(inventory.kept_zones(OURS, at(1), 10).await.unwrap().is_empty());
    let others = inventory.restore_zone(&By::machine(at(1)), OURS, &name("example.org")).await;
    assert!(matches!(others, Err(RestoreZoneError::NotKept(_))), "{others:?}");
    assert_eq!(inventory.restore_zone(&By::machine(at(1)), THEIRS, &name("EXAMPLE.org")).await.unwrap(), id);
    assert_eq!(inventory.intent().await.unwrap().zones, before);
    assert!(inventory.kept_zones(THEIRS, at(1), 10).await.unwrap().is_empty());
}

async fn a_name_of_a_kept_zone_is_free_and_a_zone_that_comes_back_is_a_claim_then(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let claim = |text: &str| NewZone { proof: None, ..zone(text, &["192.0.2.1:53"]) };
    let prove = async |zone| {
        let proving = Proving { zone, proof: Proof::Challenge, consenting: None, is_seen: false };
        inventory.prove(&BY, &proving).await.unwrap();
    };
    for text in ["example.org", "a.example.net", "alone.example"] {
        prove(inventory.add_zone(&BY, OURS, &claim(text)).await.unwrap()).await;
        remove(&inventory, OURS, text).await;
    }
    // The same name, and one above.
    for text in ["example.org", "example.net"] {
        prove(inventory.add_zone(&BY, THEIRS, &claim(text)).await.unwrap()).await;
    }
    for (text, expected) in
        [("example.org", None), ("a.example.net", None), ("alone.example", Some(Proof::Challenge))]
    {
        inventory.restore_zone(&By::machine(at(1)), OURS, &name(text)).await.unwrap();
        assert_eq!(proof_of(&inventory, OURS, text).await, expected, "{text}");
    }
    assert_eq!(proof_of(&inventory, THEIRS, "example.org").await, Some(Proof::Challenge));
}

async fn what_is_kept_does_not_count_for_the_plan_and_what_comes_back_does(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let limits = Limits { zones_max: Some(1), ..Limits::default() };
    inventory.add_plan(&BY, &NewPlan { name: "one".into(), limits, grace_days: 0 }).await.unwrap();
    inventory.add_zone(&BY, THEIRS, &zone("a.test", &["192.0.2.1:53"])).await.unwrap();
    remove(&inventory, THEIRS, "a.test").await;
    inventory.add_zone(&BY, THEIRS, &zone("b.test", &["192.0.2.1:53"])).await.unwrap();
    let restored = inventory.restore_zone(&By::machine(at(1)), THEIRS, &name("a.test")).await;
    assert!(matches!(restored, Err(RestoreZoneError::NotAdded(AddZoneError::PlanZones { .. }))), "{restored:?}");
    remove(&inventory, THEIRS, "b.test").await;
    inventory.restore_zone(&By::machine(at(1)), THEIRS, &name("a.test")).await.unwrap();
    let twice = inventory.restore_zone(&By::machine(at(1)), THEIRS, &name("a.test")).await;
    assert!(matches!(twice, Err(RestoreZoneError::NotKept(_))), "{twice:?}");
}

async fn a_zone_comes_back_only_with_its_keys_and_before_its_time_is_over(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, _) = place.open_with_second_tenant().await;
    let key = Key::generate(name("k.example"), Algorithm::HmacSha256).unwrap();
    inventory.add_key(&BY, OURS, &key).await.unwrap();
    let mut new = zone("a.test", &["192.0.2.1:53"]);
    new.primaries[0].key = Some(name("k.example"));
    let id = inventory.add_zone(&BY, OURS, &new).await.unwrap();
    remove(&inventory, OURS, "a.test").await;
    inventory.remove_key(&BY, OURS, &name("k.example"), place::keys_of).await.unwrap();
    let restored = inventory.restore_zone(&By::machine(at(1)), OURS, &name("a.test")).await;
    assert!(matches!(restored, Err(RestoreZoneError::NotAdded(AddZoneError::UnknownKey { .. }))), "{restored:?}");
    // What its settings name is there, too, or it is not here as it was.
    let mut named = zone("b.test", &["192.0.2.1:53"]);
    named.settings.set(Setting::NotifyKeys, Some("k.example")).unwrap();
    inventory.add_key(&BY, OURS, &key).await.unwrap();
    inventory.add_zone(&BY, OURS, &named).await.unwrap();
    remove(&inventory, OURS, "b.test").await;
    inventory.remove_key(&BY, OURS, &name("k.example"), place::keys_of).await.unwrap();
    let restored = inventory.restore_zone(&By::machine(at(1)), OURS, &name("b.test")).await;
    assert!(matches!(restored, Err(RestoreZoneError::NotAdded(AddZoneError::UnknownKey { .. }))), "{restored:?}");
    let late = inventory.restore_zone(&By::machine(at(WEEK_MS)), OURS, &name("a.test")).await;
    assert!(matches!(late, Err(RestoreZoneError::NotKept(_))), "{late:?}");
    inventory.end_keeping(at(WEEK_MS)).await.unwrap();
    assert!(inventory.intent().await.unwrap().removed.contains(&id));
}
