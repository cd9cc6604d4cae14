//! The one that writes files for large images, on a thread of its own, so that small commits need not wait behind them.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use zone::{Generation, Image, ZoneId};

use crate::StoreError;
use crate::committer::{Waiter, Work};
use crate::database::Database;
use crate::images::ImageFiles;
use crate::prepared::{Prepared, Rebase, WholeImage, prepare};
use crate::rows::{Place, ZoneRow};
use crate::stored::Commit;

/// Something for the image writer to do before the committer.
pub(crate) enum LargeWork {
    Commit(Box<Commit>, Waiter),
    /// The image of a version on the way to the head is to take the place of the one before.
    Rebase(ZoneId, Generation, Image, Waiter),
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
                LargeWork::InTurn(work) => Ok(work),
                LargeWork::Commit(commit, waiter) => match self.write(*commit) {
                    Ok(prepared) => Ok(Work::Commit(Box::new(prepared), waiter)),
                    Err(error) => Err((waiter, error)),
                },
                LargeWork::Rebase(zone, generation, image, waiter) => match self.rebase(zone, generation, &image) {
                    Ok(rebase) => Ok(Work::Rebase(Box::new(rebase), waiter)),
                    Err(error) => Err((waiter, error)),
                },
            };
            match ready {
                Err((waiter, error)) => waiter.tell(Err(error)),
                Ok(work) => {
                    // A committer that is gone has dropped its end, and who waits sees that.
                    if self.committer.send(work).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn write(&self, commit: Commit) -> Result<Prepared, StoreError> {
        let mut prepared = prepare(commit)?;
        let (zone, generation) = (prepared.zone(), prepared.generation());
        if let Some(whole) = &prepared.image {
            let is_there = |row: ZoneRow| row.head.generation >= generation;
            prepared.file = self.write_file(zone, generation, whole, is_there)?;
        }
        Ok(prepared)
    }

    fn rebase(&self, zone: ZoneId, generation: Generation, image: &Image) -> Result<Rebase, StoreError> {
        let whole = WholeImage::of(image);
        let is_there = |row: ZoneRow| row.base.generation >= generation;
        let file = self.write_file(zone, generation, &whole, is_there)?;
        Ok(Rebase { zone, generation, whole, file })
    }

    /// Writes the file of a version's image, if it gets one; its name, unless the row says that such a version is there.
    fn write_file(
        &self,
        zone: ZoneId,
        generation: Generation,
        whole: &WholeImage,
        is_there: impl FnOnce(ZoneRow) -> bool,
    ) -> Result<Option<String>, StoreError> {
        if whole.row.place == Place::Inline {
            return Ok(None);
        }
        let name = ImageFiles::name(zone, generation);
        if !self.images.claim(&name) {
            return Err(StoreError::NotNewer { zone, committed: generation, offered: generation });
        }
        // A file that a row names is never written again. Read after the claim: whoever had the name before gave it
        // back when the row was durable.
        match self.database.row(zone).map(|row| row.is_some_and(is_there)) {
            Ok(false) => {}
            there => {
                self.images.settle(&name);
                return there.map(|_| None);
            }
        }
        self.images
            .write(&name, whole.image.as_bytes())
            .map_err(|error| StoreError::from_io(format!("writing the image of zone {zone} to {name}"), &error))?;
        Ok(Some(name))
    }
}
