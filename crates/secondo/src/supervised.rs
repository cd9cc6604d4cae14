//! What a service manager is told (`sd_notify(3)`): that we are ready, that we live, and that we stop. Without one nobody is.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::catalogs::OWN_ID;
use crate::node::Node;

/// Questions are answered: whoever waits for this service may go on.
pub(crate) fn ready(zones: usize) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serving, with {zones} stored zones at the start"))]);
}

pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says as often as it is wanted that we live, as long as the runtime has its tasks turn and the zones can be looked at.
/// Whether a question is answered is no measure: in a flood ours would be lost with many others, and to be started anew would
/// help nobody.
pub(crate) async fn show_life(node: Arc<Node>, within: Duration) {
    loop {
        tokio::time::sleep(within / 3).await;
        let looked_at = node.clone();
        match tokio::task::spawn_blocking(move || looked_at.zone(OWN_ID)).await {
            Ok(_) => tell(&[NotifyState::Watchdog]),
            Err(error) => tracing::error!("looking at our zones ended by a fault of ours: {error}"),
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager cannot be told how we are: {error}");
    }
}
