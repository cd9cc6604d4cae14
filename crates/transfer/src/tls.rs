//! Zone transfers over TLS (RFC 9103): TLS 1.3 alone, ALPN `dot`, and a primary that shows who it is.
//!
//! It fails closed: what is to go over TLS never goes in clear text, and nothing is sent before the primary's
//! certificate and the protocol have been checked. There are two ways to know the primary: a certificate for its name
//! (or address) from an authority that is trusted here, or its public key, pinned. It may know us by our certificate.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::aws_lc_rs::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, PeerIncompatible,
    RootCertStore, SignatureScheme,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xfr::{Alpn, Identity, Pin, Reason, Tls};

use crate::network::Octets;

/// RFC 9103 §7.1: the protocol's name.
const DOT: &[u8] = b"dot";
/// Configurations that are kept made: each holds what it takes to resume sessions.
const CONFIGURATIONS_KEPT: usize = 1024;

/// A certificate that shows primaries who we are, and its key.
pub struct OurCertificate {
    /// Ours first, then those that lead to its authority.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// What all TLS connections have in common.
pub struct TlsClient {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    made: Mutex<Made>,
}

/// Our certificate, and what has been made with it.
#[derive(Default)]
struct Made {
    ours: Option<OurCertificate>,
    configurations: HashMap<Tls, Arc<ClientConfig>>,
}

impl TlsClient {
    /// Trusts the certificates of `authorities`, and shows `ours` to primaries that want to know who we are.
    pub fn new(authorities: RootCertStore, ours: Option<OurCertificate>) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Self {
            roots: Arc::new(authorities),
            provider,
            made: Mutex::new(Made { ours, configurations: HashMap::new() }),
        }
    }

    /// Shows another certificate to primaries from the next handshake on.
    pub(crate) fn show(&self, ours: OurCertificate) {
        *self.made() = Made { ours: Some(ours), configurations: HashMap::new() };
    }

    /// Shakes hands; nothing has been sent to anybody else than the right primary when this fails.
    pub(crate) async fn shake_hands(
        &self,
        stream: Box<dyn Octets>,
        address: IpAddr,
        tls: &Tls,
    ) -> Result<TlsStream<Box<dyn Octets>>, Reason> {
        let name = match &tls.identity {
            Identity::Name(name) => {
                let name = DnsName::try_from(name.clone());
                ServerName::DnsName(name.map_err(|error| failed(error.to_string()))?)
            }
            Identity::Address | Identity::Pin(_) => ServerName::IpAddress(address.to_canonical().into()),
        };
        if self.roots.is_empty() && !matches!(tls.identity, Identity::Pin(_)) {
            return Err(Reason::TlsCertificate { detail: "no authority is trusted here".into() });
        }
        let connector = TlsConnector::from(self.configuration(tls)?);
        let stream = connector.connect(name, stream).await.map_err(|error| reason_of(&error))?;
        match (stream.get_ref().1.alpn_protocol(), tls.alpn) {
            (Some(DOT), _) | (None, Alpn::MayBeMissing) => Ok(stream),
            _ => Err(Reason::TlsNoAlpn),
        }
    }

    /// The pin of whoever answers, trusted or not. Nothing must be asked of them, and nothing is: the connection ends
    /// here.
    pub(crate) async fn pin_of_anybody(&self, stream: Box<dyn Octets>, address: IpAddr) -> Option<Pin> {
        let verifier = Arc::new(Pinned { pin: None, provider: self.provider.clone() });
        let mut configuration = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        configuration.alpn_protocols = vec![DOT.to_vec()];
        let name = ServerName::IpAddress(address.to_canonical().into());
        let shaken = TlsConnector::from(Arc::new(configuration)).connect(name, stream).await.ok()?;
        pin_of(shaken.get_ref().1.peer_certificates()?.first()?)
    }

    fn configuration(&self, tls: &Tls) -> Result<Arc<ClientConfig>, Reason> {
        let mut made = self.made();
        if let Some(configuration) = made.configurations.get(tls) {
            return Ok(configuration.clone());
        }
        let configuration = self.make(tls, made.ours.as_ref()).map_err(|error| failed(error.to_string()))?;
        let configuration = Arc::new(configuration);
        if made.configurations.len() >= CONFIGURATIONS_KEPT {
            made.configurations.clear();
        }
        made.configurations.insert(tls.clone(), configuration.clone());
        Ok(configuration)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        // Whole between any two statements, so that a panic elsewhere does not spoil it.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self, tls: &Tls, ours: Option<&OurCertificate>) -> Result<ClientConfig, Error> {
        // RFC 9103 §7.1: TLS 1.3 or later.
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let verifier: Arc<dyn ServerCertVerifier> = match &tls.identity {
            Identity::Pin(pin) => Arc::new(Pinned { pin: Some(*pin), provider: self.provider.clone() }),
            Identity::Address | Identity::Name(_) => {
                WebPkiServerVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
                    .build()
                    .map_err(|error| Error::General(error.to_string()))?
            }
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut configuration = match ours {
            Some(ours) => builder.with_client_auth_cert(ours.chain.clone(), ours.key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        configuration.alpn_protocols = vec![DOT.to_vec()];
        Ok(configuration)
    }
}

impl Default for TlsClient {
    /// Trusts nobody: only pinned keys are good.
    fn default() -> Self {
        Self::new(RootCertStore::empty(), None)
    }
}

/// Takes the certificate with the pinned key and no other; without one, any, to see what it is.
#[derive(Debug)]
struct Pinned {
    pin: Option<Pin>,
    provider: Arc<CryptoProvider>,
}

/// The certificate shows another key than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("the primary's key has the pin {found}")]
struct OtherKey {
    found: Pin,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = pin_of(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if self.pin.is_none_or(|pin| found == pin) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(OtherKey { found }))).into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What an error of a TLS connection says, if it is one of TLS.
pub(crate) fn reason_of(error: &std::io::Error) -> Reason {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return match error.kind() {
            UnexpectedEof | ConnectionReset | BrokenPipe => {
                failed("the primary closed the connection during the handshake".into())
            }
            _ => crate::connection::reason_of(error),
        };
    };
    match tls {
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) | Error::NoApplicationProtocol => {
            Reason::TlsNoAlpn
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => Reason::TlsVersion,
        Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied),
        ) => Reason::TlsOurCertificate { alert: format!("{alert:?}") },
        Error::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<OtherKey>() {
            Some(OtherKey { found }) => Reason::TlsPin { found: found.to_string() },
            None => Reason::TlsCertificate { detail: other.to_string() },
        },
        Error::InvalidCertificate(error) => Reason::TlsCertificate { detail: error.to_string() },
        error => failed(error.to_string()),
    }
}

fn failed(detail: String) -> Reason {
    Reason::TlsFailed { detail }
}

/// The pin of the key that a certificate is for.
pub(crate) fn pin_of(certificate: &CertificateDer<'_>) -> Option<Pin> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    let key = certificate.subject_public_key_info();
    digest(&SHA256, key.as_ref()).as_ref().try_into().ok().map(Pin)
}
