//! A primary as its zone's owner names it: where it is, and how it is to be asked.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dns::Name;

/// A server to copy a zone from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    pub address: SocketAddr,
    /// The name of the TSIG key that requests are signed with.
    pub key: Option<Name>,
    /// The address of ours that it is asked from, of the same family; none to let the system choose.
    pub source: Option<IpAddr>,
    /// Set when it is asked over TLS, and then over nothing else (RFC 9103).
    pub tls: Option<Tls>,
}

impl Primary {
    /// One that is asked in clear text, unsigned, from any address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, key: None, source: None, tls: None }
    }
}

impl fmt::Display for Primary {
    /// As people type it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(key) = &self.key {
            write!(f, ",key={key}")?;
        }
        if let Some(source) = &self.source {
            write!(f, ",source={source}")?;
        }
        match &self.tls {
            Some(tls) => write!(f, ",{tls}"),
            None => Ok(()),
        }
    }
}

/// How a primary is asked over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    pub identity: Identity,
    pub alpn: Alpn,
}

/// How the primary shows who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Identity {
    /// By a certificate for the address that it is asked at.
    #[default]
    Address,
    /// By a certificate for this host name, which has no dot at its end.
    Name(String),
    /// By its public key and nothing else: neither names nor dates nor authorities count (RFC 8310 §8).
    Pin(Pin),
}

/// Whether the primary must say that it speaks DNS over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alpn {
    /// As RFC 9103 §7.1 says.
    #[default]
    Required,
    /// Some servers select none (NSD up to 4.6).
    MayBeMissing,
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity {
            Identity::Address => f.write_str("tls")?,
            Identity::Name(name) => write!(f, "tls={name}")?,
            Identity::Pin(pin) => write!(f, "pin={pin}")?,
        }
        match self.alpn {
            Alpn::Required => Ok(()),
            Alpn::MayBeMissing => f.write_str(",alpn=may-be-missing"),
        }
    }
}

/// SHA-256 of the SubjectPublicKeyInfo in a certificate (RFC 7858 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl Pin {
    /// Reads a pin in base64.
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
