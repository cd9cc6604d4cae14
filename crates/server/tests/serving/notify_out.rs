//! NOTIFYs to those who copy from us.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use dns::text::zone_from_text;
use dns::{MessageReader, Opcode};
use server::announcer;
use xfr::Moment;
use xfr::announce::{News, Recipient};
use zone::ZoneId;

use crate::support::header;

#[test]
fn a_notify_waits_for_no_repetition_be_it_the_first_of_its_socket() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let recipient = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    recipient.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Time that stands still: nothing is ever repeated.
    let (announcer, work) = announcer(Arc::new(|| Moment(0)), Arc::new(|| 7));
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
