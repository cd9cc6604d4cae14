//! The console: what people see of the service in a browser.
//!
//! ```text
//!  entry     sign in, codes, links: whoever is not in yet
//!  session   who has a session, and may do what; forms that are of that session
//!  zones/    the list, creating a zone, a zone's page, which lives
//!  newcomers signing up, a forgotten password
//!  account   one's own password, address, second factor and sessions; organisations to leave
//!  members   who belongs to the organisation, and who is to       organisation  its name, its data, its end
//!  keys, tokens, audit, claims
//!  plan, events  what the organisation may have and has; what it was told      alerts  to whom that is sent
//!  organisations, plans, users   of the whole service, for operators
//!  page      what every page has        words, plot   how things are shown
//!  filter    what the address of a list asks for
//!  assets    the style and the script, which are all that a page loads
//! ```
//!
//! Pages are made here, of the same doors as the API; a page works without its script, which only keeps it up to date.
//!
//! Invariants: no handler shows anything of a tenant without a [`session::Member`]; nothing changes but by a form that holds
//! its session's own token; no page loads anything from elsewhere, and the policy that is sent with each says so
//! ([`front`](crate::front)); text that others have written is text in every page (askama escapes it).

mod account;
mod alerts;
mod assets;
mod audit;
mod claims;
mod entry;
mod events;
mod filter;
mod keys;
mod members;
mod newcomers;
mod organisation;
mod organisations;
mod page;
mod plan;
mod plans;
mod plot;
mod session;
mod tokens;
mod users;
mod words;
mod zones;

pub(crate) use assets::style;
pub(crate) use page::{refusal, refusal_elsewhere};
pub(crate) use session::device;
pub(crate) use zones::live::{Living, Place};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use crate::body::{IMPORT_OCTETS_MAX, JSON_OCTETS_MAX};
use crate::deadline::{answer_in_time, refresh_in_time};
use crate::router::Served;

/// Every page.
pub(crate) fn pages() -> Router<Served> {
    let quick = Router::new()
        .route("/", get(entry::home))
        .route("/sign-in", get(entry::sign_in_page).post(entry::sign_in))
        .route("/sign-in/code", get(entry::code_page).post(entry::code))
        .route("/sign-out", post(entry::sign_out))
        .route("/link/{secret}", get(entry::link_page).post(entry::link))
        .route("/sign-up", get(newcomers::sign_up_page).post(newcomers::sign_up))
        .route("/forgotten", get(newcomers::forgotten_page).post(newcomers::forgotten))
        .route("/account", get(account::page_of_account))
        .route("/account/password", post(account::password))
        .route("/account/second-factor", get(account::second_factor_page).post(account::second_factor))
        .route("/account/second-factor/remove", post(account::remove_second_factor))
        .route("/account/sign-out-elsewhere", post(account::sign_out_elsewhere))
        .route("/account/email", post(account::email))
        .route("/account/leave", post(account::leave))
        .route("/organisations", get(organisations::organisations).post(organisations::add))
        .route("/plans", get(plans::plans).post(plans::add))
        .route("/plans/change", post(plans::change))
        .route("/plans/remove", post(plans::remove))
        .route("/o/{tenant}/plan", get(plan::plan).post(plan::give))
        .route("/o/{tenant}/events", get(events::events))
        .route("/o/{tenant}/alerts", get(alerts::alerts).post(alerts::add))
        .route("/o/{tenant}/alerts/change", post(alerts::change))
        .route("/o/{tenant}/alerts/remove", post(alerts::remove))
        .route("/alerts/{secret}", get(alerts::confirm_page).post(alerts::confirm))
        .route("/o/{tenant}/zones", get(zones::list::list))
        .route("/o/{tenant}/zones/new", get(zones::new::page_new).post(zones::new::create))
        .route("/o/{tenant}/zones/import/{job}", get(zones::import::progress))
        .route("/o/{tenant}/zones/import/{job}/results.csv", get(zones::import::table))
        .route("/o/{tenant}/zones/{name}", get(zones::show::show))
        .route("/o/{tenant}/zones/{name}/history", get(zones::history::history))
        .route("/o/{tenant}/zones/{name}/queries", get(zones::queries::queries))
        .route("/o/{tenant}/zones/{name}/diff", get(zones::diff::diff))
        .route("/o/{tenant}/zones/{name}/held", get(zones::held::held))
        .route("/o/{tenant}/zones/{name}/records", get(zones::records::records))
        .route("/o/{tenant}/zones/{name}/export", get(zones::export::export))
        .route("/o/{tenant}/zones/{name}/promote", get(zones::promote::show).post(zones::promote::freeze))
        .route("/o/{tenant}/zones/{name}/settings", get(zones::settings::settings).post(zones::settings::change))
        .route("/o/{tenant}/zones/{name}/remove", get(zones::remove::ask).post(zones::remove::remove))
        .route("/o/{tenant}/removed/restore", post(zones::removed::restore))
        .route("/o/{tenant}/removed/delete", post(zones::removed::delete))
        .route("/o/{tenant}/claims", get(claims::claims))
        .route("/o/{tenant}/claims/approve", post(claims::approve))
        .route("/o/{tenant}/keys", get(keys::keys).post(keys::add))
        .route("/o/{tenant}/keys/remove", post(keys::remove))
        .route("/o/{tenant}/tokens", get(tokens::tokens).post(tokens::add))
        .route("/o/{tenant}/tokens/remove", post(tokens::remove))
        .route("/o/{tenant}/audit", get(audit::audit))
        .route("/o/{tenant}/members", get(members::members).post(members::invite))
        .route("/o/{tenant}/members/role", post(members::set_role))
        .route("/o/{tenant}/members/remove", post(members::remove))
        .route("/o/{tenant}/members/withdraw", post(members::withdraw))
        .route("/o/{tenant}/organisation", get(organisation::organisation).post(organisation::rename))
        .route("/o/{tenant}/organisation/remove", post(organisation::remove))
        .route("/o/{tenant}/organisation/export", get(organisation::export))
        .route("/o/{tenant}/users", get(users::users).post(users::add))
        .route("/o/{tenant}/users/link", post(users::link))
        .route("/o/{tenant}/users/remove", post(users::remove))
        .route("/o/{tenant}/users/second-factor", post(users::remove_second_factor))
        .route("/assets/{file}", get(assets::asset))
        .layer(from_fn(answer_in_time));
    let slow = Router::new()
        .route("/o/{tenant}/alerts/test", post(alerts::test))
        .route("/o/{tenant}/zones/{name}/order", post(zones::order::order))
        .route("/o/{tenant}/zones/{name}/promote/compare", post(zones::promote::compare))
        .route("/o/{tenant}/zones/{name}/promote/finish", post(zones::promote::finish))
        .route("/o/{tenant}/zones/{name}/delegation", get(zones::delegation::delegation))
        .route("/o/{tenant}/zones/{name}/ownership", get(zones::ownership::ownership).post(zones::ownership::act))
        .layer(from_fn(refresh_in_time));
    let import = Router::new()
        .route("/o/{tenant}/zones/import", get(zones::import::ask).post(zones::import::begin))
        .layer(DefaultBodyLimit::max(IMPORT_OCTETS_MAX + JSON_OCTETS_MAX))
        .layer(from_fn(answer_in_time));
    // What lives is bounded by its own end.
    let living = Router::new().route("/o/{tenant}/zones/{name}/live", get(zones::live::live));
    quick.merge(slow).merge(living).layer(DefaultBodyLimit::max(JSON_OCTETS_MAX)).merge(import)
}
