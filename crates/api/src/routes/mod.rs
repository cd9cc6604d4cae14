//! One file for each use of each resource: access, one door, one answer.

pub(crate) mod catalogs;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod node;
pub(crate) mod zones;

use crate::problem::{Code, Problem};

/// The most entries on a page, so that an answer's size is bounded.
const PAGE_MAX: u32 = 1_000;
const PAGE_DEFAULT: u32 = 100;

fn page_limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(limit) => {
            Err(Problem::new(Code::QueryInvalid, format!("a page of {limit} cannot be had: ask for 1 to {PAGE_MAX}")))
        }
    }
}
