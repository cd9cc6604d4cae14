//! Primaries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xfr::{Alpn, Identity};

/// A server that the zone is copied from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Primary {
    /// `ADDR`, `ADDR:PORT` or `[V6]:PORT`; always with its port in answers.
    #[schema(example = "192.0.2.1:53")]
    pub address: String,
    /// The TSIG key's name; none when requests are not signed.
    #[serde(default)]
    pub key: Option<String>,
    /// The address of ours that it is asked from; none to let the system choose.
    #[serde(default)]
    pub source: Option<String>,
    /// Set when it is asked over TLS, and then over nothing else.
    #[serde(default)]
    pub tls: Option<PrimaryTls>,
}

/// How a primary shows who it is, over TLS: by a certificate for its name or, without one, for its address; or by its
/// public key alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrimaryTls {
    /// The host name in its certificate.
    #[schema(example = "ns1.example.org")]
    pub name: Option<String>,
    /// SHA-256 of its public key (SubjectPublicKeyInfo), in base64.
    pub pin: Option<String>,
    /// Whether the server may leave out the protocol's name (ALPN), as NSD up to 4.6 does.
    pub alpn_may_be_missing: bool,
}

impl From<&xfr::Primary> for Primary {
    fn from(primary: &xfr::Primary) -> Self {
        let tls = primary.tls.as_ref().map(|tls| {
            let (name, pin) = match &tls.identity {
                Identity::Address => (None, None),
                Identity::Name(name) => (Some(name.clone()), None),
                Identity::Pin(pin) => (None, Some(pin.to_string())),
            };
            PrimaryTls { name, pin, alpn_may_be_missing: tls.alpn == Alpn::MayBeMissing }
        });
        Self {
            address: primary.address.to_string(),
            key: primary.key.as_ref().map(ToString::to_string),
            source: primary.source.map(|source| source.to_string()),
            tls,
        }
    }
}
