//! What went wrong with a request, for programs and for people (RFC 9457).
//!
//! Invariant: a code's text and HTTP status never change once released; programs match on them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::UnknownWord;

/// Each way a request can fail: the variant, its stable code, its HTTP status and its title.
macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// A stable code for each way a request can fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($variant),* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// The same words for every problem with this code.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

codes! {
    ZoneNameInvalid = "zone_name_invalid", 400, "Not a zone name";
    ZoneExists = "zone_exists", 409, "The zone exists already";
    ZoneNameTaken = "zone_name_taken", 409, "The name is answered for somebody else";
    NameNotProven = "name_not_proven", 409, "The name is not proven";
    ClaimUnknown = "claim_unknown", 404, "No such claim";
    PlanLimit = "plan_limit", 403, "More than the plan allows";
    PlanInvalid = "plan_invalid", 400, "Not a plan";
    PlanUnknown = "plan_unknown", 404, "No such plan";
    PlanExists = "plan_exists", 409, "The plan exists already";
    PlanInUse = "plan_in_use", 409, "The plan is in use";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "Not an Idempotency-Key";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key was another request's";
    RequestUnderWay = "request_under_way", 409, "The request is being carried out";
    RequestUnanswered = "request_unanswered", 409, "The answer cannot be had again";
    PreconditionFailed = "precondition_failed", 412, "It is not as you believe";
    JobUnknown = "job_unknown", 404, "No such job";
    JobCutOff = "job_cut_off", 503, "The job was cut off";
    TooManyJobs = "too_many_jobs", 429, "Too many jobs";
    RateLimited = "rate_limited", 429, "Too many requests";
    ZoneUnknown = "zone_unknown", 404, "No such zone";
    ZoneNotLoaded = "zone_not_loaded", 409, "The zone has no contents yet";
    ZonePaused = "zone_paused", 409, "The zone is not followed now";
    ZoneDisabled = "zone_disabled", 409, "The zone is not answered now";
    NothingHeld = "nothing_held", 409, "No version is held back";
    GenerationUnknown = "generation_unknown", 404, "No such version is kept";
    PrimaryFailed = "primary_failed", 409, "The primary does not give the zone";
    VersionDiffers = "version_differs", 409, "It is not what is served";
    VersionChanged = "version_changed", 409, "It is not what it was";
    NotPromoted = "not_promoted", 409, "The zone has had no other primaries";
    ZoneOfCatalog = "zone_of_catalog", 409, "A catalog says what becomes of the zone";
    ZoneIsCatalog = "zone_is_catalog", 409, "The zone is a catalog";
    CatalogUnknown = "catalog_unknown", 404, "No such catalog";
    CatalogChanged = "catalog_changed", 409, "The catalog has another version by now";
    CatalogNotRead = "catalog_not_read", 409, "The catalog cannot be read now";
    GuardInvalid = "guard_invalid", 400, "Not something that removals can be made to wait for";
    SettingInvalid = "setting_invalid", 400, "Not a setting, or not a value for it";
    TagInvalid = "tag_invalid", 400, "Not a tag";
    PrimaryInvalid = "primary_invalid", 400, "Not a primary";
    AddressInvalid = "address_invalid", 400, "Not an address";
    AddressRefused = "address_refused", 400, "Not an address that anything is sent to";
    KeyNameInvalid = "key_name_invalid", 400, "Not a key name";
    KeyExists = "key_exists", 409, "The key exists already";
    KeyUnknown = "key_unknown", 404, "No such key";
    KeyInUse = "key_in_use", 409, "The key is in use";
    AlgorithmUnknown = "algorithm_unknown", 400, "Not a TSIG algorithm";
    SecretInvalid = "secret_invalid", 400, "Not a TSIG secret";
    TokenMissing = "token_missing", 401, "No access token";
    TokenInvalid = "token_invalid", 401, "Wrong access token";
    NotAllowed = "not_allowed", 403, "Not allowed";
    SignInRefused = "sign_in_refused", 403, "Not signed in";
    TooManyAttempts = "too_many_attempts", 429, "Too many attempts";
    CodeWrong = "code_wrong", 400, "Not the code";
    LinkInvalid = "link_invalid", 410, "The link does nothing any more";
    PasswordWeak = "password_weak", 400, "Not a password that keeps anybody out";
    EmailInvalid = "email_invalid", 400, "Not an e-mail address";
    UserExists = "user_exists", 409, "The user exists already";
    UserUnknown = "user_unknown", 404, "No such user";
    LastOwner = "last_owner", 409, "Somebody must be left";
    TokenExists = "token_exists", 409, "The token exists already";
    TokenUnknown = "token_unknown", 404, "No such token";
    AlertUnknown = "alert_unknown", 404, "No such alert rule";
    AlertInvalid = "alert_invalid", 400, "Not an alert rule";
    AlertUnconfirmed = "alert_unconfirmed", 409, "The address is not confirmed";
    ListInvalid = "list_invalid", 400, "Not a list of zones";
    TokenNameInvalid = "token_name_invalid", 400, "Not a name for a token";
    TenantNameInvalid = "tenant_name_invalid", 400, "Not a name for an organisation";
    TenantStays = "tenant_stays", 409, "The organisation stays";
    NameNotTyped = "name_not_typed", 400, "Not the name";
    MemberExists = "member_exists", 409, "The member is here already";
    InvitationUnknown = "invitation_unknown", 404, "No such invitation";
    SignUpClosed = "sign_up_closed", 403, "Nobody signs up here";
    MailMissing = "mail_missing", 409, "This service sends no mail";
    TenantUnknown = "tenant_unknown", 404, "No such organisation";
    FormInvalid = "form_invalid", 403, "The form is not of this session";
    HostUnknown = "host_unknown", 421, "Not a name of this server";
    HostInvalid = "host_invalid", 400, "Not one name of a server";
    BodyInvalid = "body_invalid", 400, "The request body cannot be read";
    BodyTooSlow = "body_too_slow", 408, "The request body came too slowly";
    BodyTooLarge = "body_too_large", 413, "The request body is too large";
    ContentTypeInvalid = "content_type_invalid", 415, "The request body has another type";
    QueryInvalid = "query_invalid", 400, "The query parameters cannot be read";
    RouteUnknown = "route_unknown", 404, "No such route";
    MethodUnknown = "method_unknown", 405, "The route has no such method";
    TimedOut = "timed_out", 503, "It took too long";
    Overtaken = "overtaken", 409, "Another change was faster";
    InventoryUnavailable = "inventory_unavailable", 503, "The inventory is not available";
    StoreUnavailable = "store_unavailable", 503, "The zone store is not available";
    NotOnDisk = "not_on_disk", 507, "It is done, and is not on disk";
    ShuttingDown = "shutting_down", 503, "The service is stopping";
    Internal = "internal", 500, "A fault of Secondo's own";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| UnknownWord {
            text: text.to_owned(),
            known: Self::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// A request, or one line of it, that failed: a code and one sentence that says what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    code: Code,
    detail: String,
}

impl Problem {
    /// `detail` begins in lower case and has no full stop, so that it can stand behind a colon.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// A problem as it travels: `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// `urn:secondo:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:secondo:problem:zone_exists")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Stable, for programs.
    #[schema(example = "zone_exists")]
    pub code: String,
}

impl From<&Problem> for ProblemDetails {
    fn from(problem: &Problem) -> Self {
        let code = problem.code;
        Self {
            kind: format!("urn:secondo:problem:{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: problem.detail.clone(),
            code: code.to_string(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(code = self.code.as_str(), "a request failed: {}", self.detail);
        }
        let mut response = (status, axum::Json(ProblemDetails::from(&self))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::TOO_MANY_REQUESTS {
            // RFC 9110 §10.2.3. In a minute at the latest there may be one again, whatever is limited.
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750 §3: a request without good credentials is told which kind is wanted.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"secondo\""));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Code;

    #[test]
    fn every_code_is_said_once_and_read_back() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert!((400..600).contains(&code.status()), "{code}");
        }
    }
}
