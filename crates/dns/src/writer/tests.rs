use super::{CompressionTable, Full, MessageWriter};
use crate::text::zone_from_text;
use crate::{MessageReader, Records, Section};

fn write_all(records: &Records, limit: usize) -> (Vec<u8>, Result<(), Full>) {
    let mut out = vec![0; 65_535];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, limit, &mut table, 7, 0);
    let result = records.iter().try_for_each(|record| writer.record(Section::Answer, record));
    let length = writer.finish();
    out.truncate(length);
    (out, result)
}

fn read_all(message: &[u8]) -> Records {
    let mut reader = MessageReader::new(message).unwrap();
    let mut records = Records::new();
    while let Some(record) = reader.record().unwrap() {
        let mut rdata = Vec::new();
        reader.rdata(&record, &mut rdata).unwrap();
        let (owner, rtype, ttl) = (record.owner.borrow(), record.rtype, record.ttl);
        records.push(crate::RecordRef { owner, rtype, ttl, rdata: &rdata });
    }
    reader.finish().unwrap();
    records
}

const ZONE: &str = "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\n@ 60 MX 10 Mail\nwww 60 CNAME @\n\
                    WWW.sub 60 TXT \"x\"\nd 60 DNAME www.sub\ns 60 SRV 1 2 3 ns1\n";

#[test]
fn what_is_written_is_read_to_the_letter() {
    let records = zone_from_text("Example.", ZONE).unwrap();
    let (message, result) = write_all(&records, 65_535);
    assert_eq!(result, Ok(()));
    assert_eq!(read_all(&message), records);
    assert!(message.len() < 220, "names are compressed: {} octets", message.len());
}

#[test]
fn a_record_is_there_whole_or_not_at_all() {
    let records = zone_from_text("Example.", ZONE).unwrap();
    let (whole, _) = write_all(&records, 65_535);
    for limit in 12..whole.len() {
        let (message, result) = write_all(&records, limit);
        assert_eq!(result, Err(Full));
        assert!(message.len() <= limit);
        let read = read_all(&message);
        assert!(records.iter().take(read.len()).eq(read.iter()));
    }
}

#[test]
fn messages_follow_each_other_and_each_is_read_by_itself() {
    let records = zone_from_text("Example.", ZONE).unwrap();
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
    for _ in 0..2 {
        records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
        let mut message = Vec::new();
        writer.pour_into(&mut message);
        assert_eq!(read_all(&message), records);
    }
}

#[test]
fn nothing_points_to_what_stood_in_the_message_before() {
    let records = zone_from_text("Example.", "@ 60 TXT \"x\"\n@ 60 NS ns\n").unwrap();
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
    let name = records.iter().next().unwrap().owner.into();
    writer.question(&crate::Question { name, qtype: crate::Type::AXFR, qclass: crate::CLASS_IN }).unwrap();
    for _ in 0..3 {
        records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
        let mut message = Vec::new();
        writer.pour_into(&mut message);
        assert_eq!(read_all(&message), records);
    }
}

#[test]
fn every_name_points_to_as_much_of_it_as_has_been_written() {
    // Few labels, so that names share them in every way; of 8 octets and more, so that hashes go by parts of them.
    let labels = ["a", "A", "b", "abcdefgh", "abcdefghi", "abcdefgh-ijklmnop", "abcdefgh+ijklmnop", "\\004b"];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % limit
    };
    for _ in 0..2_000 {
        let mut name = || {
            let text: String = (0..below(6)).map(|_| format!("{}.", labels[below(labels.len())])).collect();
            if text.is_empty() { crate::Name::root() } else { text.parse::<crate::Name>().unwrap() }
        };
        let question = name();
        let names: Vec<crate::Name> = (0..12).map(|_| name()).collect();
        let mut out = vec![0; 4096];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 4096, &mut table, 7, 0);
        let asked = question.borrow().into();
        writer.question(&crate::Question { name: asked, qtype: crate::Type::A, qclass: crate::CLASS_IN }).unwrap();
        let mut written: Vec<&[u8]> = suffixes(&question);
        let mut records = Records::new();
        for pair in names.chunks_exact(2) {
            let taken_back = name();
            let (mark, owner) = (writer.mark(), taken_back.borrow());
            let record = crate::RecordRef { owner, rtype: crate::Type::NS, ttl: 60, rdata: pair[1].as_wire() };
            writer.record(Section::Answer, record).unwrap();
            writer.rollback(mark);
            let (owner, rdata) = (pair[0].borrow(), pair[1].as_wire());
            let record = crate::RecordRef { owner, rdata, ..record };
            let before = writer.len();
            writer.record(Section::Answer, record).unwrap();
            let mut expected = 10;
            for name in pair {
                let known = suffixes(name).into_iter().find(|suffix| written.contains(suffix));
                expected += name.as_wire().len() + known.map_or(0, |_| 2) - known.map_or(0, <[u8]>::len);
                written.extend(suffixes(name));
            }
            assert_eq!(writer.len() - before, expected, "{question} {names:?}");
            records.push(record);
        }
        let length = writer.finish();
        assert_eq!(read_all(&out[..length]), records);
    }
}

/// All suffixes of a name but the root, from the longest on.
fn suffixes(name: &crate::Name) -> Vec<&[u8]> {
    let above = std::iter::successors(Some(name.borrow()), |name: &crate::NameRef<'_>| name.parent());
    above.filter(|name| !name.is_root()).map(crate::NameRef::as_wire).collect()
}

#[test]
fn what_was_taken_back_is_not_pointed_to() {
    let records = zone_from_text("example.", "a.b.c 60 A 192.0.2.1\n").unwrap();
    let other = zone_from_text("example.", "z 60 TXT \"........................\"\na.b.c 60 A 192.0.2.1\n").unwrap();
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, 7, 0);
    let mark = writer.mark();
    records.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
    writer.rollback(mark);
    other.iter().for_each(|record| writer.record(Section::Answer, record).unwrap());
    let length = writer.finish();
    assert_eq!(read_all(&out[..length]), other);
}
