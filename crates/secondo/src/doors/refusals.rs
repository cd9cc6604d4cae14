//! What is refused before it is on record because of how this program is configured, which the inventory does not know.

use std::net::{IpAddr, SocketAddr};

use api::doors::NewZone;
use api::{Code, Problem};
use dns::Name;
use xfr::{Primary, Settings};

use super::House;
use super::intent::not_settable;
use crate::examination::source_towards;

impl House {
    /// Whether the zone can be followed here.
    pub(super) fn check_zone(&self, zone: &NewZone) -> Result<(), Problem> {
        self.refuse_our_catalog(zone.name())?;
        self.check_settings(&zone.settings)?;
        self.check_primaries(zone.primaries())
    }

    /// Whether these go with the defaults, and tell nobody of new versions who is not to be sent anything.
    pub(super) fn check_settings(&self, settings: &Settings) -> Result<(), Problem> {
        self.node.defaults.load().with(settings).map_err(|error| not_settable(&error))?;
        self.check_targets(settings)
    }

    pub(super) fn check_targets(&self, settings: &Settings) -> Result<(), Problem> {
        settings.targets().iter().try_for_each(|target| self.check_address(target.address.ip()))
    }

    pub(super) fn check_primaries(&self, primaries: &[Primary]) -> Result<(), Problem> {
        primaries.iter().try_for_each(|primary| self.check_primary(primary))
    }

    pub(super) fn check_primary(&self, primary: &Primary) -> Result<(), Problem> {
        self.check_address(primary.address.ip())?;
        primary.source.map_or(Ok(()), |source| self.check_source(source, primary.address))
    }

    /// Whether the server may be asked from this address. Strangers choose from those that are meant for it, and are told the
    /// same of all others, whether this machine has them or not.
    pub(super) fn check_source(&self, source: IpAddr, server: SocketAddr) -> Result<(), Problem> {
        let Some(sources) = &self.node.sources else { return Ok(()) };
        // What it would be asked from anyway is no secret.
        if sources.contains(&source) || source_towards(server) == Some(source) {
            return Ok(());
        }
        let detail = format!(
            "{source} is no address that transfers may be asked for from: leave it out, or choose one that the operator's \
             list has"
        );
        Err(Problem::new(Code::AddressRefused, detail))
    }

    /// Whether anything is sent to the address; it is judged again whenever that is done.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), Problem> {
        self.node
            .destinations
            .judge(address)
            .map_err(|refused| Problem::new(Code::AddressRefused, refused.to_string()))
    }

    /// Two zones of one name could not both be answered.
    pub(super) fn refuse_our_catalog(&self, name: &Name) -> Result<(), Problem> {
        if self.node.shared.catalogs.load().get(name.borrow()).is_none() {
            return Ok(());
        }
        let detail = format!(
            "{name} is the name of the catalog that is made here: give that another one ([transfer_out] catalog in our \
             configuration), or leave it out"
        );
        Err(Problem::new(Code::ZoneIsCatalog, detail))
    }
}
