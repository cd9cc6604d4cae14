//! Two published versions of the real root zone: the first is copied, the second arrives as differences, and what we
//! hand out is what the primary hands out.

use testing::peer::Software;
use testing::zone_text::{ROOT_AFTER, ROOT_BEFORE, root};

use crate::scene::{attempt, following, holds_what_the_primary_holds, secondo, serves, with_each_primary};

#[test]
fn the_root_zone_is_copied_and_follows_its_next_version() {
    with_each_primary(|software| {
        let (secondo, mut peer) = following(secondo(), software, ".", &root(ROOT_BEFORE));
        holds_what_the_primary_holds(&secondo, &peer, ".");
        peer.replace(".", &root(ROOT_AFTER));
        serves(&secondo, ".", ROOT_AFTER);
        holds_what_the_primary_holds(&secondo, &peer, ".");
        assert_eq!(peer.differences_sent(".") > 0, software.sends_differences(), "{}", peer.log());
        let update = attempt(&secondo, ".", "the update on record", |attempt| {
            attempt["to_serial"] == ROOT_AFTER && attempt["outcome"] == "updated"
        });
        let bytes = update["bytes"].as_u64().unwrap();
        // NSD's differences are wrong here (see `changes`), PowerDNS has none.
        if matches!(software, Software::Bind | Software::Knot) {
            assert_eq!(update["kind"], "ixfr");
            assert!(bytes < 20_000, "{bytes} octets are no difference");
        }
        // However it came, the history holds what changed and not the whole zone.
        let history = secondo.json(&["zone", "history", "."]);
        let newest = &history["versions"][0];
        assert_eq!((&newest["serial"], &newest["from_serial"]), (&ROOT_AFTER.into(), &ROOT_BEFORE.into()));
        assert!(newest["removed"].as_u64().unwrap() < 500, "{newest}");
    });
}
