//! What a primary has, beside what is served: fetched whole, judged, and shown. Nothing becomes of it here.

use std::cmp::Reverse;
use std::net::SocketAddr;

use api::json::{self, ComparedVersion};
use dns::text::record_to_text;
use dns::{RecordRef, Type};
use futures_util::future::join_all;
use transfer::{Fetch, Lane, Meter, Primary};
use xfr::{Outcome, Reason};
use zone::{Diff, Image};

use super::is_of_signing;
use crate::followed::Followed;
use crate::node::Node;
use crate::refresh::reason_of;

/// Records that are shown of a difference.
const LINES_MAX: usize = 100;

/// Whether the zone was copied from there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    On,
    /// What was changed since is to be missed by nobody.
    Back,
}

/// Asks these primaries and compares the newest version that they show with `served`.
///
/// # Errors
/// Of those that were asked, why the first does not show it, or why the newest one does not give it.
pub(crate) async fn compare(
    node: &Node,
    zone: &Followed,
    served: &Image,
    primaries: &[Primary],
    direction: Direction,
) -> Result<json::Comparison, (SocketAddr, Reason)> {
    let probe = async |primary| (primary, node.transfers.probe(&zone.name, primary, Lane::Request).await);
    let (mut shown, mut silent) = (Vec::new(), Vec::new());
    for (primary, probed) in join_all(primaries.iter().map(probe)).await {
        match probed {
            Ok(has) => shown.push((primary, has.soa.serial)),
            Err(reason) => silent.push((primary.address, reason)),
        }
    }
    let is_newest =
        |(_, serial): &&(&Primary, dns::Serial)| !shown.iter().any(|(_, other)| other.is_newer_than(*serial));
    let Some((newest, _)) = shown.iter().find(is_newest).or(shown.first()) else {
        return Err(silent.into_iter().next().expect("a zone has a primary, and each shows something or is silent"));
    };
    let (image, diff) = fetched(node, zone, served, newest).await.map_err(|reason| (newest.address, reason))?;
    let version = judged(served, &image, &diff, direction);
    let silent = silent.iter().map(|(address, reason)| json::SilentPrimary {
        primary: address.to_string(),
        code: reason.code().to_owned(),
    });
    Ok(json::Comparison {
        name: zone.name.to_string(),
        primary: newest.address.to_string(),
        silent: silent.collect(),
        version,
        from_serial: served.serial().0,
        to_serial: image.serial().0,
        removed: diff.removed.len() as u64,
        added: diff.added.len() as u64,
        lines: lines(&diff),
        digest: image.digest().to_string(),
        needs_word: needs_word(version),
        said: said(version, served, &image, &diff),
    })
}

/// All that the primary has, and what leads there from what is served.
async fn fetched(node: &Node, zone: &Followed, served: &Image, primary: &Primary) -> Result<(Image, Diff), Reason> {
    let fetched = node.transfers.fetch(&zone.name, primary, Fetch::Axfr, Lane::Request, &Meter::default()).await?;
    // What has come takes memory until the end of this.
    let _share = fetched.share;
    let Outcome::Change(change) = fetched.outcome else {
        return Err(Reason::Internal { detail: "a whole zone was asked for, and is none".into() });
    };
    let (old, apex, limits, gathered) = (served.clone(), zone.name.clone(), node.contents_limits, fetched.gathered);
    let seed = served.seed();
    let work = move || {
        let advanced = match gathered {
            Some(incoming) => incoming.finish(Some(&old), seed),
            None => zone::advance(apex.borrow(), Some(&old), &change, seed, limits),
        };
        let image = advanced.map_err(reason_of)?.image;
        let diff = zone::between(&old, &image);
        Ok((image, diff))
    };
    node.long_work.begin(work).await.map_err(|error| Reason::Internal { detail: error.to_string() })?
}

fn judged(served: &Image, has: &Image, diff: &Diff, direction: Direction) -> ComparedVersion {
    let (ours, theirs) = (served.serial(), has.serial());
    match () {
        () if served.digest() == has.digest() => ComparedVersion::Same,
        () if ours == theirs => ComparedVersion::Differs,
        () if !theirs.is_newer_than(ours) => ComparedVersion::Older,
        () if direction == Direction::Back && lacking(diff) > 0 => ComparedVersion::Lacks,
        () => ComparedVersion::Newer,
    }
}

fn needs_word(version: ComparedVersion) -> bool {
    match version {
        ComparedVersion::Same | ComparedVersion::Newer => false,
        ComparedVersion::Lacks | ComparedVersion::Older | ComparedVersion::Differs => true,
    }
}

/// Records that would go, but for those that each version and each signing makes anew.
fn lacking(diff: &Diff) -> usize {
    diff.removed.iter().filter(|record| record.rtype != Type::SOA && !is_of_signing(record.rtype)).count()
}

fn said(version: ComparedVersion, served: &Image, has: &Image, diff: &Diff) -> String {
    let (ours, theirs) = (served.serial().0, has.serial().0);
    let export = "load the zone file that is exported here there";
    match version {
        ComparedVersion::Same => format!("it has exactly what is served, with serial {ours}"),
        ComparedVersion::Newer => format!("its serial {theirs} is newer than {ours}, which is served"),
        ComparedVersion::Lacks => format!(
            "its serial {theirs} is newer than {ours}, but it lacks {} records that are served now, because they were changed at \
             another primary meanwhile: bring those changes to it, or {export}, with a serial above {theirs}",
            lacking(diff)
        ),
        ComparedVersion::Older => format!(
            "its serial {theirs} is not newer than {ours}, which is served: bring to it what was changed meanwhile, or {export}, \
             with a serial above {ours}; others that copy the zone from us take no lower one"
        ),
        ComparedVersion::Differs => format!(
            "it has other records with the serial {ours}, which is served: see what differs, and raise its serial there; others \
             that copy the zone from us cannot tell the two apart"
        ),
    }
}

/// The first records that go and come; those that signing makes are of interest to nobody, and last.
fn lines(diff: &Diff) -> Vec<String> {
    let line = |sign: char| {
        move |record: RecordRef<'_>| {
            (is_of_signing(record.rtype), Reverse(sign), format!("{sign} {}", record_to_text(record)))
        }
    };
    let sides = [(&diff.removed, '-'), (&diff.added, '+')];
    let mut first: Vec<_> = sides
        .iter()
        .flat_map(|(records, sign)| {
            let (plain, of_signing) = (
                |record: &RecordRef<'_>| !is_of_signing(record.rtype),
                |record: &RecordRef<'_>| is_of_signing(record.rtype),
            );
            records.iter().filter(plain).chain(records.iter().filter(of_signing)).take(LINES_MAX).map(line(*sign))
        })
        .collect();
    first.sort();
    first.into_iter().take(LINES_MAX).map(|(_, _, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use api::json::ComparedVersion;

    use super::super::tests::image;
    use super::{Direction, judged, lines};

    fn version(serial: u32, hosts: &str) -> zone::Image {
        let hosts: String = hosts.split_whitespace().map(|host| format!("{host} 60 A 192.0.2.1\n")).collect();
        image(&format!("@ 60 SOA ns host {serial} 60 60 600 60\n@ 60 NS ns\n{hosts}"))
    }

    #[test]
    fn what_a_primary_has_is_judged_by_its_serial_and_on_the_way_back_by_what_it_lacks() {
        for (serial, hosts, on, back) in [
            (5, "a b", ComparedVersion::Same, ComparedVersion::Same),
            (6, "a b c", ComparedVersion::Newer, ComparedVersion::Newer),
            (6, "a", ComparedVersion::Newer, ComparedVersion::Lacks),
            (4, "a b c", ComparedVersion::Older, ComparedVersion::Older),
            (5, "a", ComparedVersion::Differs, ComparedVersion::Differs),
            // RFC 1982 §3.2: half of the circle away, and so neither older nor newer.
            (5 + (1 << 31), "a b", ComparedVersion::Older, ComparedVersion::Older),
        ] {
            let (served, has) = (version(5, "a b"), version(serial, hosts));
            let diff = zone::between(&served, &has);
            let judged = |direction| judged(&served, &has, &diff, direction);
            assert_eq!((judged(Direction::On), judged(Direction::Back)), (on, back), "{serial} {hosts}");
        }
        let (served, has) = (version(u32::MAX, "a"), version(3, "a b"));
        let wrapped = judged(&served, &has, &zone::between(&served, &has), Direction::On);
        assert_eq!(wrapped, ComparedVersion::Newer, "serials wrap around");
    }

    #[test]
    fn what_goes_is_shown_before_what_comes() {
        let shown = lines(&zone::between(&version(5, "a b"), &version(6, "b c")));
        assert_eq!(
            shown,
            [
                "- a.example. 60 IN A 192.0.2.1",
                "- example. 60 IN SOA ns.example. host.example. 5 60 60 600 60",
                "+ c.example. 60 IN A 192.0.2.1",
                "+ example. 60 IN SOA ns.example. host.example. 6 60 60 600 60"
            ]
        );
    }
}
