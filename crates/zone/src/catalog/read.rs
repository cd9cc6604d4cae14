//! Reading a catalog from the contents of its zone.
//!
//! A catalog is read whole or it is broken, and then what was read before stays as it is (RFC 9432 §5.1): half of a
//! catalog would remove the other half's zones. Records that mean nothing to us are no fault (§3), whether they are
//! custom properties (§4.4), properties of a later day, or a known name with another type.
//!
//! An expired catalog must not be read either (§5.1); contents do not tell, so that this is up to the caller.

use dns::{Name, NameBuf, NameRef, Type};

use super::{Entry, Label, Listing};
use crate::image::{Image, Owner, Rrset};

/// The most members: a service's, not a registry's. A listing then takes some 200 MiB.
const MEMBERS_MAX: usize = 1_000_000;
/// The most groups of one member: one for each operator who consumes the catalog, and room to spare.
const GROUPS_MAX: u16 = 64;

/// Labels as a name holds them, with their length.
pub(super) const VERSION: &[u8] = b"\x07version";
pub(super) const ZONES: &[u8] = b"\x05zones";
const GROUP: &[u8] = b"\x05group";
const COO: &[u8] = b"\x03coo";

/// Why a zone cannot be read as a catalog; whoever makes it has to mend it. Until then its members stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("it has no TXT record at version.{catalog}, as every catalog zone must (RFC 9432 §4.2.1)")]
    NoVersion { catalog: Name },
    #[error("it has more than one TXT record at version.{catalog} (RFC 9432 §4.2.1)")]
    SeveralVersions { catalog: Name },
    #[error("its version is \"{found}\", and only \"2\" can be read (RFC 9432 §4.2.1)")]
    UnknownVersion { found: String },
    #[error("{node} has more than one PTR record, and may name one zone only (RFC 9432 §4.1)")]
    SeveralZones { node: Name },
    #[error("{zone} is listed twice, as {first} and as {second} (RFC 9432 §4.1)")]
    ListedTwice { zone: Name, first: Label, second: Label },
    #[error("{zone} is given to more than one catalog: there are several PTR records at {node} (RFC 9432 §4.3.1)")]
    SeveralOwners { zone: Name, node: Name },
    #[error("the PTR record at {node} holds no name")]
    NoName { node: Name },
    #[error("{zone} has more than {GROUPS_MAX} groups")]
    TooManyGroups { zone: Name },
    #[error("it lists more than {MEMBERS_MAX} zones")]
    TooManyMembers,
}

/// What the catalog lists. Its zone must not have expired.
///
/// # Errors
/// When any part of it is invalid.
pub fn read(image: &Image) -> Result<Listing, Broken> {
    check_version(image)?;
    let mut entries = Vec::new();
    for node in nodes(image) {
        if entries.len() == MEMBERS_MAX {
            return Err(Broken::TooManyMembers);
        }
        entries.extend(entry(image, node)?);
    }
    entries.sort_by(|a, b| a.zone.cmp(&b.zone).then_with(|| a.label.cmp(&b.label)));
    if let Some([first, second]) = entries.array_windows().find(|[first, second]| first.zone == second.zone) {
        let (zone, first, second) = (first.zone.clone(), first.label.clone(), second.label.clone());
        return Err(Broken::ListedTwice { zone, first, second });
    }
    Ok(Listing { catalog: image.apex().to_name(), serial: image.serial(), entries })
}

fn check_version(image: &Image) -> Result<(), Broken> {
    let catalog = || image.apex().to_name();
    let Some(versions) = property(image, image.apex(), VERSION, Type::TXT) else {
        return Err(Broken::NoVersion { catalog: catalog() });
    };
    let mut records = versions.records();
    match (records.next(), records.next()) {
        (Some(version), None) => match sole_string(version.rdata) {
            Some(b"2") => Ok(()),
            _ => Err(Broken::UnknownVersion { found: shown(version.rdata) }),
        },
        _ => Err(Broken::SeveralVersions { catalog: catalog() }),
    }
}

/// The owners directly below `zones`.
fn nodes(image: &Image) -> impl Iterator<Item = Owner<'_>> {
    let zones = below(image.apex(), ZONES).and_then(|name| image.owner(name.borrow()));
    zones.into_iter().flat_map(|zones| {
        let (name, labels) = (zones.name(), zones.name().label_count() + 1);
        let below = image.owners_from(name).skip(1).take_while(move |owner| owner.name().is_below(name));
        below.filter(move |owner| owner.name().label_count() == labels)
    })
}

/// The zone that a node lists; none when it has no PTR record.
fn entry(image: &Image, node: Owner<'_>) -> Result<Option<Entry>, Broken> {
    let name = || node.name().to_name();
    let Some(pointers) = node.rrset(Type::PTR) else {
        return Ok(None);
    };
    if pointers.record_count() > 1 {
        return Err(Broken::SeveralZones { node: name() });
    }
    let zone = target(pointers)?;
    let coo = match property(image, node.name(), COO, Type::PTR) {
        Some(owners) if owners.record_count() > 1 => {
            let node = below(node.name(), COO).map_or_else(name, |node| node.borrow().to_name());
            return Err(Broken::SeveralOwners { zone, node });
        }
        owners => owners.map(target).transpose()?,
    };
    let groups = match property(image, node.name(), GROUP, Type::TXT) {
        Some(groups) if groups.record_count() > GROUPS_MAX => return Err(Broken::TooManyGroups { zone }),
        groups => groups.map(group_names).unwrap_or_default(),
    };
    Ok(Some(Entry { zone, label: label(node.name()), groups, coo }))
}

/// The names of groups. A value that cannot be one of ours (several strings, an empty one, not UTF-8, control
/// characters) is one that we do not understand, and those are ignored (RFC 9432 §4.3.2).
fn group_names(groups: Rrset<'_>) -> Vec<String> {
    let is_name = |text: &&str| !text.is_empty() && !text.contains(char::is_control);
    let text = |rdata| std::str::from_utf8(sole_string(rdata)?).ok().filter(is_name);
    let mut names: Vec<String> =
        groups.records().filter_map(|record| text(record.rdata)).map(str::to_owned).collect();
    names.sort();
    names
}

fn property<'a>(image: &'a Image, node: NameRef<'_>, label: &[u8], rtype: Type) -> Option<Rrset<'a>> {
    image.owner(below(node, label)?.borrow())?.rrset(rtype)
}

/// The name one label further down; none when it would be too long to exist.
fn below(name: NameRef<'_>, label: &[u8]) -> Option<NameBuf> {
    NameBuf::concatenate(label, name).ok()
}

fn label(node: NameRef<'_>) -> Label {
    let octets = node.labels().next().map_or(0, |label| 1 + label.len());
    let name = NameBuf::concatenate(&node.as_wire()[..octets], NameRef::ROOT).unwrap_or_else(|_| NameBuf::root());
    Label(name.borrow().to_name())
}

/// The name that the first PTR record holds.
fn target(pointers: Rrset<'_>) -> Result<Name, Broken> {
    let record = pointers.records().next();
    let name = record.and_then(|record| Name::from_wire(record.rdata).ok());
    name.ok_or_else(|| Broken::NoName { node: record.map_or_else(Name::root, |record| record.owner.to_name()) })
}

/// The only character string of a TXT record; none when it has several.
fn sole_string(rdata: &[u8]) -> Option<&[u8]> {
    let (length, string) = rdata.split_first()?;
    (string.len() == usize::from(*length)).then_some(string)
}

/// The first character string of a TXT record, for people.
fn shown(rdata: &[u8]) -> String {
    let length = rdata.first().map_or(0, |length| usize::from(*length));
    rdata.iter().skip(1).take(length).copied().flat_map(std::ascii::escape_default).map(char::from).collect()
}
