//! What a real primary is told: zones, keys, whom to notify, and TLS.

use std::net::SocketAddr;

use crate::certificate::{Authority, Certificate};

/// A TSIG key as configurations write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsigKey {
    /// Without the last dot.
    pub name: String,
    pub algorithm: &'static str,
    /// In base64.
    pub secret: String,
}

impl TsigKey {
    /// Every algorithm that must work.
    pub const ALGORITHMS: [&'static str; 6] =
        ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"];

    /// A key named after its algorithm.
    pub fn of(algorithm: &'static str) -> Self {
        Self {
            name: format!("key-{algorithm}.test"),
            algorithm,
            secret: "c2Vjb25kbyB0ZXN0cyB1c2UgdGhpcyBzZWNyZXQsIDMyKw==".into(),
        }
    }

    /// The same key with another secret.
    pub fn with_wrong_secret(&self) -> Self {
        Self { secret: "YW5vdGhlciBzZWNyZXQsIHdoaWNoIG5vYm9keSBrbm93cw==".into(), ..self.clone() }
    }
}

/// What a primary is to serve, and to whom.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Names and zone files.
    pub zones: Vec<(String, String)>,
    /// Where it answers; at a free port of 127.0.0.1 unless it is said.
    pub at: Option<SocketAddr>,
    /// Who wants a transfer must have signed with it; NOTIFYs are signed with it.
    pub key: Option<TsigKey>,
    /// Where NOTIFYs go.
    pub notify: Vec<SocketAddr>,
    /// Speaks TLS with this certificate, besides UDP and TCP.
    pub tls: Option<Certificate>,
    /// The authority, in PEM, that must vouch for clients over TLS.
    pub clients_of: Option<String>,
    /// Takes its zones from this server instead of from their texts, which may be empty then.
    pub copied_from: Option<SocketAddr>,
    /// Answers with what was asked for and what it needs, as far as its configuration can say so.
    pub answers: Answers,
    /// What it copies from another server, as a secondary.
    pub follows: Option<Follows>,
}

/// How much a server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    #[default]
    AsInstalled,
    /// No name servers beside a positive answer, one RRset for ANY, nothing from other zones.
    Sparing,
}

/// What a server copies from where; with the key of the setup, if there is one.
#[derive(Clone, Debug)]
pub struct Follows {
    pub primary: SocketAddr,
    pub zones: Vec<String>,
    /// A catalog of it, whose members it copies too.
    pub catalog: Option<String>,
    /// The primary's name for TLS, and the authority that vouches for it, in PEM; see [`Software::follows_over_tls`].
    pub over_tls: Option<(String, String)>,
}

impl Follows {
    pub fn zones(primary: SocketAddr, zones: &[&str]) -> Self {
        let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        Self { primary, zones, catalog: None, over_tls: None }
    }

    pub fn catalog(primary: SocketAddr, catalog: &str) -> Self {
        Self { catalog: Some(catalog.into()), ..Self::zones(primary, &[]) }
    }

    pub fn over_tls(self, name: &str, authority: &Authority) -> Self {
        Self { over_tls: Some((name.into(), authority.pem().into())), ..self }
    }

    /// Everything that it asks the primary for by name.
    pub(super) fn asked(&self) -> impl Iterator<Item = &String> {
        self.zones.iter().chain(&self.catalog)
    }
}

impl Setup {
    pub fn zone(name: &str, text: impl Into<String>) -> Self {
        Self { zones: vec![(name.into(), text.into())], ..Self::default() }
    }

    pub fn and_zone(mut self, name: &str, text: impl Into<String>) -> Self {
        self.zones.push((name.into(), text.into()));
        self
    }

    /// Has it answer there; nobody else may.
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.at = Some(address);
        self
    }

    /// It is a secondary of this server; see [`Software::copies`].
    pub fn copied_from(mut self, primary: SocketAddr) -> Self {
        self.copied_from = Some(primary);
        self
    }

    pub fn sparing(mut self) -> Self {
        self.answers = Answers::Sparing;
        self
    }

    pub fn key(mut self, key: TsigKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Has it copy all of this as a secondary.
    pub fn following(mut self, follows: Follows) -> Self {
        self.follows = Some(follows);
        self
    }

    pub fn notifying(mut self, secondary: SocketAddr) -> Self {
        self.notify.push(secondary);
        self
    }

    pub fn over_tls(mut self, certificate: Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// Over TLS it speaks only with clients that this authority vouches for; see [`Software::checks_clients`].
    pub fn only_for_clients_of(mut self, authority: &Authority) -> Self {
        self.clients_of = Some(authority.pem().into());
        self
    }
}
