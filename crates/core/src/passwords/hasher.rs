use std::{
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use argon2::Params;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::{oneshot, watch};
use tracing::Span;

use super::{
    CheckedPassword, Hints, PasswordHash, PasswordPolicy, PasswordRejected, Person, PlainPassword,
    memory::Memory,
    scheme::{Argon2Hash, Scheme},
};
use crate::random::RandomSource;

/// Argon2id's parameters and the pool's limits. The pool uses at most `threads` × `memory_kib`, and 256 MiB more while it verifies an
/// imported hash that needs more than `memory_kib`.
#[derive(Debug, Clone, Copy)]
pub struct HasherConfig {
    /// Memory per hash in KiB (OWASP Password Storage Cheat Sheet: 19,456 with 2 iterations and 1 lane).
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashing threads; more than the cores gain nothing.
    pub threads: NonZeroUsize,
    /// Calls that may wait for a thread; one more fails with [`HashError::Busy`].
    pub queue: usize,
}

/// Hashes and verifies passwords on its own threads, never on the async ones. Each thread reuses its memory blocks (1.26 times the
/// rate with fresh ones) and frees them when idle. Clones share the threads.
#[derive(Clone)]
pub struct Hasher {
    jobs: Sender<Job>,
    /// Closed when all threads have ended.
    threads: watch::Receiver<()>,
    panic_count: Arc<AtomicU64>,
    params: Params,
    decoy: Arc<PasswordHash>,
    random: Arc<dyn RandomSource>,
}

/// Why hashing or verifying failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The queue is full (HTTP 503); nothing was done.
    #[error("password hashing is at its limit")]
    Busy,
    /// The parameters are out of Argon2's range, or a stored hash is damaged.
    #[error("the password can't be hashed")]
    Unusable,
    /// The job panicked, or no thread is left to run it; nothing was done.
    #[error("the job that hashes the password panicked")]
    Panicked,
}

/// The result of [`Hasher::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong, or there is no hash.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, but its hash has another algorithm or other parameters than configured: hash it again.
    RightButOutdated,
}

/// A job, which borrows its thread's memory.
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

struct Job {
    work: Work,
    span: Span,
}

/// How long a thread waits for work before it frees its memory.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// The bytes of a salt (RFC 9106 §3.1) and of a hash (RFC 9106 §4).
const SALT_SIZE: usize = 16;
const OUTPUT_SIZE: usize = 32;

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`HashError::Unusable`] when the parameters are out of Argon2's range (RFC 9106 §3.1) or no thread starts.
    pub fn start(config: HasherConfig, random: Arc<dyn RandomSource>) -> Result<Self, HashError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, Some(OUTPUT_SIZE));
        let params = params.map_err(|_| HashError::Unusable)?;
        let (jobs, queue) = crossbeam_channel::bounded(config.queue);
        let large_work = Arc::new(Mutex::new(()));
        let (alive, threads) = watch::channel(());
        let panic_count = Arc::new(AtomicU64::new(0));
        for number in 0..config.threads.get() {
            let (queue, memory) = (queue.clone(), Memory::new(params.block_count(), large_work.clone()));
            let (alive, panic_count) = (alive.clone(), panic_count.clone());
            let run = move || {
                let _alive = alive;
                run_jobs(&queue, memory, &panic_count);
            };
            let thread = thread::Builder::new().name(format!("argon2-{number}"));
            thread.spawn(run).map_err(|_| HashError::Unusable)?;
        }
        let mut memory = Memory::new(params.block_count(), large_work);
        let decoy = hash(&params, b"a password that nobody has", &fresh_salt(&*random), &mut memory)?;
        Ok(Self { jobs, threads, panic_count, params, decoy: Arc::new(decoy), random })
    }

    /// Whether a thread is left to run jobs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.threads.has_changed().is_ok()
    }

    /// Returns how many jobs have panicked since the start.
    #[must_use]
    pub fn panic_count(&self) -> u64 {
        self.panic_count.load(Ordering::Relaxed)
    }

    /// Checks a person's new password. The hints for a rejected one are computed on the hashing threads, and left out when the queue is
    /// full.
    ///
    /// # Errors
    /// See [`PolicyViolation`](super::PolicyViolation).
    pub async fn check(
        &self,
        policy: PasswordPolicy,
        password: PlainPassword,
        person: &Person<'_>,
    ) -> Result<CheckedPassword, PasswordRejected> {
        let rejected = match policy.check(password, person) {
            Ok(checked) => return Ok(checked),
            Err(rejected) => rejected,
        };
        let violation = rejected.violation();
        let (email, shop) = (person.email.clone(), person.shop.to_owned());
        let with_hints =
            self.run(move |_| Ok(rejected.with_hints(&Person { email: &email, shop: &shop }))).await;
        Err(with_hints.unwrap_or(PasswordRejected { violation, hints: Hints::default() }))
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(&self, password: CheckedPassword) -> Result<PasswordHash, HashError> {
        self.rehash(password.into_plain()).await
    }

    /// Hashes a password that was just verified, with the configured parameters.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn rehash(&self, password: PlainPassword) -> Result<PasswordHash, HashError> {
        let (params, random) = (self.params.clone(), self.random.clone());
        self.run(move |memory| hash(&params, password.as_str().as_bytes(), &fresh_salt(&*random), memory))
            .await
    }

    /// Verifies a password against a stored hash. Without one it does the same work with a decoy, so that an unknown customer takes as
    /// long as a known one. Returns the password, for [`Hasher::rehash`].
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn verify(
        &self,
        password: PlainPassword,
        stored: Option<PasswordHash>,
    ) -> Result<(Verification, PlainPassword), HashError> {
        let (is_known, stored) = (stored.is_some(), stored.unwrap_or_else(|| (*self.decoy).clone()));
        let configured = self.params.clone();
        self.run(move |memory| {
            let stored = Scheme::parse(stored.as_str()).map_err(|_| HashError::Unusable)?;
            let matches = stored.matches(password.as_str().as_bytes(), memory)?;
            let is_current = matches!(&stored, Scheme::Argon2(hash) if hash.uses_params(&configured));
            let verification = match (matches && is_known, is_current) {
                (false, _) => Verification::Wrong,
                (true, true) => Verification::Right,
                (true, false) => Verification::RightButOutdated,
            };
            Ok((verification, password))
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |memory| {
            // No hash for a caller that is gone.
            if !reply.is_closed() {
                let _: Result<(), _> = reply.send(work(memory));
            }
        });
        match self.jobs.try_send(Job { work, span: Span::current() }) {
            Ok(()) => {
                let mut threads = self.threads.clone();
                tokio::select! {
                    biased;
                    answer = answer => answer.map_err(|_| HashError::Panicked)?,
                    _ = threads.changed() => Err(HashError::Panicked),
                }
            }
            Err(TrySendError::Full(_)) => Err(HashError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(HashError::Panicked),
        }
    }
}

fn run_jobs(queue: &Receiver<Job>, mut memory: Memory, panic_count: &AtomicU64) {
    loop {
        match queue.recv_timeout(IDLE_TIMEOUT) {
            Ok(Job { work, span }) => {
                let work = AssertUnwindSafe(|| span.in_scope(|| work(&mut memory)));
                if panic::catch_unwind(work).is_err() {
                    // The memory may be half written.
                    memory.release();
                    let count = panic_count.fetch_add(1, Ordering::Relaxed) + 1;
                    tracing::error!(count, "hashing panicked, the request fails and the thread goes on");
                }
            }
            Err(RecvTimeoutError::Timeout) => memory.release(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn fresh_salt(random: &dyn RandomSource) -> [u8; SALT_SIZE] {
    let mut salt = [0; SALT_SIZE];
    random.fill(&mut salt);
    salt
}

fn hash(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    memory: &mut Memory,
) -> Result<PasswordHash, HashError> {
    let hash = Argon2Hash::compute(params, password, salt, OUTPUT_SIZE, memory)?;
    Ok(PasswordHash(hash.to_string()))
}

#[cfg(test)]
mod tests;
