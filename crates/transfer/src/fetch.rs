//! One transfer, always over a connection (RFC 5936 §4.2).

use dns::Name;
use tokio::time::{Duration, sleep};
use xfr::{Outcome, Progress, Reason, Session};

use crate::gathering::Gathering;
use crate::lanes::Lane;
use crate::patience::Patience;
use crate::pool::{Endpoint, Purpose, Wanted};
use crate::stream::Stream;
use crate::{Fetch, Fetched, Meter, Primary, Share, Transfers};

/// Reading a message of 64 KiB takes well under a millisecond, which nobody else notices; but octets of a large zone
/// are there as fast as they are read, and reading on and on would. So messages are read where they arrive, without the
/// cost of handing each to another thread, and after so many octets everybody else has a turn.
const OCTETS_PER_TURN: u64 = 256 * 1024;

/// A transfer that a primary turns away because it has many is begun anew so often, and after so long, which grows with
/// each time.
const TURNED_AWAY_MAX: u32 = 4;
const ROOM_AGAIN: Duration = Duration::from_millis(50);

pub(crate) async fn fetch(
    transfers: &Transfers,
    zone: &Name,
    primary: &Primary,
    request: Fetch,
    lane: Lane,
    meter: &Meter,
) -> Result<Fetched, Reason> {
    let endpoint = Endpoint::of(primary);
    let mut wanted = Wanted::Any;
    let mut turned_away = 0;
    loop {
        let mut stream = open(transfers, &endpoint, &request, wanted, lane).await?;
        let (limits, key) = (transfers.limits.session, primary.key.clone());
        let mut session = Session::new(zone.clone(), request.clone(), stream.id(), key, limits);
        let mut share = transfers.budget.share();
        let mut gathering = Gathering::new(zone, transfers.limits.gathered_within, transfers.long_work.clone());
        let ended = run(transfers, &mut stream, &mut session, &mut share, &mut gathering, meter).await;
        match ended {
            Ok(outcome) => {
                stream.end();
                let (outcome, gathered) = gathering.end(outcome).await?;
                return Ok(Fetched { outcome, gathered, share });
            }
            Err(reason) if wanted == Wanted::Any && stream.may_owe_to_others(&reason) => {
                // Silence costs time, and is not tried twice.
                if matches!(reason, Reason::TimedOut { .. }) {
                    transfers.pool.note_answers_once(&endpoint);
                }
                wanted = Wanted::Fresh;
            }
            Err(reason) => {
                let is_turned_away = matches!(reason, Reason::ServFail(_) | Reason::Refused(_));
                let is_crowded = is_turned_away && transfers.pool.note_turned_away(&endpoint);
                if reason.is_a_whole_answer() {
                    stream.end();
                }
                if !is_crowded || turned_away == TURNED_AWAY_MAX {
                    return Err(reason);
                }
                // Once more, when there is room for it: the primary may take a moment to see that another one has ended.
                turned_away += 1;
                sleep(ROOM_AGAIN * turned_away).await;
            }
        }
    }
}

async fn open(
    transfers: &Transfers,
    endpoint: &Endpoint,
    request: &Fetch,
    wanted: Wanted,
    lane: Lane,
) -> Result<Stream, Reason> {
    let deadlines = transfers.limits.deadlines;
    let mut patience = Patience::new(&deadlines, deadlines.transfer);
    let exchange = transfers.pool.exchange(endpoint, Purpose::Transfer(lane), wanted, &mut patience).await?;
    Ok(Stream::new(exchange, request.asked(), deadlines, patience.primary_until()))
}

async fn run(
    transfers: &Transfers,
    stream: &mut Stream,
    session: &mut Session,
    share: &mut Share,
    gathering: &mut Gathering,
    meter: &Meter,
) -> Result<Outcome, Reason> {
    stream.send(&session.request(transfers.wall_clock_secs()));
    let mut octets_at_turn = 0;
    loop {
        let message = stream.message().await?;
        let progress = session.receive(&message, transfers.wall_clock_secs());
        meter.show(session);
        if let Progress::Done(outcome) = progress? {
            return Ok(outcome);
        }
        if session.octets() - octets_at_turn >= OCTETS_PER_TURN {
            octets_at_turn = session.octets();
            share.grow_to(session.octets_held())?;
            gathering.go_on(session).await?;
            tokio::task::yield_now().await;
        }
    }
}
