//! One round: a family of zones, then the root zone, in five servers, and the questions about them.

use std::collections::BTreeSet;

use dns::{Section, Type};
use testing::dice::Dice;
use testing::peer::Software;

use crate::answers::{Heard, Record};
use crate::asking;
use crate::comparison::{Case, Difference, faults_of_ours, faults_of_shortening};
use crate::contents::Contents;
use crate::differences;
use crate::queries::{self, Query, Transport};
use crate::report::{Exhibit, Report};
use crate::servers::Servers;
use crate::signing::Denial;
use crate::zones::{self, Zone};

/// Questions about one zone of a family, and about the root zone.
const QUERIES_FOR_A_ZONE: usize = 600;
const QUERIES_FOR_THE_ROOT: usize = 2_000;

pub(crate) fn run(seed: u64, report: &mut Report) {
    let mut dice = Dice::new(seed);
    let family = zones::draw(&mut dice);
    compare(seed, &family, QUERIES_FOR_A_ZONE, &mut dice, report);
    let denial = *dice.pick(&[
        None,
        Some(Denial::Nsec),
        Some(Denial::Nsec3 { salt: "-", iterations: 0 }),
        Some(Denial::OptOut { salt: "-", iterations: 0 }),
    ]);
    let root = zones::draw_root(denial, &mut dice);
    compare(seed, &[root], QUERIES_FOR_THE_ROOT, &mut dice, report);
}

fn compare(seed: u64, zones: &[Zone], queries_for_each: usize, dice: &mut Dice, report: &mut Report) {
    let servers = Servers::start(zones);
    let queries: Vec<Query> =
        servers.zones.iter().flat_map(|zone| queries::draw(zone, queries_for_each, dice)).collect();
    report.queries += queries.len();
    let heard = ask(&servers, &queries);
    for (query, heard) in queries.iter().zip(&heard) {
        judge(seed, &servers, query, heard, report);
    }
}

/// What was heard for one question: over UDP where it went over UDP, and over TCP where that was needed.
struct Round {
    udp: Option<[Heard; 5]>,
    tcp: Option<[Heard; 5]>,
}

/// Secondo is the first of the five.
fn ask(servers: &Servers, queries: &[Query]) -> Vec<Round> {
    let is_udp = |query: &&Query| query.over == Transport::Udp;
    let by_udp: Vec<&Query> = queries.iter().filter(is_udp).collect();
    let mut answers = ask_all(servers, &by_udp, asking::over_udp).into_iter();
    let udp: Vec<Option<[Heard; 5]>> =
        queries.iter().map(|query| is_udp(&query).then(|| answers.next().expect("one for each"))).collect();
    let needs_tcp: Vec<bool> = udp.iter().map(|udp| udp.as_ref().is_none_or(may_be_short)).collect();
    let by_tcp: Vec<&Query> =
        queries.iter().zip(&needs_tcp).filter(|(_, needs)| **needs).map(|(query, _)| query).collect();
    let mut answers = ask_all(servers, &by_tcp, asking::over_tcp).into_iter();
    let tcp = needs_tcp.into_iter().map(|needs| needs.then(|| answers.next().expect("one for each")));
    udp.into_iter().zip(tcp).map(|(udp, tcp)| Round { udp, tcp }).collect()
}

/// Whether somebody left something out for lack of room: said so, or has other additional records than another.
fn may_be_short(heard: &[Heard; 5]) -> bool {
    fn additional(heard: &Heard) -> Option<&BTreeSet<Record>> {
        if let Heard::Answer(answer) = heard { Some(answer.section(Section::Additional)) } else { None }
    }
    heard.iter().any(Heard::is_truncated) || heard.iter().any(|other| additional(other) != additional(&heard[0]))
}

fn ask_all(
    servers: &Servers,
    queries: &[&Query],
    how: impl Fn(std::net::SocketAddr, &[&Query]) -> Vec<Heard> + Sync,
) -> Vec<[Heard; 5]> {
    let addresses: Vec<_> =
        std::iter::once(servers.ours()).chain(servers.peers().map(|(_, address)| address)).collect();
    let columns: Vec<Vec<Heard>> = std::thread::scope(|scope| {
        let how = &how;
        let threads: Vec<_> = addresses.iter().map(|address| scope.spawn(move || how(*address, queries))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut row = || std::array::from_fn(|column| columns[column].next().expect("an answer for each question"));
    (0..queries.len()).map(|_| row()).collect()
}

fn judge(seed: u64, servers: &Servers, query: &Query, round: &Round, report: &mut Report) {
    let (over, heard) = match (&round.tcp, &round.udp) {
        (Some(heard), _) => (Transport::Tcp, heard),
        (None, Some(heard)) => (Transport::Udp, heard),
        (None, None) => unreachable!("every question is asked in one way at least"),
    };
    let zone = zone_of(&servers.zones, query);
    let exhibit = |peer: Option<Software>, what: String| {
        let is_wanted = |software: &Software| peer.is_none_or(|peer| peer == *software);
        let theirs = servers.peers().map(|(software, _)| software).zip(&heard[1..]);
        let theirs = theirs.filter(|(software, _)| is_wanted(software)).collect();
        let zone = zone.map(|zone| zone.text_around(query.name.borrow())).unwrap_or_default();
        Exhibit { seed, zone, question: query.to_string(), ours: &heard[0], theirs, what }.to_text()
    };
    let Heard::Answer(ours) = &heard[0] else {
        report.unexplained("Secondo does not answer".into(), || exhibit(None, heard[0].to_string()));
        return;
    };
    let mut faults = faults_of_ours(query, over, ours);
    if let Some([Heard::Answer(answer), ..]) = &round.udp {
        faults.extend(faults_of_ours(query, Transport::Udp, answer));
    }
    if let (Some([udp, ..]), Some([tcp, ..])) = (&round.udp, &round.tcp) {
        faults.extend(faults_of_shortening(query, udp, tcp));
    }
    for fault in faults {
        report.unexplained(format!("Secondo alone: {fault}"), || exhibit(None, fault));
    }
    for ((software, _), theirs) in servers.peers().zip(&heard[1..]) {
        let Heard::Answer(theirs) = theirs else {
            report.unexplained(format!("{software:?} does not answer"), || exhibit(None, theirs.to_string()));
            continue;
        };
        let case = Case { query, zone, zones: &servers.zones, peer: software, ours, theirs };
        if !case.names_on_the_way().all(|name| case.is_in_what_they_serve(name)) {
            continue;
        }
        let mut difference = Difference::between(ours, theirs);
        let used = differences::explain(&case, &mut difference);
        if difference.is_none() {
            report.used(&used, software);
        } else {
            let rcodes =
                if difference.rcode { format!(" {} for {}", ours.rcode, theirs.rcode) } else { String::new() };
            let sort = format!("{software:?}: {difference}{rcodes}");
            report.unexplained(sort.clone(), || exhibit(None, sort));
        }
    }
}

/// The zone that answers: the longest that the name lies in, and for DS the one above (RFC 4035 §3.1.4.1).
fn zone_of<'a>(zones: &'a [Contents], query: &Query) -> Option<&'a Contents> {
    let name = query.name.borrow();
    let longest = |is_candidate: &dyn Fn(&Contents) -> bool| {
        let candidates = zones.iter().filter(|zone| name.is_at_or_below(zone.apex.borrow()) && is_candidate(zone));
        candidates.max_by_key(|zone| zone.apex.borrow().label_count())
    };
    let above = longest(&|zone| query.qtype == Type::DS && zone.apex.borrow() != name);
    above.or_else(|| longest(&|_| true))
}
