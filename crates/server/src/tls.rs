//! DNS over TLS (RFC 7858), which is also how zones are transferred over TLS (RFC 9103): the handshake, and nothing else.
//! What comes after it is TCP's. And the certificate, for QUIC too.
//!
//! TLS 1.3 alone. RFC 9103 §7.1 asks it of every connection that a transfer may go over, and a connection does not say at
//! its beginning what it is for: with 1.2 offered for queries, a transfer on the same connection would have to be refused
//! half-way through a conversation. The libraries under BIND, Knot, NSD, PowerDNS and Unbound have had 1.3 since 2018. No
//! early data: it can be replayed, a NOTIFY or a request for a transfer too.
//!
//! ALPN: "dot" is selected when it is offered; a client that offers nothing is served (RFC 7858 knows no ALPN), one that
//! offers only something else is not (RFC 7301 §3.2). Over QUIC it is "doq" or nothing (RFC 9250 §4.1.1, RFC 9001 §8.1).
//!
//! A new certificate is shown from the next handshake on, and nobody is cut off for it. Sessions from under the one of
//! before are not resumed: whoever changes a certificate because its key was stolen wants no more to come of that.
//!
//! Does not do: reading certificates from files, client certificates, padding.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use quinn::crypto::rustls::QuicServerConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// RFC 7858 as ALPN names it (RFC 9103 §7.1).
const DOT: &[u8] = b"dot";

/// RFC 9250 as ALPN names it.
const DOQ: &[u8] = b"doq";

/// Sessions over QUIC that can be resumed; over TCP it is as many.
const SESSIONS_KEPT: usize = 256;

/// What clients are shown. Clones are one: all show the same.
#[derive(Clone)]
pub struct TlsServer(Arc<ArcSwap<Shown>>);

/// One certificate as each transport wants it.
struct Shown {
    over_tcp: Arc<ServerConfig>,
    over_quic: Arc<QuicServerConfig>,
}

/// The certificate and the key are not fit for use.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be served with this certificate and key: {0}")]
pub struct TlsError(#[from] rustls::Error);

impl TlsServer {
    /// Shows `chain`, ours first, then those that lead to its authority.
    ///
    /// # Errors
    /// When the key is not the certificate's, or of a kind that TLS 1.3 does not know.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(Shown::new(chain, key)?))))
    }

    /// Shows another certificate from the next handshake on.
    ///
    /// # Errors
    /// As [`TlsServer::new`]; then the one of before is shown as if nothing had been.
    pub fn show(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<(), TlsError> {
        self.0.store(Arc::new(Shown::new(chain, key)?));
        Ok(())
    }

    /// Shakes hands; whoever calls it sets the deadline.
    pub(crate) async fn shake_hands<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.0.load().over_tcp.clone()).accept(stream).await
    }

    /// What the next handshake over QUIC shows.
    pub(crate) fn quic(&self) -> Arc<QuicServerConfig> {
        self.0.load().over_quic.clone()
    }
}

impl Shown {
    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, rustls::Error> {
        let mut over_tcp = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let mut over_quic = over_tcp.clone();
        over_tcp.alpn_protocols = vec![DOT.to_vec()];
        over_quic.alpn_protocols = vec![DOQ.to_vec()];
        // A clone would share its sessions with TCP.
        over_quic.session_storage = ServerSessionMemoryCache::new(SESSIONS_KEPT);
        let over_quic =
            QuicServerConfig::try_from(over_quic).map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Self { over_tcp: Arc::new(over_tcp), over_quic: Arc::new(over_quic) })
    }
}

impl std::fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}
