mod measure;
mod queue;
mod threads;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::Params;
use tokio::time::Instant;

use self::{
    measure::timed,
    threads::{HashingThreads, Submitted, ThreadsConfig},
};
use super::{
    CheckedPassword, Hints, PasswordHash, PasswordPolicy, PasswordRejected, Person, PlainPassword,
    memory::Memory,
    scheme::{Argon2Hash, Scheme},
};
use crate::{ids::OrganizationId, random::RandomSource};

/// Argon2id's parameters and the pool's limits. The pool uses at most `threads` × `memory_kib`; the thread for imported hashes that
/// need more than `memory_kib` each uses up to 256 MiB.
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
    /// Calls that may wait for a thread. An organization may hold as many places as are left free, one alone half of them; one more
    /// fails with [`HashError::Busy`].
    pub queue: usize,
}

/// Hashes and verifies passwords on its own threads, never on the async ones. Each thread reuses its memory blocks (1.26 times the
/// rate with fresh ones) and frees them when idle. Imported hashes that need more memory have a thread and a queue of their own, so
/// that they never take one from the others. Clones share the threads.
#[derive(Clone)]
pub struct Hasher {
    pool: Arc<HashingThreads>,
    large: Arc<HashingThreads>,
    panic_count: Arc<AtomicU64>,
    params: Params,
    decoy: Arc<PasswordHash>,
    own_time: Duration,
    random: Arc<dyn RandomSource>,
}

/// Why hashing or verifying failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The organization's share of the queue is full (HTTP 503); nothing was done.
    #[error("password hashing is at its limit")]
    Busy,
    /// The parameters are out of Argon2's range, or a stored hash is damaged.
    #[error("the password can't be hashed")]
    Unusable,
    /// The job panicked, or no thread is left to run it; nothing was done.
    #[error("the job that hashes the password panicked")]
    Panicked,
}

/// A password to verify.
#[derive(Debug)]
pub struct Claim {
    /// Whose share of the queues is used.
    pub organization: OrganizationId,
    /// The typed password.
    pub password: PlainPassword,
    /// The stored hash; without one, a decoy is verified.
    pub stored: Option<PasswordHash>,
    /// Whether another system made the hash: it may have hashed another Unicode form than ours, so that up to three are tried.
    pub is_imported: bool,
    /// Whether a wrong password also waits for its turn in the queue that its hash is not in, so that neither queue's length shows
    /// in which one it is. Set it for all log-ins of an organization that has hashes in both.
    pub waits_for_both_queues: bool,
}

/// The result of [`Hasher::verify`].
#[derive(Debug)]
pub struct Verified {
    /// The result, with the password for [`Hasher::rehash`].
    pub outcome: Result<(Verification, PlainPassword), HashError>,
    /// Whether the password was compared, also where the result is an error.
    pub was_compared: bool,
    /// How long the call waited in the queues. It does not depend on the hash.
    pub waited: Duration,
}

/// Whether a password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong, or there is no hash.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, but its hash is an imported one or has other parameters than configured: hash it again.
    RightButOutdated,
}

/// The bytes of a salt (RFC 9106 §3.1) and of a hash (RFC 9106 §4).
const SALT_SIZE: usize = 16;
const OUTPUT_SIZE: usize = 32;
/// Calls that may wait for the thread of large hashes, each of which may take a second.
const LARGE_QUEUE: usize = 8;

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`HashError::Unusable`] when the parameters are out of Argon2's range (RFC 9106 §3.1) or no thread starts.
    pub fn start(config: HasherConfig, random: Arc<dyn RandomSource>) -> Result<Self, HashError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, Some(OUTPUT_SIZE));
        let params = params.map_err(|_| HashError::Unusable)?;
        let panic_count = Arc::new(AtomicU64::new(0));
        let HasherConfig { threads, queue, .. } = config;
        let pool = ThreadsConfig { name: "argon2", threads, queue, kept_blocks: params.block_count() };
        let large = ThreadsConfig {
            name: "large-hash",
            threads: NonZeroUsize::MIN,
            queue: LARGE_QUEUE,
            kept_blocks: 0,
        };
        let (pool, large) =
            (HashingThreads::start(pool, &panic_count)?, HashingThreads::start(large, &panic_count)?);
        let mut memory = Memory::new(params.block_count());
        let started_at = Instant::now();
        let decoy = hash(&params, b"a password that nobody has", &fresh_salt(&*random), &mut memory)?;
        let own_time = started_at.elapsed();
        let (pool, large, decoy) = (Arc::new(pool), Arc::new(large), Arc::new(decoy));
        measure::start(&pool, threads.get());
        Ok(Self { pool, large, panic_count, params, decoy, own_time, random })
    }

    /// Whether threads are left to run all jobs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.pool.is_alive() && self.large.is_alive()
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
        organization: OrganizationId,
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
            self.run(organization, move |_| Ok(rejected.with_hints(&Person { email: &email, shop: &shop })));
        Err(with_hints.await.unwrap_or(PasswordRejected { violation, hints: Hints::default() }))
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn hash(
        &self,
        organization: OrganizationId,
        password: CheckedPassword,
    ) -> Result<PasswordHash, HashError> {
        self.rehash(organization, password.into_plain()).await
    }

    /// Hashes a password that was just verified, with the configured parameters.
    ///
    /// # Errors
    /// See [`HashError`].
    pub async fn rehash(
        &self,
        organization: OrganizationId,
        password: PlainPassword,
    ) -> Result<PasswordHash, HashError> {
        let (params, random) = (self.params.clone(), self.random.clone());
        self.run(organization, move |memory| {
            timed("hash", || hash(&params, password.as_str().as_bytes(), &fresh_salt(&*random), memory))
        })
        .await
    }

    /// Verifies a password against a stored hash. Without one it does the same work with a decoy, so that an unknown customer takes as
    /// long as one with a hash of ours.
    pub async fn verify(&self, claim: Claim) -> Verified {
        let Claim { organization, password, stored, is_imported, waits_for_both_queues } = claim;
        let submitted_at = Instant::now();
        let is_known = stored.is_some();
        let stored = stored.as_ref().unwrap_or(&self.decoy);
        let Ok(stored) = Scheme::parse(stored.as_str()) else {
            let outcome = Err(HashError::Unusable);
            return Verified { outcome, was_compared: false, waited: Duration::ZERO };
        };
        let (own, other) =
            if self.is_large(&stored) { (&self.large, &self.pool) } else { (&self.pool, &self.large) };
        let params = self.params.clone();
        let verifying = own.submit(organization, move |memory| {
            let matches = timed("verify", || stored.matches(&password, is_imported, memory))?;
            let is_current =
                !is_imported && matches!(&stored, Scheme::Argon2(hash) if hash.uses_params(&params));
            let verification = match (matches && is_known, is_current) {
                (false, _) => Verification::Wrong,
                (true, true) => Verification::Right,
                (true, false) => Verification::RightButOutdated,
            };
            Ok((verification, password))
        });
        let turn = waits_for_both_queues.then(|| other.submit(organization, |_| ()));
        let (mut outcome, mut waited) = match wait_for(verifying).await {
            Ok((outcome, started_at)) => (outcome, started_at - submitted_at),
            Err(error) => (Err(error), Duration::ZERO),
        };
        let was_compared = outcome.is_ok();
        if let Some(turn) = turn
            && matches!(outcome, Ok((Verification::Wrong, _)) | Err(_))
        {
            match wait_for(turn).await {
                Ok(((), started_at)) => waited = waited.max(started_at - submitted_at),
                Err(error) => outcome = Err(error),
            }
        }
        Verified { outcome, was_compared, waited }
    }

    /// Returns how long a hash with the configured parameters takes on this machine.
    #[must_use]
    pub fn own_time(&self) -> Duration {
        self.own_time
    }

    /// Measures how long verifying a hash like `sample` takes on this machine, and returns it with whether such hashes have the thread
    /// and queue of large ones. `None` when the sample is damaged.
    ///
    /// # Errors
    /// See [`HashError`].
    pub(crate) async fn measure(
        &self,
        organization: OrganizationId,
        sample: &PasswordHash,
    ) -> Result<Option<Duration>, HashError> {
        let Ok(sample) = Scheme::parse(sample.as_str()) else { return Ok(None) };
        let own = if self.is_large(&sample) { &self.large } else { &self.pool };
        let measuring = own.submit(organization, move |memory| {
            let started_at = Instant::now();
            let password = PlainPassword::parse("a password that nobody has".to_owned()).ok()?;
            sample.matches(&password, false, memory).ok()?;
            Some(started_at.elapsed())
        });
        Ok(wait_for(measuring).await?.0)
    }

    /// Whether the hash needs more memory than the pool's threads have.
    pub(crate) fn needs_large_thread(&self, hash: &PasswordHash) -> bool {
        Scheme::parse(hash.as_str()).is_ok_and(|scheme| self.is_large(&scheme))
    }

    /// Whether the hash has the configured parameters.
    pub(crate) fn is_current(&self, hash: &PasswordHash) -> bool {
        Argon2Hash::parse(hash.as_str()).is_some_and(|hash| hash.uses_params(&self.params))
    }

    fn is_large(&self, scheme: &Scheme) -> bool {
        scheme.memory() > u64::from(self.params.m_cost()) * 1024
    }

    async fn run<T: Send + 'static>(
        &self,
        organization: OrganizationId,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        wait_for(self.pool.submit(organization, work)).await?.0
    }
}

/// Waits for the result of a job if it was accepted.
async fn wait_for<T>(submitted: Result<Submitted<T>, HashError>) -> Result<(T, Instant), HashError> {
    submitted?.result().await
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
