//! Certificates for tests, made while they run: an authority of the test's own, and servers and clients that it vouches
//! for.
//!
//! ```text
//! let authority = Authority::new();
//! let server = authority.server(&["primary.test", "127.0.0.1"]);
//! let (certificate, key) = server.write_files(directory, "server");      for a server that reads PEM files
//! let root = authority.write_file(directory);                            for who is to trust it
//! server.pin()                                                           for who trusts nothing but this key
//! ```
//!
//! A certificate of another name is one whose name is another; one that nobody vouches for is [`Certificate::alone`],
//! or one of another authority. Nothing is kept: each call makes a new key.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// No two have one name: who does not know one of them is to find no issuer, not a wrong signature.
static AUTHORITIES: AtomicU32 = AtomicU32::new(1);

/// Who vouches for certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let number = AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        let mut parameters = parameters(&format!("Authority {number} of a test"), &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = new_key();
        let root = parameters.self_signed(&key).expect("an authority can be made");
        Self { root: root.der().clone(), pem: root.pem(), issuer: Issuer::new(parameters, key) }
    }

    /// The certificate of the authority itself.
    pub fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Writes its certificate as `authority.pem`.
    pub fn write_file(&self, directory: &Path) -> PathBuf {
        write(directory, "authority.pem", &self.pem)
    }

    /// A server's, for names and addresses.
    pub fn server(&self, names: &[&str]) -> Certificate {
        self.vouch(parameters("Server of a test", names), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A server's that was good until the end of the year 2001.
    pub fn expired_server(&self, names: &[&str]) -> Certificate {
        let mut parameters = parameters("Server of old", names);
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(2001, 12, 31);
        self.vouch(parameters, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's, for a name.
    pub fn client(&self, name: &str) -> Certificate {
        self.vouch(parameters(name, &[name]), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn vouch(&self, mut parameters: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Certificate {
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        parameters.use_authority_key_identifier_extension = true;
        let key = new_key();
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate can be made");
        Certificate::of(&certificate, &key)
    }
}

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    /// In PKCS #8.
    key: Vec<u8>,
    key_pem: String,
    pin: String,
}

impl Certificate {
    /// One for this machine's loopback address, of an authority that is forgotten: for where only TLS matters.
    pub fn of_nobody() -> Self {
        Authority::new().server(&[&Ipv4Addr::LOCALHOST.to_string()])
    }

    /// One that is signed by its own key.
    pub fn alone(names: &[&str]) -> Self {
        let key = new_key();
        let certificate = parameters("Server alone", names).self_signed(&key).expect("a certificate can be made");
        Self::of(&certificate, &key)
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let digest = digest::digest(&digest::SHA256, &key.subject_public_key_info());
        Self {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key: key.serialize_der(),
            key_pem: key.serialize_pem(),
            pin: STANDARD.encode(digest),
        }
    }

    /// The SHA-256 of its public key with the key's kind (SubjectPublicKeyInfo), in base64, as RFC 7858 §4.2 pins keys.
    pub fn pin(&self) -> &str {
        &self.pin
    }

    /// What TLS shows: this certificate alone, because the authority vouches for it directly.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }

    /// Writes `NAME.pem` and `NAME.key`.
    pub fn write_files(&self, directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = write(directory, &format!("{name}.pem"), &self.certificate_pem);
        let key = write(directory, &format!("{name}.key"), &self.key_pem);
        (certificate, key)
    }
}

fn parameters(who: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    // Names that are addresses become addresses in it.
    let mut parameters = CertificateParams::new(names).expect("tests use names that certificates can have");
    parameters.distinguished_name.push(DnType::CommonName, who);
    parameters
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the test's directory is writable");
    path
}
