//! The files that TLS needs: authorities, and our own certificate, which primaries and clients are shown.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use server::TlsServer;
use transfer::{OurCertificate, TlsClient};

use crate::configuration::TlsFiles;

/// Reads the system's authorities and the files that are configured.
///
/// # Errors
/// When a configured file cannot be read or holds nothing of use. The system's authorities may be missing: then only
/// configured ones and pinned keys are trusted.
pub(crate) fn client(files: &TlsFiles) -> anyhow::Result<TlsClient> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(system.certs);
    if unusable > 0 || !system.errors.is_empty() {
        tracing::debug!(unusable, errors = ?system.errors, "not all of the system's authorities can be used");
    }
    for file in &files.authorities {
        for certificate in certificates(file)? {
            roots.add(certificate).with_context(|| format!("{} holds no authority of use", file.display()))?;
        }
    }
    let ours = match &files.ours {
        Some(files) => {
            let (chain, key) = read(files)?;
            Some(OurCertificate { chain, key })
        }
        None => None,
    };
    Ok(TlsClient::new(roots, ours))
}

/// Reads the certificate that clients are shown.
///
/// # Errors
/// When there is none, or it cannot be read or used.
pub(crate) fn server(files: &TlsFiles) -> anyhow::Result<TlsServer> {
    let files = files.ours.as_ref().context("TLS cannot be served without a certificate and its key")?;
    let (chain, key) = read(files)?;
    TlsServer::new(chain, key).with_context(|| format!("{} and {}", files.0.display(), files.1.display()))
}

/// Our certificate and its key, once it is known that they can be shown: nobody else is to be blamed for what is wrong
/// here.
fn read(
    (chain_file, key_file): &(PathBuf, PathBuf),
) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let (chain, key) = (certificates(chain_file)?, private_key(key_file)?);
    let usable = CertifiedKey::from_der(chain.clone(), key.clone_key(), &aws_lc_rs::default_provider());
    usable.with_context(|| {
        let (chain, key) = (chain_file.display(), key_file.display());
        format!(
            "our certificate {chain} cannot be shown with the key {key}: it must be of X.509 version 3 and its own"
        )
    })?;
    Ok((chain, key))
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let read = read.with_context(|| format!("the certificates in {} cannot be read", file.display()))?;
    anyhow::ensure!(!read.is_empty(), "{} holds no certificate in PEM", file.display());
    Ok(read)
}

fn private_key(file: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(file)
        .with_context(|| format!("the private key in {} cannot be read", file.display()))
}
