//! The configuration file, read again on SIGHUP.
//!
//! Of a file that has problems nothing is used, and all of them are said. Of another one the keys, zones, catalogs and what
//! counts where nothing is set for a zone are taken over at once; what takes another start is named. A zone that is not in
//! the file any more goes on, as it does at a start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::command::ServeArguments;
use crate::configuration::{Configuration, ConfigurationError, Written};
use crate::node::Node;
use crate::reconcile::{AtStart, Configured, put_configured};
use crate::rereading::{Looks, Occasion};

/// Where it comes from, and what of it counts.
pub(crate) struct Reloading {
    arguments: ServeArguments,
    /// The file as this process was started with it.
    begun_with: Written,
    at_start: Arc<AtStart>,
    refused: Mutex<Option<String>>,
}

impl Reloading {
    pub(crate) fn new(arguments: &ServeArguments, begun_with: Written, at_start: Arc<AtStart>) -> Self {
        Self { arguments: arguments.clone(), begun_with, at_start, refused: Mutex::default() }
    }

    /// What needs somebody's attention.
    pub(crate) fn warning(&self) -> Option<String> {
        self.refused().clone()
    }

    fn refused(&self) -> MutexGuard<'_, Option<String>> {
        // Whole at any time.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reload(&self, node: &Arc<Node>) {
        if self.arguments.config.is_none() {
            return;
        }
        let arguments = self.arguments.clone();
        let read = match tokio::task::spawn_blocking(move || Configuration::again(&arguments)).await {
            Ok(read) => read,
            Err(error) => return tracing::error!("reading the configuration ended by a fault of ours: {error}"),
        };
        let configuration = match read {
            Ok(configuration) => configuration,
            Err(error) => {
                tracing::error!("SIGHUP: everything stays as it is: {error}");
                *self.refused() = Some(match error {
                    ConfigurationError::Wrong(found) => format!(
                        "the configuration file {} has {}, and what was configured before counts: `secondo check-config` \
                         says them all",
                        found.path.display(),
                        found.count()
                    ),
                    error => format!("what was configured before counts: {error}"),
                });
                return;
            }
        };
        let waiting = self.begun_with.differing(&configuration.written);
        if waiting.contains("tenancy") {
            // What counts where nothing is set depends on it.
            let why = "the configuration file has another [tenancy]: all of it counts from the next start on, and nothing before";
            tracing::error!("SIGHUP: everything stays as it is: {why}");
            *self.refused() = Some(why.to_owned());
            return;
        }
        let Configuration { defaults, keys, zones, catalogs, .. } = configuration;
        node.defaults.store(Arc::new(defaults));
        let configured = Arc::new(Configured { keys, zones, catalogs });
        self.at_start.configured.store(configured.clone());
        if let Some(inventory) = node.inventory.load_full() {
            if let Err(error) = put_configured(node, &inventory, &configured, true).await {
                tracing::error!(
                    "SIGHUP: keys, zones and catalogs of the configuration file are not all there: {error}"
                );
            }
            inventory.have_everything_gone_through();
        }
        let sections = waiting.iter().map(|section| format!("[{section}]")).collect::<Vec<_>>().join(", ");
        *self.refused() = None;
        if waiting.is_empty() {
            tracing::info!("SIGHUP: the configuration file is taken over");
        } else {
            tracing::warn!(
                "SIGHUP: the configuration file is taken over but for what takes another start: {sections}"
            );
            *self.refused() = Some(format!("of the configuration file {sections} counts from the next start on"));
        }
    }
}

/// Reads the file again whenever somebody says so.
pub(crate) async fn follow_orders(node: Arc<Node>, reloading: Arc<Reloading>, looks: Arc<AsyncMutex<Looks>>) {
    let mut looks = looks.lock().await;
    loop {
        if looks.next().await == Occasion::Order {
            reloading.reload(&node).await;
        }
    }
}
