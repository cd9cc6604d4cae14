//! TLS for the console and the API. Whoever has the certificate may show another one at any time; it counts from the next
//! handshake on.
//!
//! TLS 1.3 alone: every browser that is kept has had it since 2020, and so have the HTTP clients of programs.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What browsers are shown. Clones are one: all show the same.
#[derive(Clone)]
pub struct Https(Arc<RwLock<Arc<ServerConfig>>>);

impl Https {
    /// Shows `chain`, ours first, then those that lead to its authority.
    ///
    /// # Errors
    /// When the key is not the certificate's, or of a kind that TLS 1.3 does not know.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        Ok(Self(Arc::new(RwLock::new(configured(chain, key)?))))
    }

    /// Shows another certificate from the next handshake on.
    ///
    /// # Errors
    /// As [`Https::new`]; then the one of before is shown as if nothing had been.
    pub fn show(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), rustls::Error> {
        let shown = configured(chain, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shown;
        Ok(())
    }

    /// Shakes hands; whoever calls it sets the deadline.
    pub(crate) async fn shake_hands(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(shown).accept(stream).await
    }
}

impl std::fmt::Debug for Https {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Https").finish_non_exhaustive()
    }
}

fn configured(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut shown = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    shown.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(shown))
}
