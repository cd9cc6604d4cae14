//! Whatever a primary can send comes back from the text that is written of it.

#![allow(clippy::unwrap_used)]

use dns::text::{record_to_text, zone_from_text};
use dns::{Name, RecordRef, Type, rdata};

/// Types with a format of their own, the awkward ones among them.
const TYPES: [u16; 30] = [
    1, 2, 5, 6, 12, 13, 15, 16, 17, 28, 33, 35, 37, 39, 42, 43, 44, 45, 46, 47, 48, 50, 51, 52, 59, 61, 64, 65, 256,
    257,
];

/// Numbers that are the same at each run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Letters, small numbers, and anything; what zone files give a meaning to comes often.
    fn octet(&mut self) -> u8 {
        let any = self.next().to_be_bytes()[0];
        match self.below(6) {
            0 => 0,
            1 => any % 8,
            2 | 3 => b'a' + any % 26,
            4 => b"\"();@$#\\. \t"[usize::from(any % 11)],
            _ => any,
        }
    }

    fn octets(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.octet()).collect()
    }

    fn name(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        for _ in 0..self.below(4) {
            let label: Vec<u8> = (0..=self.below(6)).map(|_| self.octet()).collect();
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label);
        }
        wire.push(0);
        wire
    }

    fn rdata(&mut self, rtype: u16) -> Vec<u8> {
        if self.below(3) == 0 {
            return self.octets(40);
        }
        match rtype {
            2 | 5 | 12 | 39 => self.name(),
            13 => [self.character_string(), self.character_string()].concat(),
            28 => self.octets(17).into_iter().chain([0; 16]).take(16).collect(),
            6 => [self.name(), self.name(), self.octets(2).repeat(20)].concat(),
            15 => [vec![0, 10], self.name()].concat(),
            17 => [self.name(), self.name()].concat(),
            33 => [vec![0, 1, 0, 2, 0, 53], self.name()].concat(),
            16 => (0..=self.below(3)).flat_map(|_| self.character_string()).collect(),
            35 => [
                vec![0, 1, 0, 2],
                self.character_string(),
                self.character_string(),
                self.character_string(),
                self.name(),
            ]
            .concat(),
            46 => [vec![0, 1, 13, 2], vec![0; 14], self.name(), self.octets(20)].concat(),
            47 => [self.name(), vec![0, 1, 64]].concat(),
            64 | 65 => self.service(),
            257 => [vec![0, 5], b"issue".to_vec(), self.octets(20)].concat(),
            _ => self.octets(40),
        }
    }

    fn character_string(&mut self) -> Vec<u8> {
        let octets = self.octets(20);
        [vec![u8::try_from(octets.len()).unwrap()], octets].concat()
    }

    /// SVCB and HTTPS: the values of parameters need not make sense.
    fn service(&mut self) -> Vec<u8> {
        let mut wire = [vec![0, 1], self.name()].concat();
        let mut key = 0;
        for _ in 0..self.below(4) {
            key += self.below(3);
            let value = self.octets(12);
            wire.extend([0, u8::try_from(key).unwrap(), 0, u8::try_from(value.len()).unwrap()]);
            wire.extend(value);
            key += 1;
        }
        wire
    }
}

#[test]
fn every_record_reads_back_from_its_text_as_it_was() {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut checked = [0_u32; TYPES.len()];
    for round in 0..200_000 {
        let rtype = TYPES[round % TYPES.len()];
        let (owner, data) = (numbers.name(), numbers.rdata(rtype));
        let rtype = Type(rtype);
        let Ok(owner) = Name::from_wire(&owner) else { continue };
        if rdata::check(rtype, &data).is_err() {
            continue;
        }
        checked[round % TYPES.len()] += 1;
        let record = RecordRef { owner: owner.borrow(), rtype, ttl: 60, rdata: &data };
        let text = record_to_text(record);
        let read = zone_from_text(".", &text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((read.len(), read.iter().next()), (1, Some(record)), "{text}");
    }
    assert!(checked.iter().all(|times| *times > 20), "{checked:?}");
}
