//! One question and its answer: what is none, what comes over TCP, without EDNS or over IPv6, and what never comes.

use std::collections::BTreeSet;

use delegation::{Failure, Said, Verdict, Walker, Whose};
use dns::{Header, Rcode, Type};
use xfr::Destinations;

use crate::servers::{Message, Say, Servers, Way};
use crate::{child, delegation_of, hasty_delegation_of, name, test_says, trouble};

#[tokio::test]
async fn nobody_can_foresee_the_port_and_the_id_of_the_next_query() {
    let servers = test_says(|_| None).await;
    for _ in 0..8 {
        delegation_of(&servers, "child.test").await.unwrap();
    }
    let asked = servers.asked();
    let different = |all: Vec<u16>| all.into_iter().collect::<BTreeSet<_>>().len();
    let (ids, ports) = (asked.iter().map(|asked| asked.id), asked.iter().map(|asked| asked.port));
    // Of forty, a few may be alike by chance.
    assert_eq!(asked.len(), 40);
    assert!(different(ids.clone().collect()) > 35 && different(ports.clone().collect()) > 35, "{asked:?}");
    let in_a_row = |all: Vec<u16>| all.windows(2).filter(|two| two[1] == two[0].wrapping_add(1)).count();
    assert!(in_a_row(ids.collect()) < 5 && in_a_row(ports.collect()) < 5, "{asked:?}");
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
        // Two servers, each at most twice: without EDNS, or because a datagram may be lost. And the root, which may be slow.
        assert!(servers.asked().len() <= 6, "{say:?}: {:?}", servers.asked());
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
async fn the_root_has_no_parent_and_whoever_reaches_nobody_is_told_so() {
    let servers = Servers::start(1, |_| Say::Nothing).await;
    assert_eq!(delegation_of(&servers, ".").await, Err(Failure::Root));
    let failure = hasty_delegation_of(&servers, "child.test").await.unwrap_err();
    assert_eq!((failure.code(), failure.whose()), ("nobody_answers", Whose::Network), "{failure}");
    assert_eq!(servers.asked().len(), 2, "a lost datagram is sent again, once");
}
