//! Who has a session, and what they may do.
//!
//! The session's secret is in a cookie that scripts cannot read and other sites' pages cannot send forms with
//! (`SameSite=Lax`); over TLS its name has the prefix that has browsers refuse it from anybody else (`__Host-`). Besides, each
//! form holds a token of its session, and what the browser says about where a form comes from must not be another site.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use zone::TenantId;

use super::page::refusal;
use crate::deadline::body_in_time;
use crate::doors::{Actor, Caller, Marks, Membership, SignedIn, Visitor};
use crate::front::{is_secure, visitor};
use crate::json::Scope;
use crate::problem::{Code, Problem};
use crate::router::Served;

/// Over TLS: no other host, and no clear text, can set a cookie of that name.
const SECURE_COOKIE: &str = "__Host-secondo";
const COOKIE: &str = "secondo";
/// The same for what a browser keeps when nobody is signed in any more.
const SECURE_DEVICE_COOKIE: &str = "__Host-secondo-device";
const DEVICE_COOKIE: &str = "secondo-device";
/// A cookie that lasts as long as the inventory remembers the browser, 180 days.
const DEVICE_LASTS: &str = "device=; Max-Age=15552000";
/// The field of each form that holds the session's token.
pub(crate) const FORM_TOKEN: &str = "form_token";
/// Parts of a form with files: no form here has as many.
const PARTS_MAX: usize = 32;

/// Somebody who has a session and has shown all that is wanted.
pub(crate) struct Somebody {
    pub(crate) who: SignedIn,
    pub(crate) visitor: Visitor,
}

/// Somebody who belongs to the organisation that the path names, or runs the service.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) who: SignedIn,
    pub(crate) visitor: Visitor,
    pub(crate) membership: Membership,
    pub(crate) caller: Caller,
    /// Whether names are to be proven here.
    pub(crate) proves: bool,
    pub(crate) marks: Marks,
}

/// The fields of a form that was sent from a page of this session; a field that is missing is an empty one.
pub(crate) struct Form(Vec<(String, String)>);

/// Where a session's secret is, and where a browser is to keep one.
pub(crate) struct Cookies {
    jar: CookieJar,
    is_secure: bool,
}

impl FromRequestParts<Served> for Cookies {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Self::Rejection> {
        Ok(Self { jar: CookieJar::from_headers(&parts.headers), is_secure: is_secure(parts, served) })
    }
}

impl Cookies {
    fn name(&self) -> &'static str {
        if self.is_secure { SECURE_COOKIE } else { COOKIE }
    }

    pub(crate) fn secret(&self) -> Option<&str> {
        self.jar.get(self.name()).map(Cookie::value)
    }

    /// Has the browser keep the secret. It forgets it when it is closed, unless it is told not to; and the session ends by
    /// itself.
    pub(crate) fn keep(self, secret: String) -> CookieJar {
        let cookie = self.cookie(secret);
        self.jar.add(cookie)
    }

    /// Has the browser keep what says that it was here before.
    pub(crate) fn keep_device(mut self, secret: String) -> Self {
        let mut cookie = self.cookie_named(device_cookie(self.is_secure), secret);
        let lasting = Cookie::parse(DEVICE_LASTS).ok();
        cookie.set_max_age(lasting.and_then(|lasting| lasting.max_age()));
        self.jar = self.jar.add(cookie);
        self
    }

    pub(crate) fn forget(self) -> CookieJar {
        let cookie = self.cookie(String::new());
        self.jar.remove(cookie)
    }

    fn cookie(&self, secret: String) -> Cookie<'static> {
        self.cookie_named(self.name(), secret)
    }

    fn cookie_named(&self, name: &'static str, secret: String) -> Cookie<'static> {
        Cookie::build((name, secret))
            .path("/")
            .http_only(true)
            .secure(self.is_secure)
            .same_site(SameSite::Lax)
            .build()
    }
}

fn device_cookie(is_secure: bool) -> &'static str {
    if is_secure { SECURE_DEVICE_COOKIE } else { DEVICE_COOKIE }
}

/// What the browser was given to keep when somebody signed in with it.
pub(crate) fn device(parts: &Parts, served: &Served) -> Option<String> {
    let jar = CookieJar::from_headers(&parts.headers);
    jar.get(device_cookie(is_secure(parts, served))).map(|cookie| cookie.value().to_owned())
}

/// The secret in a link's path; what cannot be read is none.
pub(crate) struct LinkInPath(pub(crate) String);

impl FromRequestParts<Served> for LinkInPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, served).await {
            Ok(Path(secret)) => Ok(Self(secret)),
            Err(_) => {
                Err(refusal(&Problem::new(Code::LinkInvalid, "this is none of our links: see that it is whole")))
            }
        }
    }
}

impl FromRequestParts<Served> for Somebody {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Response> {
        let who = signed_in(parts, served).await.map_err(|problem| refusal(&problem))?;
        match who {
            Some(who) if !who.wants_code => Ok(Self { who, visitor: visitor(parts, served) }),
            Some(_) => Err(Redirect::to("/sign-in/code").into_response()),
            None => Err(Redirect::to(&sign_in_path(&parts.uri)).into_response()),
        }
    }
}

impl FromRequestParts<Served> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Response> {
        let Somebody { who, visitor } = Somebody::from_request_parts(parts, served).await?;
        #[derive(Deserialize)]
        struct InPath {
            tenant: String,
        }
        let path = Path::<InPath>::from_request_parts(parts, served).await;
        let tenant = path.ok().and_then(|path| path.0.tenant.parse().ok()).map(TenantId);
        let membership = membership(&who, tenant, served).await.map_err(|problem| refusal(&problem))?;
        let caller = Caller {
            tenant: membership.tenant,
            actor: Actor::User { id: who.user, email: who.email.clone() },
            address: visitor.address,
            scopes: membership.scopes.clone(),
        };
        if let Err(problem) = caller.must(Scope::Read) {
            return Err(refusal(&problem));
        }
        let proves = served.doors.ownership.wants_proofs();
        let marks = served.doors.plans.marks(&caller).await;
        Ok(Self { who, visitor, membership, caller, proves, marks })
    }
}

/// What somebody is to the organisation; operators act for any.
async fn membership(who: &SignedIn, tenant: Option<TenantId>, served: &Served) -> Result<Membership, Problem> {
    if let Some(membership) = who.tenants.iter().find(|one| Some(one.tenant) == tenant) {
        return Ok(membership.clone());
    }
    match tenant {
        Some(tenant) if who.is_operator => {
            let organisation = served.doors.organisations.organisation(tenant).await?;
            Ok(Membership { tenant, name: organisation.name, scopes: Scope::ALL.to_vec(), role: None })
        }
        _ => {
            let detail = "there is no such organisation, or you do not belong to it";
            Err(Problem::new(Code::TenantUnknown, detail))
        }
    }
}

impl Member {
    /// # Errors
    /// [`Code::NotAllowed`].
    pub(crate) fn must(&self, scope: Scope) -> Result<(), Problem> {
        self.caller.must(scope)
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.caller.may(scope)
    }

    /// Whether they may still do that: they may have signed out since, or belong here no longer.
    pub(crate) async fn still_may(&self, served: &Served, scope: Scope) -> bool {
        let who = served.doors.accounts.still_signed_in(&self.who.secret).await;
        let Ok(Some(who)) = who else { return false };
        let tenant = self.caller.tenant;
        let mut memberships = who.tenants.iter().filter(|membership| membership.tenant == tenant);
        // Operators see all organisations, of which they need be no members.
        !who.wants_code && (who.is_operator || memberships.any(|membership| membership.scopes.contains(&scope)))
    }
}

impl FromRequest<Served> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, served: &Served) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let not_ours = |detail: &str| refusal(&Problem::new(Code::FormInvalid, detail));
        if is_from_elsewhere(&parts.headers) {
            return Err(not_ours("the form was sent by a page of another site: nothing was done"));
        }
        // Whoever has no session yet has nothing that another site could use.
        let who = signed_in(&mut parts, served).await.map_err(|problem| refusal(&problem))?;
        let reading = fields(Request::from_parts(parts, body), served);
        let fields = body_in_time(reading).await.map_err(|problem| refusal(&problem))?;
        let form = Self(fields.ok_or_else(|| {
            refusal(&Problem::new(Code::BodyTooLarge, "the form is too large, or broke off: nothing was done"))
        })?);
        if let Some(who) = who
            && !is_same(who.form_token.as_bytes(), form.text(FORM_TOKEN).as_bytes())
        {
            return Err(not_ours(
                "the form is of a session that has ended: nothing was done; go back, load the page anew and send it again",
            ));
        }
        Ok(form)
    }
}

/// The fields of a form, as browsers send one (URL Standard §5) or one with files (RFC 7578); None where it is too large.
async fn fields(request: Request, served: &Served) -> Option<Vec<(String, String)>> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let octets = Bytes::from_request(request, served).await.ok()?;
        return Some(form_urlencoded::parse(&octets).into_owned().collect());
    }
    let mut parts = Multipart::from_request(request, served).await.ok()?;
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.ok()? {
        if fields.len() == PARTS_MAX {
            return None;
        }
        let name = part.name().unwrap_or_default().to_owned();
        let octets = part.bytes().await.ok()?;
        fields.push((name, String::from_utf8_lossy(&octets).into_owned()));
    }
    Some(fields)
}

impl Form {
    /// The field's text without spaces around it; empty when there is no such field.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.verbatim(name).trim()
    }

    /// The field as it was typed: a password may begin with a space.
    pub(crate) fn verbatim(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// All fields of this name, in their order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }
}

/// Whose session it is. A page that takes a form asks twice, and is answered the second time by the request itself.
async fn signed_in(parts: &mut Parts, served: &Served) -> Result<Option<SignedIn>, Problem> {
    if let Some(who) = parts.extensions.get::<SignedIn>() {
        return Ok(Some(who.clone()));
    }
    let cookies = Cookies { jar: CookieJar::from_headers(&parts.headers), is_secure: is_secure(parts, served) };
    let Some(secret) = cookies.secret() else { return Ok(None) };
    let who = served.doors.accounts.signed_in(secret).await?;
    if let Some(who) = &who {
        parts.extensions.insert(who.clone());
    }
    Ok(who)
}

/// Whether the browser says that another site's page sends this (Fetch Metadata, and the Origin of RFC 6454).
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match header("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => match (header("origin"), header("host")) {
            (Some(origin), Some(host)) => origin.split_once("://").map(|(_, host)| host) != Some(host),
            _ => false,
        },
    }
}

/// Takes the same time wherever they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    // `blake3::Hash` compares in constant time.
    blake3::hash(one) == blake3::hash(other)
}

/// Where to sign in, to come back then to the page that was asked for.
fn sign_in_path(uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
    if wanted == "/" {
        "/sign-in".to_owned()
    } else {
        format!("/sign-in?next={}", crate::path::percent_encoded(wanted))
    }
}
