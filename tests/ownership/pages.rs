//! Two organisations and one name, as the console shows it.

use testing::browser::Browser;
use testing::namespace::in_a_network_of_its_own;
use testing::peer::{Peer, Setup, Software};

use super::{NOW, OTHER, Organisation, World, address, challenge, to_now, zone};
use crate::console::{console, create_zone_of, first_start, is_clean};

#[test]
fn two_organisations_fight_for_a_name_and_whoever_proves_it_has_it() {
    let test = "ownership::pages::two_organisations_fight_for_a_name_and_whoever_proves_it_has_it";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("alice.test"));
        let (alice, mallory) = (world.organisation("Alice"), world.organisation("Mallory"));
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        let hers =
            Peer::start(Software::Bind, Setup::zone("alice.test", zone("alice.test", 70, "")).at(address(OTHER)));
        let browser = Browser::start();
        first_start(&browser, &world.secondo);
        // Whoever comes first gets nothing by it.
        create_zone_of(&browser, &world.secondo, &mallory.id, "alice.test", hers.address());
        browser.has("[data-state=unproven]");
        browser.sees("Not answered until you have shown that the name is yours.");
        create_zone_of(&browser, &world.secondo, &alice.id, "alice.test", now.address());
        browser.has("[data-state=unproven]");
        browser.sees("Name yours");
        browser.keep_picture("zone-unproven");
        browser.press("Ownership");
        let text = alice.text("alice.test");
        browser.sees(&text);
        browser.keep_picture("ownership-claimed");
        now.replace("alice.test", &zone("alice.test", 8, &challenge("alice.test", &text)));
        proves(&alice);
        browser.press("Look again now");
        browser.has("[data-ownership=proven]");
        browser.keep_picture("ownership-proven");
        browser.go(&format!("{}/o/{}/zones/alice.test", console(&world.secondo), alice.id));
        browser.has("[data-state=active]");
        world.answers("alice.test", 8);

        // Mallory's is still a claim; nothing of hers is answered, and nothing tells her whose it is.
        browser.go(&format!("{}/o/{}/zones/alice.test/ownership", console(&world.secondo), mallory.id));
        browser.has("[data-ownership=claimed]");
        assert!(!browser.text().contains("Alice"), "{}", browser.text());
        browser.go(&format!("{}/o/1/claims", console(&world.secondo)));
        browser.sees("another's");
        browser.prefer_dark(true);
        browser.keep_picture("claims-dark");
        is_clean(&browser);
    });
}

/// Looks until the name is seen to be theirs: what was seen a moment ago is not asked for again.
#[track_caller]
fn proves(organisation: &Organisation<'_>) {
    assert_eq!(organisation.looks("alice.test")["state"], "proven");
}
