//! `secondo serve`: brings everything up in the right order, waits to be told to stop, and takes everything down.
//!
//! The order: the data directory and its lock, the stored zones, the DNS sockets, the inventory, the API. So no zone is
//! REFUSED because the program is starting, a second server on the same data is turned away before it touches anything, and
//! whatever happens to the inventory, stored zones are answered.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use inventory::TenantId;
use server::Shared;
use store::{Options, Store, StoredZone};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use transfer::{Limits, Transfers};
use xfr::Moment;

use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::doors::{self, House};
use crate::node::Node;
use crate::{published, reconcile, scheduler};

/// NOTIFYs that wait to wake their zones; a primary whose NOTIFY finds no room sends it again.
const NOTIFIES_WAITING_MAX: usize = 4096;

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(configuration: Configuration) -> anyhow::Result<()> {
    let data = configuration.data.clone();
    let opened = open_store(&data).await?;
    let highest_stored = opened.zones.iter().map(|stored| stored.zone).max();
    let clock = Clock::starting_no_earlier_than(Moment(opened.newest_time_ms));
    log_unreadable(&opened.unreadable);
    tracing::info!(zones = opened.zones.len(), data = %data.display(), "the stored zones are read");
    let node = Arc::new(node(&configuration, clock, opened.store, opened.zones));

    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let sockets = server::bind(&configuration.dns, workers)?;
    let listener = listen_http(configuration.http).await?;
    let http = listener.local_addr()?;
    let (notifies, notified) = mpsc::channel(NOTIFIES_WAITING_MAX);
    let shared = Shared { zones: node.shared.zones.clone(), access: node.shared.access.clone() };
    let running = server::serve(sockets, shared, notifies, server::Limits::default())?;
    let dns = running.addresses().to_vec();

    open_inventory(&node, &configuration, highest_stored).await?;
    let tasks = [
        tokio::spawn(scheduler::follow_agenda(node.clone())),
        tokio::spawn(scheduler::follow_notifies(node.clone(), notified)),
        tokio::spawn(scheduler::follow_disk(node.clone())),
        tokio::spawn(reconcile::follow_inventory(node.clone(), configuration.transfer_out.clone())),
    ];
    let token = published::admin_token(&data)
        .with_context(|| format!("the admin token in {} cannot be read or made", data.display()))?;
    let house = House { node: node.clone(), counters: running.counters().clone(), dns: dns.clone(), http };
    let (stop_api, api_stops) = oneshot::channel::<()>();
    let api = api::serve(listener, doors::open(house), api::Token::new(&token), async move {
        // An error means that the sender is gone, which is the end too.
        let _ = api_stops.await;
    });
    let api = tokio::spawn(api);

    published::addresses(&data, &dns, http)
        .with_context(|| format!("the server's addresses cannot be written to {}", data.display()))?;
    say_where(&dns, http, &data)?;
    wait_for_the_end().await?;

    tracing::info!("stopping");
    published::withdraw(&data);
    drop(stop_api);
    running.stop().await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    api.abort();
    node.store
        .flush()
        .await
        .context("the last confirmations could not be written: zones expire earlier, none later")?;
    if let Some(inventory) = node.inventory.load_full() {
        inventory.close().await;
    }
    Ok(())
}

async fn open_store(data: &Path) -> anyhow::Result<store::Opened> {
    let directory = data.to_owned();
    let opened = tokio::task::spawn_blocking(move || Store::open(&directory, Options::default())).await?;
    Ok(opened?)
}

fn log_unreadable(unreadable: &[(zone::ZoneId, String)]) {
    for (zone, what) in unreadable {
        tracing::error!(%zone, "a stored zone cannot be read and is fetched again: {what}");
    }
}

fn node(configuration: &Configuration, clock: Clock, store: Store, stored: Vec<StoredZone>) -> Node {
    let transfers = Transfers::new(Limits::default());
    Node::new(clock, configuration.bounds, configuration.data.clone(), store, transfers, stored)
}

async fn listen_http(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "the HTTP port {address} is taken by another program: stop that one, or choose another port with --http"
        ),
        _ => anyhow::anyhow!(
            "the HTTP address {address} cannot be listened on: {error}: check the address, or choose another with --http"
        ),
    })
}

/// Opens the inventory and puts into it what file and flags ask for. Without it the stored zones are served all the same.
async fn open_inventory(
    node: &Arc<Node>,
    configuration: &Configuration,
    highest_stored: Option<zone::ZoneId>,
) -> anyhow::Result<()> {
    let inventory = match reconcile::open_inventory(&node.inventory_file(), highest_stored).await {
        Ok(inventory) => inventory,
        // With nothing stored there is nothing to serve: starting would only hide the fault.
        Err(error) if highest_stored.is_none() => return Err(error.into()),
        Err(error) => {
            tracing::error!("the stored zones are served, but nothing can be added, removed or transferred: {error}");
            return Ok(());
        }
    };
    let now = node.clock.now();
    for key in &configuration.keys {
        inventory.ensure_key(TenantId::DEFAULT, key, now).await?;
    }
    for zone in &configuration.zones {
        let row = doors::row(zone);
        let ensured = inventory.ensure_zone(TenantId::DEFAULT, &row, now).await?;
        tracing::info!(zone = %row.name, ?ensured, "the zone is configured");
    }
    for (zone, attempt) in inventory.latest_attempts().await? {
        if let Some(zone) = node.zone(zone) {
            zone.condition().last_attempt = Some(attempt);
        }
    }
    let intent = inventory.intent().await?;
    node.inventory.store(Some(Arc::new(inventory)));
    reconcile::reconcile(node, &intent, &configuration.transfer_out).await;
    Ok(())
}

fn say_where(dns: &[SocketAddr], http: SocketAddr, data: &Path) -> std::io::Result<()> {
    let first = dns.first().copied().unwrap_or(http);
    let mut out = std::io::stdout().lock();
    for address in dns {
        writeln!(out, "DNS is answered on {address} (UDP and TCP)")?;
    }
    writeln!(out, "The API is answered on http://{http}; everything is kept in {}", data.display())?;
    writeln!(out, "Add a zone:  secondo zone add example.org --primary 192.0.2.1 --data {}", data.display())?;
    writeln!(out, "Ask it:      dig @{} -p {} example.org SOA", first.ip(), first.port())?;
    out.flush()
}

async fn wait_for_the_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
