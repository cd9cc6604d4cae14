//! `secondo serve`: brings everything up in the right order, waits to be told to stop, and takes everything down.
//!
//! The order: the data directory and its lock, the stored zones, the DNS sockets, the inventory, the API. So no zone is
//! REFUSED because the program is starting, a second server on the same data is turned away before it touches anything, and
//! whatever happens to the inventory, stored zones are answered. Only where the stored zones were damaged and are put aside
//! the inventory comes before the sockets.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::alerts::{ClearText, Post, Webhooks};
use anyhow::Context;
use api::{Front, Listeners};
use arc_swap::ArcSwap;
use delegation::Walker;
use inventory::{Hashed, Inventory, Location};
use server::{Access, Heard, Notified, Rules};
use store::{DamagedDatabase, Opened, Options, PutAside, Store, StoreError};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use transfer::{Internet, Limits, LongWork, Transfers};
use xfr::Moment;

use crate::accounts::first_start;
use crate::accounts::tries::Tries;
use crate::alerts::Messengers;
use crate::catalogs::{OWN_ID, Own};
use crate::certificate::{Certificate, ShownTo};
use crate::claims::Claims;
use crate::clock::{Clock, Machine, ThisMachine};
use crate::command::ServeArguments;
use crate::configuration::{Configuration, DelegationSettings, HttpTls, Mode};
use crate::delegations::Delegations;
use crate::doors::{self, AFTERWARDS_MAX, EXPORTS_MAX, Examinations, House};
use crate::lasting::lasting;
use crate::node::Node;
use crate::reconcile::{AtStart, Configured};
use crate::reload::Reloading;
use crate::rereading::Looks;
use crate::statistics::Statistics;
use crate::telling::tell_all;
use crate::{
    alerts, catalogs, certificate, delegations, events, memory, notifies, persona, published, reconcile, reload,
    room, scheduler, statistics, supervised, tls, upkeep,
};

/// NOTIFYs that wait to wake their zones; a primary whose NOTIFY finds no room sends it again.
const NOTIFIES_WAITING_MAX: usize = 4096;

/// The part of the machine's memory that what transfers under way have received may take. As records it takes about
/// twice as much, and building the zone takes as much again.
const MEMORY_PARTS: u64 = 5;
/// A time on disk so far ahead of the wall clock was written when that was wrong, or it is wrong now.
const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(3600);

/// How often it is tried to tell clients on this machine where the server is.
const ANNOUNCED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. The arguments are what the configuration is read again with on SIGHUP.
pub(crate) async fn serve(configuration: Configuration, arguments: &ServeArguments) -> anyhow::Result<()> {
    let data = configuration.data.clone();
    let inventory = configuration.inventory();
    let destinations = configuration.tenancy.destinations(own_addresses(&configuration)?);
    let mut opened = open_store(&data, &inventory).await?;
    // What is made here is no zone to be followed, whether or not it is still wanted.
    let own_catalog = opened.zones.extract_if(.., |stored| stored.zone == OWN_ID).next();
    if let Some(put_aside) = &opened.put_aside {
        say_what_is_put_aside(put_aside, &data);
    }
    // What a killed server left names a port that may be anybody's by now.
    published::withdraw(&data);
    let readable = opened.zones.iter().map(|stored| stored.zone);
    let unreadable = opened.unreadable.iter().map(|(zone, _)| *zone);
    let at_start = Arc::new(AtStart {
        configured: ArcSwap::from_pointee(Configured {
            keys: configuration.keys,
            zones: configuration.zones,
            catalogs: configuration.catalogs,
        }),
        highest_stored: readable.chain(unreadable).max(),
        put_aside: opened.put_aside.clone(),
    });
    let clock = Clock::starting_no_earlier_than(Moment(opened.newest_time_ms));
    say_what_is_stored(&opened, &clock, &data);
    let (store, started_ms) = (opened.store.clone(), clock.now().0);
    if let Err(error) = tokio::task::spawn_blocking(move || store.know_time(started_ms)).await? {
        tracing::error!("when this run began cannot be written: {error}");
    }
    let post = configuration.mail.map(|mail| Post::open(mail).map_err(anyhow::Error::msg)).transpose()?;
    let clear_text = match configuration.tenancy.mode {
        Mode::Single => ClearText::Allowed,
        Mode::Multi => ClearText::Refused,
    };
    let webhooks =
        Webhooks::new(alerts::judge(destinations.clone()), clear_text, tls::to_webhooks(&configuration.tls)?);
    let webhooks = webhooks.map_err(anyhow::Error::msg)?;
    let certificate = configuration.tls.ours.as_ref().map(Certificate::read).transpose()?.map(Arc::new);
    let to_primaries = certificate.as_ref().map(|certificate| certificate.to_primaries());
    let tls = tls::client(&configuration.tls.authorities, to_primaries)?;
    let internet = Arc::new(Internet::new(destinations.clone()));
    let long_work = LongWork::on_threads_of_its_own()?;
    let transfers = Transfers::new(limits(&configuration.limits), internet, tls).with_long_work(long_work.clone());
    let mut node = Node::new(clock, configuration.defaults, inventory, opened.store, transfers, opened.zones);
    node.long_work = long_work;
    node.mode = configuration.tenancy.mode;
    node.destinations = destinations.clone();
    node.sources = configuration.tenancy.sources();
    node.contents_limits = configuration.limits.contents;
    node.keep_removed = configuration.keep_removed;
    node.put_aside = at_start.put_aside.clone();
    node.alerts.settings = configuration.alerts;
    let node = Arc::new(node);
    // What the inventory has no say in holds without it too; what it does have, nobody is told before it is asked.
    let access = Access { transfer_out: node.transfer_out(), rules: Rules::Awaited, ..Access::default() };
    node.shared.access.store(Arc::new(access));
    node.shared.persona.store(Arc::new(configuration.persona.begin()?));

    let own_catalog = configuration.catalog_out.map(|name| Own::restored(&node, name, own_catalog));
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut sockets = server::bind(&configuration.dns, workers)?;
    if let Some(certificate) = &certificate {
        sockets = sockets.with_tls(&configuration.dns_over_tls, certificate.to_clients())?;
        sockets = sockets.with_quic(&configuration.dns_over_quic, certificate.to_clients())?;
    }
    let https = Https::of(&configuration.http.tls, certificate.as_ref())?;
    let tcp = listen_http(configuration.http.listen).await?;
    let http = tcp.local_addr()?;
    let console = configuration.http.console(http);
    let messengers = Arc::new(Messengers { post, webhooks, console: console.clone() });
    let random = node.clock.clone();
    let random = Arc::new(move || random.random());
    let (announcer, announcing_news) = server::announcer(node.shared.now.clone(), random, destinations.clone());
    // Set once, here.
    let _ = node.announcer.set(announcer);
    let announcing_news = tokio::spawn(announcing_news);
    let (notifying, notified) = mpsc::channel(NOTIFIES_WAITING_MAX);
    // Then only the inventory tells which names are ours, and nobody is REFUSED for one of those.
    let is_anew = at_start.put_aside.is_some();
    if is_anew {
        bring_up_inventory(&node, &at_start).await?;
    }
    let server_limits = server::Limits { rate: configuration.rate, ..server::Limits::default() };
    let running = server::serve(sockets, node.shared.clone(), notifying, server_limits)?;
    let (dns, dns_over_tls) = (running.addresses().to_vec(), running.tls_addresses().to_vec());
    let dns_over_quic = running.quic_addresses().to_vec();
    let heard = running.heard().clone();
    let statistics = Arc::new(Statistics::new(running.queries().clone(), node.clock.now()));

    if !is_anew {
        bring_up_inventory(&node, &at_start).await?;
    }
    events::remember_troubles(&node).await;
    let mut tasks = start_tasks(&node, notified, &heard, &at_start);
    tasks.push(keep_statistics(&node, &statistics));
    tasks.push(send_alerts(&node, &messengers));
    tasks.push(watch_room(&node, &data));
    tasks.push(follow_certificate(&node, ShownTo::Everybody, certificate.clone())?);
    if let Some(own) = &https.own {
        tasks.push(follow_certificate(&node, ShownTo::Browsers, Some(own.clone()))?);
    }
    let reloading = Arc::new(Reloading::new(arguments, configuration.written, at_start.clone()));
    tasks.push(follow_orders(&node, &reloading)?);
    tasks.push(follow_cookie_secrets(&node, configuration.persona.cookie_secrets)?);
    let (telling, producing) = (node.clone(), node.clone());
    let telling = tokio::spawn(async move {
        tokio::join!(tell_all(telling), async {
            if let Some(mut own) = own_catalog {
                own.keep(&producing).await;
            }
        })
    });
    let admin_token = admin_token(&data, &at_start)?;
    let DelegationSettings { hints, name_servers, per_tenant } = configuration.delegation;
    let walker = Walker::new(hints, destinations);
    let delegations = Arc::new(Delegations::new(walker, name_servers));
    if let Some(every) = node.alerts.settings.delegations_every {
        let (node, delegations) = (node.clone(), delegations.clone());
        let watch = move || delegations::round::look_at_all(node.clone(), delegations.clone(), every);
        tasks.push(lasting("watching delegations", watch));
    }
    let claims = Arc::new(Claims::new(node.clone(), delegations.clone(), per_tenant));
    if node.mode == Mode::Multi {
        let following = claims.clone();
        tasks.push(lasting("looking for proofs of claims", move || following.clone().follow()));
    }
    let house = House {
        node: node.clone(),
        counters: running.counters().clone(),
        heard: heard.clone(),
        statistics: statistics.clone(),
        dns: dns.clone(),
        dns_over_tls: dns_over_tls.clone(),
        dns_over_quic: dns_over_quic.clone(),
        certificate,
        reloading,
        console_certificate: https.own.clone(),
        http,
        console: console.clone(),
        examinations: Examinations::default(),
        delegations,
        claims,
        admin_token,
        tries: Tries::default(),
        messengers,
        sign_up: configuration.tenancy.sign_up,
        afterwards: Arc::new(Semaphore::new(AFTERWARDS_MAX)),
        exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
    };
    let end = End::awaited()?;
    let (stop_api, api_stops) = oneshot::channel();
    let listeners = Listeners { tcp, https: https.shown.clone(), local: published::local_socket(&data) };
    let has_socket = listeners.local.is_some();
    let api = tokio::spawn(answer_api(listeners, house, configuration.http.front, api_stops));
    let first_start = first_start(&node).await;
    let places =
        Places { dns: &dns, over_tls: &dns_over_tls, over_quic: &dns_over_quic, console: &console, data: &data };
    if let Err(error) = places.say(first_start.as_deref()) {
        tracing::warn!("nobody reads our standard output: {error}");
    }
    supervised::ready(node.zones().len());
    if let Some(within) = sd_notify::watchdog_enabled() {
        let node = node.clone();
        tasks.push(lasting("showing that we live", move || supervised::show_life(node.clone(), within)));
    }
    let announcing = match published::addresses(&data, &dns, http) {
        Ok(()) => None,
        Err(error) => {
            let clients = if has_socket { "clients find the socket alone" } else { "clients must be told --server" };
            tracing::error!("{clients}, because the addresses cannot be written to {}: {error}", data.display());
            Some(tokio::spawn(announce(data.clone(), dns.clone(), http)))
        }
    };
    end.comes().await;

    tracing::info!("stopping");
    supervised::stopping();
    announcing.inspect(JoinHandle::abort);
    published::withdraw(&data);
    drop(stop_api);
    running.stop().await;
    tasks.iter().chain([&announcing_news]).for_each(JoinHandle::abort);
    telling.abort();
    api.abort();
    node.store
        .flush()
        .await
        .context("the last confirmations could not be written: zones expire earlier, none later")?;
    notifies::record(&node, &heard);
    statistics.write(&node).await;
    if let Err(Some(why)) = events::put_on_record(&node).await {
        tracing::error!("the last events are on no record: {why}");
    }
    if let Some(inventory) = node.inventory.load_full() {
        inventory.close().await;
    }
    Ok(())
}

/// Where this service is reached: nobody is to have it ask itself.
fn own_addresses(configuration: &Configuration) -> anyhow::Result<Vec<IpAddr>> {
    if configuration.tenancy.mode == Mode::Single {
        return Ok(Vec::new());
    }
    let interfaces = if_addrs::get_if_addrs().context("the addresses of this machine cannot be found out")?;
    let Configuration { dns, dns_over_tls, dns_over_quic, http, .. } = configuration;
    let listening = dns.iter().chain(dns_over_tls).chain(dns_over_quic).chain([&http.listen]).map(SocketAddr::ip);
    // An address that stands for all is none that could be asked.
    Ok(listening.filter(|ip| !ip.is_unspecified()).chain(interfaces.iter().map(if_addrs::Interface::ip)).collect())
}

fn start_tasks(
    node: &Arc<Node>,
    notified: mpsc::Receiver<Notified>,
    heard: &Heard,
    at_start: &Arc<AtStart>,
) -> Vec<JoinHandle<()>> {
    let (agenda, notify, disk, inventory) = (node.clone(), node.clone(), node.clone(), node.clone());
    let (notified, at_start) = (Arc::new(Mutex::new(notified)), at_start.clone());
    let (record, heard, catalogs, upkeep) = (node.clone(), heard.clone(), node.clone(), node.clone());
    let (memory, events) = (node.clone(), node.clone());
    vec![
        lasting("the agenda", move || scheduler::follow_agenda(agenda.clone())),
        lasting("waking for NOTIFY", move || scheduler::follow_notifies(notify.clone(), notified.clone())),
        lasting("putting events on record", move || events::keep_record(events.clone())),
        lasting("putting NOTIFYs on record", move || notifies::keep_record(record.clone(), heard.clone())),
        lasting("committing after a full disk", move || scheduler::follow_disk(disk.clone())),
        lasting("giving memory back", move || memory::give_memory_back(memory.clone())),
        lasting("keeping large zones up", move || upkeep::follow_upkeep(upkeep.clone())),
        lasting("following the inventory", move || reconcile::follow_inventory(inventory.clone(), at_start.clone())),
        lasting("following catalogs", move || catalogs::follow_catalogs(catalogs.clone())),
    ]
}

fn keep_statistics(node: &Arc<Node>, statistics: &Arc<Statistics>) -> JoinHandle<()> {
    let (node, statistics) = (node.clone(), statistics.clone());
    lasting("writing what is asked of zones", move || statistics::keep_record(node.clone(), statistics.clone()))
}

fn send_alerts(node: &Arc<Node>, messengers: &Arc<Messengers>) -> JoinHandle<()> {
    let (node, messengers) = (node.clone(), messengers.clone());
    lasting("sending alerts", move || alerts::send_what_is_due(node.clone(), messengers.clone()))
}

fn watch_room(node: &Arc<Node>, data: &Path) -> JoinHandle<()> {
    let (node, data) = (node.clone(), data.to_owned());
    lasting("watching the disk", move || room::watch(node.clone(), data.clone()))
}

fn follow_orders(node: &Arc<Node>, reloading: &Arc<Reloading>) -> std::io::Result<JoinHandle<()>> {
    let (node, reloading, looks) = (node.clone(), reloading.clone(), Arc::new(Mutex::new(Looks::begin()?)));
    let follow = move || reload::follow_orders(node.clone(), reloading.clone(), looks.clone());
    Ok(lasting("reading the configuration again", follow))
}

fn follow_cookie_secrets(node: &Arc<Node>, file: Option<PathBuf>) -> std::io::Result<JoinHandle<()>> {
    let (node, looks) = (node.clone(), Arc::new(Mutex::new(Looks::begin()?)));
    let follow = move || persona::follow_cookie_secrets(node.clone(), file.clone(), looks.clone());
    Ok(lasting("following the cookie secrets", follow))
}

fn follow_certificate(
    node: &Arc<Node>,
    shown_to: ShownTo,
    certificate: Option<Arc<Certificate>>,
) -> std::io::Result<JoinHandle<()>> {
    let (node, looks) = (node.clone(), Arc::new(Mutex::new(Looks::begin()?)));
    let follow = move || certificate::follow(node.clone(), shown_to, certificate.clone(), looks.clone());
    Ok(lasting("following our certificate", follow))
}

async fn answer_api(listeners: Listeners, house: House, front: Front, stop: oneshot::Receiver<()>) {
    let stopped = async {
        // An error means that the sender is gone, which is the end too.
        let _ = stop.await;
    };
    api::serve(listeners, doors::open(house), front, stopped).await;
}

/// Opens the store. One that is damaged as a whole is put aside only where there is an inventory, which says what is to be
/// copied again.
async fn open_store(data: &Path, inventory: &Location) -> anyhow::Result<Opened> {
    let open = |damaged| {
        let (directory, options) = (data.to_owned(), Options { damaged, ..Options::default() });
        tokio::task::spawn_blocking(move || Store::open(&directory, options))
    };
    let error = match open(DamagedDatabase::Stays).await? {
        Ok(opened) => return Ok(opened),
        Err(error @ StoreError::Damaged { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    if let Location::File(file) = inventory
        && !std::fs::metadata(file).is_ok_and(|file| file.len() > 0)
    {
        return Err(error.into());
    }
    if let Err(inventory) = has_inventory(inventory).await {
        anyhow::bail!(
            "{error}; nothing is put aside, because the inventory does not say what is to be copied again: {inventory}"
        );
    }
    let unix_secs = ThisMachine.wall_clock().as_secs();
    let opened = open(DamagedDatabase::IsPutAside { unix_secs }).await?;
    opened.context("the stored zones are damaged and cannot be put aside, so that nothing can be served")
}

/// Whether there is an inventory that says what should be served.
async fn has_inventory(location: &Location) -> anyhow::Result<()> {
    let inventory = Inventory::open(location).await?;
    let is_empty = inventory.intent().await?.zones.is_empty();
    inventory.close().await;
    // A file is as it was left; a database may be another one than it was.
    anyhow::ensure!(!is_empty || matches!(location, Location::File(_)), "there is no zone in {location}");
    Ok(())
}

fn say_what_is_put_aside(put_aside: &PutAside, data: &Path) {
    let PutAside { name, what } = put_aside;
    tracing::error!(
        kept = %data.join(name).display(),
        "the stored zones are damaged ({what}) and put aside: all zones are copied again from their primaries, and \
         answered with SERVFAIL until then; what was ordered about versions is lost, so that no zone is frozen any more: \
         give `secondo zone freeze` again where a primary cannot be trusted; to have all back as it was, stop this server \
         and restore the data directory from a backup; what was put aside, images/damaged-* too, is never deleted here"
    );
}

fn say_what_is_stored(opened: &Opened, clock: &Clock, data: &Path) {
    let ahead = clock.ahead_of_the_wall();
    if ahead > CLOCK_AHEAD_MAX {
        tracing::warn!(
            "times in the data directory are {} h ahead of this machine's clock, and are kept to: zones expire by them; set \
             the clock right if it is wrong",
            ahead.as_secs() / 3600
        );
    }
    for (zone, what) in &opened.unreadable {
        tracing::error!(%zone, "a stored zone cannot be read and is fetched again: {what}");
    }
    tracing::info!(zones = opened.zones.len(), data = %data.display(), "the stored zones are read");
}

/// What is configured, and what this machine's memory allows.
fn limits(configured: &crate::configuration::Limits) -> Limits {
    let crate::configuration::Limits { transfer, contents } = configured.clone();
    let info = rustix::system::sysinfo();
    let memory = (info.totalram as u64).saturating_mul(u64::from(info.mem_unit));
    let octets_under_way = transfer.octets_under_way.min(memory / MEMORY_PARTS);
    Limits { octets_under_way, gathered_within: Some(contents), ..transfer }
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

/// Without the inventory the stored zones are served all the same.
async fn bring_up_inventory(node: &Arc<Node>, at_start: &AtStart) -> anyhow::Result<()> {
    match reconcile::bring_up(node, at_start).await {
        Ok(()) => Ok(()),
        // With nothing stored there is nothing to serve: starting would only hide the fault.
        Err(error) if at_start.highest_stored.is_none() => Err(error.into()),
        Err(error) => {
            reconcile::say_unavailable(&error);
            Ok(())
        }
    }
}

/// Writes the addresses as soon as there is room on the disk.
async fn announce(data: PathBuf, dns: Vec<SocketAddr>, http: SocketAddr) {
    while published::addresses(&data, &dns, http).is_err() {
        tokio::time::sleep(ANNOUNCED_AGAIN_AFTER).await;
    }
    tracing::info!("the addresses are written for clients now");
}

/// Where everything is, for whoever starts the program.
struct Places<'a> {
    dns: &'a [SocketAddr],
    over_tls: &'a [SocketAddr],
    over_quic: &'a [SocketAddr],
    /// Its URL.
    console: &'a str,
    data: &'a Path,
}

impl Places<'_> {
    /// `first_start` is the path of the page that creates the operator, while there is none.
    fn say(&self, first_start: Option<&str>) -> std::io::Result<()> {
        let Self { dns, over_tls, over_quic, console, data } = self;
        let mut out = std::io::stdout().lock();
        for (addresses, how) in [(dns, "UDP and TCP"), (over_tls, "TLS"), (over_quic, "QUIC")] {
            for address in *addresses {
                writeln!(out, "DNS is answered on {address} ({how})")?;
            }
        }
        writeln!(out, "The console and the API are at {console}; everything is kept in {}", data.display())?;
        if let Some(path) = first_start {
            writeln!(out, "Create the operator of the console: {console}{path} (works once, for a day)")?;
        }
        writeln!(out, "Add a zone:  secondo zone add example.org --primary 192.0.2.1 --data {}", data.display())?;
        if let Some(first) = dns.first().copied().map(published::reachable) {
            writeln!(out, "Ask it:      dig @{} -p {} example.org SOA", first.ip(), first.port())?;
        }
        out.flush()
    }
}

/// What browsers are shown, where TLS is spoken to them.
struct Https {
    shown: Option<api::Https>,
    /// A certificate that is shown to browsers alone.
    own: Option<Arc<Certificate>>,
}

impl Https {
    fn of(tls: &HttpTls, ours: Option<&Arc<Certificate>>) -> anyhow::Result<Self> {
        match tls {
            HttpTls::Off => Ok(Self { shown: None, own: None }),
            HttpTls::Ours => Ok(Self { shown: ours.map(|ours| ours.to_browsers()), own: None }),
            HttpTls::Own(certificate, key) => {
                let own = Arc::new(Certificate::read(&(certificate.clone(), key.clone()))?);
                Ok(Self { shown: Some(own.to_browsers()), own: Some(own) })
            }
        }
    }
}

/// What opens the API on this machine; without it only those come in who have tokens of their own.
fn admin_token(data: &Path, at_start: &AtStart) -> anyhow::Result<Option<Hashed>> {
    match published::admin_token(data) {
        Ok(token) => Ok(Some(Hashed::of(&token))),
        // A full disk, say, or a file that is somebody else's: no reason to keep names from being answered.
        Err(error) if at_start.has_a_past() => {
            tracing::error!(
                "the admin token in {} cannot be read or made, so that nobody comes in with it: {error}",
                data.display()
            );
            Ok(None)
        }
        Err(error) => {
            Err(error).with_context(|| format!("the admin token in {} cannot be read or made", data.display()))
        }
    }
}

/// The path of the page that creates the operator, while there is none.
async fn first_start(node: &Node) -> Option<String> {
    let inventory = node.inventory.load_full()?;
    match first_start::link(&inventory, node.clock.now()).await {
        Ok(link) => link,
        Err(error) => {
            tracing::error!("no link can be made that creates the operator: {error}");
            None
        }
    }
}

/// SIGTERM or SIGINT, heeded from when this is made: whoever is told where the server is may end it.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    fn awaited() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn comes(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
