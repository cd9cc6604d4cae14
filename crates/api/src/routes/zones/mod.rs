//! Zones.

pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod counts;
pub(crate) mod delegation;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod import;
pub(crate) mod lines;
pub(crate) mod list;
pub(crate) mod news;
pub(crate) mod notifies;
pub(crate) mod ownership;
pub(crate) mod promotion;
pub(crate) mod queries;
pub(crate) mod records;
pub(crate) mod refresh;
pub(crate) mod remove;
pub(crate) mod show;
pub(crate) mod tags;
