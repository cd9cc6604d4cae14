//! Reading a zone's history: the kept versions and their diffs.

use zone::{Diff, Generation, ZoneId};

use crate::StoreError;
use crate::database::{DIFFS, Database, VERSIONS, ZONES};
use crate::rows::{VersionRow, ZoneRow, unseal};
use crate::stored::Version;
use crate::transaction::all_of;

impl Database {
    /// A zone's row, if there is one that can be read.
    pub(crate) fn row(&self, zone: ZoneId) -> Result<Option<ZoneRow>, StoreError> {
        self.read(|transaction| {
            let row = transaction.open_table(ZONES)?.get(zone.0)?;
            Ok(row.and_then(|row| ZoneRow::from_bytes(zone, row.value()).ok()))
        })
    }

    /// All kept versions of a zone, oldest first; rows that cannot be read are left out.
    pub(crate) fn history(&self, zone: ZoneId) -> Result<Vec<Version>, StoreError> {
        self.read(|transaction| {
            let mut versions = Vec::new();
            for entry in transaction.open_table(VERSIONS)?.range(all_of(zone))? {
                versions.extend(VersionRow::from_bytes(entry?.1.value()).map(|row| row.version));
            }
            Ok(versions)
        })
    }

    /// The diff that led to a generation, if it is kept.
    pub(crate) fn diff(&self, zone: ZoneId, to: Generation) -> Result<Option<Diff>, StoreError> {
        let sealed = self.read(|transaction| {
            let diff = transaction.open_table(DIFFS)?.get((zone.0, to.0))?;
            Ok(diff.map(|diff| diff.value().to_vec()))
        })?;
        let Some(sealed) = sealed else { return Ok(None) };
        let damaged = || StoreError::Damaged { what: format!("zone {zone}: the diff to generation {to}") };
        let octets = unseal(&sealed).ok_or_else(damaged)?;
        Diff::from_bytes(octets).map(Some).map_err(|_| damaged())
    }
}
