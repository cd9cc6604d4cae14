//! The door to making new primaries of what is here.

use async_trait::async_trait;
use dns::Name;
use xfr::Primary;

use super::{Caller, NewKey, check_primaries};
use crate::json::{self, PrimarySoftware};
use crate::problem::Problem;
use crate::text;

/// What a new primary is to be.
#[derive(Clone, Debug)]
pub struct WantedPrimary {
    pub software: PrimarySoftware,
    /// None where that is not known yet.
    pub primary: Option<Primary>,
}

/// Where a zone is to be copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSource {
    /// As [`check_primaries`] wants them.
    Primaries(Vec<Primary>),
    /// Those that it had before it was last pointed elsewhere.
    Former,
}

/// What is wanted where the primaries are not what they should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What they must still have.
    pub digest: Option<String>,
    pub accept: Accept,
}

/// Whether a version is taken that [`json::Comparison::needs_word`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    #[default]
    Sane,
    Anything,
}

impl WantedPrimary {
    /// # Errors
    /// [`Code::PrimaryInvalid`](crate::Code::PrimaryInvalid), [`Code::KeyNameInvalid`](crate::Code::KeyNameInvalid).
    pub fn read(software: Option<PrimarySoftware>, primary: Option<&json::Primary>) -> Result<Self, Problem> {
        let software = software.unwrap_or(PrimarySoftware::Bind);
        Ok(Self { software, primary: primary.map(text::primary_of).transpose()? })
    }
}

impl NewSource {
    /// # Errors
    /// As [`check_primaries`].
    pub fn read(name: &Name, primaries: Option<&[json::Primary]>) -> Result<Self, Problem> {
        let Some(primaries) = primaries else { return Ok(Self::Former) };
        let primaries = primaries.iter().map(text::primary_of).collect::<Result<Vec<_>, _>>()?;
        check_primaries(name, &primaries)?;
        Ok(Self::Primaries(primaries))
    }
}

impl Accept {
    pub fn of(anything: bool) -> Self {
        if anything { Self::Anything } else { Self::Sane }
    }
}

/// The emergency in which a zone's primary is gone for good, and the way back.
///
/// Of a zone that holds nothing all answer [`Code::ZoneNotLoaded`](crate::Code::ZoneNotLoaded), of a catalog's member [`Code::ZoneOfCatalog`](crate::Code::ZoneOfCatalog).
#[async_trait]
pub trait Promotions: Send + Sync {
    /// What it takes to make a new primary of what is here, also of a zone that has expired. Nobody is asked, and nothing is
    /// done.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown), [`Code::KeyUnknown`](crate::Code::KeyUnknown), [`Code::AddressRefused`](crate::Code::AddressRefused).
    async fn promotion(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: &WantedPrimary,
    ) -> Result<json::Promotion, Problem>;

    /// Freezes the zone at what it holds, makes the key if one is wanted, and answers as [`Promotions::promotion`] does.
    ///
    /// # Errors
    /// Those, and [`Code::KeyExists`](crate::Code::KeyExists).
    async fn promote(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: WantedPrimary,
        key: Option<NewKey>,
    ) -> Result<json::Promotion, Problem>;

    /// What these primaries have, beside what is served. Nothing is done.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown), [`Code::KeyUnknown`](crate::Code::KeyUnknown), [`Code::AddressRefused`](crate::Code::AddressRefused), [`Code::NotPromoted`](crate::Code::NotPromoted) where there are no former
    /// ones, [`Code::PrimaryFailed`](crate::Code::PrimaryFailed) where none of them gives the zone, [`Code::RateLimited`](crate::Code::RateLimited).
    async fn compare(&self, caller: &Caller, name: &Name, source: &NewSource) -> Result<json::Comparison, Problem>;

    /// Compares, and points the zone there: from then on these are its primaries and no others, it is not frozen, and what they
    /// have has been fetched whole. It is done once it has begun, also when nobody waits for it.
    ///
    /// # Errors
    /// Those, after which the zone is as it was; [`Code::VersionChanged`](crate::Code::VersionChanged), [`Code::VersionDiffers`](crate::Code::VersionDiffers) without a word for it, and
    /// what [`Intent::change_zone`](super::Intent::change_zone) has.
    async fn finish(
        &self,
        caller: &Caller,
        name: &Name,
        source: NewSource,
        word: Word,
    ) -> Result<json::FinishedPromotion, Problem>;
}
