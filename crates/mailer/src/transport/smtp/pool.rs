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
/// For how long fewer connections are used, after the relay took no further one.
const SPARING: Duration = Duration::from_mins(1);

/// At most so many connections at once, used and unused ones together. The one used last is taken first.
pub(super) struct Pool {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Instant, Connection)>,
    /// Rights that are given out.
    used: usize,
    /// Rights that are withheld, and since when.
    withheld: Option<(usize, Instant)>,
}

/// The right to one connection.
pub(super) struct Pooled<'a> {
    pool: &'a Pool,
    permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(connections: usize) -> Self {
        Self { permits: Semaphore::new(connections), state: Mutex::default() }
    }

    /// Waits for the right to use a connection.
    pub(super) async fn slot(&self) -> Result<Pooled<'_>, SendError> {
        self.restore();
        let closed = |_| SendError::unanswered("the connections to the relay are closed".to_owned());
        let permit = self.permits.acquire().await.map_err(closed)?;
        self.state().used += 1;
        Ok(Pooled { pool: self, permit })
    }

    /// Closes what is unused, and gives out no more.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut self.state().idle);
        for (_, mut connection) in idle {
            // A relay that does not answer is left without a goodbye.
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
    }

    /// Gives out again what was withheld long enough.
    fn restore(&self) {
        let is_over = |withheld: &mut (usize, Instant)| withheld.1.elapsed() >= SPARING;
        if let Some((permits, _)) = self.state().withheld.take_if(is_over) {
            self.permits.add_permits(permits);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pooled<'_> {
    /// An open connection, if there is one that was used lately. The others are dropped.
    pub(super) fn take(&mut self) -> Option<Connection> {
        let mut state = self.pool.state();
        state.idle.retain(|(since, _)| since.elapsed() < IDLE);
        state.idle.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection for later.
    pub(super) fn put(self, connection: Connection) {
        self.pool.state().idle.push((Instant::now(), connection));
    }

    /// Gives the right up, as the relay takes no further connection: whether there are others that can be used. If some
    /// are in use, this right is withheld for a minute, since the relay seems to be at its limit.
    pub(super) fn give_up(mut self) -> bool {
        let mut state = self.pool.state();
        if state.used > 1 {
            let permits = state.withheld.map_or(0, |(permits, _)| permits) + 1;
            state.withheld = Some((permits, Instant::now()));
            self.permit.split(1).into_iter().for_each(SemaphorePermit::forget);
            return true;
        }
        !state.idle.is_empty()
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        self.pool.state().used -= 1;
    }
}
