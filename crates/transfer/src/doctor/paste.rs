//! The lines that have a primary give us its zone and tell us of its changes, for each server in its own words.
//!
//! Invariant: a secret is never among them; where one belongs stands [`SECRET`].

use std::net::IpAddr;

use dns::Name;
use xfr::Algorithm;

use super::software::Software;

/// Where the secret belongs, which both sides have already.
pub const SECRET: &str = "SECRET";
/// Where our address belongs, when it is not known.
const OUR_ADDRESS: &str = "OUR-ADDRESS";
const DNS_PORT: u16 = 53;
/// The first listen-on line ends BIND's own, which is port 53 of every address: the world would be answered no more.
const BIND_LISTENS: &str = "\
// A line that begins with listen-on { or listen-on-v6 { and is there already stays, in the place of the one here.
// One of each must be there: without it, BIND would no longer answer on port 53.
listen-on { any; };
listen-on-v6 { any; };
listen-on port 853 tls transfers { any; };
listen-on-v6 port 853 tls transfers { any; };";
/// The first ip-address ends NSD's own, which is port 53 of every address, as BIND's does.
const NSD_LISTENS: &str = "\
server:
    # The ip-address lines that are there stay, and one with @853 comes beside them. Without any for port 53, NSD would
    # no longer answer there.
    #ip-address: ADDRESS
    #ip-address: ADDRESS@853
    tls-port: 853
    tls-service-pem: \"/etc/nsd/transfers.pem\"
    tls-service-key: \"/etc/nsd/transfers.key\"";

/// Who we are to the primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Us {
    /// The address that it sees; none when that is not known.
    pub address: Option<IpAddr>,
    /// Where it is to send its NOTIFYs, if that is another address.
    pub notified: Option<IpAddr>,
    /// The port for them.
    pub port: u16,
    /// Signs the requests and the NOTIFYs.
    pub key: Option<(Name, Algorithm)>,
    pub way: Way,
}

/// How the primary is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ClearText,
    Tls,
}

/// Lines for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paste {
    pub software: Software,
    /// What the lines cannot say; sentences.
    pub notes: Vec<String>,
    pub parts: Vec<Part>,
    /// In the place of `parts` for a server that does not hold the zone yet: with them it holds it, answers our questions for
    /// it and gives it to us.
    pub holding: Vec<Part>,
}

/// Lines for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they go: `in named.conf, in the zone's block`.
    pub place: &'static str,
    pub lines: Vec<String>,
}

impl Paste {
    /// What this server needs to be told about the zone and us.
    pub fn of(software: Software, zone: &Name, us: &Us) -> Self {
        Self::with_file(software, zone, us, &zone_file(zone))
    }

    /// The same where it is known in which file a server that does not hold the zone yet is to find its records.
    pub fn with_file(software: Software, zone: &Name, us: &Us, file: &str) -> Self {
        let words = Words::of(zone, us, file);
        let mut paste = match software {
            Software::Bind => bind(&words, us),
            Software::Knot => knot(&words, us),
            Software::Nsd => nsd(&words, us),
            Software::PowerDns => powerdns(&words, us),
            Software::Yadifa => yadifa(&words, us),
            Software::WindowsDns => windows(&words, us),
        };
        if us.address.is_none() {
            let note = format!("put the address that the primary sees us at in the place of {OUR_ADDRESS}");
            paste.notes.push(note);
        }
        if words.key.is_some() && paste.parts.iter().flat_map(|part| &part.lines).any(|line| line.contains(SECRET)) {
            paste.notes.push(format!("{SECRET} stands for the key's secret in base64, which is said nowhere again"));
        }
        paste
    }
}

/// The same things as every server needs them.
struct Words {
    zone: String,
    /// A name for the file that its records are in.
    file: String,
    address: String,
    /// Where NOTIFYs are sent.
    notified: String,
    port: u16,
    key: Option<(String, String)>,
}

impl Words {
    fn of(zone: &Name, us: &Us, file: &str) -> Self {
        let text = |address: Option<IpAddr>| {
            address.map_or_else(|| OUR_ADDRESS.to_owned(), |address| address.to_canonical().to_string())
        };
        Self {
            zone: bare(zone),
            file: file.to_owned(),
            address: text(us.address),
            notified: text(us.notified.or(us.address)),
            port: us.port,
            key: us.key.as_ref().map(|(name, algorithm)| (bare(name), algorithm.to_string())),
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn paste(software: Software, parts: Vec<Part>, holding: Vec<Part>) -> Paste {
    Paste { software, notes: Vec::new(), parts, holding }
}

/// A name without its last dot.
fn bare(name: &Name) -> String {
    let text = name.to_string();
    if text == "." { text } else { text.trim_end_matches('.').to_owned() }
}

/// A name for the file that the zone's records are in. What is no part of every file system's names, or leads elsewhere, is
/// left out.
pub fn zone_file(zone: &Name) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    match &*bare(zone) {
        "." => "root.zone".to_owned(),
        zone => format!("{}.zone", zone.chars().map(plain).collect::<String>()),
    }
}

/// The same lines within a block.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn bind(words: &Words, us: &Us) -> Paste {
    let Words { address, notified, port, .. } = words;
    let mut parts = Vec::new();
    let (mut allowed, mut signed) = (address.clone(), String::new());
    if let Some((key, algorithm)) = &words.key {
        let text = format!("key \"{key}\" {{\n    algorithm {algorithm};\n    secret \"{SECRET}\";\n}};");
        parts.push(Part { place: "in named.conf, unless the key is there already", lines: lines(&text) });
        allowed = format!("key \"{key}\"");
        signed = format!(" key \"{key}\"");
    }
    let mut over = "";
    if us.way == Way::Tls {
        parts.push(Part {
            place: "in named.conf (BIND 9.18 or later), unless it listens with TLS already",
            lines: lines(
                "tls transfers {\n    cert-file \"/etc/bind/transfers.pem\";\n    key-file \"/etc/bind/transfers.key\";\n};",
            ),
        });
        parts.push(Part {
            place: "in named.conf, within the options block that is there, unless it listens with TLS already",
            lines: lines(BIND_LISTENS),
        });
        over = " port 853 transport tls";
    }
    let at = if *port == DNS_PORT { String::new() } else { format!(" port {port}") };
    let text =
        format!("allow-transfer{over} {{ {allowed}; }};\nnotify yes;\nalso-notify {{ {notified}{at}{signed}; }};");
    let Words { zone, file, .. } = words;
    // Without allow-query the options block says who may ask, which for a hidden primary may be nobody.
    let block = format!(
        "zone \"{zone}\" {{\n    // An old BIND wants: type master;\n    type primary;\n    file \"{file}\";\n    \
         // {{ any; }} where the world asks here too\n    allow-query {{ localhost; {address}; }};\n{}}};",
        indented(&text)
    );
    let mut holding = parts.clone();
    let place = "in named.conf, with the path of the file that holds the zone's records; then: rndc reconfig";
    holding.push(Part { place, lines: lines(&block) });
    parts.push(Part { place: "in named.conf, in the zone's block; then: rndc reconfig", lines: lines(&text) });
    let mut paste = paste(Software::Bind, parts, holding);
    let note = "a zone's own lists go before those of the options block: name whom those name in the zone's too";
    paste.notes.push(note.into());
    paste
}

fn knot(words: &Words, us: &Us) -> Paste {
    let Words { zone, address, notified, port, .. } = words;
    let mut text = String::new();
    let mut with_key = String::new();
    if let Some((key, algorithm)) = &words.key {
        text = format!("key:\n  - id: {key}\n    algorithm: {algorithm}\n    secret: {SECRET}\n");
        with_key = format!("    key: {key}\n");
    }
    text += &format!(
        "remote:\n  - id: secondo\n    address: {notified}@{port}\n{with_key}acl:\n  - id: secondo\n    address: {address}\n\
         {with_key}    action: transfer\nzone:\n  - domain: {zone}\n    notify: secondo\n    acl: secondo"
    );
    let place = "in knot.conf, each below the section of its name; then: knotc reload";
    let part = |text: &str| vec![Part { place, lines: lines(text) }];
    let holding =
        text.replace("    notify: secondo\n", &format!("    file: \"{}\"\n    notify: secondo\n", words.file));
    let mut paste = paste(Software::Knot, part(&text), part(&holding));
    let note =
        "where the zone has others in notify or acl, or its template has, add to them: notify: [ other, secondo ]";
    paste.notes.push(note.into());
    if us.way == Way::Tls {
        paste.notes.push("Knot DNS gives zones over TLS from version 3.5 on (server: listen-tls)".into());
    }
    paste
}

fn nsd(words: &Words, us: &Us) -> Paste {
    let Words { address, notified, port, .. } = words;
    let mut parts = Vec::new();
    let mut with = "NOKEY".to_owned();
    if let Some((key, algorithm)) = &words.key {
        let text = format!("key:\n    name: \"{key}\"\n    algorithm: {algorithm}\n    secret: \"{SECRET}\"");
        parts.push(Part { place: "in nsd.conf, unless the key is there already", lines: lines(&text) });
        with.clone_from(key);
    }
    if us.way == Way::Tls {
        let place =
            "in nsd.conf, unless it listens with TLS already; then restart NSD: nsd-control reconfig does not do";
        parts.push(Part { place, lines: lines(NSD_LISTENS) });
    }
    let at = if *port == DNS_PORT { String::new() } else { format!("@{port}") };
    let text = format!("provide-xfr: {address} {with}\nnotify: {notified}{at} {with}");
    let Words { zone, file, .. } = words;
    let clause = format!("zone:\n    name: \"{zone}\"\n    zonefile: \"{file}\"\n{}", indented(&text));
    let mut holding = parts.clone();
    let place = "in nsd.conf, with the path of the file that holds the zone's records; then: nsd-control reconfig";
    holding.push(Part { place, lines: lines(&clause) });
    let place = "in nsd.conf, in the zone's clause; then: nsd-control reconfig";
    parts.push(Part { place, lines: lines(&text) });
    let mut paste = paste(Software::Nsd, parts, holding);
    if us.way == Way::Tls {
        paste.notes.push("NSD up to 4.6 selects no ALPN: add ,alpn=may-be-missing to the primary here".into());
    }
    paste
}

fn powerdns(words: &Words, us: &Us) -> Paste {
    let Words { zone, address, notified, port, .. } = words;
    let mut text = format!("pdnsutil set-kind {zone} primary\n");
    match &words.key {
        Some((key, algorithm)) => {
            text += &format!(
                "pdnsutil import-tsig-key {key} {algorithm} '{SECRET}'\npdnsutil activate-tsig-key {zone} {key} primary\n"
            );
        }
        None => text += &format!("pdnsutil add-meta {zone} ALLOW-AXFR-FROM {address}\n"),
    }
    let host = if notified.contains(':') { format!("[{notified}]") } else { notified.clone() };
    // Not set-meta, which would forget the other servers that copy the zone.
    text += &format!("pdnsutil add-meta {zone} ALSO-NOTIFY {host}:{port}");
    let with = |place, text: &str| {
        vec![Part { place: "in pdns.conf", lines: lines("primary=yes") }, Part { place, lines: lines(text) }]
    };
    let load = format!("pdnsutil load-zone {zone} {}\n{text}", words.file);
    let place = "in a shell on the primary, with the path of a file that holds the zone's records";
    let mut paste = paste(Software::PowerDns, with("in a shell on the primary", &text), with(place, &load));
    if words.key.is_some() {
        let note = "an address in allow-axfr-ips or ALLOW-AXFR-FROM needs no key: let the primary have none there";
        paste.notes.push(note.into());
    }
    if us.way == Way::Tls {
        paste.notes.push("PowerDNS gives no zones over TLS itself: put a proxy such as dnsdist before it".into());
    }
    paste
}

fn yadifa(words: &Words, us: &Us) -> Paste {
    let Words { zone, address, notified, port, file, .. } = words;
    let mut parts = Vec::new();
    let (mut allowed, mut signed) = (address.clone(), String::new());
    if let Some((key, algorithm)) = &words.key {
        let text =
            format!("<key>\n    name        {key}\n    algorithm   {algorithm}\n    secret      {SECRET}\n</key>");
        parts.push(Part { place: "in yadifad.conf, unless the key is there already", lines: lines(&text) });
        (allowed, signed) = (format!("key {key}"), format!(" key {key}"));
    }
    let place = "in yadifad.conf, in its acl section if there is one";
    parts.push(Part { place, lines: lines(&format!("<acl>\n    secondo     {allowed}\n</acl>")) });
    let at = if *port == DNS_PORT { String::new() } else { format!(" port {port}") };
    let text = format!("allow-transfer  secondo\nnotify          {notified}{at}{signed}");
    let block = format!(
        "<zone>\n    domain          {zone}\n    type            primary\n    file            {file}\n{}    \
         notify-auto     no\n</zone>",
        indented(&text)
    );
    let mut holding = parts.clone();
    let place = "in yadifad.conf, with the file's path below YADIFA's data; then restart YADIFA";
    holding.push(Part { place, lines: lines(&block) });
    let place = "in yadifad.conf, in the zone's section; then restart YADIFA";
    parts.push(Part { place, lines: lines(&text) });
    let mut paste = paste(Software::Yadifa, parts, holding);
    if us.way == Way::Tls {
        paste.notes.push("YADIFA gives no zones over TLS".into());
    }
    paste
}

fn windows(words: &Words, us: &Us) -> Paste {
    let Words { zone, address, notified, port, .. } = words;
    let text = format!(
        "# This replaces both lists: write the servers that are in them already too, with commas between them. They are shown\n\
         # by: Get-DnsServerZone -Name \"{zone}\" | Format-List SecondaryServers, NotifyServers\n\
         Set-DnsServerPrimaryZone -Name \"{zone}\" `\n    -SecureSecondaries TransferToSecureServers -SecondaryServers {address} `\n    \
         -Notify NotifyServers -NotifyServers {notified}"
    );
    let place = "in PowerShell on the primary, as its administrator";
    let add = format!(
        "# The file is in C:\\Windows\\System32\\dns. A zone that Active Directory holds is added in the DNS manager.\n\
         Add-DnsServerPrimaryZone -Name \"{zone}\" -ZoneFile \"{}\" -LoadExisting\n{text}",
        words.file.replace(".zone", ".dns")
    );
    let part = |text: &str| vec![Part { place, lines: lines(text) }];
    let mut paste = paste(Software::WindowsDns, part(&text), part(&add));
    if words.key.is_some() {
        paste.notes.push("Windows DNS signs no transfers: allow the address, and ask it without a key".into());
    }
    if us.way == Way::Tls {
        paste.notes.push("Windows DNS gives no zones over TLS".into());
    }
    if *port != DNS_PORT {
        paste.notes.push(format!("Windows DNS sends NOTIFYs to port 53 alone: have port {port} answer there too"));
    }
    paste
}
