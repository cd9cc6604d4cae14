//! Who may use the API: whoever holds the token.
//!
//! Invariants: the token itself is not kept, only its hash; comparing takes the same time wherever a wrong token
//! differs.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::problem::{Code, Problem};
use crate::router::Served;

/// The token that opens the API, as its hash.
#[derive(Clone)]
pub struct Token(blake3::Hash);

impl Token {
    pub fn new(token: &str) -> Self {
        Self(blake3::hash(token.as_bytes()))
    }

    fn is(&self, offered: &[u8]) -> bool {
        // `blake3::Hash` compares in constant time.
        self.0 == blake3::hash(offered)
    }
}

/// Proof that the request came with the token: every handler but the health check takes one.
pub(crate) struct Admin(());

impl FromRequestParts<Served> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let offered = parts.headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        let Some(offered) = offered else {
            let detail = "the request has no access token: send the header \"Authorization: Bearer TOKEN\"";
            return Err(Problem::new(Code::TokenMissing, detail));
        };
        if !served.token.is(offered) {
            let detail =
                "the access token is not this server's: use the one in the file admin-token of its data directory";
            return Err(Problem::new(Code::TokenInvalid, detail));
        }
        Ok(Self(()))
    }
}

/// The token of `Bearer TOKEN` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return None;
    }
    let token = token.trim_ascii();
    if token.is_empty() { None } else { Some(token) }
}
