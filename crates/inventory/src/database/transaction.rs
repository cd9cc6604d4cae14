//! Transactions, alike on both engines.
//!
//! Invariants: what is not committed is rolled back, and the connection goes to nobody else before that is over. A
//! transaction in which a statement failed cannot be committed: SQLite would commit the rest, and PostgreSQL nothing,
//! without a word.

use std::fmt;
use std::ops::{Deref, DerefMut};

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use sqlx::any::{AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, Describe, Error, Execute, Executor, SqlStr};

use super::connections::{Lent, Step, first_row};
use super::deadline::{limited, within};
use super::engine::Engine;

/// A transaction; rolled back when it is dropped.
pub(crate) struct Transaction(Statements);

/// What statements in a transaction are run on.
pub(crate) struct Statements {
    /// None when it has been committed.
    lent: Option<Lent>,
    has_failed: bool,
}

impl Transaction {
    pub(super) async fn begin(lent: Lent) -> Result<Self, Error> {
        let statement = lent.home().begin_statement();
        let mut transaction = Self(Statements { lent: Some(lent), has_failed: false });
        // Whether or not it comes back: from here on it is rolled back.
        sqlx::raw_sql(statement).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// Makes everything durable. After an error it may have been made so all the same: the answer was lost.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        if self.has_failed {
            return Err(Error::Protocol("a statement of the transaction has failed".into()));
        }
        sqlx::raw_sql("COMMIT").execute(&mut *self).await?;
        self.lent = None;
        Ok(())
    }

    /// What the statements run on, where one of them must be an engine's own.
    pub(crate) fn engine(&mut self) -> Engine {
        Engine::of(self.lent().connection())
    }
}

impl Statements {
    fn lent(&mut self) -> &mut Lent {
        self.lent.as_mut().expect("it is there until it is committed")
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            lent.roll_back();
        }
    }
}

impl Deref for Transaction {
    type Target = Statements;

    fn deref(&self) -> &Statements {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Statements {
        &mut self.0
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Statements")
    }
}

impl<'c> Executor<'c> for &'c mut Statements {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let Statements { lent, has_failed } = self;
        let lent = lent.as_mut().expect("it is there until it is committed");
        let limit = lent.home().statement_wait();
        limited(limit, lent.connection().fetch_many(query)).inspect(|step| *has_failed |= step.is_err()).boxed()
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
            let lent = self.lent();
            let limit = lent.home().statement_wait();
            within(limit, lent.connection().prepare(sql)).await
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let lent = self.lent();
            let limit = lent.home().statement_wait();
            within(limit, lent.connection().describe(sql)).await
        })
    }
}
