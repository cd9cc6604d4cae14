//! Zones: the list, creating one, and the pages of one.

pub(crate) mod delegation;
pub(crate) mod diff;
pub(crate) mod export;
mod form;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod new;
pub(crate) mod order;
pub(crate) mod ownership;
pub(crate) mod promote;
pub(crate) mod queries;
pub(crate) mod records;
pub(crate) mod remove;
pub(crate) mod removed;
pub(crate) mod settings;
pub(crate) mod show;
mod steps;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::Response;
use dns::Name;
use serde::Deserialize;

use crate::console::page::refusal;
use crate::doors::Membership;
use crate::path::{ROOT_SEGMENT, segment_of};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text;

/// The zone that a page of an organisation is about; what is no name is no page.
pub(crate) struct ZoneInTenant(pub(crate) Name);

impl FromRequestParts<Served> for ZoneInTenant {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Response> {
        #[derive(Deserialize)]
        struct InPath {
            name: String,
        }
        let unknown = || refusal(&Problem::new(Code::ZoneUnknown, "there is no zone of this name"));
        match Path::<InPath>::from_request_parts(parts, served).await {
            Ok(Path(path)) if path.name == ROOT_SEGMENT => Ok(Self(Name::root())),
            Ok(Path(path)) => text::known_zone_name(&path.name).map(Self).map_err(|_| unknown()),
            Err(_) => Err(unknown()),
        }
    }
}

/// The path of a zone's page.
fn path(tenant: &Membership, zone: &Name) -> String {
    format!("{}/zones/{}", super::page::base(tenant), segment_of(zone))
}
