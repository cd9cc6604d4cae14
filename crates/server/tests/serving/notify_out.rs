//! NOTIFYs to those who copy from us.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use dns::text::zone_from_text;
use dns::{MessageReader, Opcode};
use server::announcer;
use xfr::announce::{News, Recipient};
use xfr::{Destinations, Moment};
use zone::ZoneId;

use crate::support::header;

#[test]
fn a_notify_waits_for_no_repetition_be_it_the_first_of_its_socket() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let recipient = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    recipient.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Time that stands still: nothing is ever repeated.
    let (announcer, work) = announcer(Arc::new(|| Moment(0)), Arc::new(|| 7), Destinations::Anything);
    runtime.spawn(work);
    let records = zone_from_text("example.", "@ 60 SOA ns host 7 2 3 4 5\n").unwrap();
    for zone in 1..=2 {
        let news = News::of(ZoneId(zone), "example.".parse().unwrap(), records.iter().next().unwrap());
        announcer
            .announce(news, vec![Recipient { address: recipient.local_addr().unwrap(), source: None, key: None }]);
        let mut message = [0; 512];
        let octets = recipient.recv(&mut message).unwrap();
        assert_eq!(header(&message[..octets]).opcode(), Opcode::NOTIFY);
        let question = MessageReader::new(&message[..octets]).unwrap().question().unwrap().unwrap();
        assert_eq!(question.name.to_string(), "example.");
    }
    assert_eq!(announcer.tally().sent, 2);
}

#[test]
fn a_recipient_that_is_not_to_be_asked_gets_no_notify() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let recipient = |address: &str| {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let named = Recipient { address: socket.local_addr().unwrap(), source: None, key: None };
        (socket, named)
    };
    let (refused, allowed) = (recipient("127.0.0.1"), recipient("127.0.0.2"));
    let judge = Destinations::PublicOnly { allowed: vec!["127.0.0.2".parse().unwrap()], ours: Vec::new() };
    let (announcer, work) = announcer(Arc::new(|| Moment(0)), Arc::new(|| 7), judge);
    runtime.spawn(work);
    let records = zone_from_text("example.", "@ 60 SOA ns host 7 2 3 4 5\n").unwrap();
    let news = News::of(ZoneId(1), "example.".parse().unwrap(), records.iter().next().unwrap());
    announcer.announce(news, vec![refused.1, allowed.1]);
    assert!(allowed.0.recv(&mut [0; 512]).unwrap() > 0);
    let tally = announcer.tally();
    assert_eq!((tally.sent, tally.refused), (1, 1));
    // The other was told after it, so that anything for this one would be here by now.
    refused.0.set_nonblocking(true).unwrap();
    assert!(refused.0.recv(&mut [0; 512]).is_err());
}
