//! The pool of open connections to one relay.

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
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for a QUIT.
pub(super) const QUIT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long fewer connections are used after the relay refused a further one.
const WITHHOLD_TIME: Duration = Duration::from_mins(1);

/// A limit on the number of connections, used and unused ones together. The one used last is taken first.
pub(super) struct Pool {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Instant, Connection)>,
    /// Slots in use.
    used: usize,
    /// How many slots are withheld, and since when.
    withheld: Option<(usize, Instant)>,
}

/// The right to use one connection.
pub(super) struct Slot<'a> {
    pool: &'a Pool,
    permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(connections: usize) -> Self {
        Self { permits: Semaphore::new(connections), state: Mutex::default() }
    }

    /// Waits for a slot.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, SendError> {
        self.restore();
        let closed = |_| SendError::transient("the connections to the relay are closed".to_owned());
        let permit = self.permits.acquire().await.map_err(closed)?;
        self.state().used += 1;
        Ok(Slot { pool: self, permit })
    }

    /// Closes unused connections, and gives out no more slots.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut self.state().idle);
        for (_, mut connection) in idle {
            // It does not matter whether the relay answers.
            let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
        }
    }

    /// Gives out again slots that were withheld long enough.
    fn restore(&self) {
        let is_over = |withheld: &mut (usize, Instant)| withheld.1.elapsed() >= WITHHOLD_TIME;
        if let Some((permits, _)) = self.state().withheld.take_if(is_over) {
            self.permits.add_permits(permits);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// Takes an open connection, if there is one that was used recently. Older ones are dropped.
    pub(super) fn take(&mut self) -> Option<Connection> {
        let mut state = self.pool.state();
        state.idle.retain(|(since, _)| since.elapsed() < IDLE_TIMEOUT);
        state.idle.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection for later.
    pub(super) fn put(self, connection: Connection) {
        self.pool.state().idle.push((Instant::now(), connection));
    }

    /// Gives the slot up because the relay accepts no further connection. Returns whether there are others that can be used. If
    /// some are in use, this slot is withheld for a minute, since the relay seems to be at its limit.
    pub(super) fn withhold(mut self) -> bool {
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

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.pool.state().used -= 1;
    }
}
