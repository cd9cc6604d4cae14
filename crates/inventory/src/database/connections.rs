//! Connections to the one database, of either engine: lent one by one, given back, replaced when they have died.
//!
//! Invariants: who borrows a connection never finds one in somebody else's transaction; nothing waits for PostgreSQL
//! without a deadline; an attempt to connect is made once for each who asks, so that a server that is down is said at
//! once, and is used again by the first who asks when it is back.
//!
//! It deliberately is no pool of sqlx: that one tries again for as long as a caller may wait for a turn, hides why, and
//! would give the writer's connection, which holds PostgreSQL's lock, another one in its place without a word.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Connection, Describe, Either, Error, Execute, Executor, SqlStr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::changes::{Changed, Changes};
use super::deadline::{limited, within};
use super::opening::Opening;
use super::transaction::Transaction;

/// How long a caller waits for a connection that others have: a few long imports in a row.
const TURN_WAIT: Duration = Duration::from_secs(20);
/// How long it may take to hear from a connection that has nothing to do.
const PING_WAIT: Duration = Duration::from_secs(5);

pub(super) type Step = Result<Either<AnyQueryResult, AnyRow>, Error>;

/// Cheap to clone: all clones share the same connections.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Shared>);

struct Shared {
    opening: Opening,
    size: u32,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<AnyConnection>>,
    /// Where it is noted that it can be connected to again.
    changes: Changes,
    /// Why the last attempt to connect failed; none after one that did not.
    trouble: Mutex<Option<Arc<str>>>,
}

impl Connections {
    /// At most so many at a time; none is opened yet. `changes` hears when they can be opened again after they could not.
    pub(super) fn new(opening: Opening, size: u32, changes: Changes) -> Self {
        let turns = Arc::new(Semaphore::new(size as usize));
        let (idle, trouble) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { opening, size, turns, idle, changes, trouble }))
    }

    /// Begins a transaction: one that may write, or one whose reads are all of one moment.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        Transaction::begin(self.lend().await?).await
    }

    /// A connection that works, as far as can be known.
    pub(super) async fn lend(&self) -> Result<Lent, Error> {
        let turn = timeout(TURN_WAIT, self.0.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        loop {
            let idle = self.0.idle().pop();
            let connection = match idle {
                Some(connection) => still_works(connection).await,
                None => Some(self.connect().await?),
            };
            if let Some(connection) = connection {
                return Ok(Lent { connection: Some(connection), home: self.clone(), turn: Some(turn) });
            }
        }
    }

    async fn connect(&self) -> Result<AnyConnection, Error> {
        let connected = self.0.opening.connect().await;
        let trouble = connected.as_ref().err().map(|error| crate::error::sentence(error).into());
        let mut known = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, trouble);
        if before.is_some() && connected.is_ok() {
            // What has been missed meanwhile is to be made up for.
            self.0.changes.note(Changed::Everything);
        }
        connected
    }

    /// Why the last attempt to connect failed; none after one that did not.
    pub(super) fn trouble(&self) -> Option<Arc<str>> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long a statement may take.
    pub(super) fn statement_wait(&self) -> Option<Duration> {
        self.0.opening.statement_wait()
    }

    pub(super) fn begin_statement(&self) -> &'static str {
        self.0.opening.begin_statement()
    }

    /// Closes all connections, as soon as whoever has one has given it back; afterwards none is lent.
    pub(super) async fn close(&self) {
        // Who takes longer than that finds everything closed when they give theirs back.
        let _ = timeout(TURN_WAIT, self.0.turns.acquire_many(self.0.size)).await;
        self.0.turns.close();
        let idle = std::mem::take(&mut *self.0.idle());
        for connection in idle {
            // What is committed is on disk, whether or not the end is a friendly one.
            let _ = timeout(PING_WAIT, connection.close()).await;
        }
    }

    pub(super) fn downgrade(&self) -> WeakConnections {
        WeakConnections(Arc::downgrade(&self.0))
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}

/// Connections that may be gone.
pub(super) struct WeakConnections(Weak<Shared>);

impl WeakConnections {
    pub(super) fn upgrade(&self) -> Option<Connections> {
        self.0.upgrade().map(Connections)
    }
}

/// None for a connection that has died, or does not answer.
async fn still_works(mut connection: AnyConnection) -> Option<AnyConnection> {
    let answered = timeout(PING_WAIT, connection.ping()).await;
    matches!(answered, Ok(Ok(()))).then_some(connection)
}

/// A borrowed connection, given back when it is dropped.
pub(super) struct Lent {
    connection: Option<AnyConnection>,
    home: Connections,
    turn: Option<OwnedSemaphorePermit>,
}

impl Lent {
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        self.connection.as_mut().expect("it is there until it is dropped")
    }

    pub(super) fn home(&self) -> &Connections {
        &self.home
    }

    /// Ends the transaction that is open on it, and gives it back only when that has worked: SQLite, for one, ends a
    /// transaction by itself when the disk is full, and then nobody can say what the connection is up to.
    pub(super) fn roll_back(mut self) {
        let (Some(mut connection), turn) = (self.connection.take(), self.turn.take()) else { return };
        let home = self.home.clone();
        // Without a runtime nothing will use it again.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Ok(Ok(_)) = timeout(PING_WAIT, sqlx::raw_sql("ROLLBACK").execute(&mut connection)).await {
                home.0.idle().push(connection);
            }
            // The next one's turn comes when the transaction is over.
            drop(turn);
        });
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.0.idle().push(connection);
        }
    }
}

/// Statements outside of a transaction, each on a connection of its own: for reading.
impl<'c> Executor<'c> for &'c Connections {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let steps = async move {
            let mut lent = self.lend().await?;
            let limit = self.statement_wait();
            // All of them, and only then the connection goes to others.
            let steps = limited(limit, lent.connection().fetch_many(query)).collect::<Vec<Step>>().await;
            Ok::<_, Error>(stream::iter(steps))
        };
        stream::once(steps).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(first_row(self.fetch_many(query)))
    }

    fn prepare_with<'e>(self, sql: SqlStr, _: &'e [AnyTypeInfo]) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lent = self.lend().await?;
            within(self.statement_wait(), lent.connection().prepare(sql)).await
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lent = self.lend().await?;
            within(self.statement_wait(), lent.connection().describe(sql)).await
        })
    }
}

/// The first row of a statement that is run to its end: what goes wrong after its first row is wrong too.
pub(super) async fn first_row(mut steps: BoxStream<'_, Step>) -> Result<Option<AnyRow>, Error> {
    let mut first = None;
    while let Some(step) = steps.try_next().await? {
        if let Either::Right(row) = step {
            first.get_or_insert(row);
        }
    }
    Ok(first)
}
