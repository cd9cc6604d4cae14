//! `secondo status`.

use api::json::{Certificate, NodeStatus};

use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

pub(crate) async fn show(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let status: NodeStatus = server.get("/status", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&status)?);
    }
    let zones = status.zones;
    output.facts([
        ("version", status.version),
        ("running since", time_text(status.started_at)),
        ("DNS", status.dns.join(", ")),
        ("DNS over TLS", addresses(&status.dns_over_tls)),
        ("DNS over QUIC", addresses(&status.dns_over_quic)),
        ("certificate", status.certificate.as_ref().map_or_else(|| "-".into(), certificate)),
        ("console's certificate", status.console_certificate.as_ref().map_or_else(|| "-".into(), certificate)),
        ("HTTP", status.http),
        ("console", status.console),
        ("inventory", status.inventory.to_string()),
        (
            "zones",
            format!(
                "{} ({} current, {} pending, {} stale, {} expired); {} near expiry, {} held back, {} frozen",
                zones.total,
                zones.current,
                zones.pending,
                zones.stale,
                zones.expired,
                zones.expiring,
                zones.held,
                zones.frozen
            ),
        ),
        (
            "queries",
            format!(
                "{} by UDP, {} by TCP, {} by TLS, {} by QUIC ({} refused, {} failed)",
                status.queries.udp,
                status.queries.tcp,
                status.queries.tls,
                status.queries.quic,
                status.queries.refused,
                status.queries.servfail
            ),
        ),
        (
            "NOTIFYs",
            format!(
                "{} accepted, {} refused, {} left to be sent again; {} not on record",
                status.notifies.accepted,
                status.notifies.refused,
                status.notifies.overflowed,
                status.notifies.unrecorded
            ),
        ),
        (
            "NOTIFYs out",
            format!(
                "{} answered, {} pending, {} declined, {} unanswered, {} not sent",
                status.announced.answered,
                status.announced.pending,
                status.announced.declined,
                status.announced.unanswered,
                status.announced.dropped + status.announced.refused
            ),
        ),
        (
            "copies taken",
            format!(
                "{} whole, {} as differences ({} refused, {} broken off)",
                status.transfers_out.whole,
                status.transfers_out.differences,
                status.transfers_out.refused,
                status.transfers_out.failed
            ),
        ),
    ])?;
    if status.attempts_dropped > 0 {
        output.facts([("attempts", format!("{} are not on record", status.attempts_dropped))])?;
    }
    for warning in &status.warnings {
        output.line(&format!("warning: {warning}"))?;
    }
    Ok(())
}

fn addresses(addresses: &[String]) -> String {
    if addresses.is_empty() { "-".into() } else { addresses.join(", ") }
}

fn certificate(certificate: &Certificate) -> String {
    match certificate.ends_at {
        Some(ends_at) => format!("{} (until {})", certificate.file, time_text(ends_at)),
        None => certificate.file.clone(),
    }
}
