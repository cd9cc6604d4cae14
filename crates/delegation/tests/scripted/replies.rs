//! What servers say, and what of it is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use delegation::{Differences, Ds, Found, Limits, Said, Trouble, Verdict};
use dns::{Rcode, Type};

use crate::servers::{Message, Say, Servers, Way};
use crate::{delegation_of, hasty, hasty_delegation_of, name, patient, test_is_at, test_says, trouble};

#[tokio::test]
async fn a_delegation_is_what_two_servers_of_the_parent_say() {
    let servers = test_says(|_| None).await;
    let found = delegation_of(&servers, "Child.Test").await.unwrap();
    assert_eq!((found.parent.clone(), found.views.len()), (name("test"), 2));
    assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
    assert_eq!(found.differences(), Differences::default());
    assert_ne!(found.views[0].server.address, found.views[1].server.address);
    for view in &found.views {
        let Said::Delegated { ns, ds } = &view.said else { panic!("{view:?}") };
        assert_eq!(ns.glue[&name("ns.child.test")], ["127.0.71.4".parse().unwrap()].into());
        assert_eq!(*ds, Ds::Records([].into()));
    }
    // The root for `test.`, and each of the two for NS and DS: nobody else, and nobody is asked to ask others.
    let asked = servers.asked();
    assert_eq!((asked.len(), servers.count_at(1), servers.count_at(4)), (5, 1, 0), "{asked:?}");
    assert!(asked.iter().all(|asked| !asked.wants_recursion && asked.has_edns && asked.way == Way::Udp));
}

#[tokio::test]
async fn the_root_is_not_asked_for_a_tld_again_and_again() {
    let dead = Arc::new(AtomicBool::new(false));
    let is_dead = dead.clone();
    let servers = test_says(move |asked| {
        (asked.at.octets()[3] != 1 && is_dead.load(Ordering::Relaxed)).then_some(Say::Nothing)
    })
    .await;
    let walker = servers.walker().within(patient());
    for zone in ["child.test", "Child.Test", "child.test"] {
        let found = walker.delegation(&name(zone)).await.unwrap();
        assert_eq!(found.parent, name("test"));
    }
    // What the TLD's servers say is looked for each time.
    assert_eq!((servers.count_at(1), servers.count_at(2) + servers.count_at(3)), (1, 12));
    walker.delegation(&name("test")).await.unwrap();
    assert!(servers.asked().last().is_some_and(|asked| asked.at.octets()[3] == 1), "for the TLD itself it is");
    // When none of its servers answers any more, they may be others.
    let before = servers.count_at(1);
    dead.store(true, Ordering::Relaxed);
    walker.clone().within(hasty()).delegation(&name("child.test")).await.unwrap_err();
    dead.store(false, Ordering::Relaxed);
    walker.delegation(&name("child.test")).await.unwrap();
    assert_eq!(servers.count_at(1), before + 1);
    let forgetful = servers.walker().within(Limits { tlds_kept: Duration::ZERO, ..patient() });
    forgetful.delegation(&name("child.test")).await.unwrap();
    forgetful.delegation(&name("child.test")).await.unwrap();
    assert_eq!(servers.count_at(1), before + 3);
}

#[tokio::test]
async fn glue_is_believed_only_from_servers_of_a_zone_that_it_lies_in() {
    // `test.` says where a name server of `other.` is, which it cannot know: 127.0.71.6 is somebody's who would like to be
    // asked. Its own zone says 127.0.71.5.
    let servers = Servers::start(9, |asked| {
        let is_below = |zone: &str| asked.name.to_ascii_lowercase().ends_with(zone);
        match asked.at.octets()[3] {
            1 if is_below("other.") => {
                Message::referral("other.", &["ns.other."], &[("ns.other.", "127.0.71.4")]).into()
            }
            1 => test_is_at(&[2, 3]).into(),
            2 | 3 if asked.qtype == Type::DS => Message::denial("test.", Rcode::NOERROR).into(),
            2 | 3 => Message::referral(
                "child.test.",
                &["ns.victim.other."],
                &[("ns.victim.other.", "127.0.71.6"), ("test.", "127.0.71.6")],
            )
            .into(),
            4 if asked.qtype == Type::A => Message::answer("ns.victim.other. 60 A 127.0.71.5\n").into(),
            4 => Message::denial("other.", Rcode::NOERROR).into(),
            5 => Message::answer("child.test. 60 SOA ns.victim.other. host.child.test. 77 2 3 4 5\n").into(),
            _ => Say::Nothing,
        }
    })
    .await;
    let examined = servers.walker().within(patient()).servers(&name("child.test")).await.unwrap();
    let [server] = examined.servers.as_slice() else { panic!("{examined:?}") };
    assert_eq!(server.at, [("127.0.71.5".parse().unwrap(), Found::Serves { serial: dns::Serial(77) })]);
    assert!(server.serves() && !server.is_lame());
    assert_eq!(servers.count_at(6), 0);
    for view in examined.delegation.views {
        assert!(matches!(view.said, Said::Delegated { ns, .. } if ns.glue.is_empty()));
    }
}

#[tokio::test]
async fn referrals_that_lead_nowhere_nearer_are_not_followed() {
    for (zone, glue) in [("test.", "ns.test."), (".", "a.root."), ("sister.test.", "ns.test."), ("else.", "ns.test.")]
    {
        let servers = test_says(move |asked| {
            let say = Message::referral(zone, &[glue], &[(glue, "127.0.71.9")]);
            (asked.at.octets()[3] != 1).then(|| say.into())
        })
        .await;
        assert!(matches!(trouble(&servers).await, Trouble::RefersAway { to } if to == name(zone)));
        assert_eq!(servers.count_at(9), 0, "{zone}");
    }
}

#[tokio::test]
async fn one_server_that_is_no_use_is_made_up_for_by_the_others() {
    for useless in [Say::Nothing, Message::error(Rcode::REFUSED).into(), Say::Octets(vec![1, 2, 3])] {
        let said = useless.clone();
        let servers = test_says(move |asked| (asked.at.octets()[3] == 2).then(|| said.clone())).await;
        let found = hasty_delegation_of(&servers, "child.test").await.unwrap();
        assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
        // The failed one is shown too.
        assert!(found.views.iter().any(|view| matches!(view.said, Said::Nothing(_))), "{useless:?}");
    }
}

#[tokio::test]
async fn two_names_of_one_server_are_one_word() {
    let servers = test_says(|asked| match (asked.at.octets()[3], asked.qtype) {
        (1, _) => Some(
            Message::referral(
                "test.",
                &["a.test.", "b.test."],
                &[("a.test.", "127.0.71.2"), ("b.test.", "127.0.71.2")],
            )
            .into(),
        ),
        _ => None,
    })
    .await;
    let found = delegation_of(&servers, "child.test").await.unwrap();
    assert_eq!(found.views.len(), 1, "{found:?}");
    // Nor if they are found to be one by a walk each.
    let servers = test_says(|asked| match (asked.at.octets()[3], asked.qtype) {
        (1, Type::A | Type::AAAA) => Some(Message::answer(&format!("{} 60 A 127.0.71.2\n", asked.name)).into()),
        (1, _) => Some(Message::referral("test.", &["a.other.", "b.other."], &[]).into()),
        _ => None,
    })
    .await;
    let found = delegation_of(&servers, "child.test").await.unwrap();
    assert_eq!(found.views.len(), 1, "{found:?}");
}

#[tokio::test]
async fn names_without_records_that_a_server_cannot_speak_of_are_passed_over() {
    for wrong in
        [Message::error(Rcode::SERVFAIL), Message::error(Rcode::REFUSED), Message::denial("test.", Rcode::NXDOMAIN)]
    {
        let servers = test_says(move |asked| match (asked.at.octets()[3], asked.name.as_str(), asked.qtype) {
            (1, ..) | (.., Type::DS) => None,
            (_, "ent.test.", _) => Some(wrong.clone().into()),
            _ => Some(Message::referral("child.ent.test.", &["ns.other."], &[]).into()),
        })
        .await;
        let found = delegation_of(&servers, "child.ent.test").await.unwrap();
        assert_eq!((found.parent.clone(), found.views.len()), (name("test"), 2));
        assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.other.")].into()));
    }
}

#[tokio::test]
async fn a_server_of_parent_and_zone_that_speaks_for_the_zone_alone_says_nothing_about_ds() {
    let servers = test_says(|asked| match (asked.at.octets()[3], asked.qtype) {
        (1, _) => None,
        (_, Type::DS) => Some(Message::denial("child.test.", Rcode::NOERROR).into()),
        _ => Some(Message::answer("child.test. 60 NS ns.child.test.\n").into()),
    })
    .await;
    let found = delegation_of(&servers, "child.test").await.unwrap();
    assert_eq!(found.verdict(), Verdict::OnlyItself(&[name("ns.child.test")].into()));
    for view in found.views {
        assert!(matches!(&view.said, Said::Itself { ds: Ds::Unknown(_), .. }), "{view:?}");
    }
}
