use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::ids::OrganizationId;

/// A bounded queue that organizations share. Those that wait take turns, each in the order of its own jobs; and each may hold as many
/// places as are left free: one alone half of them, two a third each. So one organization's log-ins neither fill the queue nor make
/// the others wait for more than one job each turn.
pub(super) struct FairQueue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// The organizations with waiting jobs; the first one is next.
    turns: VecDeque<(OrganizationId, VecDeque<T>)>,
    length: usize,
    is_closed: bool,
}

/// The result of [`FairQueue::next`].
pub(super) enum Next<T> {
    Job(T),
    /// None came within the timeout.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

/// The organization holds its share of the queue.
pub(super) struct ShareIsFull;

impl<T> FairQueue<T> {
    pub fn new(capacity: usize) -> Self {
        let state = State { turns: VecDeque::new(), length: 0, is_closed: false };
        Self { capacity, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a job.
    pub fn push(&self, organization: OrganizationId, job: T) -> Result<(), ShareIsFull> {
        let mut state = self.lock();
        let free = self.capacity.saturating_sub(state.length);
        let own = state.turns.iter_mut().find(|(other, _)| *other == organization);
        match own {
            Some((_, jobs)) if jobs.len() < free => jobs.push_back(job),
            None if free > 0 => state.turns.push_back((organization, VecDeque::from([job]))),
            _ => return Err(ShareIsFull),
        }
        state.length += 1;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Removes the next job; waits for one up to `timeout`.
    pub fn next(&self, timeout: Duration) -> Next<T> {
        let is_waiting = |state: &mut State<T>| state.length == 0 && !state.is_closed;
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, is_waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Some((organization, mut jobs)) = state.turns.pop_front() else {
            return if state.is_closed { Next::Closed } else { Next::Idle };
        };
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            state.turns.push_back((organization, jobs));
        }
        state.length = state.length.saturating_sub(1);
        job.map_or(Next::Idle, Next::Job)
    }

    /// Returns how many jobs wait.
    pub fn length(&self) -> usize {
        self.lock().length
    }

    /// Ends the threads that wait for a job, once none is left.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn drain<T>(queue: &FairQueue<T>) -> Vec<T> {
        std::iter::from_fn(|| match queue.next(Duration::ZERO) {
            Next::Job(job) => Some(job),
            Next::Idle | Next::Closed => None,
        })
        .collect()
    }

    #[test]
    fn a6_an_organization_holds_its_share_and_no_more() {
        let [first, second, third] = [0; 3].map(|_| OrganizationId::generate(&OsRandom));
        let queue = FairQueue::new(12);
        let fill = |organization| (0..20).filter(|&n| queue.push(organization, n).is_ok()).count();
        assert_eq!(fill(first), 6, "half");
        assert_eq!(fill(second), 3, "half of the rest");
        assert_eq!(fill(third), 2);
        assert_eq!((fill(first), fill(second), fill(third)), (0, 0, 0));
        drain(&queue);
        assert_eq!(fill(third), 6);
    }

    #[test]
    fn a6_organizations_take_turns_and_each_keeps_its_order() {
        let [first, second] = [0; 2].map(|_| OrganizationId::generate(&OsRandom));
        let queue = FairQueue::new(12);
        for (organization, job) in
            [(first, "a1"), (first, "a2"), (first, "a3"), (first, "a4"), (second, "b1"), (second, "b2")]
        {
            assert!(queue.push(organization, job).is_ok());
        }
        assert_eq!(drain(&queue), ["a1", "b1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn one_place_is_enough_for_one_job_and_a_closed_queue_is_emptied_first() {
        let organization = OrganizationId::generate(&OsRandom);
        let queue = FairQueue::new(1);
        assert!(queue.push(organization, 1).is_ok());
        assert!(queue.push(organization, 2).is_err());
        queue.close();
        assert!(matches!(queue.next(Duration::ZERO), Next::Job(1)));
        assert!(matches!(queue.next(Duration::MAX), Next::Closed));
    }
}
