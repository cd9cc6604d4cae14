//! Names as they stand in rows.

use dns::Name;

use crate::error::InventoryError;

/// The form of a name that rows are found by.
pub(crate) fn lower_text(name: &Name) -> String {
    name.to_lower().to_string()
}

pub(crate) fn read_name(text: &str) -> Result<Name, InventoryError> {
    text.parse().map_err(|error| InventoryError::Damaged(format!("it holds the name {text:?}: {error}")))
}
