//! Planning, case by case.

use std::time::Duration;

use dns::Serial;
use zone::catalog::{Action, Consent, Guard, Holdings, Listing, Member, Rules, State, Taken, Warrant, Why, plan};

use super::{label, listing, name};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn rules() -> Rules {
    Rules { suffixes: vec![name(".")], groups: ["gold".into(), "silver".into()].into(), guard: Guard::default() }
}

fn member(zone: &str, own: &str) -> Member {
    Member { zone: name(zone), label: label(own), group: None, missing_for: None }
}

/// Members `z0.` to `zN.` with the labels `l0` to `lN`.
fn members(count: usize) -> Holdings {
    let members = (0..count).map(|n| member(&format!("z{n}."), &format!("l{n}"))).collect();
    Holdings { members, ..Holdings::default() }
}

fn listed(numbers: impl Iterator<Item = usize>) -> Listing {
    listing("cat.", &numbers.map(|n| format!("l{n}.zones 0 PTR z{n}.\n")).collect::<String>())
}

/// What follows, a line for each zone.
fn follows(listing: &Listing, holdings: &Holdings) -> Vec<Action> {
    plan(listing, holdings, &rules(), Consent::NotGiven)
}

fn are_removed(actions: &[Action], by: Warrant) -> bool {
    !actions.is_empty()
        && actions.iter().all(|action| matches!(action, Action::Remove { warrant, .. } if *warrant == by))
}

fn are_held(actions: &[Action]) -> bool {
    !actions.is_empty() && actions.iter().all(|action| matches!(action, Action::Hold { .. }))
}

#[test]
fn what_is_listed_is_added_and_what_is_not_is_removed() {
    let holdings = members(2);
    let listing = listing("cat.", "l1.zones 0 PTR Z1.\nx.zones 0 PTR New.\ngroup.x.zones 0 TXT gold");
    assert_eq!(
        follows(&listing, &holdings),
        [
            Action::Add { zone: name("New."), label: label("x"), group: Some("gold".into()) },
            Action::Remove { zone: name("z0."), warrant: Warrant::Ordinary },
        ],
        "and a name spelled otherwise is the same name"
    );
}

#[test]
fn another_label_begins_anew_and_another_case_of_it_does_not() {
    let holdings = members(2);
    let listing = listing("cat.", "L0.zones 0 PTR z0.\nother.zones 0 PTR z1.");
    let reset = Action::Reset { zone: name("z1."), label: label("other"), group: None, warrant: Warrant::Ordinary };
    assert_eq!(follows(&listing, &holdings), [reset]);
}

#[test]
fn the_group_is_the_first_that_there_are_settings_for() {
    let mut holdings = members(3);
    holdings.members[1].group = Some("gold".into());
    holdings.members[2].group = Some("gold".into());
    let listing = listing(
        "cat.",
        "l0.zones 0 PTR z0.\ngroup.l0.zones 0 TXT silver\ngroup.l0.zones 0 TXT gold\ngroup.l0.zones 0 TXT another
         l1.zones 0 PTR z1.\ngroup.l1.zones 0 TXT GOLD
         l2.zones 0 PTR z2.\ngroup.l2.zones 0 TXT gold",
    );
    assert_eq!(
        follows(&listing, &holdings),
        [
            Action::ChangeGroup { zone: name("z0."), group: Some("gold".into()) },
            Action::ChangeGroup { zone: name("z1."), group: None },
        ]
    );
}

#[test]
fn a_configured_zone_goes_before_what_a_catalog_lists() {
    let mut holdings = members(1);
    holdings.taken.insert(name("ours."), Taken::Configured);
    // It was a member, and somebody has configured it since.
    holdings.taken.insert(name("z0."), Taken::Configured);
    let listing = listing("cat.", "a.zones 0 PTR OURS.\nb.zones 0 PTR z0.");
    let skipped = |zone: &str| Action::Skip { zone: name(zone), why: Why::Configured };
    assert_eq!(follows(&listing, &holdings), [skipped("ours."), skipped("z0.")]);
    assert_eq!(follows(&listed(0..0), &holdings), []);
}

#[test]
fn only_names_below_the_allowed_suffixes_are_taken_up() {
    let listing = listing(
        "cat.",
        "a.zones 0 PTR Customer.example.\nb.zones 0 PTR x.customer.example.\nc.zones 0 PTR notcustomer.example.\nd.zones 0 PTR .",
    );
    let rules = Rules { suffixes: vec![name("customer.EXAMPLE."), name("other.")], ..rules() };
    let actions = plan(&listing, &Holdings::default(), &rules, Consent::NotGiven);
    let added = |action: &Action| matches!(action, Action::Add { .. });
    let names: Vec<String> = actions.iter().filter(|a| added(a)).map(|a| a.zone().to_string()).collect();
    assert_eq!(names, ["Customer.example.", "x.customer.example."]);
    let none = plan(&listing, &Holdings::default(), &Rules::default(), Consent::NotGiven);
    assert!(none.iter().all(|action| matches!(action, Action::Skip { why: Why::OutOfScope, .. })), "none given");
}

#[test]
fn narrower_suffixes_remove_nothing_and_end_the_catalogs_say() {
    let rules = Rules { suffixes: vec![name("elsewhere.")], ..rules() };
    let listing = listing("cat.", "l0.zones 0 PTR z0.\ngroup.l0.zones 0 TXT gold\nother.zones 0 PTR z1.");
    let actions = plan(&listing, &members(2), &rules, Consent::NotGiven);
    let skipped = |zone: &str| Action::Skip { zone: name(zone), why: Why::OutOfScope };
    assert_eq!(actions, [skipped("z0."), skipped("z1.")]);
}

#[test]
fn few_zones_go_at_once_and_many_wait() {
    assert!(are_removed(&follows(&listed(0..8), &members(10)), Warrant::Ordinary), "20 in a hundred");
    assert!(are_held(&follows(&listed(0..7), &members(10))), "30 in a hundred");
    assert!(are_removed(&follows(&listed(0..2), &members(4)), Warrant::Ordinary), "two are never many");
    assert!(are_held(&follows(&listed(0..2), &members(5))));
    assert!(are_removed(&follows(&listed(0..80), &members(100)), Warrant::Ordinary));
    assert!(are_held(&follows(&listed(0..79), &members(100))));
}

#[test]
fn an_empty_catalog_removes_nothing_at_once() {
    for count in [1, 2, 3, 100] {
        assert!(are_held(&follows(&listed(0..0), &members(count))), "{count}");
    }
}

#[test]
fn what_has_been_missing_for_the_whole_delay_goes_and_what_went_missing_later_waits_on() {
    let mut holdings = members(10);
    holdings.members[8].missing_for = Some(DAY);
    holdings.members[9].missing_for = Some(DAY - HOUR);
    let actions = follows(&listed(0..7), &holdings);
    assert_eq!(
        actions,
        [
            Action::Hold { zone: name("z7."), remaining: DAY },
            Action::Remove { zone: name("z8."), warrant: Warrant::Waited },
            Action::Hold { zone: name("z9."), remaining: HOUR },
        ]
    );
}

#[test]
fn what_has_begun_to_wait_waits_to_its_end() {
    let mut holdings = members(10);
    holdings.members[9].missing_for = Some(HOUR);
    let hold = Action::Hold { zone: name("z9."), remaining: DAY - HOUR };
    assert_eq!(follows(&listed(0..9), &holdings), [hold], "though it is one of ten by now");
}

#[test]
fn a_zone_that_is_listed_again_has_nothing_to_wait_for() {
    let mut holdings = members(1);
    holdings.members[0].missing_for = Some(DAY * 2);
    assert_eq!(follows(&listed(0..1), &holdings), [Action::Found { zone: name("z0.") }]);
}

#[test]
fn zones_that_go_one_by_one_are_counted_together() {
    let mut holdings = members(100);
    let mut removed = 0;
    while let [Action::Remove { zone, warrant: Warrant::Ordinary }] =
        &follows(&listed(removed + 1..100), &holdings)[..]
    {
        holdings.members.retain(|member| member.zone != *zone);
        removed += 1;
        holdings.removed_lately = removed;
    }
    assert_eq!(removed, 20);
}

#[test]
fn new_labels_for_all_are_many_resets() {
    let relabelled: String = (0..10).map(|n| format!("new{n}.zones 0 PTR z{n}.\n")).collect();
    assert!(are_held(&follows(&listing("cat.", &relabelled), &members(10))));
}

#[test]
fn the_owners_word_is_for_the_version_that_they_have_seen() {
    let said = |serial| plan(&listed(0..0), &members(10), &rules(), Consent::GivenFor(Serial(serial)));
    assert!(are_removed(&said(7), Warrant::Consented));
    assert!(are_held(&said(6)));
}

#[test]
fn a_guard_without_a_delay_is_switched_off() {
    let guard = Guard { delay: Duration::ZERO, ..Guard::default() };
    let actions = plan(&listed(0..0), &members(10), &Rules { guard, ..rules() }, Consent::NotGiven);
    assert!(are_removed(&actions, Warrant::Waited));
}

fn held_by_other(offered_to: Option<&str>) -> Holdings {
    let taken = Taken::Member { catalog: name("other."), label: label("a"), offered_to: offered_to.map(name) };
    Holdings { taken: [(name("z."), taken)].into(), ..Holdings::default() }
}

#[test]
fn a_zone_moves_when_both_catalogs_agree() {
    let same = listing("cat.", "a.zones 0 PTR z.");
    let migrate = |own: &str, state| Action::Migrate {
        zone: name("z."),
        from: name("other."),
        label: label(own),
        group: None,
        state,
    };
    assert_eq!(follows(&same, &held_by_other(Some("CAT."))), [migrate("a", State::Kept)]);
    let relabelled = listing("cat.", "b.zones 0 PTR z.");
    assert_eq!(follows(&relabelled, &held_by_other(Some("cat."))), [migrate("b", State::Reset)]);

    let stays = [Action::Skip { zone: name("z."), why: Why::MemberOf { catalog: name("other.") } }];
    assert_eq!(follows(&same, &held_by_other(None)), stays);
    assert_eq!(follows(&same, &held_by_other(Some("third."))), stays);
}

#[test]
fn a_catalog_that_gives_a_zone_away_does_not_take_it_over() {
    let circle = listing("cat.", "a.zones 0 PTR z.\ncoo.a.zones 0 PTR other.");
    let skip = Action::Skip { zone: name("z."), why: Why::GivenAway { to: name("other.") } };
    assert_eq!(follows(&circle, &held_by_other(Some("cat."))), [skip]);
}

#[test]
fn offers_are_those_of_the_catalog_that_has_the_zone() {
    let mut holdings = held_by_other(None);
    holdings.note_offers(&listing("third.", "x.zones 0 PTR z.\ncoo.x.zones 0 PTR cat."));
    assert!(matches!(follows(&listing("cat.", "a.zones 0 PTR z."), &holdings)[..], [Action::Skip { .. }]));
    holdings.note_offers(&listing("Other.", "a.zones 0 PTR Z.\ncoo.a.zones 0 PTR cat."));
    assert!(matches!(follows(&listing("cat.", "a.zones 0 PTR z."), &holdings)[..], [Action::Migrate { .. }]));
}
