//! What zones are made of: small features, put where the dice say.
//!
//! They come below one another, across one another, into one another's way. Few labels are drawn from, so that names
//! meet: data lands below cuts and DNAMEs, between wildcards and below empty non-terminals without being sent there on
//! purpose.
//!
//! Left out because nothing defines their answers: NS, DS and DNAME at wildcards (RFC 4592 §4.2, §4.4, RFC 6672
//! §2.3), data beside a CNAME, a DNAME beside another.

use testing::dice::Dice;

use crate::draft::{Draft, join};
use crate::zones::is_below;

/// Labels as zone files write them. The first ones come more often.
const LABELS: [&str; 26] = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "a",
    "b",
    "c",
    "A",
    "www",
    "Mail",
    "x",
    "_tcp",
    "_443",
    "*",
    "-",
    "1",
    "zz",
    "a\\.b",
    "\\000",
    "\\000\\001",
    "\\255",
    "\\\\x",
    "\\032",
    "x-------------------------------------------------------------x",
    "B0",
];
const COMMON_LABELS: u64 = 8;
const TTLS: [u32; 8] = [0, 1, 60, 300, 300, 3_600, 86_400, 604_800];

/// Data that names nothing else, with types that servers know well or not at all.
const DATA: [(&str, &str); 26] = [
    ("A", "192.0.2.1"),
    ("A", "192.0.2.2"),
    ("AAAA", "2001:db8::1"),
    ("AAAA", "2001:db8::2"),
    ("TXT", "\"one\" \"two \\\" \\\\ \\200\""),
    ("TXT", "\"\""),
    ("TYPE65280", "\\# 4 DEADBEEF"),
    ("TYPE65280", "\\# 0"),
    ("TYPE4711", "\\# 1 00"),
    ("CAA", "0 issue \"ca.example.net\""),
    ("CAA", "128 iodef \"mailto:x@example.net\""),
    ("TLSA", "3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"),
    ("SSHFP", "4 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"),
    ("LOC", "48 51 0.000 N 2 17 0.000 E 35.00m 1.00m 10000.00m 10.00m"),
    ("URI", "10 1 \"https://example.net/\""),
    ("HINFO", "\"cpu\" \"os\""),
    ("AFSDB", "1 Afs.example.net."),
    ("RP", "who.example.net. What.example.net."),
    ("PTR", "Host.example.net."),
    ("CERT", "PKIX 0 0 AQIDBA=="),
    ("OPENPGPKEY", "AQIDBA=="),
    ("EUI48", "00-00-5e-00-53-2a"),
    ("CDS", "0 0 0 00"),
    ("CSYNC", "66 3 A NS AAAA"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("NAPTR", "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:x@example.net!\" ."),
];

pub(crate) struct Sketch<'a> {
    pub(crate) draft: Draft,
    /// Of the zones that are drawn together.
    pub(crate) apexes: &'a [String],
    pub(crate) dice: &'a mut Dice,
}

impl Sketch<'_> {
    pub(crate) fn apex_records(&mut self) {
        let apex = self.draft.apex.clone();
        let (soa_ttl, minimum) = (self.ttl(), *self.dice.pick(&[0, 60, 300, 3_600, 86_400]));
        let soa = format!("Ns1.{} host\\.master.example.net. 7 7200 3600 1209600 {minimum}", no_root(&apex));
        self.draft.add(&apex, "SOA", soa_ttl, soa);
        let ttl = self.ttl();
        if apex != "." {
            self.draft.add(&apex, "NS", ttl, "ns.example.net.");
        }
    }

    pub(crate) fn own_name_server(&mut self) {
        let apex = self.draft.apex.clone();
        // A label that nothing else draws: BIND loads no zone whose own name server has no address.
        let host = self.draft.name("Ns1");
        self.draft.add(&apex, "NS", 0, host.clone());
        self.draft.add(&host, "A", 300, "192.0.2.53");
        if self.dice.percent(50) {
            self.draft.add(&host, "AAAA", 60, "2001:db8::53");
        }
    }

    pub(crate) fn dname_at_apex(&mut self) {
        let apex = self.draft.apex.clone();
        let target = if self.dice.percent(30) { self.long_name() } else { self.target() };
        let ttl = self.ttl();
        self.draft.add(&apex, "DNAME", ttl, target);
        self.draft.add(&apex, "MX", 60, format!("10 {}", self.draft.name("Ns1")));
        self.draft.add(&apex, "TXT", 60, "\"beside a DNAME\"");
    }

    pub(crate) fn feature(&mut self) {
        let owner = self.owner();
        // The apex has its own name servers, and a DNAME only where nothing else is.
        let is_apex = owner == self.draft.apex;
        match self.dice.below(100) {
            0..20 => self.data(&owner),
            20..32 => self.services(&owner),
            32..44 => self.wildcard(&owner),
            44..58 => self.alias(&owner),
            58..64 if !is_apex => self.subtree(&owner),
            64..80 if !is_apex => self.cut(&owner),
            80..88 => self.below_something(),
            88..92 => self.deep(&owner),
            92..95 => self.chain(&owner),
            95..97 => self.circle(&owner),
            _ => self.crowd(&owner),
        }
    }

    fn data(&mut self, owner: &str) {
        for _ in 0..self.dice.between(1, 4) {
            let (rtype, data) = *self.dice.pick(&DATA);
            let ttl = self.ttl();
            self.draft.add(owner, rtype, ttl, data);
        }
    }

    /// Types that name a host.
    fn services(&mut self, owner: &str) {
        let ttl = self.ttl();
        let rtype = *self.dice.pick(&["MX", "SRV", "SVCB", "HTTPS", "NAPTR", "KX", "AFSDB"]);
        for number in 0..self.dice.between(1, 3) {
            let target = if self.dice.percent(8) { ".".into() } else { self.target() };
            let data = match rtype {
                "SRV" => format!("{number} 0 443 {target}"),
                // Mode 0 is an alias (RFC 9460 §2.4.2).
                "SVCB" | "HTTPS" if self.dice.percent(30) => format!("0 {target}"),
                "SVCB" | "HTTPS" => format!("{} {target} alpn=\"h2\" port=8443", number + 1),
                "NAPTR" => format!("{number} 0 \"{}\" \"x\" \"\" {target}", self.dice.pick(&["s", "a", ""])),
                _ => format!("{number} {target}"),
            };
            self.draft.add(owner, rtype, ttl, data);
        }
    }

    fn wildcard(&mut self, parent: &str) {
        let owner = join("*", parent);
        match self.dice.below(4) {
            0 => self.alias(&owner),
            1 => self.services(&owner),
            _ => self.data(&owner),
        }
    }

    fn alias(&mut self, owner: &str) {
        let (ttl, target) = (self.ttl(), self.target());
        self.draft.add(owner, "CNAME", ttl, target);
    }

    fn subtree(&mut self, owner: &str) {
        // NSD takes what the zone below has for names that this DNAME would hide.
        let is_in_another = |apex: &&String| is_below(apex, &self.draft.apex) && is_below(owner, apex);
        if self.apexes.iter().any(|apex| is_in_another(&apex)) {
            return;
        }
        let ttl = self.ttl();
        let target = if self.dice.percent(25) { self.long_name() } else { self.target() };
        self.draft.add(owner, "DNAME", ttl, target);
        if self.dice.percent(40) {
            self.data(owner);
        }
        if self.dice.percent(40) {
            let below = self.child(owner);
            self.data(&below);
        }
    }

    pub(crate) fn cut(&mut self, owner: &str) {
        let ttl = self.ttl();
        for _ in 0..self.dice.between(1, 3) {
            let host = self.name_server(owner);
            self.draft.add(owner, "NS", ttl, host);
        }
        if self.dice.percent(50) {
            let ttl = self.ttl();
            let digest = "49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD";
            self.draft.add(owner, "DS", ttl, format!("{} 13 2 {digest}", self.dice.below(65_536)));
        }
    }

    /// With glue below the cut, beside it or above it, or without any.
    fn name_server(&mut self, cut: &str) -> String {
        let host = match self.dice.below(6) {
            0 | 1 => join("ns", cut),
            2 => self.child(cut),
            3 => match self.draft.with("NS") {
                cuts if cuts.is_empty() => join("ns2", cut),
                cuts => join("ns", self.dice.pick(&cuts).as_str()),
            },
            4 => return self.target(),
            _ => return "ns.example.net.".into(),
        };
        for (rtype, data, chance) in [("A", "192.0.2.54", 80), ("AAAA", "2001:db8::54", 50)] {
            if self.dice.percent(chance) {
                let ttl = self.ttl();
                self.draft.add(&host, rtype, ttl, data);
            }
        }
        host
    }

    /// What no query shall see as data: names below cuts and DNAMEs.
    fn below_something(&mut self) {
        let above = if self.dice.percent(70) { self.draft.with("NS") } else { self.draft.with("DNAME") };
        if above.is_empty() {
            return;
        }
        let above = self.dice.pick(&above).clone();
        let owner = self.child(&above);
        match self.dice.below(5) {
            0 => self.cut(&owner),
            1 => self.wildcard(&owner),
            2 => self.alias(&owner),
            3 => self.subtree(&owner),
            _ => self.data(&owner),
        }
    }

    /// Many names that are there only because one is there below them.
    fn deep(&mut self, owner: &str) {
        let mut name = owner.to_owned();
        for _ in 0..self.dice.between(3, 12) {
            name = self.child(&name);
        }
        if self.dice.percent(30) { self.wildcard(&name) } else { self.data(&name) }
    }

    /// Aliases behind one another, perhaps more than anybody follows.
    fn chain(&mut self, owner: &str) {
        let length = self.dice.between(2, 22);
        for step in 0..length {
            let (ttl, next) = (self.ttl(), join(&format!("chain{}", step + 1), owner));
            self.draft.add(&join(&format!("chain{step}"), owner), "CNAME", ttl, next);
        }
        let end = join(&format!("chain{length}"), owner);
        if self.dice.percent(50) { self.data(&end) } else { self.alias(&end) }
    }

    fn circle(&mut self, owner: &str) {
        let length = self.dice.between(1, 3);
        for step in 0..length {
            let next = join(&format!("circle{}", (step + 1) % length), owner);
            self.draft.add(&join(&format!("circle{step}"), owner), "CNAME", 60, next);
        }
    }

    /// An RRset that is too large for some datagrams, or all.
    fn crowd(&mut self, owner: &str) {
        let ttl = self.ttl();
        let many = self.dice.between(10, 60);
        match self.dice.below(3) {
            0 => (0..many).for_each(|number| {
                self.draft.add(owner, "A", ttl, format!("198.51.100.{number}"));
            }),
            1 => (0..many).for_each(|number| {
                self.draft.add(owner, "TXT", ttl, format!("\"a long text that takes some room, number {number}\""));
            }),
            _ => (0..many / 3).for_each(|number| {
                let host = self.draft.name(&format!("host{number}"));
                self.draft.add(&host, "A", 300, format!("198.51.100.{number}"));
                self.draft.add(&host, "AAAA", 300, format!("2001:db8::{number}"));
                self.draft.add(owner, "MX", ttl, format!("{number} {host}"));
            }),
        }
    }

    fn ttl(&mut self) -> u32 {
        *self.dice.pick(&TTLS)
    }

    fn label(&mut self) -> &'static str {
        let common = self.dice.percent(60);
        let end = if common { COMMON_LABELS } else { LABELS.len() as u64 };
        LABELS[self.dice.below(end) as usize]
    }

    fn child(&mut self, name: &str) -> String {
        join(self.label(), name)
    }

    fn name(&mut self) -> String {
        let names: Vec<&str> = self.draft.names().collect();
        (*self.dice.pick(&names)).to_owned()
    }

    /// Where the next feature goes.
    fn owner(&mut self) -> String {
        let mut name = if self.dice.percent(40) { self.name() } else { self.draft.apex.clone() };
        for _ in 0..self.dice.between(0, 3) {
            name = self.child(&name);
        }
        name
    }

    /// What something leads to.
    fn target(&mut self) -> String {
        match self.dice.below(100) {
            0..45 => self.name(),
            45..65 => {
                let name = self.name();
                self.child(&name)
            }
            65..80 => self.owner(),
            80..88 => self.draft.name("Ns1"),
            88..95 if !self.apexes.is_empty() => join(self.label(), self.dice.pick(self.apexes).as_str()),
            _ => join(self.label(), "example.net."),
        }
    }

    /// A name that leaves little room below it, so that a DNAME to it makes names too long (RFC 6672 §2.2).
    fn long_name(&mut self) -> String {
        let mut name = self.draft.apex.clone();
        let octets_max = self.dice.between(160, 240) as usize;
        while name.len() + 41 < octets_max {
            name = join("long-long-long-long-long-long-long-long", &name);
        }
        name
    }
}

fn no_root(apex: &str) -> &str {
    if apex == "." { "" } else { apex }
}
