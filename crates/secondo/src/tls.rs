//! Who is trusted: the system's authorities, and about primaries those of the configuration too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use transfer::{OurCertificate, TlsClient};

use crate::configuration::TlsFiles;

/// Reads the system's authorities and those in the files; `ours` is shown to primaries.
///
/// # Errors
/// When a configured file cannot be read or holds nothing of use. The system's authorities may be missing: then only
/// configured ones and pinned keys are trusted.
pub(crate) fn client(authorities: &[PathBuf], ours: Option<OurCertificate>) -> anyhow::Result<TlsClient> {
    Ok(TlsClient::new(trusted(authorities)?, ours))
}

/// How webhooks are connected to: the system's authorities are trusted, and those of the configuration.
///
/// # Errors
/// As [`client`].
pub(crate) fn to_webhooks(files: &TlsFiles) -> anyhow::Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted(&files.authorities)?)
        .with_no_client_auth())
}

/// Whether the file can be read and holds authorities alone.
///
/// # Errors
/// When it does not.
pub(crate) fn check_authorities(file: &Path) -> anyhow::Result<()> {
    add_authorities(&mut RootCertStore::empty(), file)
}

fn trusted(authorities: &[PathBuf]) -> anyhow::Result<RootCertStore> {
    let mut roots = authorities_of_system();
    for file in authorities {
        add_authorities(&mut roots, file)?;
    }
    Ok(roots)
}

fn add_authorities(roots: &mut RootCertStore, file: &Path) -> anyhow::Result<()> {
    for certificate in certificates(file)? {
        roots.add(certificate).with_context(|| format!("{} holds no authority of use", file.display()))?;
    }
    Ok(())
}

/// Whom this system trusts; nobody where nothing says so.
pub(crate) fn authorities_of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(system.certs);
    if unusable > 0 || !system.errors.is_empty() {
        tracing::debug!(unusable, errors = ?system.errors, "not all of the system's authorities can be used");
    }
    roots
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let read = in_words(read).with_context(|| format!("the certificates in {} cannot be read", file.display()))?;
    anyhow::ensure!(!read.is_empty(), "{} holds no certificate in PEM", file.display());
    Ok(read)
}

/// What is wrong with a file in PEM, for people: its own words show lines as lists of numbers.
pub(crate) fn in_words<T>(read: Result<T, pem::Error>) -> anyhow::Result<T> {
    read.map_err(|error| match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            anyhow::anyhow!("it ends before -----END {}-----", String::from_utf8_lossy(&end_marker).trim_end())
        }
        pem::Error::IllegalSectionStart { line } => {
            anyhow::anyhow!("{:?} begins nothing", String::from_utf8_lossy(&line).trim_end())
        }
        pem::Error::NoItemsFound => anyhow::anyhow!("there is none in PEM"),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;

    use super::in_words;

    #[test]
    fn what_is_wrong_with_a_file_in_pem_is_said_in_words() {
        for (text, says) in [
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "it ends before -----END PRIVATE KEY-----"),
            ("-----BEGIN PRIVATE KEY\nAAAA\n", "\"-----BEGIN PRIVATE KEY\" begins nothing"),
            ("", "there is none in PEM"),
        ] {
            let error = in_words(PrivateKeyDer::from_pem_slice(text.as_bytes())).unwrap_err();
            assert_eq!(error.to_string(), says);
        }
    }
}
