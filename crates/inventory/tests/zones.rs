//! Zones and keys, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    AddKeyError, AddZoneError, AuditOf, By, ChangeZoneError, Ensured, Former, NewZone, RemoveKeyError,
    RemoveZoneError, Service, TenantId, Zone, ZoneChange, ZoneId,
};
use place::{BY, Engine, NOW, Place, count_zones, key, name, open, primary, zone, zone_by_id, zone_by_name};
use xfr::{Alpn, Identity, Moment, Pin, Setting, SettingError, Settings, Tls};
use zone::Tags;

on_both_engines!(
    a_zone_is_found_as_it_was_typed_after_reopening,
    how_a_primary_is_asked_and_what_is_set_come_back_after_reopening,
    a_zone_is_changed_whole_or_not_at_all,
    tags_are_kept_changed_and_come_back_with_a_removed_zone,
    of_changes_to_one_zone_at_a_time_none_is_lost,
    names_that_only_escapes_can_write_come_back_to_the_octet,
    a_tenant_has_a_name_once_and_another_tenant_may_claim_it_without_a_proof,
    keys_belong_to_one_tenant,
    a_zone_that_cannot_be_added_leaves_nothing_behind,
    ensuring_a_zone_makes_it_has_its_primaries_changed_and_is_safe_to_repeat,
    a_removed_zones_id_is_never_used_again,
    ids_that_the_store_knows_are_not_given_out_by_a_new_inventory,
    a_removal_is_on_record_until_it_is_carried_out,
    a_zone_that_the_store_knows_gets_its_id_back_unless_it_was_removed,
    an_import_tells_of_each_line_what_came_of_it,
    a_change_is_made_with_its_entry_in_the_audit_log_or_not_at_all,
    a_key_is_removed_only_when_no_zone_uses_it,
    keys_that_settings_name_are_there_and_stay_for_as_long,
    settings_that_named_a_key_that_has_gone_can_be_changed,
    ensuring_a_key_replaces_its_secret_and_wakes_reconcile_only_then,
    lists_are_in_the_order_of_octets,
    no_zone_is_seen_without_the_key_that_was_added_before_it,
    of_many_that_add_one_zone_at_once_one_succeeds,
    ten_thousand_zones_are_imported_at_once_and_whole,
);

const OURS: TenantId = TenantId::DEFAULT;

async fn a_zone_is_found_as_it_was_typed_after_reopening(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    inventory.add_key(&BY, OURS, &key("Transfer.Key")).await.unwrap();
    let mut wanted = zone("WwW.Example.ORG", &["192.0.2.1:53", "[2001:db8::1]:5353"]);
    wanted.primaries[1].key = Some(name("transfer.KEY"));
    let id = inventory.add_zone(&By::machine(Moment(7)), OURS, &wanted).await.unwrap();
    inventory.close().await;

    let inventory = place.open().await;
    let found = zone_by_name(&inventory, OURS, &name("www.example.org.")).await.unwrap();
    assert_eq!((found.id, found.tenant, found.created_at), (id, OURS, Moment(7)));
    assert_eq!(found.name.to_string(), "WwW.Example.ORG.");
    assert_eq!(found.primaries, wanted.primaries);
    assert_eq!(zone_by_id(&inventory, OURS, id).await, Some(found));
    assert_eq!(zone_by_name(&inventory, OURS, &name("example.org")).await, None);
}

async fn how_a_primary_is_asked_and_what_is_set_come_back_after_reopening(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let pin = Pin([7; 32]);
    let mut wanted = zone("example.org", &["192.0.2.1:853", "192.0.2.2:853", "192.0.2.3:853"]);
    for (primary, identity) in
        wanted.primaries.iter_mut().zip([Identity::Address, Identity::Name("ns1.test".into()), Identity::Pin(pin)])
    {
        primary.source = Some([198, 51, 100, 1].into());
        primary.tls = Some(Tls { identity, alpn: Alpn::MayBeMissing });
    }
    wanted.settings.set(Setting::RefreshMax, Some("2h")).unwrap();
    inventory.add_zone(&BY, OURS, &wanted).await.unwrap();
    inventory.close().await;
    let inventory = place.open().await;
    let found = zone_by_name(&inventory, OURS, &name("example.org.")).await.unwrap();
    assert_eq!((&found.primaries, &found.settings), (&wanted.primaries, &wanted.settings));
    assert_eq!(inventory.intent().await.unwrap().zones, [found]);
}

async fn a_zone_is_changed_whole_or_not_at_all(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let id = inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    let changed = async |change: ZoneChange| inventory.change_zone(&BY, OURS, &name("Example.org"), to(change)).await;
    let mut settings = Settings::default();
    settings.set(Setting::Notify, Some("signed")).unwrap();
    let all = ZoneChange {
        primaries: Some(vec![primary("192.0.2.2:53")]),
        former: Former::Remembered,
        service: Some(Service::Paused),
        settings: Some(settings),
        tags: None,
    };
    assert_eq!(changed(all.clone()).await.unwrap(), Ok(id));
    let found = zone_by_name(&inventory, OURS, &name("example.org")).await.unwrap();
    assert_eq!(Some(&found.primaries), all.primaries.as_ref());
    assert_eq!((found.service, Some(&found.settings)), (Service::Paused, all.settings.as_ref()));
    // To do the same again forgets nothing, nor does another change.
    assert_eq!(changed(all.clone()).await.unwrap(), Ok(id));
    let others = ZoneChange { primaries: Some(vec![primary("192.0.2.2:5353")]), ..ZoneChange::default() };
    assert_eq!(changed(others).await.unwrap(), Ok(id));
    assert_eq!(
        changed(ZoneChange { primaries: all.primaries.clone(), ..ZoneChange::default() }).await.unwrap(),
        Ok(id)
    );
    assert_eq!(inventory.former_primaries(id).await.unwrap(), [primary("192.0.2.1:53")]);
    assert_eq!(inventory.former_primaries(ZoneId(id.0 + 1)).await.unwrap(), []);

    let mut unknown_key = primary("192.0.2.3:53");
    unknown_key.key = Some(name("nobodys.key"));
    let wrong =
        ZoneChange { service: Some(Service::Disabled), primaries: Some(vec![unknown_key]), ..ZoneChange::default() };
    let error = changed(wrong).await.unwrap_err();
    assert!(matches!(error, ChangeZoneError::Invalid(AddZoneError::UnknownKey { .. })), "{error}");
    assert_eq!(zone_by_name(&inventory, OURS, &name("example.org")).await.unwrap(), found);
    let nobody = inventory.change_zone(&BY, OURS, &name("example.net"), to(ZoneChange::default())).await;
    assert!(matches!(nobody, Err(ChangeZoneError::Unknown(_))));
    let no = inventory.change_zone(&BY, OURS, &name("example.org"), |zone| Err(zone.clone())).await.unwrap();
    assert_eq!(no.unwrap_err(), found);
}

async fn of_changes_to_one_zone_at_a_time_none_is_lost(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    let change = async |setting: Setting, value: &str| {
        let decide = |zone: &Zone| {
            let mut settings = zone.settings.clone();
            settings.set(setting, Some(value))?;
            Ok::<_, SettingError>(ZoneChange { settings: Some(settings), ..ZoneChange::default() })
        };
        inventory.change_zone(&BY, OURS, &name("example.org"), decide).await.unwrap().unwrap()
    };
    tokio::join!(
        change(Setting::Notify, "signed"),
        change(Setting::RefreshMax, "2h"),
        change(Setting::Zonemd, "refuse"),
    );
    let found = zone_by_name(&inventory, OURS, &name("example.org")).await.unwrap();
    assert_eq!(found.settings.iter().count(), 3, "{:?}", found.settings);
}

/// Changes a zone to this, whatever it is.
fn to(change: ZoneChange) -> impl FnOnce(&Zone) -> Result<ZoneChange, Zone> {
    |_| Ok(change)
}

async fn tags_are_kept_changed_and_come_back_with_a_removed_zone(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let tags = |words: &str| Tags::read(words.split(' ')).unwrap();
    let wanted = NewZone { tags: tags("customers Berlin"), ..zone("example.org", &["192.0.2.1:53"]) };
    let id = inventory.add_zone(&BY, OURS, &wanted).await.unwrap();
    inventory.add_zone(&BY, OURS, &zone("example.net", &["192.0.2.1:53"])).await.unwrap();
    inventory.close().await;

    let inventory = place.open().await;
    assert_eq!(zone_by_id(&inventory, OURS, id).await.unwrap().tags.as_str(), "berlin customers");
    let of_tenant = inventory.zones_of_tenant(OURS, None, 10).await.unwrap();
    assert_eq!(of_tenant.iter().map(|zone| zone.tags.as_str()).collect::<Vec<_>>(), ["berlin customers", ""]);
    let change = |tags| move |_: &Zone| Ok::<_, ()>(ZoneChange { tags, ..ZoneChange::default() });
    inventory.change_zone(&BY, OURS, &wanted.name, change(Some(tags("2026")))).await.unwrap().unwrap();
    let service = Some(Service::Paused);
    let pause = |_: &Zone| Ok::<_, ()>(ZoneChange { service, ..ZoneChange::default() });
    inventory.change_zone(&BY, OURS, &wanted.name, pause).await.unwrap().unwrap();
    assert_eq!(zone_by_id(&inventory, OURS, id).await.unwrap().tags, tags("2026"), "another change leaves them");

    inventory.remove_zone_and_keep(&BY, OURS, &wanted.name, Moment(BY.at.0 + 9)).await.unwrap();
    inventory.restore_zone(&BY, OURS, &wanted.name).await.unwrap();
    assert_eq!(zone_by_id(&inventory, OURS, id).await.unwrap().tags, tags("2026"));
    inventory.change_zone(&BY, OURS, &wanted.name, change(Some(Tags::default()))).await.unwrap().unwrap();
    assert!(zone_by_id(&inventory, OURS, id).await.unwrap().tags.is_empty());
}

async fn names_that_only_escapes_can_write_come_back_to_the_octet(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    for text in [".", "a\\.b.example.", "\\000\\255.example.", "0/25.2.0.192.in-addr.arpa."] {
        inventory.add_zone(&BY, OURS, &zone(text, &["192.0.2.1:53"])).await.unwrap();
        assert!(zone_by_name(&inventory, OURS, &name(text)).await.is_some(), "{text}");
    }
    assert_eq!(count_zones(&inventory, OURS).await, 4);
}

async fn a_tenant_has_a_name_once_and_another_tenant_may_claim_it_without_a_proof(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();

    let again = inventory.add_zone(&BY, OURS, &zone("EXAMPLE.org", &["192.0.2.2:53"])).await;
    assert!(matches!(again, Err(AddZoneError::ExistsAlready(_))));
    let answered = inventory.add_zone(&BY, theirs, &zone("example.org", &["192.0.2.3:53"])).await;
    assert!(matches!(answered, Err(AddZoneError::NameProven(_))));

    let claim = NewZone { proof: None, ..zone("example.org", &["192.0.2.3:53"]) };
    let claimed = inventory.add_zone(&BY, theirs, &claim).await.unwrap();
    assert_eq!(inventory.intent().await.unwrap().zones.len(), 2);

    // Neither tenant sees or removes the other's.
    assert_eq!(zone_by_id(&inventory, OURS, claimed).await, None);
    assert_eq!(count_zones(&inventory, OURS).await, 1);
    assert_eq!(inventory.remove_zone(&BY, theirs, &name("example.org")).await.unwrap(), claimed);
    assert_eq!(count_zones(&inventory, OURS).await, 1);
}

async fn keys_belong_to_one_tenant(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    inventory.add_key(&BY, theirs, &key("k")).await.unwrap();
    let mut wanted = zone("example.org", &["192.0.2.1:53"]);
    wanted.primaries[0].key = Some(name("k"));
    let added = inventory.add_zone(&BY, OURS, &wanted).await;
    assert!(matches!(added, Err(AddZoneError::UnknownKey { .. })));
    assert!(inventory.list_keys(OURS).await.unwrap().is_empty());
    inventory.add_key(&BY, OURS, &key("k")).await.unwrap();
}

async fn a_zone_that_cannot_be_added_leaves_nothing_behind(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let mut unknown_key = zone("example.org", &["192.0.2.1:53", "192.0.2.2:53"]);
    unknown_key.primaries[1].key = Some(name("missing"));
    let changes = inventory.changes();
    assert!(matches!(inventory.add_zone(&BY, OURS, &unknown_key).await, Err(AddZoneError::UnknownKey { .. })));
    let none = NewZone::answering(name("example.org"), vec![]);
    assert!(matches!(inventory.add_zone(&BY, OURS, &none).await, Err(AddZoneError::NoPrimary(_))));
    let twice = zone("example.org", &["192.0.2.1:53", "192.0.2.1:53"]);
    assert!(matches!(inventory.add_zone(&BY, OURS, &twice).await, Err(AddZoneError::PrimaryTwice(_))));
    assert_eq!(count_zones(&inventory, OURS).await, 0);
    assert!(!changes.has_changed().unwrap(), "nothing to reconcile");
}

async fn ensuring_a_zone_makes_it_has_its_primaries_changed_and_is_safe_to_repeat(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let first = zone("example.org", &["192.0.2.1:53"]);
    let Ensured::Created(id) = inventory.ensure_zone(OURS, &first, NOW).await.unwrap() else { panic!("not created") };
    let mut changes = inventory.changes();
    assert_eq!(inventory.ensure_zone(OURS, &first, NOW).await.unwrap(), Ensured::AsItWas(id));
    assert!(!changes.has_changed().unwrap());

    let second = zone("Example.Org", &["192.0.2.2:53", "192.0.2.1:53"]);
    assert_eq!(inventory.ensure_zone(OURS, &second, NOW).await.unwrap(), Ensured::Changed(id));
    changes.changed().await.unwrap();
    let found = zone_by_id(&inventory, OURS, id).await.unwrap();
    assert_eq!(found.primaries, second.primaries);

    let mut bad = zone("example.org", &["192.0.2.9:53"]);
    bad.primaries[0].key = Some(name("missing"));
    assert!(inventory.ensure_zone(OURS, &bad, NOW).await.is_err());
    assert_eq!(zone_by_id(&inventory, OURS, id).await.unwrap().primaries, second.primaries);
}

async fn a_removed_zones_id_is_never_used_again(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let first = inventory.add_zone(&BY, OURS, &zone("a.example", &["192.0.2.1:53"])).await.unwrap();
    inventory.remove_zone(&BY, OURS, &name("a.example")).await.unwrap();
    let second = inventory.add_zone(&BY, OURS, &zone("a.example", &["192.0.2.1:53"])).await.unwrap();
    assert!(second > first);
    let unknown = inventory.remove_zone(&BY, OURS, &name("b.example")).await;
    assert!(matches!(unknown, Err(RemoveZoneError::Unknown(_))));
}

async fn ids_that_the_store_knows_are_not_given_out_by_a_new_inventory(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    inventory.reserve_zone_ids(ZoneId(41)).await.unwrap();
    inventory.reserve_zone_ids(ZoneId(5)).await.unwrap();
    let id = inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    assert_eq!(id, ZoneId(42));
}

async fn a_removal_is_on_record_until_it_is_carried_out(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let id = inventory.add_zone(&BY, OURS, &zone("example.", &["192.0.2.1:53"])).await.unwrap();
    inventory.remove_zone(&BY, OURS, &name("example.")).await.unwrap();
    assert!(inventory.remove_stored_zone(&BY, OURS, &name("example.org."), ZoneId(77)).await.unwrap());
    inventory.close().await;
    let inventory = place.open().await;
    assert_eq!(inventory.intent().await.unwrap().removed, [id, ZoneId(77)].into());
    inventory.forget_removed(&[id, ZoneId(78)]).await.unwrap();
    assert_eq!(inventory.intent().await.unwrap().removed, [ZoneId(77)].into());
}

async fn a_zone_that_the_store_knows_gets_its_id_back_unless_it_was_removed(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    inventory.reserve_zone_ids(ZoneId(9)).await.unwrap();
    assert!(inventory.remove_stored_zone(&BY, OURS, &name("example.org."), ZoneId(8)).await.unwrap());
    let stored = |text: &str, id| NewZone { stored_as: Some(ZoneId(id)), ..zone(text, &["192.0.2.1:53"]) };
    assert_eq!(inventory.add_zone(&BY, OURS, &stored("known.", 7)).await.unwrap(), ZoneId(7));
    let ensured = inventory.ensure_zone(OURS, &stored("again.", 6), NOW).await.unwrap();
    assert_eq!(ensured, Ensured::Created(ZoneId(6)));
    assert!(
        !inventory.remove_stored_zone(&BY, OURS, &name("example.org."), ZoneId(6)).await.unwrap(),
        "somebody was faster and wants it"
    );
    assert!(!inventory.intent().await.unwrap().removed.contains(&ZoneId(6)));
    assert_eq!(inventory.add_zone(&BY, OURS, &stored("removed.", 8)).await.unwrap(), ZoneId(10));
    assert_eq!(inventory.add_zone(&BY, OURS, &zone("new.", &["192.0.2.1:53"])).await.unwrap(), ZoneId(11));
    // One that nobody has reserved is never given to another zone either.
    assert_eq!(inventory.add_zone(&BY, OURS, &stored("far.", 40)).await.unwrap(), ZoneId(40));
    assert_eq!(inventory.add_zone(&BY, OURS, &zone("newer.", &["192.0.2.1:53"])).await.unwrap(), ZoneId(41));
}

async fn an_import_tells_of_each_line_what_came_of_it(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let mut unknown_key = zone("c.example", &["192.0.2.1:53"]);
    unknown_key.primaries[0].key = Some(name("missing"));
    let lines = [
        zone("a.example", &["192.0.2.1:53"]),
        unknown_key,
        zone("A.example", &["192.0.2.2:53"]),
        zone("b.example", &["192.0.2.1:53"]),
    ];
    let mut changes = inventory.changes();
    let results = inventory.import_zones(&BY, OURS, &lines).await.unwrap();
    assert!(matches!(
        &results[..],
        [Ok(_), Err(AddZoneError::UnknownKey { .. }), Err(AddZoneError::ExistsAlready(_)), Ok(_)]
    ));
    changes.changed().await.unwrap();
    assert_eq!(count_zones(&inventory, OURS).await, 2);
}

async fn a_key_is_removed_only_when_no_zone_uses_it(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    inventory.add_key(&BY, OURS, &key("K.example")).await.unwrap();
    assert!(matches!(inventory.add_key(&BY, OURS, &key("k.EXAMPLE")).await, Err(AddKeyError::ExistsAlready(_))));
    let mut wanted = zone("example.org", &["192.0.2.1:53"]);
    wanted.primaries[0].key = Some(name("k.example"));
    inventory.add_zone(&BY, OURS, &wanted).await.unwrap();

    let listed = inventory.list_keys(OURS).await.unwrap();
    assert_eq!((listed[0].name.to_string().as_str(), listed[0].primaries), ("k.example.", 1));
    let intent = inventory.intent().await.unwrap();
    let used = intent.key(&intent.zones[0], &intent.zones[0].primaries[0]).unwrap();
    assert_eq!(used.secret_base64(), key("k.example").secret_base64());

    let refused = inventory.remove_key(&BY, OURS, &name("k.example"), place::keys_of).await;
    assert!(matches!(refused, Err(RemoveKeyError::InUse { zones: 1, .. })));
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    inventory.remove_key(&BY, OURS, &name("K.EXAMPLE"), place::keys_of).await.unwrap();
    assert!(matches!(
        inventory.remove_key(&BY, OURS, &name("k.example"), place::keys_of).await,
        Err(RemoveKeyError::Unknown(_))
    ));
}

/// Whose letters mean something in SQL, in JSON or in a name.
const ODD_KEY: &str = r#"100%_\"odd\".example"#;

async fn keys_that_settings_name_are_there_and_stay_for_as_long(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, theirs) = place.open_with_second_tenant().await;
    let org = name("example.org");
    for (tenant, text) in [(OURS, "here.example"), (OURS, ODD_KEY), (theirs, "theirs.example")] {
        inventory.add_key(&BY, tenant, &key(text)).await.unwrap();
    }
    let with = |setting, value: &str| {
        let mut settings = Settings::default();
        settings.set(setting, Some(value)).unwrap();
        settings
    };
    for (setting, value) in [
        (Setting::NotifyKeys, "here.example,gone.example"),
        (Setting::NotifyKeys, "theirs.example"),
        (Setting::NotifyTo, "192.0.2.7,key=gone.example"),
        (Setting::AllowTransfer, "192.0.2.0/24 key=gone.example"),
    ] {
        let wanted = NewZone { settings: with(setting, value), ..zone("example.org", &["192.0.2.1:53"]) };
        let refused = inventory.add_zone(&BY, OURS, &wanted).await;
        assert!(matches!(refused, Err(AddZoneError::UnknownKey { .. })), "{setting} {refused:?}");
        let mut imported = inventory.import_zones(&BY, OURS, std::slice::from_ref(&wanted)).await.unwrap();
        assert!(matches!(imported.remove(0), Err(AddZoneError::UnknownKey { .. })));
    }
    let here = with(Setting::NotifyKeys, "HERE.example");
    let wanted = NewZone { settings: here, ..zone("example.org", &["192.0.2.1:53"]) };
    inventory.add_zone(&BY, OURS, &wanted).await.unwrap();
    let set = async |settings: Settings| {
        let change = ZoneChange { settings: Some(settings), ..ZoneChange::default() };
        inventory.change_zone(&BY, OURS, &org, |_| Ok::<_, ()>(change)).await
    };
    let error = set(with(Setting::NotifyTo, "192.0.2.7,key=gone.example")).await.unwrap_err();
    assert!(matches!(error, ChangeZoneError::Invalid(AddZoneError::UnknownKey { .. })), "{error}");
    let remove = async |text: &str| inventory.remove_key(&BY, OURS, &name(text), place::keys_of).await;
    let refused = remove("here.example").await.unwrap_err();
    assert!(matches!(&refused, RemoveKeyError::Named { zone, .. } if *zone == org), "{refused}");
    set(with(Setting::AllowTransfer, &format!("192.0.2.0/24,key={ODD_KEY}"))).await.unwrap().unwrap();
    assert!(matches!(remove(ODD_KEY).await, Err(RemoveKeyError::Named { .. })));
    remove("here.example").await.unwrap();
    set(Settings::default()).await.unwrap().unwrap();
    remove(ODD_KEY).await.unwrap();
}

/// A key that went when nobody looked, as with a version of this program that did not, holds up no other change.
async fn settings_that_named_a_key_that_has_gone_can_be_changed(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    inventory.add_key(&BY, OURS, &key("here.example")).await.unwrap();
    let mut settings = Settings::default();
    settings.set(Setting::NotifyKeys, Some("here.example")).unwrap();
    let wanted = NewZone { settings: settings.clone(), ..zone("example.org", &["192.0.2.1:53"]) };
    inventory.add_zone(&BY, OURS, &wanted).await.unwrap();
    sqlx::query("DELETE FROM keys").execute(&mut place.connect().await).await.unwrap();
    settings.set(Setting::RetryMin, Some("1m")).unwrap();
    let change = ZoneChange { settings: Some(settings), ..ZoneChange::default() };
    inventory.change_zone(&BY, OURS, &name("example.org"), |_| Ok::<_, ()>(change)).await.unwrap().unwrap();
}

async fn ensuring_a_key_replaces_its_secret_and_wakes_reconcile_only_then(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    inventory.ensure_key(OURS, &key("k"), NOW).await.unwrap();
    let changes = inventory.changes();
    inventory.ensure_key(OURS, &key("k"), NOW).await.unwrap();
    assert!(!changes.has_changed().unwrap());
    let other = xfr::Key::new(name("k"), xfr::Algorithm::HmacSha512, vec![9; 64]).unwrap();
    inventory.ensure_key(OURS, &other, NOW).await.unwrap();
    assert!(changes.has_changed().unwrap());
    let intent = inventory.intent().await.unwrap();
    assert_eq!(*intent.keys[&(OURS, name("k"))].as_ref(), other);
}

/// As it is nowhere where a language's order is kept to.
async fn lists_are_in_the_order_of_octets(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let names = ["a-b.example.", "a1x.example.", "a_b.example.", "aab.example."];
    for text in names.iter().rev() {
        inventory.add_key(&BY, OURS, &key(text)).await.unwrap();
    }
    let listed = inventory.list_keys(OURS).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.name.to_string()).collect::<Vec<_>>(), names);
}

async fn no_zone_is_seen_without_the_key_that_was_added_before_it(engine: Engine) {
    const PAIRS: usize = 300;
    let (_place, inventory) = open(engine).await;
    let adding = tokio::spawn({
        let inventory = inventory.clone();
        async move {
            for n in 0..PAIRS {
                let mut keyed = zone(&format!("z{n}.example"), &["192.0.2.1:53"]);
                keyed.primaries[0].key = Some(name(&format!("k{n}")));
                inventory.add_key(&BY, OURS, &key(&format!("k{n}"))).await.unwrap();
                inventory.add_zone(&BY, OURS, &keyed).await.unwrap();
            }
        }
    });
    let mut seen = 0;
    while seen < PAIRS {
        let intent = inventory.intent().await.unwrap();
        seen = intent.zones.len();
        for zone in &intent.zones {
            assert!(intent.key(zone, &zone.primaries[0]).is_some(), "{zone:?}");
        }
    }
    adding.await.unwrap();
}

async fn of_many_that_add_one_zone_at_once_one_succeeds(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let adding: Vec<_> = (0..32)
        .map(|n| {
            let inventory = inventory.clone();
            tokio::spawn(async move {
                let own = zone(&format!("z{n}.example"), &["192.0.2.1:53"]);
                inventory.add_zone(&BY, OURS, &own).await.unwrap();
                inventory.add_zone(&BY, OURS, &zone("same.example", &["192.0.2.1:53"])).await
            })
        })
        .collect();
    let mut added = 0;
    for task in adding {
        match task.await.unwrap() {
            Ok(_) => added += 1,
            Err(error) => assert!(matches!(error, AddZoneError::ExistsAlready(_)), "{error}"),
        }
    }
    assert_eq!(added, 1);
    assert_eq!(count_zones(&inventory, OURS).await, 33);
}

async fn ten_thousand_zones_are_imported_at_once_and_whole(engine: Engine) {
    let (_place, inventory) = open(engine).await;
    let zones: Vec<_> =
        (0..10_000).map(|n| zone(&format!("z{n}.example"), &["192.0.2.1:53", "192.0.2.2:53"])).collect();
    let results = inventory.import_zones(&BY, OURS, &zones).await.unwrap();
    assert!(results.iter().all(Result::is_ok));
    let intent = inventory.intent().await.unwrap();
    assert_eq!(intent.zones.len(), 10_000);
    assert!(intent.zones.iter().all(|zone| zone.primaries.len() == 2));
}

/// What cannot be put on record is not done: a change without its row in the audit log would be nobody's.
async fn a_change_is_made_with_its_entry_in_the_audit_log_or_not_at_all(engine: Engine) {
    let place = Place::new(engine).await;
    let inventory = place.open().await;
    let wanted = zone("example.org", &["192.0.2.1:53"]);
    let other = zone("example.net", &["192.0.2.1:53"]);
    inventory.add_zone(&BY, OURS, &other).await.unwrap();
    inventory.add_key(&BY, OURS, &key("k")).await.unwrap();
    let entries = async || {
        let read = inventory.audit(AuditOf::Tenant(OURS), None, 100).await.unwrap();
        read.into_iter().map(|entry| format!("{} {} {}", entry.act, entry.subject, entry.details)).collect::<Vec<_>>()
    };
    let before = entries().await;
    let rename = async |from: &str, to: &str| {
        let statement = format!("ALTER TABLE {from} RENAME TO {to}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut place.connect().await).await.unwrap();
    };
    rename("audit", "audit_elsewhere").await;
    let disable = |_: &Zone| Ok::<_, ()>(ZoneChange { service: Some(Service::Disabled), ..ZoneChange::default() });
    let (net, until) = (name("example.net."), Moment(NOW.0 + 7 * 24 * 3_600_000));
    assert!(inventory.add_zone(&BY, OURS, &wanted).await.is_err());
    assert!(inventory.import_zones(&BY, OURS, std::slice::from_ref(&wanted)).await.is_err());
    assert!(inventory.change_zone(&BY, OURS, &net, disable).await.is_err());
    assert!(inventory.remove_zone(&BY, OURS, &net).await.is_err());
    assert!(inventory.remove_zone_and_keep(&BY, OURS, &net, until).await.is_err());
    assert!(inventory.add_key(&BY, OURS, &key("another")).await.is_err());
    assert!(inventory.remove_key(&BY, OURS, &name("k."), place::keys_of).await.is_err());
    rename("audit_elsewhere", "audit").await;
    assert_eq!(entries().await, before);
    let intent = inventory.intent().await.unwrap();
    assert_eq!(intent.zones.iter().map(|zone| zone.name.to_string()).collect::<Vec<_>>(), ["example.net."]);
    assert_eq!(intent.zones[0].service, Service::Answering);
    assert!(intent.removed.is_empty() && intent.kept.is_empty());
    assert_eq!(intent.keys.keys().map(|(_, name)| name.to_string()).collect::<Vec<_>>(), ["k."]);
    inventory.add_zone(&BY, OURS, &wanted).await.unwrap();
    inventory.change_zone(&BY, OURS, &net, disable).await.unwrap().unwrap();
    inventory.remove_zone_and_keep(&BY, OURS, &net, until).await.unwrap();
    inventory.restore_zone(&BY, OURS, &net).await.unwrap();
    inventory.remove_key(&BY, OURS, &name("k."), place::keys_of).await.unwrap();
    assert_eq!(
        entries().await[..5],
        [
            "key.removed k. {}",
            "zone.restored example.net. {}",
            r#"zone.removed example.net. {"kept_days":7}"#,
            r#"zone.changed example.net. {"service":"disabled"}"#,
            r#"zone.added example.org. {"primaries":["192.0.2.1:53"]}"#,
        ]
    );
    inventory.close().await;
}
