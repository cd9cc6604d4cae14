//! The one that writes files for large images, on a thread of its own, so that small commits need not wait behind them.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::StoreError;
use crate::committer::{Waiter, Work};
use crate::database::Database;
use crate::images::ImageFiles;
use crate::prepared::{Prepared, prepare};
use crate::rows::Place;
use crate::stored::Commit;

/// Something for the image writer to do before the committer.
pub(crate) enum LargeWork {
    Commit(Box<Commit>, Waiter),
    /// To be handed on in its turn, behind every large commit that came before it.
    InTurn(Work),
}

/// The image writer's own.
pub(crate) struct ImageWriter {
    pub(crate) database: Arc<Database>,
    pub(crate) images: Arc<ImageFiles>,
    pub(crate) work: UnboundedReceiver<LargeWork>,
    pub(crate) committer: UnboundedSender<Work>,
}

impl ImageWriter {
    /// Works until nobody can hand in work any more.
    pub(crate) async fn run(mut self) {
        while let Some(work) = self.work.recv().await {
            let ready = match work {
                LargeWork::InTurn(work) => work,
                LargeWork::Commit(commit, waiter) => match self.write(*commit) {
                    Ok(prepared) => Work::Commit(Box::new(prepared), waiter),
                    Err(error) => {
                        waiter.tell(Err(error));
                        continue;
                    }
                },
            };
            // A committer that is gone has dropped its end, and who waits sees that.
            if self.committer.send(ready).is_err() {
                return;
            }
        }
    }

    fn write(&self, commit: Commit) -> Result<Prepared, StoreError> {
        let mut prepared = prepare(commit)?;
        if prepared.image.place == Place::Inline {
            return Ok(prepared);
        }
        let (zone, offered) = (prepared.zone(), prepared.generation());
        let name = ImageFiles::name(zone, offered);
        if !self.images.claim(&name) {
            return Err(StoreError::NotNewer { zone, committed: offered, offered });
        }
        // A file that a row names is never written again. Read after the claim: whoever had the name before gave it
        // back when the row was durable.
        match self.database.row(zone) {
            Ok(Some(row)) if row.head.generation >= offered => {
                self.images.settle(&name);
                return Ok(prepared);
            }
            Ok(_) => {}
            Err(error) => {
                self.images.settle(&name);
                return Err(error);
            }
        }
        self.images
            .write(&name, prepared.contents().as_bytes())
            .map_err(|error| StoreError::from_io(format!("writing the image of zone {zone} to {name}"), &error))?;
        prepared.file = Some(name);
        Ok(prepared)
    }
}
