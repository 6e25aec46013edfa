use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use argon2::Params;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;
use tracing::Span;

use super::{
    CheckedPassword, Hints, PasswordHash, PasswordPolicy, Person, PlainPassword, Refusal,
    memory::Memory,
    scheme::{Argon2Hash, Scheme},
};
use crate::random::RandomSource;

/// Argon2id's parameters and the pool's bounds. Memory at most: `threads` × `memory_kib`, and 256 MiB more while an
/// imported hash is verified that needs more than `memory_kib`.
#[derive(Debug, Clone, Copy)]
pub struct HasherConfig {
    /// Memory a hash, in KiB (OWASP Password Storage Cheat Sheet: 19,456 with 2 iterations and 1 lane).
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Threads that hash; more than the cores gain nothing.
    pub threads: NonZeroUsize,
    /// Calls that may wait for a thread; one more is told to come back later.
    pub queue: usize,
}

/// Hashes and verifies passwords on threads of its own, never on the async ones. Each thread keeps its memory blocks
/// between hashes (1.26 times the rate of fresh ones) and lets go of them when idle. Clones share the threads.
#[derive(Clone)]
pub struct Hasher {
    jobs: Sender<Job>,
    params: Params,
    decoy: Arc<PasswordHash>,
    random: Arc<dyn RandomSource>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// As many calls wait as may (HTTP 503): nothing was done.
    #[error("password hashing is at its limit")]
    Busy,
    /// The parameters are out of Argon2's range, or a stored hash is damaged.
    #[error("the password can't be hashed")]
    Unusable,
}

/// The answer to [`Hasher::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// The wrong password, or there was no hash.
    Wrong,
    /// The right one.
    Right,
    /// The right one, under an algorithm or parameters other than today's: hash it again.
    RightButOld,
}

/// Work that borrows its thread's memory.
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

struct Job {
    work: Work,
    span: Span,
}

/// A thread with nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);
/// Octets of a salt (RFC 9106 §3.1) and of a hash (RFC 9106 §4).
const SALT: usize = 16;
const OUTPUT: usize = 32;

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`HashError::Unusable`] when the parameters are out of Argon2's range (RFC 9106 §3.1) or no thread starts.
    pub fn start(config: HasherConfig, random: Arc<dyn RandomSource>) -> Result<Self, HashError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, Some(OUTPUT));
        let params = params.map_err(|_| HashError::Unusable)?;
        let (jobs, queue) = crossbeam_channel::bounded(config.queue);
        let turn = Arc::new(Mutex::new(()));
        for number in 0..config.threads.get() {
            let (queue, memory) = (queue.clone(), Memory::new(params.block_count(), turn.clone()));
            let thread = thread::Builder::new().name(format!("argon2-{number}"));
            thread.spawn(move || work(&queue, memory)).map_err(|_| HashError::Unusable)?;
        }
        let mut memory = Memory::new(params.block_count(), turn);
        let decoy = hash(&params, b"a password that nobody has", &fresh_salt(&*random), &mut memory)?;
        Ok(Self { jobs, params, decoy: Arc::new(decoy), random })
    }

    /// Checks a person's new password. What would be better than a refused one is found out on the hashing threads, as long as no
    /// more calls wait there than may; else nothing is said of it.
    ///
    /// # Errors
    /// See [`PolicyViolation`](super::PolicyViolation).
    pub async fn check(
        &self,
        policy: PasswordPolicy,
        password: PlainPassword,
        person: &Person<'_>,
    ) -> Result<CheckedPassword, Refusal> {
        let refused = match policy.check(password, person) {
            Ok(checked) => return Ok(checked),
            Err(refused) => refused,
        };
        let violation = refused.violation();
        let (email, shop) = (person.email.clone(), person.shop.to_owned());
        let advised = self.run(move |_| Ok(refused.advised(&Person { email: &email, shop: &shop }))).await;
        Err(advised.unwrap_or(Refusal { violation, hints: Hints::default() }))
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(&self, password: CheckedPassword) -> Result<PasswordHash, HashError> {
        self.rehash(password.into_plain()).await
    }

    /// Hashes a password that was just verified, under today's parameters.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn rehash(&self, password: PlainPassword) -> Result<PasswordHash, HashError> {
        let (params, salt) = (self.params.clone(), fresh_salt(&*self.random));
        self.run(move |memory| hash(&params, password.as_str().as_bytes(), &salt, memory)).await
    }

    /// Verifies a password against a stored hash. Without one the same work is done against a decoy, so that an unknown
    /// customer takes as long as a known one. Gives the password back, for [`Hasher::rehash`].
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn verify(
        &self,
        password: PlainPassword,
        stored: Option<PasswordHash>,
    ) -> Result<(Verification, PlainPassword), HashError> {
        let (known, stored) = (stored.is_some(), stored.unwrap_or_else(|| (*self.decoy).clone()));
        let today = self.params.clone();
        self.run(move |memory| {
            let stored = Scheme::parse(stored.as_str()).map_err(|_| HashError::Unusable)?;
            let matches = stored.matches(password.as_str().as_bytes(), memory)?;
            let current = matches!(&stored, Scheme::Argon2(hash) if hash.is_made_with(&today));
            let verification = match (matches && known, current) {
                (false, _) => Verification::Wrong,
                (true, true) => Verification::Right,
                (true, false) => Verification::RightButOld,
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
            // A caller that went away before its turn costs no hash.
            if !reply.is_closed() {
                let _: Result<(), _> = reply.send(work(memory));
            }
        });
        match self.jobs.try_send(Job { work, span: Span::current() }) {
            Ok(()) => answer.await.map_err(|_| HashError::Unusable)?,
            Err(TrySendError::Full(_)) => Err(HashError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(HashError::Unusable),
        }
    }
}

fn work(queue: &Receiver<Job>, mut memory: Memory) {
    loop {
        match queue.recv_timeout(IDLE) {
            Ok(Job { work, span }) => span.in_scope(|| work(&mut memory)),
            Err(RecvTimeoutError::Timeout) => memory.release(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn fresh_salt(random: &dyn RandomSource) -> [u8; SALT] {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    salt
}

fn hash(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    memory: &mut Memory,
) -> Result<PasswordHash, HashError> {
    let hash = Argon2Hash::compute(params, password, salt, OUTPUT, memory)?;
    Ok(PasswordHash(hash.to_string()))
}

#[cfg(test)]
mod tests;
