//! One transfer, always over TCP (RFC 5936 §4.2).

use dns::Name;
use tokio::time::Instant;
use xfr::{Progress, Reason, Session};

use crate::stream::Stream;
use crate::{Failed, Fetch, Fetched, Primary, Share, Transfers, random_id, wall_clock_secs};

/// Reading a message of 64 KiB takes well under a millisecond, which nobody else notices; but octets of a large zone
/// are there as fast as they are read, and reading on and on would. So messages are read where they arrive, without the
/// cost of handing each to another thread, and after so many octets everybody else has a turn.
const OCTETS_PER_TURN: u64 = 256 * 1024;

pub(crate) async fn fetch(
    transfers: &Transfers,
    zone: &Name,
    primary: &Primary,
    request: Fetch,
) -> Result<Fetched, Failed> {
    let nothing = |reason| Failed { reason, octets: 0 };
    let id = random_id().map_err(nothing)?;
    let mut session = Session::new(zone.clone(), request, id, primary.key.clone(), transfers.limits.session);
    match run(transfers, primary, &mut session).await {
        Ok((outcome, share)) => Ok(Fetched {
            outcome,
            octets: session.octets(),
            records: session.records(),
            messages: session.messages(),
            share,
        }),
        Err(reason) => Err(Failed { reason, octets: session.octets() }),
    }
}

async fn run(
    transfers: &Transfers,
    primary: &Primary,
    session: &mut Session,
) -> Result<(xfr::Outcome, Share), Reason> {
    let deadlines = transfers.limits.deadlines;
    let _slot = transfers.slots.take(primary.address.ip(), deadlines.slot).await?;
    let mut share = transfers.budget.share();
    let until = Instant::now() + deadlines.transfer;
    let mut stream = Stream::connect(primary.address, session.asked(), deadlines, until).await?;
    stream.send(&session.request(wall_clock_secs())).await?;
    let mut octets_at_turn = 0;
    loop {
        let message = stream.message().await?;
        if let Progress::Done(outcome) = session.receive(message, wall_clock_secs())? {
            return Ok((outcome, share));
        }
        if session.octets() - octets_at_turn >= OCTETS_PER_TURN {
            octets_at_turn = session.octets();
            share.grow_to(octets_at_turn)?;
            tokio::task::yield_now().await;
        }
    }
}
