//! Names in paths.
//!
//! A path segment of one dot means "here" to every HTTP client (RFC 3986 §5.2.4), so the root zone is written `@`
//! there. Any other name is percent-encoded as it is, with its last dot, so that a zone really called `@` is `@.`.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use dns::Name;
use zone::TenantId;

use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

/// The segment that stands for the root zone.
pub(crate) const ROOT_SEGMENT: &str = "@";

/// The zone that the path names.
pub(crate) struct ZoneInPath(pub(crate) Name);

impl FromRequestParts<Served> for ZoneInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let segment = segment(parts, served, Code::ZoneNameInvalid).await?;
        if segment == ROOT_SEGMENT {
            return Ok(Self(Name::root()));
        }
        text::known_zone_name(&segment).map(Self)
    }
}

/// The key that the path names.
pub(crate) struct KeyInPath(pub(crate) Name);

impl FromRequestParts<Served> for KeyInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let segment = segment(parts, served, Code::KeyNameInvalid).await?;
        text::key_name(&segment).map(Self)
    }
}

/// A name in the path that is just a text: a token's, or an address.
pub(crate) struct TextInPath(pub(crate) String);

impl FromRequestParts<Served> for TextInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        segment(parts, served, Code::QueryInvalid).await.map(Self)
    }
}

/// The number of something in the path.
pub(crate) struct IdInPath(pub(crate) u64);

impl FromRequestParts<Served> for IdInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let segment = segment(parts, served, Code::QueryInvalid).await?;
        let no_number = |_| Problem::new(Code::QueryInvalid, format!("{segment:?} in the path is no number"));
        segment.parse().map(Self).map_err(no_number)
    }
}

/// The organisation whose number the path holds.
pub(crate) struct OrganisationInPath(pub(crate) TenantId);

impl FromRequestParts<Served> for OrganisationInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let segment = segment(parts, served, Code::TenantUnknown).await?;
        let unknown = || Problem::new(Code::TenantUnknown, format!("there is no organisation {segment:?}"));
        segment.parse().map(|number| Self(TenantId(number))).map_err(|_| unknown())
    }
}

async fn segment(parts: &mut Parts, served: &Served, code: Code) -> Result<String, Problem> {
    match Path::<String>::from_request_parts(parts, served).await {
        Ok(Path(segment)) => Ok(segment),
        Err(rejection) => {
            Err(Problem::new(code, format!("the name in the path cannot be read: {}", rejection.body_text())))
        }
    }
}

/// The path segment for a zone or a key, percent-encoded: what clients put into URLs.
pub fn segment_of(name: &Name) -> String {
    if name.borrow().is_root() {
        return ROOT_SEGMENT.to_owned();
    }
    percent_encoded(&name.to_string())
}

/// The text as it may stand anywhere in a URL.
pub fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::new();
    for octet in text.bytes() {
        // RFC 3986 §2.3: only these need no encoding anywhere.
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            let _ = write!(encoded, "%{octet:02X}");
        }
    }
    encoded
}
