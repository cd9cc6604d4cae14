//! `[dns]`: where questions are answered, and what the server says of itself.

use std::net::SocketAddr;
use std::path::PathBuf;

use answer::{PERSONA_TEXT_OCTETS_MAX, PersonaText};
use serde::Deserialize;
use toml::Spanned;

use super::detail;
use super::problems::Problems;
use crate::persona::{self, PersonaSettings};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DnsSection {
    pub(super) listen: Option<Vec<Spanned<String>>>,
    pub(super) tls_listen: Vec<Spanned<String>>,
    pub(super) quic_listen: Vec<Spanned<String>>,
    /// What the server says of itself.
    name: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    report_agent: Option<Spanned<String>>,
    cookie_secrets: Option<Spanned<PathBuf>>,
}

/// An address to listen on, for the command line too.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address to listen on: write one such as 127.0.0.1:5300, 0.0.0.0:53 or [::1]:5300")
    })
}

pub(super) fn persona(section: &DnsSection, problems: &mut Problems) -> PersonaSettings {
    let short = |text: &str| {
        PersonaText::new(text).ok_or_else(|| format!("it must have 1 to {PERSONA_TEXT_OCTETS_MAX} octets"))
    };
    let agent = |text: &str| match api::text::zone_name(text).map_err(detail)? {
        // RFC 9567 §6.1: reports are questions below it.
        root if root.borrow().is_root() => Err("reports cannot be sent to the root".to_owned()),
        agent => Ok(agent),
    };
    if let Some(file) = &section.cookie_secrets {
        problems.try_file(file, persona::check_cookie_secrets);
    }
    PersonaSettings {
        name: problems.read_if_given(section.name.as_ref(), short),
        version: problems.read_if_given(section.version.as_ref(), short),
        report_agent: problems.read_if_given(section.report_agent.as_ref(), agent),
        cookie_secrets: section.cookie_secrets.as_ref().map(|file| file.get_ref().clone()),
    }
}

pub(super) fn listen_addresses(texts: &[Spanned<String>], problems: &mut Problems) -> Vec<SocketAddr> {
    texts.iter().filter_map(|text| problems.read(text, listen_address)).collect()
}
