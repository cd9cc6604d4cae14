//! The asking side: signing a request and checking the answer, which may be a stream of messages.

use std::sync::Arc;

use super::key::Key;
use super::mac::Mac;
use super::record::{NewTsig, TsigRecord, Unreadable, Variables, digest_variables};
use super::{FUDGE_SECS, UNSIGNED_IN_A_ROW_MAX};
use crate::reason::Reason;
use dns::{Malformed, Rcode};

/// Whether a message of the answer bears a signature of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It and all messages before it are as the primary sent them.
    Verified,
    /// A later signature must cover it: nothing in it may be believed yet.
    Awaited,
}

/// Signs a request of ours in place; what comes back checks the answer to it.
///
/// `now_secs` is the wall clock, in seconds since the Unix epoch; `message` must hold a whole header.
pub fn sign_request(message: &mut Vec<u8>, key: Arc<Key>, now_secs: u64) -> ResponseVerifier {
    let variables = Variables { time_secs: now_secs, fudge_secs: FUDGE_SECS, error: Rcode::NOERROR };
    let algorithm = key.algorithm().wire_name();
    let mut mac = Mac::new(&key);
    mac.update(message);
    digest_variables(key.name().borrow(), algorithm, variables, &[], &mut mac);
    let request_mac = mac.finish();
    let original_id = u16::from_be_bytes([message[0], message[1]]);
    let key_name = key.name().borrow();
    NewTsig { key_name, algorithm, variables, mac: &request_mac, original_id, other: &[] }.append_to(message);
    ResponseVerifier::new(key, &request_mac)
}

/// Checks the messages that answer one signed request, in their order (RFC 8945 §5.3, §5.3.1).
pub struct ResponseVerifier {
    key: Arc<Key>,
    /// Begun with the last MAC, and the unsigned messages since then.
    digest: Mac,
    signed: u64,
    unsigned_in_a_row: u64,
}

impl ResponseVerifier {
    fn new(key: Arc<Key>, request_mac: &[u8]) -> Self {
        let digest = chained(&key, request_mac);
        Self { key, digest, signed: 0, unsigned_in_a_row: 0 }
    }

    /// Checks the next message. After an error the whole answer is to be dropped.
    ///
    /// `now_secs` is the wall clock, in seconds since the Unix epoch.
    pub fn verify(&mut self, message: &[u8], now_secs: u64) -> Result<Signature, Reason> {
        let record = TsigRecord::find(message).map_err(|unreadable| match unreadable {
            Unreadable::Message => Reason::Malformed(Malformed::Truncated),
            Unreadable::Record => Reason::TsigMalformed,
        })?;
        let Some(record) = record else { return self.unsigned(message) };
        self.refused(&record, now_secs)?;
        self.same_key(&record)?;
        let mut mac = std::mem::replace(&mut self.digest, chained(&self.key, record.mac));
        record.digest_message(message, &mut mac);
        if self.signed == 0 {
            record.digest_variables(&mut mac);
        } else {
            record.variables.digest_timers(&mut mac);
        }
        // The MAC before the time: an unverified time says nothing (RFC 8945 §5.2.3).
        if !mac.verify(record.mac) {
            return Err(Reason::TsigWrongMac { key: self.key.name().clone() });
        }
        in_time(&record, now_secs)?;
        self.signed += 1;
        self.unsigned_in_a_row = 0;
        Ok(Signature::Verified)
    }

    fn unsigned(&mut self, message: &[u8]) -> Result<Signature, Reason> {
        if self.signed == 0 {
            return Err(Reason::TsigMissing { key: self.key.name().clone() });
        }
        self.unsigned_in_a_row += 1;
        if self.unsigned_in_a_row > UNSIGNED_IN_A_ROW_MAX {
            return Err(Reason::TsigTooManyUnsigned { limit: UNSIGNED_IN_A_ROW_MAX });
        }
        self.digest.update(message);
        Ok(Signature::Awaited)
    }

    /// What the primary says about our own signature; it does not sign that (RFC 8945 §5.3.2), but for BADTIME,
    /// and an answer with an error in it is of no other use anyway.
    fn refused(&self, record: &TsigRecord<'_>, now_secs: u64) -> Result<(), Reason> {
        let key = || self.key.name().clone();
        match record.variables.error {
            Rcode::NOERROR => Ok(()),
            Rcode::BADKEY => Err(Reason::TsigBadKey { key: key() }),
            Rcode::BADSIG => Err(Reason::TsigBadSig { key: key() }),
            Rcode::BADTIME => {
                let theirs = record.other_time_secs().unwrap_or(now_secs);
                Err(Reason::TsigBadTime { skew_secs: difference(theirs, now_secs) })
            }
            Rcode::BADTRUNC => Err(Reason::TsigBadTrunc),
            _ => Err(Reason::TsigMalformed),
        }
    }

    fn same_key(&self, record: &TsigRecord<'_>) -> Result<(), Reason> {
        let (expected, found) = (self.key.name(), record.key_name.borrow());
        if found != expected.borrow() {
            return Err(Reason::TsigOtherKey { expected: expected.clone(), found: found.to_name() });
        }
        if record.algorithm.borrow() != self.key.algorithm().wire_name() {
            return Err(Reason::TsigOtherAlgorithm { found: record.algorithm.borrow().to_name() });
        }
        let whole = self.key.algorithm().mac_octets();
        match record.mac.len() {
            octets if octets == whole => Ok(()),
            octets if octets < whole => Err(Reason::TsigTruncatedMac { octets: octets as u64 }),
            _ => Err(Reason::TsigMalformed),
        }
    }
}

fn chained(key: &Key, prior_mac: &[u8]) -> Mac {
    let mut digest = Mac::new(key);
    digest.update_with_mac(prior_mac);
    digest
}

fn in_time(record: &TsigRecord<'_>, now_secs: u64) -> Result<(), Reason> {
    let skew_secs = difference(record.variables.time_secs, now_secs);
    if skew_secs.unsigned_abs() > u64::from(record.variables.fudge_secs) {
        return Err(Reason::TsigBadTime { skew_secs });
    }
    Ok(())
}

fn difference(theirs_secs: u64, ours_secs: u64) -> i64 {
    theirs_secs.cast_signed().wrapping_sub(ours_secs.cast_signed())
}
