//! NOTIFY out: tells those who copy from us of new versions. The sockets and the time around `xfr::announce`.
//!
//! One task sends and waits for replies, over UDP, from one socket for each address of ours. Whoever publishes only puts
//! news into a bounded queue: nobody waits for a recipient, and no recipient waits for another. What is lost for lack
//! of room is found by the recipients' own timers, as it would be without NOTIFY.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dns::Rcode;
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use xfr::Destinations;
use xfr::announce::{Announcements, Due, News, Recipient, Replied, Taken};

use crate::Now;
use crate::desk::wall_clock_secs;

/// News that wait to be taken up.
const QUEUE_MAX: usize = 4096;
/// Replies that wait to be looked at; more are lost, and what they answer is sent again.
const REPLIES_MAX: usize = 1024;
/// So many NOTIFYs are sent at once, and then none for [`PAUSE`]: 2,000 a second.
const BURST: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// No reply to a NOTIFY is longer.
const REPLY_OCTETS_MAX: usize = 1232;
/// When a socket cannot be received from, for whatever reason.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
/// Recipients of which it is remembered what was said about them.
const SAID_MAX: usize = 10_000;

/// Numbers that nobody can guess.
pub type Random = Arc<dyn Fn() -> u32 + Send + Sync>;

/// Where news are handed in. A clone leads to the same place.
#[derive(Clone)]
pub struct Announcer {
    queue: mpsc::Sender<Announcement>,
    counts: Arc<Counts>,
}

type Announcement = (Arc<News>, Vec<Recipient>);

/// What became of NOTIFYs out since the start. A NOTIFY counts once, however often it was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnnounceTally {
    /// Datagrams.
    pub sent: u64,
    pub answered: u64,
    /// Answered with anything but NOERROR.
    pub declined: u64,
    pub unanswered: u64,
    /// Lost for lack of room.
    pub dropped: u64,
    /// Not sent, because their addresses are not to be asked.
    pub refused: u64,
    /// That wait for their reply now.
    pub pending: u64,
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    answered: AtomicU64,
    declined: AtomicU64,
    unanswered: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    pending: AtomicU64,
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// A door for news, and the work behind it, which is to be run as a task.
///
/// Recipients are judged as what primaries are asked at is: whoever has a zone names them.
pub fn announcer(
    now: Now,
    random: Random,
    destinations: Destinations,
) -> (Announcer, impl Future<Output = ()> + Send) {
    let (queue, news) = mpsc::channel(QUEUE_MAX);
    let counts = Arc::new(Counts::default());
    let (heard, replies) = mpsc::channel(REPLIES_MAX);
    let work = Work {
        announcements: Announcements::default(),
        sockets: Sockets { by_source: HashMap::new(), listening: JoinSet::new(), heard },
        mute: HashSet::new(),
        declining: HashSet::new(),
        refused: HashSet::new(),
        destinations,
        counts: counts.clone(),
        now,
        random,
    };
    (Announcer { queue, counts }, work.run(news, replies))
}

impl Announcer {
    /// Has them told; if there is no room they are not.
    pub fn announce(&self, news: News, recipients: Vec<Recipient>) {
        let lost = recipients.len() as u64;
        if self.queue.try_send((Arc::new(news), recipients)).is_err() {
            self.counts.dropped.fetch_add(lost, Ordering::Relaxed);
        }
    }

    pub fn tally(&self) -> AnnounceTally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { sent, answered, declined, unanswered, dropped, refused, pending } = &*self.counts;
        AnnounceTally {
            sent: read(sent),
            answered: read(answered),
            declined: read(declined),
            unanswered: read(unanswered),
            dropped: read(dropped),
            refused: read(refused),
            pending: read(pending),
        }
    }
}

struct Work {
    announcements: Announcements,
    sockets: Sockets,
    /// Who has not answered when last told.
    mute: HashSet<SocketAddr>,
    /// Who has ever declined: a server that follows a catalog does so with each new zone before it has read that.
    declining: HashSet<SocketAddr>,
    /// Who is not to be sent anything.
    refused: HashSet<SocketAddr>,
    destinations: Destinations,
    counts: Arc<Counts>,
    now: Now,
    random: Random,
}

type Datagram = (SocketAddr, Vec<u8>);

impl Work {
    async fn run(mut self, mut news: mpsc::Receiver<Announcement>, mut replies: mpsc::Receiver<Datagram>) {
        loop {
            let wait = self.send_due();
            self.counts.pending.store(self.announcements.len() as u64, Ordering::Relaxed);
            tokio::select! {
                announcement = news.recv() => match announcement {
                    Some((news, recipients)) => self.take(&news, recipients),
                    None => return,
                },
                Some((from, message)) = replies.recv() => {
                    if let Some(replied) = self.announcements.receive(from, &message, wall_clock_secs()) {
                        self.replied(&replied);
                    }
                }
                () = sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {}
            }
        }
    }

    /// From here on each NOTIFY goes to the address that its recipient has now, so that one judgement is for all of them.
    fn take(&mut self, news: &Arc<News>, recipients: Vec<Recipient>) {
        for recipient in recipients {
            if let Err(refused) = self.destinations.judge(recipient.address.ip()) {
                add(&self.counts.refused);
                say_once(&mut self.refused, news, recipient.address, &format!("is not told: {refused}"));
                continue;
            }
            let random_id = || (self.random)() as u16;
            if self.announcements.announce(news.clone(), recipient, (self.now)(), random_id) == Taken::NoRoom {
                add(&self.counts.dropped);
            }
        }
    }

    /// Sends what is due, and gives the time until there is more.
    fn send_due(&mut self) -> Option<Duration> {
        for _ in 0..BURST {
            match self.announcements.take_due((self.now)(), wall_clock_secs(), (self.random)()) {
                None => return self.announcements.next_due().map(|due| due.since((self.now)())),
                Some(Due::Send { to, source, message }) => {
                    add(&self.counts.sent);
                    if let Err(error) = self.sockets.send(to, source, &message) {
                        tracing::debug!(%to, ?source, "a NOTIFY cannot be sent now: {error}");
                    }
                }
                Some(Due::Unanswered { news, to }) => {
                    add(&self.counts.unanswered);
                    say_once(&mut self.mute, &news, to, "does not answer NOTIFYs");
                }
            }
        }
        Some(PAUSE)
    }

    fn replied(&mut self, replied: &Replied) {
        let Replied { news, to, rcode } = replied;
        if self.mute.remove(to) {
            tracing::info!(%to, "answers NOTIFYs again");
        }
        if *rcode == Rcode::NOERROR {
            add(&self.counts.answered);
            tracing::debug!(zone = %news.name, %to, "a NOTIFY was answered");
        } else {
            add(&self.counts.declined);
            say_once(&mut self.declining, news, *to, &format!("declines a NOTIFY with {rcode}"));
        }
    }
}

/// Once for each recipient that was not in `said`.
fn say_once(said: &mut HashSet<SocketAddr>, news: &News, to: SocketAddr, how: &str) {
    if said.len() < SAID_MAX && said.insert(to) {
        tracing::warn!(
            zone = %news.name, %to,
            "a server that is to be told of new versions {how}; it finds them by its own timers; from now on this is said at the level debug"
        );
    } else {
        tracing::debug!(zone = %news.name, %to, "it {how}");
    }
}

/// One for each address of ours, as they are needed.
struct Sockets {
    by_source: HashMap<IpAddr, Arc<UdpSocket>>,
    listening: JoinSet<()>,
    heard: mpsc::Sender<Datagram>,
}

impl Sockets {
    fn send(&mut self, to: SocketAddr, source: Option<IpAddr>, message: &[u8]) -> io::Result<()> {
        let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = self.socket(source.unwrap_or(any))?;
        // A full buffer is as a lost datagram: it is sent again. The kernel is asked itself: of a new socket the runtime
        // does not know yet that it can be sent from.
        SockRef::from(&*socket).send_to(message, &to.into()).map(drop)
    }

    fn socket(&mut self, source: IpAddr) -> io::Result<Arc<UdpSocket>> {
        if let Some(socket) = self.by_source.get(&source) {
            return Ok(socket.clone());
        }
        let socket = std::net::UdpSocket::bind((source, 0))?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        self.listening.spawn(listen(socket.clone(), self.heard.clone()));
        self.by_source.insert(source, socket.clone());
        Ok(socket)
    }
}

/// Hands on what comes, for ever.
async fn listen(socket: Arc<UdpSocket>, heard: mpsc::Sender<Datagram>) {
    let mut octets = [0; REPLY_OCTETS_MAX];
    loop {
        match socket.recv_from(&mut octets).await {
            Ok((length, from)) => {
                // What finds no room is sent again, and answered again.
                let _ = heard.try_send((from, octets[..length].to_vec()));
            }
            Err(error) => {
                tracing::debug!(%error, "a reply to a NOTIFY cannot be received");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}
