//! What has been sent, octet for octet, and where in it something shows that nobody is to see.

use std::net::IpAddr;

/// Messages, each with what was asked, in the order in which they came.
#[derive(Default)]
pub(super) struct Collector(Vec<(String, Vec<u8>)>);

impl Collector {
    pub(super) fn add(&mut self, what: &str, message: Vec<u8>) {
        self.0.push((what.to_owned(), message));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What was asked where one of these traces came back, and which.
    pub(super) fn showing(&self, traces: &[Trace]) -> Vec<String> {
        let found = self.0.iter().flat_map(|(what, message)| {
            let shown = traces.iter().filter(|trace| trace.is_in(message));
            shown.map(move |trace| format!("{what}: {}", trace.name))
        });
        found.collect()
    }
}

/// One way in which something may show.
pub(super) struct Trace {
    name: String,
    /// Letters in lower case.
    octets: Vec<u8>,
}

impl Trace {
    fn new(name: String, octets: &[u8]) -> Self {
        Self { name, octets: octets.to_ascii_lowercase() }
    }

    /// Something that is text, as it is and as the labels of a name.
    pub(super) fn of_text(text: &str) -> Vec<Self> {
        let labels: Vec<u8> =
            text.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
        let mut traces = vec![Self::new(format!("the text {text}"), text.as_bytes())];
        // One label alone is found as text already.
        if text.contains('.') {
            traces.push(Self::new(format!("the name {text}"), &labels));
        }
        traces
    }

    /// An address: its octets, its text, its digits, and the name that leads back from it.
    pub(super) fn of_address(address: IpAddr) -> Vec<Self> {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let labels: Vec<String> = match address {
            IpAddr::V4(_) => octets.iter().map(ToString::to_string).collect(),
            IpAddr::V6(_) => digits.chars().map(String::from).collect(),
        };
        let back: Vec<String> = labels.iter().rev().cloned().collect();
        let mut traces = vec![Self::new(format!("the octets of {address}"), &octets)];
        for text in [address.to_string(), digits, labels.join("."), labels.join("-"), back.join(".")] {
            traces.extend(Self::of_text(&text));
        }
        traces
    }

    fn is_in(&self, message: &[u8]) -> bool {
        message.windows(self.octets.len()).any(|window| window.eq_ignore_ascii_case(&self.octets))
    }
}

#[test]
fn a_trace_is_found_in_octets_in_text_and_in_names() {
    let address: IpAddr = "127.66.77.88".parse().unwrap();
    let mut hidden = Trace::of_address(address);
    hidden.extend(Trace::of_text("marker.test"));
    for (message, shows) in [
        (&b"\x00\x7f\x42\x4d\x58\x00"[..], "the octets of 127.66.77.88"),
        (b"refused by 127.66.77.88:53", "the text 127.66.77.88"),
        (b"\x0288\x0277\x0266\x03127\x07in-addr\x04arpa\x00", "the name 88.77.66.127"),
        (b"host-127-66-77-88", "the text 127-66-77-88"),
        (b"0x7F424D58", "the text 7f424d58"),
        (b"\x06MARKER\x04test\x00", "the name marker.test"),
    ] {
        let mut collector = Collector::default();
        collector.add("asked", message.to_vec());
        assert!(collector.showing(&hidden).contains(&format!("asked: {shows}")), "{shows}");
    }
    let mut collector = Collector::default();
    collector.add("asked", b"\x7f\x42\x4d 127.66.77 marker".to_vec());
    assert_eq!(collector.showing(&hidden), [""; 0]);
}
