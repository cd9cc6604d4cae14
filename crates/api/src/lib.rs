//! Secondo's HTTP API: the only crate with HTTP routes and JSON.
//!
//! A request passes three things: a route (`routes/`), which holds an access extractor, parses names and addresses
//! once and calls one door; a door (`doors`), a trait that the program implements; and an answer, which is JSON
//! (`json`) or a problem with a stable code (`problem`). `router` shows the whole surface on one screen.
//!
//! Invariants: no handler runs without access; every body, list and wait is bounded; an answer that is not a success
//! is always `application/problem+json`; a TSIG secret leaves through one door only, the creation of a key that
//! Secondo generated.
//!
//! `serving` is its socket. It deliberately knows no database and no zone contents: those are behind the doors.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod body;
mod conditional;
mod console;
mod crowd;
mod deadline;
mod docs;
mod document;
pub mod doors;
mod front;
mod https;
mod import;
mod jobs;
pub mod json;
mod once;
mod path;
pub mod problem;
mod router;
mod routes;
mod sealed;
mod serving;
mod strict;
pub mod text;
mod unread;

pub use doors::{Accounts, Contents, Doors, Intent, Newcomers, Organisations, Requests, Status};
pub use front::Front;
pub use https::Https;
pub use path::{percent_encoded, segment_of};
pub use problem::{Code, Problem};
pub use router::{openapi, router};
pub use serving::{Listeners, serve};
