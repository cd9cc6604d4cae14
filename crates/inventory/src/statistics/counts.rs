//! Numbers of queries, and their columns.

use sqlx::FromRow;

use crate::database::{to_i64, to_u64};
use crate::error::InventoryError;

/// How often a zone was asked: each query once by its type, and once by what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryCounts {
    pub a: u64,
    pub aaaa: u64,
    pub ns: u64,
    pub mx: u64,
    pub txt: u64,
    pub soa: u64,
    pub https: u64,
    pub other_type: u64,
    pub answered: u64,
    pub nodata: u64,
    pub nxdomain: u64,
    pub referral: u64,
    pub failed: u64,
}

/// In the order of [`QueryCounts::numbers`].
pub(super) const COLUMNS: [&str; 13] = [
    "a",
    "aaaa",
    "ns",
    "mx",
    "txt",
    "soa",
    "https",
    "other_type",
    "answered",
    "nodata",
    "nxdomain",
    "referral",
    "failed",
];

impl QueryCounts {
    pub fn total(&self) -> u64 {
        let Self { answered, nodata, nxdomain, referral, failed, .. } = *self;
        [nodata, nxdomain, referral, failed].into_iter().fold(answered, u64::saturating_add)
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, number) in self.numbers_mut().into_iter().zip(other.numbers()) {
            *sum = sum.saturating_add(number);
        }
    }

    pub(super) fn numbers(mut self) -> [u64; COLUMNS.len()] {
        self.numbers_mut().map(|number| *number)
    }

    fn numbers_mut(&mut self) -> [&mut u64; COLUMNS.len()] {
        let Self { a, aaaa, ns, mx, txt, soa, https, other_type, answered, nodata, nxdomain, referral, failed } =
            self;
        [a, aaaa, ns, mx, txt, soa, https, other_type, answered, nodata, nxdomain, referral, failed]
    }

    /// For the database, which has room for nine quintillions.
    pub(super) fn values(self) -> [i64; COLUMNS.len()] {
        self.numbers().map(to_i64)
    }
}

/// A row with an hour or a day.
#[derive(FromRow)]
pub(super) struct CountsRow {
    pub(super) at: i64,
    a: i64,
    aaaa: i64,
    ns: i64,
    mx: i64,
    txt: i64,
    soa: i64,
    https: i64,
    other_type: i64,
    answered: i64,
    nodata: i64,
    nxdomain: i64,
    referral: i64,
    failed: i64,
}

impl CountsRow {
    pub(super) fn read(self) -> Result<(u64, QueryCounts), InventoryError> {
        let counts = QueryCounts {
            a: to_u64(self.a)?,
            aaaa: to_u64(self.aaaa)?,
            ns: to_u64(self.ns)?,
            mx: to_u64(self.mx)?,
            txt: to_u64(self.txt)?,
            soa: to_u64(self.soa)?,
            https: to_u64(self.https)?,
            other_type: to_u64(self.other_type)?,
            answered: to_u64(self.answered)?,
            nodata: to_u64(self.nodata)?,
            nxdomain: to_u64(self.nxdomain)?,
            referral: to_u64(self.referral)?,
            failed: to_u64(self.failed)?,
        };
        Ok((to_u64(self.at)?, counts))
    }
}

/// `a, aaaa, …`
pub(super) fn columns() -> String {
    COLUMNS.join(", ")
}

/// Each column as its sum, under its own name.
pub(super) fn sums() -> String {
    COLUMNS.map(|column| format!("CAST(SUM({column}) AS BIGINT) AS {column}")).join(", ")
}

/// What a row that is there becomes: each column with what is added to it.
pub(super) fn additions(table: &str) -> String {
    COLUMNS.map(|column| format!("{column} = {table}.{column} + excluded.{column}")).join(", ")
}
