//! The first operator: a link that creates them, made at each start until there is one.

use std::time::Duration;

use inventory::{Hashed, Inventory, InventoryError, Purpose};
use xfr::Moment;

use super::secret;

/// How long a link that a start has made does something: whoever reads old logs has nothing.
const LINK_LASTS: Duration = Duration::from_secs(24 * 3600);

/// The path of the page that creates the operator; none when there is one.
pub(crate) async fn link(inventory: &Inventory, now: Moment) -> Result<Option<String>, InventoryError> {
    if inventory.has_operator().await? {
        return Ok(None);
    }
    let secret = secret::new().map_err(|error| InventoryError::Failed(error.to_string()))?;
    inventory.make_link(&Purpose::Operator, &Hashed::of(&secret), now, now.plus(LINK_LASTS)).await?;
    Ok(Some(format!("/link/{secret}")))
}
