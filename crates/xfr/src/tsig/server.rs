//! The answering side: checking requests that come to us, and signing what we answer.

use std::sync::Arc;

use dns::{Name, NameRef, Rcode};

use super::FUDGE_SECS;
use super::key::Key;
use super::mac::Mac;
use super::record::{NewTsig, TSIG_OCTETS_MAX, TsigRecord, Variables, digest_variables, time_octets};

/// The shortest MAC that is well-formed at all, in octets; half the algorithm's own where that is more
/// (RFC 8945 §5.2.2.1).
const MAC_OCTETS_MIN: usize = 10;

/// A request whose signature, if any, is right.
#[derive(Debug)]
pub enum Verified {
    Unsigned,
    Signed(SignedRequest),
}

/// A request that bears a right signature.
#[derive(Debug)]
pub struct SignedRequest {
    key: Arc<Key>,
    mac: Vec<u8>,
    message_octets: usize,
}

impl SignedRequest {
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// How many octets the request has before its TSIG record.
    pub fn message_octets(&self) -> usize {
        self.message_octets
    }

    /// Signs the answer to this request.
    pub fn signer(&self) -> ResponseSigner {
        ResponseSigner::new(self.key.clone(), &self.mac)
    }
}

/// What is wrong with a request's signature (RFC 8945 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TsigError {
    FormErr,
    BadKey,
    BadSig,
    BadTime,
    BadTrunc,
}

/// A request whose signature is wrong, and what to answer.
#[derive(Debug)]
pub struct TsigFailure {
    error: TsigError,
    /// None for FORMERR, which is answered without a TSIG record.
    reply: Option<Box<Reply>>,
}

#[derive(Debug)]
struct Reply {
    key_name: Name,
    algorithm: Name,
    time_secs: u64,
    original_id: u16,
    /// The key and the request's MAC, when the answer is to be signed.
    signed_with: Option<(Arc<Key>, Vec<u8>)>,
    other: Vec<u8>,
}

impl TsigFailure {
    pub fn error(&self) -> TsigError {
        self.error
    }

    /// The response code for the answer's header.
    pub fn rcode(&self) -> Rcode {
        match self.error {
            TsigError::FormErr => Rcode::FORMERR,
            _ => Rcode::NOTAUTH,
        }
    }

    /// Appends the TSIG record that the answer needs: none for FORMERR, one without MAC for BADKEY and BADSIG, a
    /// signature for BADTIME and BADTRUNC (RFC 8945 §5.3.2). `answer` must hold a whole header, and room for
    /// [`TSIG_OCTETS_MAX`] more octets in its transport.
    pub fn append_to(&self, answer: &mut Vec<u8>) {
        let Some(reply) = &self.reply else { return };
        let error = match self.error {
            TsigError::FormErr => return,
            TsigError::BadKey => Rcode::BADKEY,
            TsigError::BadSig => Rcode::BADSIG,
            TsigError::BadTime => Rcode::BADTIME,
            TsigError::BadTrunc => Rcode::BADTRUNC,
        };
        let variables = Variables { time_secs: reply.time_secs, fudge_secs: FUDGE_SECS, error };
        let (key_name, algorithm) = (reply.key_name.borrow(), reply.algorithm.borrow());
        let mac = match &reply.signed_with {
            None => Vec::new(),
            Some((key, request_mac)) => {
                let mut mac = Mac::new(key);
                mac.update_with_mac(request_mac);
                mac.update(answer);
                digest_variables(key_name, algorithm, variables, &reply.other, &mut mac);
                mac.finish()
            }
        };
        let original_id = reply.original_id;
        NewTsig { key_name, algorithm, variables, mac: &mac, original_id, other: &reply.other }.append_to(answer);
    }
}

/// Checks a request's signature with the keys that `lookup` finds by their name, case ignored: of several the first that
/// has signed it counts. They are to be few, since anybody can have each tried.
///
/// `now_secs` is the wall clock, in seconds since the Unix epoch.
///
/// # Errors
/// When there is a TSIG record and it is not right in every way. A message that cannot be walked is an error too.
pub fn verify_request<Keys: IntoIterator<Item = Arc<Key>>>(
    message: &[u8],
    lookup: impl FnOnce(NameRef<'_>) -> Keys,
    now_secs: u64,
) -> Result<Verified, TsigFailure> {
    let form_err = || TsigFailure { error: TsigError::FormErr, reply: None };
    let Some(record) = TsigRecord::find(message).map_err(|_| form_err())? else { return Ok(Verified::Unsigned) };
    let failure = |error, signed_with, time_secs, other| {
        let reply = Reply {
            key_name: record.key_name.borrow().to_name(),
            algorithm: record.algorithm.borrow().to_name(),
            time_secs,
            original_id: record.original_id,
            signed_with,
            other,
        };
        TsigFailure { error, reply: Some(Box::new(reply)) }
    };
    let named = lookup(record.key_name.borrow()).into_iter();
    let mut known = named.filter(|key| key.algorithm().wire_name() == record.algorithm.borrow()).peekable();
    let Some(first) = known.peek() else {
        return Err(failure(TsigError::BadKey, None, record.variables.time_secs, vec![]));
    };

    let whole = first.algorithm().mac_octets();
    let octets = record.mac.len();
    if octets > whole || octets < MAC_OCTETS_MIN.max(whole / 2) {
        return Err(form_err());
    }
    let has_signed = |key: &Arc<Key>| {
        let mut mac = Mac::new(key);
        record.digest_message(message, &mut mac);
        record.digest_variables(&mut mac);
        mac.verify_start(record.mac)
    };
    let Some(key) = known.find(has_signed) else {
        return Err(failure(TsigError::BadSig, None, record.variables.time_secs, vec![]));
    };
    let signed_with = Some((key.clone(), record.mac.to_vec()));
    if octets < whole {
        return Err(failure(TsigError::BadTrunc, signed_with, now_secs, vec![]));
    }
    if now_secs.abs_diff(record.variables.time_secs) > u64::from(record.variables.fudge_secs) {
        // RFC 8945 §5.2.3: their time is given back, so that they can verify, and ours beside it.
        let ours = time_octets(now_secs).to_vec();
        return Err(failure(TsigError::BadTime, signed_with, record.variables.time_secs, ours));
    }
    Ok(Verified::Signed(SignedRequest { key, mac: record.mac.to_vec(), message_octets: record.start }))
}

/// Signs the messages that answer one request, in their order (RFC 8945 §5.3, §5.3.1).
pub struct ResponseSigner {
    key: Arc<Key>,
    /// Begun with the last MAC, and the unsigned messages since then.
    digest: Mac,
    signed: u64,
}

impl ResponseSigner {
    fn new(key: Arc<Key>, request_mac: &[u8]) -> Self {
        let mut digest = Mac::new(&key);
        digest.update_with_mac(request_mac);
        Self { key, digest, signed: 0 }
    }

    /// Octets to leave free in each message for its signature.
    pub fn octets(&self) -> usize {
        TSIG_OCTETS_MAX
    }

    /// Signs the next message in place. `message` must hold a whole header.
    pub fn sign(&mut self, message: &mut Vec<u8>, now_secs: u64) {
        let variables = Variables { time_secs: now_secs, fudge_secs: FUDGE_SECS, error: Rcode::NOERROR };
        let (key_name, algorithm) = (self.key.name().borrow(), self.key.algorithm().wire_name());
        let mut digest = std::mem::replace(&mut self.digest, Mac::new(&self.key));
        digest.update(message);
        if self.signed == 0 {
            digest_variables(key_name, algorithm, variables, &[], &mut digest);
        } else {
            variables.digest_timers(&mut digest);
        }
        let mac = digest.finish();
        let original_id = u16::from_be_bytes([message[0], message[1]]);
        NewTsig { key_name, algorithm, variables, mac: &mac, original_id, other: &[] }.append_to(message);
        self.digest.update_with_mac(&mac);
        self.signed += 1;
    }

    /// Sends the next message without a signature of its own: the next one covers it. Never the first or the last
    /// message, and at most 99 in a row.
    pub fn leave_unsigned(&mut self, message: &[u8]) {
        self.digest.update(message);
    }
}
