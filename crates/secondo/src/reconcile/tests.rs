//! Passes over what has changed, and passes over everything, with a real database.

use std::collections::BTreeSet;
use std::sync::Arc;

use dns::Name;
use inventory::{
    By, Changed, Inventory, Limits, Location, NewPlan, NewZone, PlanId, Proof, Proving, Service, TenantId, Terms,
    ZoneChange, ZoneId,
};
use testing::dice::Dice;
use xfr::{Algorithm, Key, Moment, Primary, Setting, Settings};

use super::{Course, access, instructions};
use crate::catalogs::keys_of_template;
use crate::node::Node;

const NAMES: [&str; 5] = ["example.", "a.example.", "b.example.", "c.example.", "other."];
const KEYS: [&str; 2] = ["one.", "two."];
const STEPS: u64 = 600;

struct Owners {
    inventory: Inventory,
    tenants: [TenantId; 2],
    plans: [PlanId; 2],
    dice: Dice,
    by: By,
}

impl Owners {
    /// Somebody does something, which may be refused.
    async fn act(&mut self) {
        let (inventory, by) = (self.inventory.clone(), self.by.clone());
        let tenant = self.tenants[self.dice.below(2) as usize];
        let name: Name = NAMES[self.dice.below(NAMES.len() as u64) as usize].parse().unwrap();
        let zone = inventory.claim(tenant, &name).await.unwrap();
        match self.dice.below(13) {
            0..=3 => {
                let held = inventory.holder(&name).await.unwrap();
                let proof = held.is_none().then_some(Proof::Operator);
                let zone = NewZone { proof, settings: self.settings(), ..NewZone::answering(name, self.primaries()) };
                let _ = inventory.add_zone(&by, tenant, &zone).await;
            }
            4 => {
                let change = ZoneChange { primaries: Some(self.primaries()), ..ZoneChange::default() };
                let _ = inventory.change_zone(&by, tenant, &name, |_| Ok::<_, ()>(change)).await;
            }
            5 => {
                let service = [Service::Answering, Service::Paused, Service::Disabled][self.dice.below(3) as usize];
                let change =
                    ZoneChange { service: Some(service), settings: Some(self.settings()), ..ZoneChange::default() };
                let _ = inventory.change_zone(&by, tenant, &name, |_| Ok::<_, ()>(change)).await;
            }
            6 => _ = inventory.remove_zone(&by, tenant, &name).await,
            7 => _ = inventory.remove_zone_and_keep(&by, tenant, &name, Moment(by.at.0 + 1_000_000_000_000)).await,
            8 => _ = inventory.restore_zone(&by, tenant, &name).await,
            9 => {
                let Some(zone) = zone else { return };
                match zone.proven {
                    Some(_) => _ = inventory.disprove(&by, zone.zone).await,
                    None => {
                        let proving =
                            Proving { zone: zone.zone, proof: Proof::Operator, consenting: None, is_seen: false };
                        _ = inventory.prove(&by, &proving).await;
                    }
                }
            }
            10 => {
                let key = Key::generate(self.key(), Algorithm::HmacSha256).unwrap();
                let _ = inventory.add_key(&by, tenant, &key).await;
            }
            11 => _ = inventory.remove_key(&by, tenant, &self.key(), keys_of_template).await,
            _ => {
                let plan = [None, Some(self.plans[0]), Some(self.plans[1])][self.dice.below(3) as usize];
                // One that has ended, with its grace, has zones not answered.
                let ends_at = (self.dice.below(4) == 0).then_some(Moment(by.at.0 - 1));
                inventory.set_plan(&by, tenant, plan, ends_at).await.unwrap();
            }
        }
    }

    fn key(&mut self) -> Name {
        KEYS[self.dice.below(KEYS.len() as u64) as usize].parse().unwrap()
    }

    fn primaries(&mut self) -> Vec<Primary> {
        let key = (self.dice.below(3) == 0).then(|| self.key());
        let address = ([192, 0, 2, self.dice.below(4) as u8 + 1], 53).into();
        vec![Primary { key, ..Primary::at(address) }]
    }

    fn settings(&mut self) -> Settings {
        let mut settings = Settings::default();
        if self.dice.below(2) == 0 {
            settings.set(Setting::AllowTransfer, Some("198.51.100.0/24")).unwrap();
        }
        settings
    }
}

/// What the node does of what the inventory says, compared with what it would if it had just read everything.
async fn assert_like_a_pass_over_everything(node: &Node, inventory: &Inventory, tenants: &[TenantId]) {
    let intent = inventory.intent().await.unwrap();
    let ids = |zones: &mut dyn Iterator<Item = ZoneId>| zones.collect::<BTreeSet<ZoneId>>();
    let wanted = ids(&mut intent.zones.iter().map(|zone| zone.id));
    assert_eq!(ids(&mut node.zones().iter().map(|zone| zone.id)), wanted);
    assert_eq!(ids(&mut node.kept.all().iter().map(|zone| zone.id)), ids(&mut intent.kept.keys().copied()));
    for zone in &intent.zones {
        assert_eq!(Some(&node.plans.of(zone.tenant)), intent.terms.get(&zone.tenant).or(Some(&Terms::default())));
        let followed = node.zone(zone.id).unwrap();
        assert_eq!(*followed.instructions(), instructions(node, &intent, zone));
        assert!(followed.wanted_note() == followed.note(), "what is to be known at a start is on disk");
    }
    let (is, anew) = (node.shared.access.load_full(), access(node, &intent, &Changed::Everything, &[]));
    let table = node.shared.zones.load_full();
    for name in NAMES.map(|name| name.parse::<Name>().unwrap()) {
        let rules = |rules: Option<&Arc<_>>| format!("{rules:?}");
        assert_eq!(rules(is.notify.get(&name)), rules(anew.notify.get(&name)));
        assert_eq!(is.transfer_out.zones.get(&name), anew.transfer_out.zones.get(&name));
        let answered = intent.zones.iter().find(|zone| {
            zone.name == name && node.zone(zone.id).is_some_and(|zone| zone.instructions().is_answered())
        });
        assert_eq!(table.get(name.borrow()).map(|zone| zone.id), answered.map(|zone| zone.id), "{name}");
    }
    for (tenant, name) in tenants.iter().flat_map(|tenant| KEYS.map(|key| (*tenant, key.parse::<Name>().unwrap()))) {
        assert_eq!(is.keys.get(tenant, &name), anew.keys.get(tenant, &name));
    }
}

#[tokio::test]
async fn passes_over_what_has_changed_leave_what_one_over_everything_would() {
    let directory = tempfile::tempdir().unwrap();
    let inventory = Inventory::open(&Location::File(directory.path().join("inventory.db"))).await.unwrap();
    let node = Node::of_tests(directory.path()).await;
    let by = By::machine(node.clock.now());
    let second = inventory.add_tenant(&by, "second").await.unwrap();
    let tenants = [TenantId::DEFAULT, second];
    let plan = |name: &str, records: u64| {
        let limits = Limits { records_max: Some(records), ..Limits::default() };
        NewPlan { name: name.into(), limits, grace_days: 0 }
    };
    let plans = [
        inventory.add_plan(&by, &plan("small", 100)).await.unwrap(),
        inventory.add_plan(&by, &plan("large", 1_000_000)).await.unwrap(),
    ];
    let mut owners = Owners { inventory: inventory.clone(), tenants, plans, dice: Dice::new(7), by };
    let (mut course, mut whole) = (Course::default(), 0);
    for _ in 0..STEPS {
        // Often more than one thing has changed.
        for _ in 0..=owners.dice.below(3) {
            owners.act().await;
        }
        let before = course.whole_at;
        course.pass(&node, &inventory).await.unwrap();
        whole += u64::from(course.whole_at != before);
        assert_like_a_pass_over_everything(&node, &inventory, &tenants).await;
    }
    assert!(whole < STEPS / 10, "{whole} of {STEPS} passes went through everything");
    inventory.close().await;
}

#[tokio::test]
async fn a_new_organisation_has_its_plan_before_anything_else_changes() {
    let directory = tempfile::tempdir().unwrap();
    let inventory = Inventory::open(&Location::File(directory.path().join("inventory.db"))).await.unwrap();
    let node = Node::of_tests(directory.path()).await;
    let by = By::machine(node.clock.now());
    let limits = Limits { requests_per_minute: Some(7), ..Limits::default() };
    inventory.add_plan(&by, &NewPlan { name: "first".into(), limits, grace_days: 1 }).await.unwrap();
    let mut course = Course::default();
    course.pass(&node, &inventory).await.unwrap();
    let new = inventory.add_tenant(&by, "new").await.unwrap();
    course.pass(&node, &inventory).await.unwrap();
    assert_eq!(node.plans.of(new).limits().requests_per_minute, Some(7));
    inventory.close().await;
}
