//! What a server says of itself, to those who ask.

use dns::Name;

use crate::cookie::Cookies;

/// The longest name or version, in octets: it must leave room for an answer where messages have 512 octets.
pub const PERSONA_TEXT_OCTETS_MAX: usize = 64;

/// What a server says of itself. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Persona {
    /// Told to who asks for NSID (RFC 5001), `id.server.` or `hostname.bind.` (RFC 4892).
    pub name: Option<PersonaText>,
    /// Told to who asks for `version.server.` or `version.bind.`.
    pub version: Option<PersonaText>,
    /// Without secrets no cookies are given.
    pub cookies: Option<Cookies>,
    /// Where resolvers report what they could not make sense of (RFC 9567).
    pub report_agent: Option<Name>,
}

/// A short text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonaText(Box<str>);

impl PersonaText {
    /// None when it is empty or has more than [`PERSONA_TEXT_OCTETS_MAX`] octets.
    pub fn new(text: &str) -> Option<Self> {
        (1..=PERSONA_TEXT_OCTETS_MAX).contains(&text.len()).then(|| Self(text.into()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
