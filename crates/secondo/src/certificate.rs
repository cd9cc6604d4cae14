//! Our certificate, which clients and primaries are shown, while its files change under us.
//!
//! The files are looked at every few seconds, and at once on SIGHUP. What they hold is compared, not their times: a link
//! that points elsewhere is a change too, a touched file is none. A new pair is shown from the next handshake on. One that
//! cannot be shown changes nothing but what is said about it: the pair of before is shown on. Because a pair is two files
//! and files are written piece by piece, a fault is one only when the next look finds the same.
//!
//! That the certificate ends soon is said in time; until when it is good does not keep it from being shown.
//!
//! Does not do: authorities, which are read once, at the start.

mod validity;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use api::{Https, json};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use server::TlsServer;
use transfer::{OurCertificate, Transfers};

use crate::node::Node;
use crate::rereading::{self, Looks, Occasion};
use crate::tls;
use validity::{Nearness, Validity};

/// More than any chain or key; what is longer is no file of ours.
const FILE_OCTETS_MAX: u64 = 1 << 20;

/// The certificate that we show, and where it comes from.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: Files,
    to_clients: TlsServer,
    to_browsers: Https,
    condition: Mutex<Condition>,
}

#[derive(Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

/// What the files hold, octet by octet.
#[derive(Clone, PartialEq, Eq)]
struct Written {
    chain: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Debug)]
struct Condition {
    shown: Written,
    validity: Option<Validity>,
    refused: Option<Refused>,
    /// What has been said about the certificate's end.
    said: Nearness,
}

/// What the files held when it could not be shown.
#[derive(Debug)]
struct Refused {
    /// None if they could not be read.
    written: Option<Written>,
    why: String,
    is_said: bool,
}

/// What one look has found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Changed,
    /// To be said: it cannot be shown, and why.
    Unusable(String),
}

impl Certificate {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// When they cannot be read or do not fit together.
    pub(crate) fn read((chain, key): &(PathBuf, PathBuf)) -> anyhow::Result<Self> {
        let files = Files { chain: chain.clone(), key: key.clone() };
        let shown = files.read()?;
        let OurCertificate { chain, key } = files.pair(&shown)?;
        let condition = Condition { validity: Validity::of(&chain[0]), shown, refused: None, said: Nearness::Far };
        let to_browsers = Https::new(chain.clone(), key.clone_key())
            .with_context(|| format!("{} and {}", files.chain.display(), files.key.display()))?;
        let to_clients = TlsServer::new(chain, key)
            .with_context(|| format!("{} and {}", files.chain.display(), files.key.display()))?;
        Ok(Self { files, to_clients, to_browsers, condition: Mutex::new(condition) })
    }

    /// What clients are shown, now and later.
    pub(crate) fn to_clients(&self) -> TlsServer {
        self.to_clients.clone()
    }

    /// What browsers are shown, now and later.
    pub(crate) fn to_browsers(&self) -> Https {
        self.to_browsers.clone()
    }

    /// What primaries are shown now.
    pub(crate) fn to_primaries(&self) -> OurCertificate {
        let shown = self.condition().shown.clone();
        self.files.pair(&shown).expect("what is shown was a pair when it was read")
    }

    /// How it is, for people.
    pub(crate) fn shown(&self) -> json::Certificate {
        let condition = self.condition();
        let time = |secs: u64| json::Time::from_unix_ms(secs.saturating_mul(1000));
        let refused = condition.refused.as_ref().filter(|refused| refused.is_said);
        json::Certificate {
            file: self.files.chain.display().to_string(),
            begins_at: condition.validity.map(|validity| time(validity.begins_at_secs)),
            ends_at: condition.validity.map(|validity| time(validity.ends_at_secs)),
            refused: refused.map(|refused| refused.why.clone()),
        }
    }

    /// One sentence for each thing that needs somebody's attention.
    pub(crate) fn warnings(&self, now_secs: u64) -> Vec<String> {
        let condition = self.condition();
        let refused = condition.refused.as_ref().filter(|refused| refused.is_said);
        let refused = refused.map(|refused| {
            format!(
                "our certificate and its key were changed and cannot be shown, so that those of before are: {}",
                refused.why
            )
        });
        let end = condition.validity.and_then(|validity| validity.nearness(now_secs).warning());
        let end = end.map(|what| format!("our certificate in {} {what}", self.files.chain.display()));
        refused.into_iter().chain(end).collect()
    }

    /// Compares the files with what is shown, and shows what is new; to primaries too where there are `transfers`. Reads from
    /// disk.
    fn look(&self, transfers: Option<&Transfers>, occasion: Occasion) {
        let written = self.files.read();
        let found = self.condition().compare(written, occasion, |written| {
            let OurCertificate { chain, key } = self.files.pair(written)?;
            let validity = Validity::of(&chain[0]);
            self.to_clients.show(chain.clone(), key.clone_key())?;
            self.to_browsers.show(chain.clone(), key.clone_key())?;
            if let Some(transfers) = transfers {
                transfers.show_certificate(OurCertificate { chain, key });
            }
            Ok(validity)
        });
        match found {
            Found::Nothing => {}
            Found::Changed => tracing::info!(
                file = %self.files.chain.display(),
                until = self.shown().ends_at.map(|ends_at| ends_at.to_string()),
                "our certificate has changed, and is shown to clients and primaries from now on"
            ),
            Found::Unusable(why) => tracing::error!(
                "our certificate and its key were changed and cannot be shown, so that those of before are: {why}; write a \
                 certificate and the key that is its own to {} and {}: they are read again by themselves, and at once on SIGHUP",
                self.files.chain.display(),
                self.files.key.display()
            ),
        }
    }

    /// Says that the certificate comes to its end, when that is so.
    fn say_its_end(&self, now_secs: u64) {
        let mut condition = self.condition();
        let nearness = condition.validity.map_or(Nearness::Far, |validity| validity.nearness(now_secs));
        let before = std::mem::replace(&mut condition.said, nearness);
        if let Some(what) = nearness.warning().filter(|_| nearness > before) {
            let file = self.files.chain.display();
            tracing::warn!(%file, "our certificate {what}: have it renewed, or correct this machine's clock");
        }
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        // Whole between any two statements, so that a panic elsewhere does not spoil it.
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// Has what was read shown by `show`, which gives until when it is good, if it is not what is shown already.
    fn compare(
        &mut self,
        read: anyhow::Result<Written>,
        occasion: Occasion,
        show: impl FnOnce(&Written) -> anyhow::Result<Option<Validity>>,
    ) -> Found {
        let (written, why) = match read {
            Ok(written) if written == self.shown => {
                self.refused = None;
                return Found::Nothing;
            }
            Ok(written) => match show(&written) {
                Ok(validity) => {
                    *self = Self { shown: written, validity, refused: None, said: Nearness::Far };
                    return Found::Changed;
                }
                Err(error) => (Some(written), format!("{error:#}")),
            },
            Err(error) => (None, format!("{error:#}")),
        };
        let same = self.refused.as_ref().filter(|before| before.written == written && before.why == why);
        let was_said = same.is_some_and(|before| before.is_said);
        let is_said = was_said || same.is_some() || occasion == Occasion::Order;
        self.refused = Some(Refused { written, why: why.clone(), is_said });
        if is_said && (!was_said || occasion == Occasion::Order) { Found::Unusable(why) } else { Found::Nothing }
    }
}

impl Files {
    fn read(&self) -> anyhow::Result<Written> {
        let chain = rereading::read(&self.chain, FILE_OCTETS_MAX)
            .with_context(|| format!("the certificates in {} cannot be read", self.chain.display()))?;
        let key = rereading::read(&self.key, FILE_OCTETS_MAX)
            .with_context(|| format!("the private key in {} cannot be read", self.key.display()))?;
        Ok(Written { chain, key })
    }

    /// A certificate and its key, once it is known that they can be shown: nobody else is to be blamed for what is wrong
    /// here.
    fn pair(&self, written: &Written) -> anyhow::Result<OurCertificate> {
        let (chain_file, key_file) = (self.chain.display(), self.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&written.chain).collect();
        let chain =
            tls::in_words(chain).with_context(|| format!("the certificates in {chain_file} cannot be read"))?;
        anyhow::ensure!(!chain.is_empty(), "{chain_file} holds no certificate in PEM");
        let key = tls::in_words(PrivateKeyDer::from_pem_slice(&written.key))
            .with_context(|| format!("the private key in {key_file} cannot be read"))?;
        let usable = CertifiedKey::from_der(chain.clone(), key.clone_key(), &aws_lc_rs::default_provider());
        usable.with_context(|| {
            format!(
                "our certificate {chain_file} cannot be shown with the key {key_file}: it must be of X.509 version 3 and \
                 its own"
            )
        })?;
        Ok(OurCertificate { chain, key })
    }
}

/// It holds a key: nobody is to find it in a log.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}

/// Whom a certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownTo {
    /// Clients, primaries and browsers.
    Everybody,
    /// Those alone who use the console and the API.
    Browsers,
}

/// Follows the files, where there are some.
pub(crate) async fn follow(
    node: Arc<Node>,
    shown_to: ShownTo,
    certificate: Option<Arc<Certificate>>,
    looks: Arc<tokio::sync::Mutex<Looks>>,
) {
    let mut looks = looks.lock().await;
    loop {
        if let Some(certificate) = &certificate {
            certificate.say_its_end(node.clock.machine().wall_clock().as_secs());
        }
        let occasion = looks.next().await;
        if occasion == Occasion::Order && shown_to == ShownTo::Everybody {
            tracing::info!("SIGHUP: our certificates, the cookie secrets and the configuration are read again");
        }
        let Some(certificate) = certificate.clone() else { continue };
        let transfers = (shown_to == ShownTo::Everybody).then(|| node.transfers.clone());
        let looked = tokio::task::spawn_blocking(move || certificate.look(transfers.as_ref(), occasion)).await;
        if let Err(error) = looked {
            tracing::error!("looking at our certificate ended by a fault of ours: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::{Condition, Found, Nearness, Occasion, Written};

    fn written(chain: &str, key: &str) -> Written {
        Written { chain: chain.into(), key: key.into() }
    }

    /// A pair is usable when both are the same.
    fn look(condition: &mut Condition, read: anyhow::Result<Written>, occasion: Occasion) -> Found {
        condition.compare(read, occasion, |written| {
            anyhow::ensure!(written.chain == written.key, "they do not fit");
            Ok(None)
        })
    }

    #[test]
    fn a_pair_that_is_being_written_is_no_fault_and_one_that_stays_broken_is_said_once() {
        use Occasion::{Order, Routine};
        let mut condition =
            Condition { shown: written("1", "1"), validity: None, refused: None, said: Nearness::Far };
        let unusable = || Found::Unusable("they do not fit".into());
        assert_eq!(look(&mut condition, Ok(written("1", "1")), Routine), Found::Nothing);
        // The certificate first, its key a moment later.
        assert_eq!(look(&mut condition, Ok(written("2", "1")), Routine), Found::Nothing);
        assert_eq!(look(&mut condition, Ok(written("2", "2")), Routine), Found::Changed);
        // A key that never comes.
        assert_eq!(look(&mut condition, Ok(written("3", "2")), Routine), Found::Nothing);
        assert_eq!(look(&mut condition, Ok(written("3", "2")), Routine), unusable());
        assert_eq!(look(&mut condition, Ok(written("3", "2")), Routine), Found::Nothing);
        assert_eq!(look(&mut condition, Ok(written("3", "2")), Order), unusable(), "whoever asks is told");
        assert_eq!(condition.shown, written("2", "2"));
        // Another fault is another thing to say.
        assert_eq!(look(&mut condition, Err(anyhow!("gone")), Order), Found::Unusable("gone".into()));
        // What is shown is there again.
        assert_eq!(look(&mut condition, Ok(written("2", "2")), Routine), Found::Nothing);
        assert!(condition.refused.is_none());
    }
}
