//! The TLS side of a scripted primary: what it shows, what it wants, and what stands in place of it.
//!
//! Every connection is judged by the behaviours at its beginning, so that a test can change its mind between two.
//! An honest one speaks TLS 1.3 and 1.2, selects "dot" (RFC 9103 §7.1), shows its certificate and wants none. rustls
//! selects no ALPN protocol that the client has not offered; so one that knows only another ends the handshake, as
//! RFC 7301 §3.2 wants it.

use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::server::{Acceptor, WebPkiClientVerifier};
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::behaviour::{Behaviour, InPlaceOfTls};
use super::connection::converse;
use super::message::Transport;
use super::state::{Shared, State};
use crate::certificate::Certificate;

/// What a client said at the beginning of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The server's name as the client knows it (SNI); none when it knows an address.
    pub server_name: Option<String>,
    /// The ALPN protocols that it offered.
    pub protocols: Vec<String>,
}

/// All that is done on one connection to the port for TLS.
pub(super) async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    match shared.look(in_place_of_tls) {
        None => {}
        Some(InPlaceOfTls::Dns) => return converse(stream, Transport::Tcp, shared).await,
        Some(InPlaceOfTls::Garbage) => return stream.write_all(b"220 mail.example ESMTP\r\n").await,
        Some(InPlaceOfTls::Silence) => return read_to_the_end(stream).await,
        Some(InPlaceOfTls::Close) => return Ok(()),
    }
    let stream = shake_hands(stream, shared).await?;
    if shared.look(|state| state.behaves(&Behaviour::CloseAfterHandshake)) {
        let mut stream = stream;
        return stream.shutdown().await;
    }
    if shared.look(|state| state.behaves(&Behaviour::MuteAfterHandshake)) {
        return read_to_the_end(stream).await;
    }
    converse(stream, Transport::Tls, shared).await
}

fn in_place_of_tls(state: &State) -> Option<InPlaceOfTls> {
    state.told(|behaviour| match behaviour {
        Behaviour::InPlaceOfTls(what) => Some(*what),
        _ => None,
    })
}

async fn shake_hands(stream: TcpStream, shared: &Shared) -> io::Result<TlsStream<TcpStream>> {
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let said = begun.client_hello();
    let protocols = said.alpn().into_iter().flatten();
    let hello = Hello {
        server_name: said.server_name().map(str::to_owned),
        protocols: protocols.map(|protocol| String::from_utf8_lossy(protocol).into_owned()).collect(),
    };
    let configuration = shared.change(|state| {
        state.hellos.push(hello);
        configuration(state)
    });
    let stream = begun.into_stream(Arc::new(configuration)).await?;
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(<[_]>::first).cloned();
    shared.change(|state| state.handshakes.push(shown));
    Ok(stream)
}

fn configuration(state: &State) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let versions = if state.behaves(&Behaviour::OldTls) { &[&TLS12] } else { ALL_VERSIONS };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("the provider knows both versions");
    let wanted = state.told(|behaviour| match behaviour {
        Behaviour::WantsClientOf(authority) => Some(authority.clone()),
        _ => None,
    });
    let builder = match wanted {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusting(authority)), provider);
            builder.with_client_cert_verifier(verifier.build().expect("an authority is enough"))
        }
    };
    let certificate = certificate(state);
    let mut configuration =
        builder.with_single_cert(certificate.chain(), certificate.key()).expect("the key is the certificate's");
    configuration.alpn_protocols = if state.behaves(&Behaviour::NoAlpn) {
        Vec::new()
    } else if state.behaves(&Behaviour::OtherAlpn) {
        vec![b"http/1.1".to_vec()]
    } else {
        vec![b"dot".to_vec()]
    };
    configuration
}

fn certificate(state: &State) -> Certificate {
    let told = state.told(|behaviour| match behaviour {
        Behaviour::Shows(certificate) => Some(certificate.clone()),
        _ => None,
    });
    told.or_else(|| state.certificate.clone()).expect("a primary over TLS has a certificate")
}

fn trusting(authority: CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority).expect("an authority's own certificate");
    roots
}

async fn read_to_the_end(mut stream: impl AsyncReadExt + Unpin) -> io::Result<()> {
    while stream.read(&mut [0; 512]).await? > 0 {}
    Ok(())
}
