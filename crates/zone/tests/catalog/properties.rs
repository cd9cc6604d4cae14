//! What holds whatever catalogs list: a small world of two catalogs and some configured zones, and plans carried out
//! in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use zone::catalog::{Action, Consent, Guard, Holdings, Label, Listing, Member, Rules, Taken, Warrant, plan};

use super::{label, listing, name};

const CATALOGS: [&str; 2] = ["one.", "two."];
/// Names that both catalogs may list; the last two are out of scope.
const NAMES: [&str; 8] = ["a.in.", "b.in.", "c.in.", "d.in.", "e.in.", "in.", "a.out.", "notin."];
const DELAY: Duration = Duration::from_secs(3600);

/// Which catalog has a zone, and how.
type Members = BTreeMap<String, (usize, Label, Option<String>, Option<Duration>)>;

#[derive(Clone, Debug, Default)]
struct World {
    configured: BTreeSet<String>,
    members: Members,
    removed_lately: [usize; 2],
}

/// One catalog's line for one name: its label's number, whether it has a group, whether it is given to the other.
type Line = Option<(u8, bool, bool)>;

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(prop::option::of((0..3_u8, any::<bool>(), any::<bool>())), NAMES.len())
}

fn listing_of(catalog: usize, lines: &[Line]) -> Listing {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((own, is_grouped, is_offered)) = line else { continue };
        text += &format!("l{own}-{index}.zones 0 PTR {}\n", NAMES[index]);
        if *is_grouped {
            text += &format!("group.l{own}-{index}.zones 0 TXT gold\n");
        }
        if *is_offered {
            text += &format!("coo.l{own}-{index}.zones 0 PTR {}\n", CATALOGS[1 - catalog]);
        }
    }
    listing(CATALOGS[catalog], &text)
}

fn world() -> impl Strategy<Value = World> {
    let place = prop::option::of(prop_oneof![
        Just(None),
        (0..2_usize, 0..3_u8, prop::option::of(0..7200_u64)).prop_map(Some)
    ]);
    prop::collection::vec(place, NAMES.len()).prop_map(|places| {
        let mut world = World::default();
        for (index, place) in places.into_iter().enumerate() {
            let zone = NAMES[index].to_owned();
            match place {
                None => {}
                Some(None) => _ = world.configured.insert(zone),
                Some(Some((catalog, own, missing))) => {
                    let missing = missing.map(Duration::from_secs);
                    world.members.insert(zone, (catalog, label(&format!("l{own}-{index}")), None, missing));
                }
            }
        }
        world
    })
}

fn rules(delay: Duration) -> Rules {
    let guard = Guard { delay, ..Guard::default() };
    Rules { suffixes: vec![name("in.")], groups: ["gold".into()].into(), guard }
}

impl World {
    fn holdings(&self, catalog: usize, other: &Listing) -> Holdings {
        let configured = self.configured.iter().map(|zone| (name(zone), Taken::Configured));
        let mut holdings = Holdings { taken: configured.collect(), ..Holdings::default() };
        holdings.removed_lately = self.removed_lately[catalog];
        for (zone, (holder, label, group, missing_for)) in &self.members {
            let (zone, label) = (name(zone), label.clone());
            if *holder == catalog {
                let (group, missing_for) = (group.clone(), *missing_for);
                holdings.members.push(Member { zone, label, group, missing_for });
            } else {
                let catalog = name(CATALOGS[*holder]);
                holdings.taken.insert(zone, Taken::Member { catalog, label, offered_to: None });
            }
        }
        holdings.note_offers(other);
        holdings
    }

    fn plan(&self, catalog: usize, listings: &[Listing; 2], delay: Duration) -> Vec<Action> {
        let holdings = self.holdings(catalog, &listings[1 - catalog]);
        plan(&listings[catalog], &holdings, &rules(delay), Consent::NotGiven)
    }

    fn apply(&mut self, catalog: usize, actions: &[Action]) {
        for action in actions {
            let zone = action.zone().to_string();
            match action.clone() {
                Action::Add { label, group, .. } => {
                    assert!(!self.configured.contains(&zone));
                    assert!(self.members.insert(zone, (catalog, label, group, None)).is_none());
                }
                Action::Migrate { label, group, .. } => {
                    let old = self.members.insert(zone, (catalog, label, group, None)).unwrap();
                    assert_eq!(old.0, 1 - catalog);
                }
                Action::Remove { warrant, .. } => {
                    assert_eq!(self.members.remove(&zone).unwrap().0, catalog);
                    self.removed_lately[catalog] += usize::from(warrant == Warrant::Ordinary);
                }
                Action::Reset { label, group, warrant, .. } => {
                    assert_eq!(self.members.insert(zone, (catalog, label, group, None)).unwrap().0, catalog);
                    self.removed_lately[catalog] += usize::from(warrant == Warrant::Ordinary);
                }
                Action::ChangeGroup { group, .. } => self.members.get_mut(&zone).unwrap().2 = group,
                Action::Found { .. } => self.members.get_mut(&zone).unwrap().3 = None,
                Action::Hold { .. } => _ = self.members.get_mut(&zone).unwrap().3.get_or_insert_default(),
                Action::Skip { .. } => {}
            }
        }
    }
}

fn changes(action: &Action) -> bool {
    !matches!(action, Action::Skip { .. } | Action::Hold { .. })
}

proptest! {
    #[test]
    fn without_a_hold_the_plan_leads_to_what_the_catalog_lists(world in world(), one in lines(), two in lines()) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        let mut after = world.clone();
        after.apply(0, &world.plan(0, &listings, Duration::ZERO));
        for entry in listings[0].entries().iter().filter(|entry| rules(DELAY).allow(&entry.zone)) {
            let zone = entry.zone.to_string();
            if world.configured.contains(&zone) {
                prop_assert!(!after.members.contains_key(&zone));
                continue;
            }
            let (holder, own, group, missing) = &after.members[&zone];
            if *holder == 0 {
                prop_assert_eq!((own, group.as_ref()), (&entry.label, entry.groups.first()));
                prop_assert!(missing.is_none());
            } else {
                prop_assert_eq!(world.members[&zone].0, 1, "only what the other catalog has is not here");
            }
        }
        for (zone, (holder, ..)) in &after.members {
            let is_listed = listings[0].entries().iter().any(|entry| entry.zone == name(zone));
            prop_assert!(*holder == 1 || is_listed, "{} is still here", zone);
        }
    }

    #[test]
    fn a_plan_carried_out_leaves_nothing_to_do(mut world in world(), one in lines(), two in lines()) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        let actions = world.plan(0, &listings, DELAY);
        world.apply(0, &actions);
        let again = world.plan(0, &listings, DELAY);
        prop_assert!(!again.iter().any(changes), "{actions:?}, then {again:?}");
    }

    #[test]
    fn two_catalogs_come_to_rest_whoever_begins(world in world(), one in lines(), two in lines(), first in 0..2_usize) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        let mut world = world;
        let mut moved = BTreeSet::new();
        for round in 0.. {
            prop_assert!(round < 4, "they still take zones from each other");
            let before = world.members.clone();
            for catalog in [first, 1 - first] {
                let actions = world.plan(catalog, &listings, Duration::ZERO);
                for action in actions.iter().filter(|action| matches!(action, Action::Migrate { .. })) {
                    prop_assert!(moved.insert(action.zone().to_string()), "{action:?} moves again");
                }
                world.apply(catalog, &actions);
            }
            if world.members == before {
                break;
            }
        }
    }

    #[test]
    fn nothing_configured_and_nothing_out_of_scope_is_touched(world in world(), one in lines(), two in lines()) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        for action in world.plan(0, &listings, DELAY).iter().filter(|action| changes(action)) {
            prop_assert!(!world.configured.contains(&action.zone().to_string()), "{action:?}");
            // What is a member already may still go, and be seen again.
            let is_leaving = matches!(action, Action::Remove { .. } | Action::Found { .. });
            prop_assert!(is_leaving || action.zone().borrow().is_at_or_below(name("in.").borrow()), "{action:?}");
        }
    }

    #[test]
    fn what_the_other_catalog_has_is_only_ever_taken_over(world in world(), one in lines(), two in lines()) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        for action in world.plan(0, &listings, Duration::ZERO) {
            let is_theirs = world.members.get(&action.zone().to_string()).is_some_and(|(holder, ..)| *holder == 1);
            if is_theirs && changes(&action) {
                let offer = listings[1].entries().iter().find(|entry| entry.zone == *action.zone());
                prop_assert_eq!(offer.unwrap().coo.as_ref(), Some(&name("one.")), "{:?}", action);
            }
        }
    }

    #[test]
    fn the_order_of_what_is_here_means_nothing(world in world(), one in lines(), two in lines()) {
        let listings = [listing_of(0, &one), listing_of(1, &two)];
        let mut holdings = world.holdings(0, &listings[1]);
        let forward = plan(&listings[0], &holdings, &rules(DELAY), Consent::NotGiven);
        holdings.members.reverse();
        prop_assert_eq!(plan(&listings[0], &holdings, &rules(DELAY), Consent::NotGiven), forward);
    }

    #[test]
    fn no_zone_goes_before_its_time_when_many_are_missing(world in world(), one in lines(), kept in 0..9_usize) {
        let one: Vec<Line> = one.into_iter().take(kept).chain(std::iter::repeat(None)).take(NAMES.len()).collect();
        let listings = [listing_of(0, &one), listing_of(1, &[])];
        let actions = world.plan(0, &listings, DELAY);
        let at_once = actions.iter().filter(|action| matches!(
            action,
            Action::Remove { warrant: Warrant::Ordinary, .. } | Action::Reset { warrant: Warrant::Ordinary, .. }
        ));
        prop_assert!(at_once.count() < 3, "of eight zones three are more than a fifth");
        for action in &actions {
            if let Action::Remove { zone, warrant: Warrant::Waited } = action {
                prop_assert!(world.members[&zone.to_string()].3 >= Some(DELAY));
            }
        }
    }
}
