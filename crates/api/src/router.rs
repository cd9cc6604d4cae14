//! The whole surface on one screen.
//!
//! Invariant: every handler of the API takes an extractor of [`access`](crate::access) but the health check and the OpenAPI
//! document with its page, which say nothing about any zone; those of the console take what [`console`] says.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{IMPORT_OCTETS_MAX, JSON_OCTETS_MAX};
use crate::conditional::{Things, conditional};
use crate::console::{self, Living};
use crate::deadline::{answer_in_time, refresh_in_time};
use crate::docs;
use crate::document::{self, Document};
use crate::doors::Doors;
use crate::front::{Front, HEALTH, check_host};
use crate::jobs::{Underway, respond_async};
use crate::once::once;
use crate::problem::{Code, Problem};
use crate::routes::{
    account, alerts, audit, catalogs, claims, doctor, export, invitations, jobs, keys, members, node, organisations,
    plans, removed, tokens, usage, users, zones,
};

/// What every handler is given.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) doors: Doors,
    pub(crate) front: Arc<Front>,
    pub(crate) living: Arc<Living>,
    pub(crate) jobs: Arc<Underway>,
}

/// The API and the console as a service, for [`serve`](crate::serve).
pub fn router(doors: Doors, front: Front) -> Router {
    let served = Served { doors, front: Arc::new(front), living: Arc::default(), jobs: Arc::default() };
    let (api, document) = surface().split_for_parts();
    let document: Arc<str> = document::text(document).into();
    let things = Things::new(served.clone(), api.clone().with_state(served.clone()));
    let router = api.layer(from_fn_with_state(served.clone(), respond_async));
    let router =
        router.layer(from_fn_with_state(served.clone(), once)).layer(from_fn_with_state(things, conditional));
    let page = docs::page(&document);
    router
        .route("/api/docs", axum::routing::get(async || page))
        .route("/api/openapi.json", axum::routing::get(move || node::openapi::openapi(document)))
        .route(HEALTH, axum::routing::get(node::health::health))
        .merge(console::pages())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(served.clone(), check_host))
        .with_state(served)
}

/// The OpenAPI document of the API, as JSON.
pub fn openapi() -> String {
    document::text(surface().into_openapi())
}

fn surface() -> OpenApiRouter<Served> {
    let quick = OpenApiRouter::new()
        .routes(routes!(zones::add::add, zones::list::list))
        .routes(routes!(zones::show::show, zones::change::change, zones::remove::remove))
        .routes(routes!(zones::counts::counts))
        .routes(routes!(zones::tags::tags))
        .routes(routes!(zones::records::records))
        .routes(routes!(zones::lines::lines))
        .routes(routes!(zones::delegation::known))
        .routes(routes!(zones::delegation::begin))
        .routes(routes!(zones::history::history))
        .routes(routes!(zones::diff::diff))
        .routes(routes!(zones::notifies::notifies))
        .routes(routes!(zones::queries::queries))
        .routes(routes!(zones::export::export))
        .routes(routes!(zones::promotion::promotion))
        .routes(routes!(catalogs::add::add, catalogs::list::list))
        .routes(routes!(catalogs::show::show, catalogs::change::change, catalogs::remove::remove))
        .routes(routes!(catalogs::members::members))
        .routes(routes!(catalogs::accept::accept))
        .routes(routes!(keys::add::add, keys::list::list))
        .routes(routes!(keys::show::show, keys::remove::remove))
        .routes(routes!(tokens::add::add, tokens::list::list))
        .routes(routes!(tokens::show::show, tokens::remove::remove))
        .routes(routes!(alerts::rules::add, alerts::rules::list))
        .routes(routes!(alerts::rule::show, alerts::rule::change, alerts::rule::remove))
        .routes(routes!(alerts::deliveries::deliveries))
        .routes(routes!(users::add::add, users::list::list))
        .routes(routes!(users::remove::remove))
        .routes(routes!(users::link::link))
        .routes(routes!(zones::ownership::ownership))
        .routes(routes!(zones::ownership::hand_over))
        .routes(routes!(claims::list::list))
        .routes(routes!(claims::approve::approve))
        .routes(routes!(claims::disprove::disprove))
        .routes(routes!(users::remove_second_factor::remove_second_factor))
        .routes(routes!(organisations::add::add, organisations::list::list))
        .routes(routes!(organisations::show::show, organisations::change::change, organisations::remove::remove))
        .routes(routes!(members::list::list))
        .routes(routes!(members::show::show, members::change::change, members::remove::remove))
        .routes(routes!(invitations::add::add, invitations::list::list))
        .routes(routes!(invitations::withdraw::withdraw))
        .routes(routes!(export::export))
        .routes(routes!(jobs::list::list))
        .routes(routes!(jobs::show::show))
        .routes(routes!(removed::list::list))
        .routes(routes!(removed::restore::restore))
        .routes(routes!(plans::own::own))
        .routes(routes!(plans::own::events))
        .routes(routes!(plans::all::list, plans::all::add))
        .routes(routes!(plans::show::show, plans::all::change, plans::all::remove))
        .routes(routes!(plans::assign::assign))
        .routes(routes!(account::account))
        .routes(routes!(audit::audit))
        .routes(routes!(usage::usage))
        .routes(routes!(usage::table))
        .routes(routes!(node::status::status))
        .routes(routes!(node::notifies::notifies))
        .routes(routes!(node::health::health))
        .layer(DefaultBodyLimit::max(JSON_OCTETS_MAX))
        .layer(from_fn(answer_in_time));
    let import = OpenApiRouter::new()
        .routes(routes!(zones::import::import))
        .layer(DefaultBodyLimit::max(IMPORT_OCTETS_MAX))
        .layer(from_fn(answer_in_time));
    let slow = OpenApiRouter::new()
        .routes(routes!(zones::refresh::refresh))
        .routes(routes!(doctor::examine::examine))
        .routes(routes!(alerts::test::test))
        .routes(routes!(zones::hold::hold))
        .routes(routes!(zones::promotion::promote))
        .routes(routes!(zones::promotion::compare))
        .routes(routes!(zones::promotion::finish))
        .routes(routes!(zones::delegation::delegation))
        .routes(routes!(zones::ownership::look))
        .layer(DefaultBodyLimit::max(JSON_OCTETS_MAX))
        .layer(from_fn(refresh_in_time));
    // What lasts is bounded by its own end.
    let lasting = OpenApiRouter::new().routes(routes!(zones::news::news));
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", quick.merge(import).merge(slow).merge(lasting))
}

async fn no_such_route(uri: Uri) -> Response {
    if !is_of_api(&uri) {
        return console::refusal(&Problem::new(Code::RouteUnknown, "there is no such page"));
    }
    let detail = format!("{} is not a path of this API: see /api/openapi.json", uri.path());
    Problem::new(Code::RouteUnknown, detail).into_response()
}

async fn no_such_method(method: Method, uri: Uri) -> Response {
    if !is_of_api(&uri) {
        return console::refusal(&Problem::new(Code::MethodUnknown, format!("the page does not take {method}")));
    }
    let detail = format!("{} does not take {method}: see /api/openapi.json", uri.path());
    Problem::new(Code::MethodUnknown, detail).into_response()
}

/// Whether programs ask there; people look at the rest.
pub(crate) fn is_of_api(uri: &Uri) -> bool {
    uri.path() == HEALTH || uri.path() == "/api" || uri.path().starts_with("/api/")
}
