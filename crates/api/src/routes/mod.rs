//! One file for each use of each resource: access, one door, one answer.

pub(crate) mod account;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod catalogs;
pub(crate) mod claims;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod invitations;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod node;
pub(crate) mod organisations;
pub(crate) mod plans;
pub(crate) mod removed;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod zones;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use crate::doors::NamePage;
use crate::problem::{Code, Problem};
use crate::text;

/// The most entries on a page, so that an answer's size is bounded.
pub(crate) const PAGE_MAX: u32 = 1_000;
const PAGE_DEFAULT: u32 = 100;
/// A name as text has at most so many, each octet escaped (RFC 1035 §5.1).
const FIND_OCTETS_MAX: usize = 1_020;

/// Which part of a list in the order of names.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Only zones after this name.
    after: Option<String>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

impl Page {
    fn read(&self) -> Result<NamePage, Problem> {
        let limit = page_limit(self.limit)?;
        let after = self.after.as_deref().map(text::known_zone_name).transpose()?;
        Ok(NamePage { after, limit })
    }
}

/// Which part of a list that has the newest first.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Only what was before this: `next` of the page before.
    #[serde(default, deserialize_with = "number")]
    before: Option<u64>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// Which part of a list in the order of numbers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// Only what comes after this: `next` of the page before.
    #[serde(default, deserialize_with = "number")]
    after: Option<u64>,
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// A number by which a list goes on. None of them is beyond what the document allows (`int64`).
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if i64::try_from(number).is_err() {
        return Err(D::Error::custom(format!(
            "{number} is no number of a page: pass on the `next` of the page before"
        )));
    }
    Ok(Some(number))
}

/// How much of a list that is short enough to have no pages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Newest {
    /// How many at most: 1 to 1,000, 100 unless said otherwise.
    limit: Option<u32>,
}

/// What is looked for, in lower case.
pub(crate) fn find_text(asked: Option<&str>) -> Result<String, Problem> {
    let text = asked.unwrap_or_default().trim().to_lowercase();
    if text.len() > FIND_OCTETS_MAX {
        let detail = format!("what is looked for is longer than any name: at most {FIND_OCTETS_MAX} octets");
        return Err(Problem::new(Code::QueryInvalid, detail));
    }
    Ok(text)
}

fn page_limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(limit) => {
            Err(Problem::new(Code::QueryInvalid, format!("a page of {limit} cannot be had: ask for 1 to {PAGE_MAX}")))
        }
    }
}
