use std::{
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};
use tracing::Span;

use super::{
    HashError,
    queue::{FairQueue, Next},
};
use crate::{ids::OrganizationId, passwords::hasher::measure::SHED, passwords::memory::Memory};

/// Threads and the queue that they work on. Dropping it ends them.
pub(super) struct HashingThreads {
    queue: Arc<FairQueue<Job>>,
    /// Jobs that run now.
    running: Arc<AtomicUsize>,
    /// Closed when all threads have ended.
    threads: watch::Receiver<()>,
}

/// A job that was accepted.
pub(super) struct Submitted<T> {
    answer: oneshot::Receiver<(T, Instant)>,
    threads: watch::Receiver<()>,
}

/// A job, which borrows its thread's memory.
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

struct Job {
    work: Work,
    span: Span,
}

/// The threads to start.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThreadsConfig {
    pub name: &'static str,
    pub threads: NonZeroUsize,
    /// Jobs that may wait.
    pub queue: usize,
    /// Memory blocks that a thread keeps between jobs.
    pub kept_blocks: usize,
}

/// How long a thread waits for work before it frees its memory.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

impl HashingThreads {
    /// Starts the threads.
    pub fn start(config: ThreadsConfig, panic_count: &Arc<AtomicU64>) -> Result<Self, HashError> {
        let queue = Arc::new(FairQueue::new(config.queue));
        let (alive, threads) = watch::channel(());
        let started = Self { queue, running: Arc::default(), threads };
        for number in 0..config.threads.get() {
            let (queue, memory) = (started.queue.clone(), Memory::new(config.kept_blocks));
            let (alive, panic_count, running) = (alive.clone(), panic_count.clone(), started.running.clone());
            let run = move || {
                let _alive = alive;
                run_jobs(&queue, memory, &panic_count, &running);
            };
            let thread = thread::Builder::new().name(format!("{}-{number}", config.name));
            thread.spawn(run).map_err(|_| HashError::Unusable)?;
        }
        Ok(started)
    }

    /// Whether a thread is left to run jobs.
    pub fn is_alive(&self) -> bool {
        self.threads.has_changed().is_ok()
    }

    /// Returns how many jobs wait.
    pub fn queued_count(&self) -> usize {
        self.queue.length()
    }

    /// Returns how many jobs run.
    pub fn running_count(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Puts a job into the queue.
    pub fn submit<T: Send + 'static>(
        &self,
        organization: OrganizationId,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<Submitted<T>, HashError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |memory| {
            let started_at = Instant::now();
            // No hash for a caller that is gone.
            if !reply.is_closed() {
                let _: Result<(), _> = reply.send((work(memory), started_at));
            }
        });
        self.queue.push(organization, Job { work, span: Span::current() }).map_err(|_| {
            SHED.add(1, &[]);
            HashError::Busy
        })?;
        Ok(Submitted { answer, threads: self.threads.clone() })
    }
}

impl<T> Submitted<T> {
    /// Waits for the job's result, and returns it with the time when the job started to run.
    pub async fn result(mut self) -> Result<(T, Instant), HashError> {
        tokio::select! {
            biased;
            answer = self.answer => answer.map_err(|_| HashError::Panicked),
            _ = self.threads.changed() => Err(HashError::Panicked),
        }
    }
}

impl Drop for HashingThreads {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn run_jobs(queue: &FairQueue<Job>, mut memory: Memory, panic_count: &AtomicU64, running: &AtomicUsize) {
    loop {
        match queue.next(IDLE_TIMEOUT) {
            Next::Job(Job { work, span }) => {
                let work = AssertUnwindSafe(|| span.in_scope(|| work(&mut memory)));
                running.fetch_add(1, Ordering::Relaxed);
                let outcome = panic::catch_unwind(work);
                running.fetch_sub(1, Ordering::Relaxed);
                if outcome.is_err() {
                    // The memory may be half written.
                    memory.release();
                    let count = panic_count.fetch_add(1, Ordering::Relaxed) + 1;
                    tracing::error!(count, "hashing panicked, the request fails and the thread goes on");
                }
            }
            Next::Idle => memory.release(),
            Next::Closed => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn threads_end_with_their_owner() {
        let config = ThreadsConfig { name: "test", threads: NonZeroUsize::MIN, queue: 1, kept_blocks: 0 };
        let started = HashingThreads::start(config, &Arc::default()).unwrap();
        let mut threads = started.threads.clone();
        drop(started);
        assert!(tokio::time::timeout(Duration::from_mins(1), threads.changed()).await.unwrap().is_err());
    }
}
