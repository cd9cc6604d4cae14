//! Secondo as its users see it: the program itself, run as a process, beside real name servers.
//!
//! One folder for each behaviour. Every test runs against BIND, Knot, NSD and PowerDNS where the behaviour can depend
//! on the primary; each thread is named after its primary, so that a failure says which one it was.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod access;
mod alerts;
mod apart;
mod bad_input;
mod catalogs;
mod certificates;
mod changes;
mod commands;
mod configuration;
mod console;
mod crash;
mod data_directory;
mod delegation;
mod demo;
mod doctor;
mod edns;
mod expiry;
mod first_copy;
mod fuzzed_api;
mod guides;
mod hidden_primary;
mod holding;
mod import;
mod installing;
mod inventory_on_postgres;
mod jobs;
mod mail;
mod notify;
mod organisations;
mod over_quic;
mod over_tls;
mod ownership;
mod promotion;
mod queries;
mod removal;
mod root_zone;
mod scene;
mod settings;
mod shown;
mod signed_transfers;
mod signing;
mod strangers;
mod tenancy;
mod transfers_out;
mod validation;
mod without_primary;
