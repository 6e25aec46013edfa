//! The pool of connections.
//!
//! deadpool keeps the connections instead of sqlx's own pool, which tests each connection when it is returned, without a time limit: on a
//! connection that never answers that test holds its place in the pool for ever.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::{
    self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, WeakPool,
};
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::{BoxFuture, join_all},
    stream::{self, BoxStream},
};
use sqlx::{
    Connection, Describe, Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{error::Elapsed, sleep, timeout};

use crate::metrics;

/// How long the server works on a statement: far longer than any of ours takes, so that only a stuck one is ended.
///
/// Statements are not run in parallel: for the first page of a list, parallel workers read far more than it needs (17 times as much, for
/// resets with a bounced mail), and one caller would take the workers from all others.
///
/// Nor are they compiled: the planner expects far too much of some, such as the claim of callbacks, and compiling takes longer than they run.
///
/// These are set after connecting: PgBouncer refuses most parameters at startup.
const SESSION_SETTINGS: &str =
    "SET statement_timeout = '5s'; SET max_parallel_workers_per_gather = 0; SET jit = off";
/// How long a statement may take on our side. The server ends a slow one before that, so a connection that is later than this is not
/// slow but silent, as behind a load balancer or a pooler that lost a host.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(6);
/// A connection that was idle for longer is tested before it is used. Others are not, which saves a round trip.
const UNTESTED_IDLE_TIME: Duration = Duration::from_secs(1);
/// How long that test may take.
const TEST_DEADLINE: Duration = Duration::from_secs(1);
/// A connection is replaced after this time, so that the memory of its server process does not grow for ever: sqlx's own default.
const MAX_AGE: Duration = Duration::from_mins(30);
/// A connection that was idle for longer is closed, so that a burst does not hold connections of the server or of a pooler.
const MAX_IDLE_TIME: Duration = Duration::from_mins(1);
/// How often idle connections are looked for.
const IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(20);
/// How long closing a connection in order may take.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// A pool of connections, on which each statement has a deadline. Clones share the connections.
///
/// After a connection was lost, did not answer in time, or turned out to be read-only, all connections that are as old are replaced
/// before their next use: after a failover, or behind a load balancer that lost a host, the others are no better.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    connections: managed::Pool<Connector>,
    /// How long a call waits for a connection.
    acquire_timeout: Duration,
    /// The pool's name in the metrics, if it is measured.
    name: Option<&'static str>,
}

/// The connections, as long as somebody uses the pool.
pub(crate) type WeakConnections = WeakPool<Connector>;

#[derive(Debug)]
pub(crate) struct Connector {
    options: PgConnectOptions,
    /// Connections that are older are not used again.
    trusted_since: Mutex<Instant>,
}

#[derive(Debug)]
pub(crate) struct Pooled {
    connection: PgConnection,
    /// Whether the caller of the last statement stayed until its end. What is left of an answer then, the driver reads before the next one.
    is_clean: bool,
}

impl Manager for Connector {
    type Type = Pooled;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Pooled, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        sqlx::raw_sql(SESSION_SETTINGS).execute(&mut connection).await?;
        Ok(Pooled { connection, is_clean: true })
    }

    async fn recycle(&self, pooled: &mut Pooled, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.created <= self.trusted_since() || metrics.age() > MAX_AGE {
            return Err(RecycleError::message("too old"));
        }
        if pooled.is_clean && metrics.last_used() < UNTESTED_IDLE_TIME {
            return Ok(());
        }
        let tested = timeout(TEST_DEADLINE, pooled.connection.ping()).await;
        let tested = tested.unwrap_or_else(|_| Err(too_late()));
        // One that isn't clean may still be working on the statement of a caller that is gone.
        if tested.is_err() && pooled.is_clean {
            self.distrust(metrics.created);
        }
        Ok(tested?)
    }
}

impl Connector {
    /// Makes all connections that are open now unusable, because one that was opened at `created` is. Nothing new is learned from one that was
    /// not trusted any more.
    fn distrust(&self, created: Instant) {
        let mut trusted_since = self.trusted_since.lock().unwrap_or_else(PoisonError::into_inner);
        if created > *trusted_since {
            *trusted_since = Instant::now();
        }
    }

    fn trusted_since(&self) -> Instant {
        *self.trusted_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Makes a pool. Connections are opened when they are needed. Must be called on a Tokio runtime.
    pub(crate) fn new(
        options: PgConnectOptions,
        max_connections: u32,
        acquire_timeout: Duration,
    ) -> Result<Self, managed::BuildError> {
        let connector = Connector { options, trusted_since: Mutex::new(Instant::now()) };
        let connections = managed::Pool::builder(connector)
            .max_size(usize::try_from(max_connections).unwrap_or(usize::MAX))
            .queue_mode(QueueMode::Lifo)
            .build()?;
        tokio::spawn(close_idle(connections.weak()));
        Ok(Self { connections, acquire_timeout, name: None })
    }

    /// Measures the pool from now on.
    pub(crate) fn measure(&mut self, name: &'static str) {
        metrics::start(Arc::new(self.connections.weak()), name);
        self.name = Some(name);
    }

    /// Replaces all connections that are open now before their next use.
    pub(crate) fn distrust(&self) {
        self.connections.manager().distrust(Instant::now());
    }

    /// Closes the connections that are not in use, and each of the others after its statement. Calls from now on fail.
    pub(crate) async fn close(&self) {
        let idle = self.connections.retain(|_, _| false).removed;
        self.connections.close();
        close_all(idle).await;
    }

    async fn acquire(&self) -> Result<Lease, sqlx::Error> {
        let started_at = Instant::now();
        let acquired = timeout(self.acquire_timeout, self.connections.get()).await;
        if let Some(name) = self.name {
            metrics::record_wait(name, started_at.elapsed(), acquired.is_err());
        }
        let mut connection =
            acquired.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|error| match error {
                PoolError::Backend(error) => error,
                PoolError::Closed => sqlx::Error::PoolClosed,
                PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                    sqlx::Error::PoolTimedOut
                }
            })?;
        connection.is_clean = false;
        Ok(Lease { connection, pool: self.clone() })
    }
}

/// Closes connections that are idle for long, until the pool is dropped or closed.
async fn close_idle(pool: WeakConnections) {
    while let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) {
        close_all(pool.retain(|_, metrics| metrics.last_used() < MAX_IDLE_TIME).removed).await;
        drop(pool);
        sleep(IDLE_CHECK_INTERVAL).await;
    }
}

async fn close_all(connections: Vec<Pooled>) {
    let closing = connections.into_iter().map(|pooled| timeout(CLOSE_DEADLINE, pooled.connection.close()));
    // A server that does not answer has nothing left to do here.
    drop(join_all(closing).await);
}

/// A connection in use. One that is dropped instead, because its caller is gone, is tested before it is used again.
struct Lease {
    connection: Object<Connector>,
    pool: Pool,
}

impl Lease {
    fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection.connection
    }

    /// Gives the connection back, or closes it if it can't be used any more.
    fn finish<T>(mut self, outcome: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, sqlx::Error> {
        let outcome = outcome.unwrap_or_else(|_| Err(too_late()));
        match &outcome {
            Err(error) if is_broken(error) => {
                self.pool.connections.manager().distrust(Object::metrics(&self.connection).created);
                drop(Object::take(self.connection));
            }
            Ok(_) | Err(_) => self.connection.is_clean = true,
        }
        outcome
    }
}

/// Whether a connection that reported this error can't be used again: it is lost or about to be (classes 08 and 57P), it is out of step,
/// or its session is read-only, as one with a server that is no longer the primary (25006; PostgreSQL's manual, appendix A).
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "25006"),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        _ => false,
    }
}

/// The error of a server that did not answer within a deadline of ours.
pub(crate) fn too_late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time"))
}

impl<'p> Executor<'p> for &Pool {
    type Database = Postgres;

    /// Reads all rows before it returns the first, because the deadline is for all of them.
    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let read = async move {
            let mut lease = pool.acquire().await?;
            let steps = lease.connection().fetch_many(query).try_collect::<Vec<_>>();
            let outcome = timeout(STATEMENT_DEADLINE, steps).await;
            lease.finish(outcome)
        };
        stream::once(read).map_ok(|steps| stream::iter(steps).map(Ok)).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        async move {
            let mut lease = pool.acquire().await?;
            let outcome = timeout(STATEMENT_DEADLINE, lease.connection().fetch_optional(query)).await;
            lease.finish(outcome)
        }
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        async move {
            let mut lease = pool.acquire().await?;
            let outcome = timeout(STATEMENT_DEADLINE, lease.connection().prepare_with(sql, parameters)).await;
            lease.finish(outcome)
        }
        .boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        async move {
            let mut lease = pool.acquire().await?;
            let outcome = timeout(STATEMENT_DEADLINE, lease.connection().describe(sql)).await;
            lease.finish(outcome)
        }
        .boxed()
    }
}
