//! Connections kept open.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

use super::dialogue::Connection;
use crate::transport::SendError;

/// How long an unused connection is kept. RFC 5321 §4.5.3.2.7 has servers wait 5 minutes for a command; many wait far less.
const IDLE: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// At most so many connections at once, used and unused ones together. The one used last is taken first.
pub(super) struct Pool {
    permits: Semaphore,
    idle: Mutex<Vec<(Instant, Connection)>>,
}

/// The right to one connection.
pub(super) struct Pooled<'a> {
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(connections: usize) -> Self {
        Self { permits: Semaphore::new(connections), idle: Mutex::default() }
    }

    /// Waits for the right to use a connection.
    pub(super) async fn slot(&self) -> Result<Pooled<'_>, SendError> {
        let closed = |_| SendError::unanswered("the connections to the relay are closed".to_owned());
        Ok(Pooled { pool: self, _permit: self.permits.acquire().await.map_err(closed)? })
    }

    /// Closes what is unused, and gives out no more.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for (_, mut connection) in idle {
            // A relay that does not answer is left without a goodbye.
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pooled<'_> {
    /// An open connection, if there is one that was used lately. The others are dropped.
    pub(super) fn take(&mut self) -> Option<Connection> {
        let mut idle = self.pool.idle();
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        idle.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection for later.
    pub(super) fn put(self, connection: Connection) {
        self.pool.idle().push((Instant::now(), connection));
    }
}
