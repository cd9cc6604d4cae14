//! Primaries and settings as they stand in rows.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use xfr::{Alpn, Identity, Pin, Primary, Settings, Tls};

use crate::error::InventoryError;
use crate::names::read_name;

#[derive(FromRow)]
pub(crate) struct PrimaryRow {
    pub(crate) zone_id: i64,
    ip: String,
    port: i64,
    key_name: Option<String>,
    source: Option<String>,
    tls: Option<String>,
    alpn: String,
}

/// How TLS stands in a row.
pub(crate) struct TlsColumns {
    pub(crate) tls: Option<String>,
    pub(crate) alpn: &'static str,
}

impl PrimaryRow {
    pub(crate) fn read(self) -> Result<Primary, InventoryError> {
        let damaged = || InventoryError::Damaged(format!("it holds the primary {:?} port {}", self.ip, self.port));
        let ip: IpAddr = self.ip.parse().map_err(|_| damaged())?;
        let port = u16::try_from(self.port).map_err(|_| damaged())?;
        Ok(Primary {
            address: SocketAddr::new(ip, port),
            key: self.key_name.as_deref().map(read_name).transpose()?,
            source: self.source.as_deref().map(str::parse).transpose().map_err(|_| damaged())?,
            tls: read_tls(self.tls.as_deref(), &self.alpn).ok_or_else(damaged)?,
        })
    }
}

/// TLS as [`TlsColumns`] writes it; none where that is not what stands there.
pub(crate) fn read_tls(tls: Option<&str>, alpn: &str) -> Option<Option<Tls>> {
    let Some(tls) = tls else { return Some(None) };
    let identity = match (tls.strip_prefix("name:"), tls.strip_prefix("pin:")) {
        (Some(name), _) => Identity::Name(name.to_owned()),
        (_, Some(pin)) => Identity::Pin(Pin::from_base64(pin)?),
        _ if tls == "address" => Identity::Address,
        _ => return None,
    };
    let alpn = if alpn == MAY_BE_MISSING { Alpn::MayBeMissing } else { Alpn::Required };
    Some(Some(Tls { identity, alpn }))
}

const REQUIRED: &str = "required";
const MAY_BE_MISSING: &str = "may-be-missing";

impl TlsColumns {
    pub(crate) fn of(primary: &Primary) -> Self {
        let Some(Tls { identity, alpn }) = &primary.tls else {
            return Self { tls: None, alpn: REQUIRED };
        };
        let tls = match identity {
            Identity::Address => "address".to_owned(),
            Identity::Name(name) => format!("name:{name}"),
            Identity::Pin(pin) => format!("pin:{pin}"),
        };
        let alpn = match alpn {
            Alpn::Required => REQUIRED,
            Alpn::MayBeMissing => MAY_BE_MISSING,
        };
        Self { tls: Some(tls), alpn }
    }
}

/// A primary in JSON, for those that are no zone's now.
#[derive(Serialize, Deserialize)]
struct PrimaryText {
    address: SocketAddr,
    key: Option<String>,
    source: Option<IpAddr>,
    tls: Option<String>,
    alpn: String,
}

impl PrimaryText {
    fn of(primary: &Primary) -> Self {
        let TlsColumns { tls, alpn } = TlsColumns::of(primary);
        let key = primary.key.as_ref().map(ToString::to_string);
        Self { address: primary.address, key, source: primary.source, tls, alpn: alpn.to_owned() }
    }

    fn read(self) -> Result<Primary, InventoryError> {
        Ok(Primary {
            address: self.address,
            key: self.key.as_deref().map(read_name).transpose()?,
            source: self.source,
            tls: read_tls(self.tls.as_deref(), &self.alpn)
                .ok_or_else(|| InventoryError::Damaged(format!("the TLS of a primary is {:?}", self.tls)))?,
        })
    }
}

/// Primaries as JSON, with the names of their keys.
pub(crate) fn primaries_text(primaries: &[Primary]) -> String {
    let texts: Vec<PrimaryText> = primaries.iter().map(PrimaryText::of).collect();
    serde_json::to_string(&texts).expect("texts and numbers are always JSON")
}

pub(crate) fn read_primaries(text: &str) -> Result<Vec<Primary>, InventoryError> {
    let texts: Vec<PrimaryText> = serde_json::from_str(text)
        .map_err(|error| InventoryError::Damaged(format!("primaries are {text:?}: {error}")))?;
    texts.into_iter().map(PrimaryText::read).collect()
}

/// Settings as JSON: an object of texts.
pub(crate) fn settings_text(settings: &Settings) -> String {
    serde_json::to_string(&settings.to_texts()).expect("texts are always JSON")
}

pub(crate) fn read_settings(zone: &str, text: &str) -> Result<Settings, InventoryError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| InventoryError::Damaged(format!("the settings of {zone:?} are {text:?}: {error}")))?;
    let (settings, errors) = Settings::from_texts(&texts);
    for error in errors {
        tracing::warn!(zone, "a setting is not one of this version's, and is as if it were not set: {error}");
    }
    Ok(settings)
}
