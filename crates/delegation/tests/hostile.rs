//! Servers that lie, loop, lead away, or are no name servers at all.

#![allow(clippy::unwrap_used)]

mod scripted;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use delegation::{Delegation, Denial, Ds, Failure, Found, Limits, Said, Spent, Trouble, Verdict, Walker, Whose};
use dns::{Header, Name, Rcode, Type};
use scripted::{Asked, Message, Say, Servers, Way};
use xfr::Destinations;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Patience for servers that say nothing; others answer much sooner.
fn hasty() -> Limits {
    let (udp_try, tcp_try) = (Duration::from_millis(250), Duration::from_millis(500));
    Limits { udp_try, tcp_try, ..Limits::default() }
}

fn test_is_at(servers: &[u8]) -> Message {
    let names: Vec<String> = servers.iter().map(|last| format!("ns{last}.test.")).collect();
    let addresses: Vec<String> = servers.iter().map(|last| format!("127.0.71.{last}")).collect();
    let glue: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(addresses.iter().map(String::as_str)).collect();
    Message::referral("test.", &names.iter().map(String::as_str).collect::<Vec<_>>(), &glue)
}

/// The root refers to `test.` at .2 and .3, and these say what the script says; DS records are nowhere, unless it says so.
async fn test_says(script: impl Fn(&Asked) -> Option<Say> + Send + Sync + 'static) -> Servers {
    Servers::start(9, move |asked| match (asked.at.octets()[3], script(asked)) {
        (_, Some(say)) => say,
        (1, None) => test_is_at(&[2, 3]).into(),
        (_, None) if asked.qtype == Type::DS => Message::denial("test.", Rcode::NOERROR).into(),
        (_, None) => child().into(),
    })
    .await
}

/// What servers of `test.` say that are well.
fn child() -> Message {
    Message::referral("child.test.", &["ns.child.test."], &[("ns.child.test.", "127.0.71.4")])
}

async fn delegation_of(servers: &Servers, zone: &str) -> Result<Delegation, Failure> {
    servers.walker().within(hasty()).delegation(&name(zone)).await
}

/// What the two servers of `test.` were found to say, if it is the same.
async fn trouble(servers: &Servers) -> Trouble {
    let failure = delegation_of(servers, "child.test").await.unwrap_err();
    let Failure::NobodyAnswers { zone, troubles } = &failure else { panic!("{failure}") };
    assert_eq!(*zone, name("test"), "{failure}");
    assert!(!failure.to_string().is_empty() && failure.advice().ends_with('.'));
    troubles[0].trouble.clone()
}

#[tokio::test]
async fn a_delegation_is_what_two_servers_of_the_parent_say() {
    let servers = test_says(|_| None).await;
    let found = delegation_of(&servers, "Child.Test").await.unwrap();
    assert_eq!((found.parent.clone(), found.views.len()), (name("test"), 2));
    assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
    assert_eq!(found.differences(), delegation::Differences::default());
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
    let examined = servers.walker().within(hasty()).servers(&name("child.test")).await.unwrap();
    let [server] = examined.servers.as_slice() else { panic!("{examined:?}") };
    assert_eq!(server.at, [("127.0.71.5".parse().unwrap(), Found::Serves { serial: dns::Serial(77) })]);
    assert!(server.serves() && !server.is_lame());
    assert_eq!(servers.count_at(6), 0);
    for view in examined.delegation.views {
        assert!(matches!(view.said, Said::Delegated { ns, .. } if ns.glue.is_empty()));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_passed_over_and_the_answer_behind_it_taken() {
    let forged = |id_off, question| Message {
        id_off,
        question,
        ..Message::referral("child.test.", &["ns.evil.test."], &[("ns.evil.test.", "127.0.71.9")])
    };
    let servers = test_says(move |asked| {
        (asked.at.octets()[3] != 1 && asked.qtype == Type::NS).then(|| {
            let request = Message { flags: 0, ..forged(3, None) };
            let other = forged(0, Some(("other.test.", Type::NS)));
            Say::Several(vec![forged(1, None), request, other, forged(0, Some(("child.test.", Type::A))), child()])
        })
    })
    .await;
    let found = delegation_of(&servers, "child.test").await.unwrap();
    assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
}

#[tokio::test]
async fn each_way_not_to_answer_is_told_by_its_code() {
    let resolver = Message { flags: Header::RA, ..Message::answer("child.test. 60 NS ns.child.test.\n") };
    let many: String = (0..70).map(|n| format!("child.test. 60 NS ns{n}.child.test.\n")).collect();
    let cases: [(&str, Say); 14] = [
        ("timed_out", Say::Nothing),
        ("no_answer", Message { id_off: 1, ..child() }.into()),
        ("no_answer", Message { question: Some(("other.", Type::NS)), ..child() }.into()),
        ("no_answer", Say::Octets(b"garbage".to_vec())),
        ("no_answer", Say::Octets(vec![0x80, 0, 0, 1, 0, 0, 0xff, 0xff, 0, 0])),
        // An answer without the question that it answers.
        ("no_answer", Say::Octets(vec![0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("other_rcode", Message::error(Rcode::REFUSED).into()),
        ("other_rcode", Message::error(Rcode::SERVFAIL).into()),
        ("other_rcode", Say::Octets(vec![0x80, 5, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("not_authoritative", Message::new(0).into()),
        ("not_authoritative", Message { flags: 0, ..Message::denial("test.", Rcode::NXDOMAIN) }.into()),
        ("resolver", resolver.into()),
        ("refers_away", Message::referral(".", &["a.root."], &[("a.root.", "127.0.71.9")]).into()),
        ("too_many_name_servers", Message { authority: many, ..Message::new(0) }.into()),
    ];
    for (code, say) in cases {
        let said = say.clone();
        let servers = test_says(move |asked| (asked.at.octets()[3] != 1).then(|| said.clone())).await;
        let trouble = trouble(&servers).await;
        assert_eq!(trouble.code(), code, "{say:?}: {trouble}");
        assert_eq!(servers.count_at(9), 0);
        // Two servers, each at most twice: without EDNS, or because a datagram may be lost.
        assert!(servers.asked().len() <= 5, "{say:?}: {:?}", servers.asked());
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
        let found = delegation_of(&servers, "child.test").await.unwrap();
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
async fn name_servers_that_need_each_other_have_no_address() {
    // The servers of a.test. are in b.test., and those of b.test. in a.test.; neither has glue.
    let servers = test_says(|asked| {
        let zone = ["a.test.", "b.test."].into_iter().find(|zone| asked.name.ends_with(zone))?;
        let host = if zone == "a.test." { "ns.b.test." } else { "ns.a.test." };
        (asked.at.octets()[3] != 1).then(|| Message::referral(zone, &[host], &[]).into())
    })
    .await;
    let failure = delegation_of(&servers, "child.a.test").await.unwrap_err();
    let zone = name("a.test");
    assert_eq!(failure, Failure::NoAddresses { zone: zone.clone(), to: vec![name("ns.b.test")] });
    assert_eq!(failure.whose(), Whose::ServersOf(zone));
    assert!(servers.asked().len() <= 8, "{:?}", servers.asked());
}

#[tokio::test]
async fn endless_names_of_name_servers_cost_a_bounded_number_of_queries() {
    // Each name has forty name servers without addresses, each in a zone of its own that has as many, and none comes twice.
    let so_far = AtomicU32::new(0);
    let servers = test_says(move |asked| {
        if asked.at.octets()[3] == 1 {
            return None;
        }
        let labels: Vec<&str> = asked.name.trim_end_matches('.').split('.').collect();
        let zone = format!("{}.", labels[labels.len() - 2..].join("."));
        let host = || format!("ns.zone-{}.test.", so_far.fetch_add(1, Ordering::Relaxed));
        let hosts: Vec<String> = (0..40).map(|_| host()).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        Some(Message::referral(&zone, &hosts, &[]).into())
    })
    .await;
    let failure = delegation_of(&servers, "child.zone.test").await.unwrap_err();
    assert_eq!(failure.code(), "no_addresses", "{failure}");
    // Four names at each of three depths, and no more.
    assert_eq!(servers.asked().len(), 2 + 4 + 4 * 4 + 4 * 4 * 4);
}

#[tokio::test]
async fn a_walk_ends_when_its_queries_or_its_cuts_are_spent() {
    // Each name is a zone of its own, whose server is the same again.
    let servers = Servers::start(2, |asked| {
        let host = format!("ns.{}", asked.name);
        Message::referral(&asked.name, &[&host], &[(&host, "127.0.71.2")]).into()
    })
    .await;
    let zone = name(&format!("{}test.", "a.".repeat(100)));
    let walk = async |limits| match servers.walker().within(limits).delegation(&zone).await {
        Err(Failure::Spent { spent, .. }) => spent,
        other => panic!("{other:?}"),
    };
    assert_eq!(walk(Limits { queries: 10, ..hasty() }).await, Spent::Queries { limit: 10 });
    assert_eq!(servers.asked().len(), 10);
    assert_eq!(walk(hasty()).await, Spent::Cuts { limit: 16 });
    assert!(servers.asked().len() <= 10 + 17, "{}", servers.asked().len());
}

#[tokio::test]
async fn a_hundred_labels_without_a_cut_are_not_asked_for_one_by_one() {
    let zone = format!("{}test.", "a.".repeat(100));
    let whole = zone.clone();
    let servers = test_says(move |asked| {
        let is_whole = asked.name == whole;
        let say = if is_whole { Rcode::NXDOMAIN } else { Rcode::NOERROR };
        (asked.at.octets()[3] != 1).then(|| Message::denial("test.", say).into())
    })
    .await;
    let found = delegation_of(&servers, &zone).await.unwrap();
    assert_eq!(found.verdict(), Verdict::NotDelegated(Denial::NxDomain));
    assert!(servers.asked().len() <= 40, "{}", servers.asked().len());
}

#[tokio::test]
async fn a_walk_among_the_silent_ends_in_its_time() {
    let servers = test_says(|asked| (asked.at.octets()[3] != 1).then_some(Say::Nothing)).await;
    let limits = Limits { time: Duration::from_millis(400), udp_try: Duration::from_secs(30), ..Limits::default() };
    let began = Instant::now();
    let failure = servers.walker().within(limits).delegation(&name("child.test")).await.unwrap_err();
    assert!(matches!(failure, Failure::Spent { spent: Spent::Time { .. }, .. }), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(10));
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

#[tokio::test]
async fn servers_are_asked_over_ipv6() {
    let socket = tokio::net::UdpSocket::bind(("::1", 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let answering = tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (length, client) = socket.recv_from(&mut query).await.unwrap();
            let query = &query[..length];
            let question = dns::MessageReader::new(query).unwrap().question().unwrap().unwrap();
            let message = match question.qtype {
                Type::DS => Message::denial(".", Rcode::NOERROR),
                _ => Message {
                    additional: "ns.test. 60 AAAA ::1\n".into(),
                    ..Message::referral("test.", &["ns.test."], &[])
                },
            };
            socket.send_to(&message.octets(query), client).await.unwrap();
        }
    });
    let hints = ". NS a.root.\na.root. AAAA ::1\n".parse().unwrap();
    let walker = Walker::new(hints, Destinations::Anything).at_port(port);
    let found = walker.delegation(&name("test")).await.unwrap();
    answering.abort();
    let Said::Delegated { ns, .. } = &found.views[0].said else { panic!("{found:?}") };
    assert_eq!(ns.glue[&name("ns.test")], ["::1".parse().unwrap()].into());
}

#[tokio::test]
async fn what_does_not_fit_comes_over_tcp_and_lies_there_are_told_too() {
    let truncated = || Message::new(Header::TC | Header::AA);
    let servers = test_says(move |asked| {
        (asked.at.octets()[3] != 1 && asked.way == Way::Udp && asked.qtype == Type::NS).then(|| truncated().into())
    })
    .await;
    let found = delegation_of(&servers, "child.test").await.unwrap();
    assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
    assert!(servers.asked().iter().any(|asked| asked.way == Way::Tcp));
    for (code, over_tcp) in [
        ("truncated_over_tcp", Message::new(Header::TC | Header::AA).into()),
        ("unreachable", Say::Nothing),
        ("no_answer", Say::Octets(vec![9; 40])),
        ("no_answer", Message { id_off: 9, ..child() }.into()),
    ] {
        let servers = test_says(move |asked| {
            let say = || if asked.way == Way::Udp { truncated().into() } else { over_tcp.clone() };
            (asked.at.octets()[3] != 1).then(say)
        })
        .await;
        assert_eq!(trouble(&servers).await.code(), code);
    }
}

#[tokio::test]
async fn servers_that_do_not_know_edns_are_asked_without() {
    for rcode in [Rcode::FORMERR, Rcode::NOTIMP] {
        let servers = test_says(move |asked| asked.has_edns.then(|| Message::error(rcode).into())).await;
        let found = delegation_of(&servers, "child.test").await.unwrap();
        assert_eq!(found.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()), "{rcode}");
    }
}

#[tokio::test]
async fn addresses_that_are_not_to_be_asked_are_passed_by_wherever_they_come_from() {
    // The operator allows the root's server and one of the two of `test.`; the child's are at addresses of ours.
    let allowed = vec!["127.0.71.1".parse().unwrap(), "127.0.71.2".parse().unwrap()];
    let judge = Destinations::PublicOnly { allowed, ours: Vec::new() };
    let servers = test_says(|_| None).await;
    let walker = servers.walker_to(judge).within(hasty());
    let examined = walker.servers(&name("child.test")).await.unwrap();
    assert_eq!(examined.delegation.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
    let [child] = examined.servers.as_slice() else { panic!("{examined:?}") };
    assert!(matches!(&child.at[..], [(_, Found::Nothing(Trouble::AddressRefused(_)))]), "{child:?}");
    let challenge = walker.challenge(&name("child.test")).await.unwrap();
    assert!(matches!(&challenge.answers[..], [(_, Err(Trouble::AddressRefused(_)))]), "{challenge:?}");
    assert!(!challenge.shows("anything"));
    assert_eq!((servers.count_at(3), servers.count_at(4)), (0, 0));

    let nobody = Destinations::PublicOnly { allowed: Vec::new(), ours: Vec::new() };
    let before = servers.asked().len();
    let failure = servers.walker_to(nobody).delegation(&name("child.test")).await.unwrap_err();
    assert_eq!((failure.code(), failure.whose()), ("nobody_answers", Whose::Configuration), "{failure}");
    assert!(failure.to_string().contains("the operator's list allows"), "{failure}");
    assert_eq!(servers.asked().len(), before);
}

#[tokio::test]
async fn the_root_has_no_parent_and_whoever_reaches_nobody_is_told_so() {
    let servers = Servers::start(1, |_| Say::Nothing).await;
    assert_eq!(delegation_of(&servers, ".").await, Err(Failure::Root));
    let failure = delegation_of(&servers, "child.test").await.unwrap_err();
    assert_eq!((failure.code(), failure.whose()), ("nobody_answers", Whose::Network), "{failure}");
    assert_eq!(servers.asked().len(), 2, "a lost datagram is sent again, once");
}
