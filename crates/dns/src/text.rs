//! Records in text: zone files (RFC 1035 §5) and presentation format, by the `domain` crate.

use std::fmt::Write;

use domain::base::iana::{Class, Rtype};
use domain::base::name::Name as TextName;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::dep::octseq::Parser;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};

use crate::name::Name;
use crate::rdata;
use crate::record::{RecordRef, Records};
use crate::rtype::Type;

/// Why a text is not a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(String);

impl TextError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Reads the records of a zone file, relative names below `origin`. `$INCLUDE` is refused.
pub fn zone_from_text(origin: &str, text: &str) -> Result<Records, TextError> {
    let origin: Name = origin.parse().map_err(TextError::of)?;
    let origin = TextName::from_octets(bytes::Bytes::copy_from_slice(origin.as_wire())).map_err(TextError::of)?;
    // The reader looks one character beyond a quoted string: there must be one.
    let mut file = Zonefile::from(format!("{text}\n").as_str()).allow_invalid();
    file.set_origin(origin);
    file.set_default_class(Class::IN);
    let mut records = Records::new();
    let mut rdata = Vec::new();
    while let Some(entry) = file.next_entry().map_err(TextError::of)? {
        let Entry::Record(record) = entry else {
            return Err(TextError("$INCLUDE is not allowed here".into()));
        };
        let owner: TextName<Vec<u8>> = domain::base::name::ToName::to_name(record.owner());
        let owner = Name::from_wire(owner.as_slice()).map_err(TextError::of)?;
        let rtype = Type(record.rtype().to_int());
        rdata.clear();
        record.data().compose_rdata(&mut rdata).map_err(TextError::of)?;
        rdata::check(rtype, &rdata).map_err(TextError::of)?;
        records.push(RecordRef { owner: owner.borrow(), rtype, ttl: record.ttl().as_secs(), rdata: &rdata });
    }
    Ok(records)
}

/// Reads one record's data; names must be absolute.
pub fn rdata_from_text(rtype: Type, text: &str) -> Result<Vec<u8>, TextError> {
    let records = zone_from_text(".", &format!(". 0 IN {rtype} {text}\n"))?;
    let record = records.iter().next().ok_or_else(|| TextError("there is no record data".into()))?;
    Ok(record.rdata.to_vec())
}

/// One line of a zone file, without its end of line, that reads back as the same record. Data that its type's own
/// format cannot say so is written in the generic one (RFC 3597 §5).
pub fn record_to_text(record: RecordRef<'_>) -> String {
    let mut line = format!("{} {} IN {} ", record.owner, record.ttl, record.rtype);
    match rdata_to_text(record.rtype, record.rdata).filter(|text| reads_back(record.rtype, record.rdata, text)) {
        Some(text) => line.push_str(&text),
        None => generic_rdata(record.rdata, &mut line),
    }
    line
}

/// Whether the data would be the same after reading its text. `domain` writes names and parameters without the escapes
/// that a reader needs; text without special characters in these types' formats is beyond doubt, and not read again.
fn reads_back(rtype: Type, octets: &[u8], text: &str) -> bool {
    let is_plain =
        |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b" .-_:+/=*".contains(&octet));
    let is_simple = matches!(
        rtype,
        Type::A
            | Type::AAAA
            | Type::NS
            | Type::CNAME
            | Type::PTR
            | Type::MX
            | Type::SOA
            | Type::SRV
            | Type::DS
            | Type::DNSKEY
            | Type::RRSIG
    );
    is_simple && is_plain(text) || rdata_from_text(rtype, text).is_ok_and(|read| read == octets)
}

fn rdata_to_text(rtype: Type, octets: &[u8]) -> Option<String> {
    let mut parser = Parser::from_ref(octets);
    let data = ZoneRecordData::<_, domain::base::ParsedName<_>>::parse_rdata(Rtype::from_int(rtype.0), &mut parser)
        .ok()
        .flatten()?;
    let mut composed = Vec::with_capacity(octets.len());
    data.compose_rdata(&mut composed).ok()?;
    if matches!(data, ZoneRecordData::Unknown(_)) || composed != octets || parser.remaining() > 0 {
        return None;
    }
    Some(data.display_zonefile(DisplayKind::Simple).to_string())
}

fn generic_rdata(octets: &[u8], line: &mut String) {
    let _ = write!(line, "\\# {}", octets.len());
    if !octets.is_empty() {
        line.push(' ');
    }
    for octet in octets {
        let _ = write!(line, "{octet:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::{record_to_text, zone_from_text};

    const ZONE: &str = "\
@ 3600 IN SOA ns1 host\\.master 2026 7200 3600 1209600 300
@ 3600 IN NS ns1
ns1 3600 IN A 192.0.2.1
ns1 3600 IN AAAA 2001:db8::1
@ 60 IN MX 10 Mail
t 60 IN TXT \"one\\\"quote\" \"tw\\\\o\" \"\\200\"
*.w 60 IN CNAME @
x 60 IN TYPE65280 \\# 3 ABCDEF
s 60 IN SVCB 1 . alpn=\"h2\" port=443
c 60 IN CAA 0 issue \"ca.example\"
d 60 IN DS 60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
r 60 IN RP a.example. b.example.
";

    #[test]
    fn a_zone_goes_to_text_and_back() {
        let records = zone_from_text("Example.ORG.", ZONE).unwrap();
        assert_eq!(records.len(), 12);
        let mut text = String::new();
        for record in &records {
            text.push_str(&record_to_text(record));
            text.push('\n');
        }
        assert_eq!(zone_from_text(".", &text).unwrap(), records, "{text}");
    }

    #[test]
    fn text_may_end_anywhere() {
        for end in 0..ZONE.len() {
            // Whether it is a zone then does not matter: it must not panic.
            let _ = zone_from_text("example.", &ZONE[..end]);
        }
        assert!(zone_from_text("example.", "a 60 TXT \"x\" ").is_ok());
    }

    #[test]
    fn include_is_refused() {
        assert!(zone_from_text("example.", "$INCLUDE /etc/passwd\n").is_err());
    }
}
