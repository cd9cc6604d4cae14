//! `[tls]`: files in PEM.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::problems::Problems;
use crate::certificate::Certificate;
use crate::tls;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsSection {
    authorities: Vec<Spanned<PathBuf>>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
}

impl TlsSection {
    /// Whether there is to be one, right or wrong.
    pub(super) fn has_certificate(&self) -> bool {
        self.certificate.is_some() || self.key.is_some()
    }
}

/// Files in PEM that TLS needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Authorities that are trusted about primaries besides the system's.
    pub(crate) authorities: Vec<PathBuf>,
    /// Our certificate, with those that lead to its authority, and its private key: for primaries that want to know who
    /// we are, and for clients of ours.
    pub(crate) ours: Option<(PathBuf, PathBuf)>,
}

pub(super) fn read_tls(section: &TlsSection, problems: &mut Problems) -> TlsFiles {
    for file in &section.authorities {
        problems.try_file(file, tls::check_authorities);
    }
    let authorities = section.authorities.iter().map(|file| file.get_ref().clone()).collect();
    TlsFiles { authorities, ours: read_pair(section.certificate.as_ref(), section.key.as_ref(), problems) }
}

/// A certificate's file and its key's, which fit together.
pub(super) fn read_pair(
    certificate: Option<&Spanned<PathBuf>>,
    key: Option<&Spanned<PathBuf>>,
    problems: &mut Problems,
) -> Option<(PathBuf, PathBuf)> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let pair = (certificate.get_ref().clone(), key.get_ref().clone());
            problems.try_file(certificate, |_| Certificate::read(&pair).map(drop));
            Some(pair)
        }
        (None, None) => None,
        (Some(alone), None) | (None, Some(alone)) => {
            problems.note(alone.span().start, "a certificate needs its key, and a key its certificate: give both");
            None
        }
    }
}
