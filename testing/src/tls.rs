//! A small client of DNS over TLS: it trusts one authority, offers what it is told, and waits with a bound.
//!
//! It is how tests ask servers without our own client, and without `kdig`, which the quick tests do not have.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::certificate::{Authority, Certificate};

/// How long a server may take for each step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

static OLD_VERSIONS: &[&SupportedProtocolVersion] = &[&TLS12];

/// A connection, for [`query::send`](crate::query::send) and [`query::receive`](crate::query::receive).
pub type Connection = StreamOwned<ClientConnection, TcpStream>;

/// How to speak TLS to a server.
pub struct Client {
    roots: RootCertStore,
    versions: &'static [&'static SupportedProtocolVersion],
    protocols: Vec<Vec<u8>>,
    certificate: Option<Certificate>,
    patience: Duration,
}

impl Client {
    /// One that offers "dot" and has no certificate.
    pub fn trusting(authority: &Authority) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.root()).expect("an authority's own certificate");
        let protocols = vec![b"dot".to_vec()];
        Self { roots, versions: ALL_VERSIONS, protocols, certificate: None, patience: PATIENCE }
    }

    /// Offers these ALPN protocols in place of "dot".
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// Speaks TLS 1.2 and nothing newer.
    pub fn of_old(mut self) -> Self {
        self.versions = OLD_VERSIONS;
        self
    }

    /// Shows this certificate when asked for one.
    pub fn showing(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Waits so long and no longer for each step, for servers that are expected to be mute.
    pub fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects and shakes hands with the server of this name, or address.
    pub fn connect(self, server: SocketAddr, name: &str) -> Result<Connection, String> {
        let words = |error: &dyn std::fmt::Display| format!("{server}, TLS: {error}");
        let name = ServerName::try_from(name.to_owned()).map_err(|error| words(&error))?;
        let patience = self.patience;
        let mut session =
            ClientConnection::new(Arc::new(self.configuration()), name).map_err(|error| words(&error))?;
        let mut stream = TcpStream::connect_timeout(&server, patience).map_err(|error| words(&error))?;
        stream.set_read_timeout(Some(patience)).map_err(|error| words(&error))?;
        while session.is_handshaking() {
            session.complete_io(&mut stream).map_err(|error| words(&error))?;
        }
        Ok(StreamOwned::new(session, stream))
    }

    fn configuration(self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(self.versions)
            .expect("the provider knows both versions")
            .with_root_certificates(self.roots);
        let mut configuration = match self.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => builder
                .with_client_auth_cert(certificate.chain(), certificate.key())
                .expect("the key is the certificate's"),
        };
        configuration.alpn_protocols = self.protocols;
        configuration
    }
}
