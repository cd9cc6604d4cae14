//! The messages that answer one request over a connection (RFC 1035 §4.2.2), every wait with a deadline.

use tokio::time::{Instant, timeout_at};
use xfr::Reason;
use xfr::reason::{Asked, Waiting};

use crate::connection::{Broken, Exchange};
use crate::limits::Deadlines;

/// An exchange on which one answer is awaited.
pub(crate) struct Stream {
    exchange: Exchange,
    asked: Asked,
    deadlines: Deadlines,
    started: Instant,
    /// When all must be over.
    until: Instant,
    messages: u64,
    /// The current span in which there must be progress, and what had come on the connection when it began.
    span_started: Instant,
    span_octets: u64,
    octets_at_start: u64,
}

impl Stream {
    /// The whole exchange must be over by `until`.
    pub(crate) fn new(exchange: Exchange, asked: Asked, deadlines: Deadlines, until: Instant) -> Self {
        let started = Instant::now();
        let (octets, _) = exchange.connection().received();
        Self {
            exchange,
            asked,
            deadlines,
            started,
            until,
            messages: 0,
            span_started: started,
            span_octets: octets,
            octets_at_start: octets,
        }
    }

    /// The message ID that the request must have.
    pub(crate) fn id(&self) -> u16 {
        self.exchange.id()
    }

    pub(crate) fn send(&self, message: &[u8]) {
        self.exchange.send(message);
    }

    /// The next message, without its length.
    pub(crate) async fn message(&mut self) -> Result<Vec<u8>, Reason> {
        loop {
            let wait_until = self.next_deadline();
            match timeout_at(wait_until, self.exchange.message()).await {
                Ok(Ok(message)) => {
                    self.messages += 1;
                    return Ok(message);
                }
                Ok(Err(Broken::Closed)) => return Err(Reason::ConnectionClosed { messages: self.messages }),
                Ok(Err(Broken::Failed(reason))) => return Err(reason),
                Err(_) => self.judge_silence()?,
            }
        }
    }

    /// The answer is whole, and others may use the connection.
    pub(crate) fn end(self) {
        self.exchange.end();
    }

    /// Whether what happened may be due to others who used the connection before, or at the same time.
    pub(crate) fn may_owe_to_others(&self, reason: &Reason) -> bool {
        self.messages == 0
            && (self.exchange.on_used || self.exchange.connection().is_shared())
            && matches!(reason, Reason::ConnectionClosed { .. } | Reason::TimedOut { .. } | Reason::WrongId)
    }

    /// How long the primary may take to begin its answer. On a connection that others use it may be busy with them, and
    /// one that was used before may never answer again: then there is a new one to be tried.
    fn patience(&self) -> tokio::time::Duration {
        if self.exchange.on_used && !self.exchange.connection().is_shared() {
            self.deadlines.reused
        } else {
            self.deadlines.idle
        }
    }

    /// When octets came last for this exchange, or it began.
    fn heard_at(&self) -> Instant {
        let (octets, at) = self.exchange.connection().received();
        if octets > self.octets_at_start && !self.awaits_others() { at.max(self.started) } else { self.started }
    }

    /// Whether what comes is most likely for somebody else.
    fn awaits_others(&self) -> bool {
        self.messages == 0 && self.exchange.connection().is_shared()
    }

    fn has_begun(&self) -> bool {
        self.messages > 0 || (!self.awaits_others() && self.exchange.connection().received().0 > self.octets_at_start)
    }

    fn quiet_until(&self) -> Instant {
        let patience = if self.has_begun() { self.deadlines.idle } else { self.patience() };
        self.heard_at() + patience
    }

    fn next_deadline(&self) -> Instant {
        let deadline = self.quiet_until().min(self.span_started + self.deadlines.progress).min(self.until);
        // Others may be gone at any time, and then there is less patience.
        if self.awaits_others() { deadline.min(Instant::now() + self.deadlines.reused) } else { deadline }
    }

    /// No message came until a deadline: which one, and is it the last?
    fn judge_silence(&mut self) -> Result<(), Reason> {
        let now = Instant::now();
        let has_begun = self.has_begun();
        if now >= self.until {
            return Err(match (self.asked, has_begun) {
                (Asked::Soa, _) | (_, false) => timed_out(Waiting::Answer(self.asked), self.started),
                (_, true) => Reason::TookTooLong { secs: self.started.elapsed().as_secs() },
            });
        }
        if now >= self.quiet_until() {
            return Err(match has_begun {
                true => Reason::Hung { millis: millis_since(self.heard_at()) },
                false => timed_out(Waiting::Answer(self.asked), self.started),
            });
        }
        if now >= self.span_started + self.deadlines.progress {
            let (octets, _) = self.exchange.connection().received();
            let came = octets - self.span_octets;
            if has_begun && came < self.deadlines.progress_octets {
                return Err(Reason::TooSlow { octets: came, millis: millis_since(self.span_started) });
            }
            (self.span_started, self.span_octets) = (now, octets);
        }
        Ok(())
    }
}

pub(crate) fn timed_out(waiting: Waiting, since: Instant) -> Reason {
    Reason::TimedOut { waiting, millis: millis_since(since) }
}

fn millis_since(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
