//! Who may do what: whoever shows a token that has the scope, or has a session of somebody who does.
//!
//! Invariants: whoever takes one of these extractors gets a [`Caller`] who has the scope; a token is looked at only here; what
//! a browser sends along by itself (a cookie) opens nothing of the API.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use zone::TenantId;

use crate::doors::Caller;
use crate::front::visitor;
use crate::json::Scope;
use crate::problem::{Code, Problem};
use crate::router::Served;

/// The organisation that an operator acts for.
const ORGANISATION: &str = "secondo-organisation";

/// Extractors of the API's handlers: each is proof that the request came with a token that has that scope.
macro_rules! scopes {
    ($($(#[$about:meta])* $name:ident = $scope:ident;)*) => { $(
        $(#[$about])*
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<Served> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
                let caller = holder(parts, served).await?;
                caller.must(Scope::$scope).map(|()| Self(caller))
            }
        }
    )* };
}

scopes! {
    Reads = Read;
    ChangesZones = Zones;
    ChangesKeys = Keys;
    SeesPeople = People;
    Operates = Operate;
}

/// Who asks, where that was found out before the handler began: a request is counted once.
#[derive(Clone)]
pub(crate) struct Known(pub(crate) Caller);

/// Who asks.
pub(crate) async fn holder(parts: &Parts, served: &Served) -> Result<Caller, Problem> {
    if let Some(Known(caller)) = parts.extensions.get() {
        return Ok(caller.clone());
    }
    let Some(offered) = token(parts) else {
        let detail = "the request has no access token: send the header \"Authorization: Bearer TOKEN\"";
        return Err(Problem::new(Code::TokenMissing, detail));
    };
    let caller = served.doors.accounts.holder(offered, &visitor(parts, served)).await?;
    match parts.headers.get(ORGANISATION) {
        None => Ok(caller),
        Some(number) => acting_for(caller, number, served).await,
    }
}

/// The token that came with the request.
pub(crate) fn token(parts: &Parts) -> Option<&str> {
    parts.headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()))
}

/// Whoever has any token.
pub(crate) struct Anybody(pub(crate) Caller);

impl FromRequestParts<Served> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        holder(parts, served).await.map(Self)
    }
}

/// What a request showed of who sends it, to be looked at again by answers that last.
pub(crate) struct Shown(Parts);

impl Shown {
    pub(crate) fn by(parts: &Parts) -> Self {
        let mut shown = parts.clone();
        shown.extensions.remove::<Known>();
        Self(shown)
    }

    pub(crate) async fn again(&self, served: &Served) -> Result<Caller, Problem> {
        holder(&self.0, served).await
    }
}

impl FromRequestParts<Served> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Served) -> Result<Self, Infallible> {
        Ok(Self::by(parts))
    }
}

/// Operators act for the organisation that they name; everybody else for their own.
async fn acting_for(caller: Caller, number: &HeaderValue, served: &Served) -> Result<Caller, Problem> {
    let tenant = number.to_str().ok().and_then(|text| text.trim().parse().ok()).map(TenantId);
    match tenant {
        Some(tenant) if tenant == caller.tenant => Ok(caller),
        Some(tenant) if caller.may(Scope::Operate) => {
            served.doors.organisations.organisation(tenant).await?;
            Ok(Caller { tenant, ..caller })
        }
        _ => {
            let detail = format!(
                "there is no organisation {:?}, or the token is not for it: {ORGANISATION} holds a number, and is for operators",
                String::from_utf8_lossy(number.as_bytes())
            );
            Err(Problem::new(Code::TenantUnknown, detail))
        }
    }
}

/// The token of `Bearer TOKEN` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return None;
    }
    let token = str::from_utf8(token.trim_ascii()).ok()?;
    if token.is_empty() { None } else { Some(token) }
}
