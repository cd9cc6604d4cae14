//! `secondo zone set`, `pause`, `resume`, `disable` and `enable`.

use api::doors::check_primaries;
use api::json::{self, ChangeZone, Service, ServiceOrder, Zone};
use dns::Name;
use xfr::{Primary, Setting};

use super::path;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;

pub(crate) async fn set(
    name: &Name,
    settings: Vec<(Setting, Option<String>)>,
    primaries: &[Primary],
    tags: Vec<String>,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut change = ChangeZone {
        settings: settings.into_iter().map(|(setting, value)| (setting.to_string(), value)).collect(),
        ..ChangeZone::default()
    };
    if !primaries.is_empty() {
        // Checked here too, so that a primary given twice is a mistake in typing.
        check_primaries(name, primaries)?;
        change.primaries = Some(primaries.iter().map(json::Primary::from).collect());
    }
    if !tags.is_empty() {
        change.tags = Some(tags.into_iter().filter(|tag| !tag.is_empty()).collect());
    }
    let zone = changed(name, &change, server, output).await?;
    if output.format() == Format::Text {
        output.line(&format!("{} is changed; {}", zone.name, settings_text(&zone)))?;
    }
    Ok(())
}

pub(crate) async fn serve(
    name: &Name,
    order: ServiceOrder,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let change = ChangeZone { service: Some(order), ..ChangeZone::default() };
    let zone = changed(name, &change, server, output).await?;
    if output.format() == Format::Text {
        let what = match zone.service {
            Service::Answering => "answered, checked and transferred",
            Service::Paused => "answered until it expires, and neither checked nor transferred",
            Service::Disabled => "answered with REFUSED, and neither checked nor transferred",
            Service::Suspended => "answered with REFUSED until its organisation has a plan again",
            Service::Unproven => "answered with REFUSED until its name is proven",
        };
        output.line(&format!("{} is {what}", zone.name))?;
    }
    Ok(())
}

async fn changed(
    name: &Name,
    change: &ChangeZone,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<Zone, Failure> {
    let zone: Zone = server.patch(&path(name, ""), change).await?;
    if output.format() == Format::Json {
        output.json(&zone)?;
    }
    Ok(zone)
}

/// What is set, on one line.
pub(super) fn settings_text(zone: &Zone) -> String {
    if zone.settings.is_empty() {
        return "all settings are the defaults".to_owned();
    }
    let set: Vec<_> =
        zone.settings.iter().map(|(name, value)| format!("{}={value}", name.replace('_', "-"))).collect();
    format!("set: {}", set.join(" "))
}
