use std::{num::NonZeroUsize, sync::Arc, thread, time::Duration};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output, Salt},
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use tokio::sync::oneshot;
use tracing::Span;

use super::{CheckedPassword, PasswordHash, PlainPassword};
use crate::ambient::Entropy;

/// Argon2id's parameters and the pool's bounds. Memory at most: `threads` × `memory_kib`.
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
    argon2: Argon2<'static>,
    decoy: Arc<PasswordHash>,
    entropy: Arc<dyn Entropy>,
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
    /// The right one, under parameters other than today's: hash it again.
    RightButOld,
}

/// Work that borrows its thread's memory blocks.
type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

struct Job {
    work: Work,
    span: Span,
}

/// A thread with nothing to do for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);
/// Octets of a salt (RFC 9106 §3.1) and of a hash (RFC 9106 §4).
const SALT: usize = 16;
const OUTPUT: usize = 32;

/// Blocks to reserve at least: glibc gives an allocation of more than 32 MiB (`DEFAULT_MMAP_THRESHOLD_MAX`) a mapping of
/// its own, which goes back to the system when it is freed; a smaller one may stay with the process. What is reserved
/// and not touched costs nothing.
const OWN_MAPPING: usize = 33 * 1024 * 1024 / Block::SIZE;

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`HashError::Unusable`] when the parameters are out of Argon2's range (RFC 9106 §3.1) or no thread starts.
    pub fn start(config: HasherConfig, entropy: Arc<dyn Entropy>) -> Result<Self, HashError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, Some(OUTPUT));
        let argon2 =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(|_| HashError::Unusable)?);
        let (jobs, queue) = crossbeam_channel::bounded(config.queue);
        for number in 0..config.threads.get() {
            let queue = queue.clone();
            let thread = thread::Builder::new().name(format!("argon2-{number}"));
            thread.spawn(move || work(&queue)).map_err(|_| HashError::Unusable)?;
        }
        let decoy = hash(&argon2, b"a password that nobody has", &fresh_salt(&*entropy), &mut Vec::new())?;
        Ok(Self { jobs, argon2, decoy: Arc::new(decoy), entropy })
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
        let (argon2, salt) = (self.argon2.clone(), fresh_salt(&*self.entropy));
        self.run(move |blocks| hash(&argon2, password.as_str().as_bytes(), &salt, blocks)).await
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
        let today = self.argon2.params().clone();
        self.run(move |blocks| {
            let (matches, params) = verify(password.as_str().as_bytes(), &stored, blocks)?;
            let current = (params.m_cost(), params.t_cost(), params.p_cost())
                == (today.m_cost(), today.t_cost(), today.p_cost());
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
        work: impl FnOnce(&mut Vec<Block>) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |blocks| {
            // A caller that went away before its turn costs no hash.
            if !reply.is_closed() {
                let _: Result<(), _> = reply.send(work(blocks));
            }
        });
        match self.jobs.try_send(Job { work, span: Span::current() }) {
            Ok(()) => answer.await.map_err(|_| HashError::Unusable)?,
            Err(TrySendError::Full(_)) => Err(HashError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(HashError::Unusable),
        }
    }
}

fn work(queue: &Receiver<Job>) {
    let mut blocks = Vec::new();
    loop {
        match queue.recv_timeout(IDLE) {
            Ok(Job { work, span }) => span.in_scope(|| work(&mut blocks)),
            Err(RecvTimeoutError::Timeout) => blocks = Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn fresh_salt(entropy: &dyn Entropy) -> [u8; SALT] {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
    salt
}

fn hash(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    blocks: &mut Vec<Block>,
) -> Result<PasswordHash, HashError> {
    let output = fill(argon2, password, salt, blocks)?;
    let phc = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(argon2.params()).map_err(|_| HashError::Unusable)?,
        salt: Some(Salt::new(salt).map_err(|_| HashError::Unusable)?),
        hash: Some(Output::new(&output).map_err(|_| HashError::Unusable)?),
    };
    Ok(PasswordHash(phc.to_string()))
}

fn verify(
    password: &[u8],
    stored: &PasswordHash,
    blocks: &mut Vec<Block>,
) -> Result<(bool, Params), HashError> {
    let stored = phc::PasswordHash::new(stored.as_str()).map_err(|_| HashError::Unusable)?;
    let params = Params::try_from(&stored).map_err(|_| HashError::Unusable)?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|_| HashError::Unusable)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else { return Err(HashError::Unusable) };
    let argon2 = Argon2::new(algorithm, Version::V0x13, params.clone());
    let output = fill(&argon2, password, &salt, blocks)?;
    let computed = Output::new(&output).map_err(|_| HashError::Unusable)?;
    // `Output` compares in constant time.
    Ok((computed == expected, params))
}

fn fill(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    blocks: &mut Vec<Block>,
) -> Result<[u8; OUTPUT], HashError> {
    let needed = argon2.params().block_count();
    if blocks.len() < needed {
        *blocks = Vec::with_capacity(needed.max(OWN_MAPPING));
        blocks.resize(needed, Block::default());
    }
    let mut output = [0; OUTPUT];
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, blocks.as_mut_slice())
        .map_err(|_| HashError::Unusable)?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ambient::OsEntropy, password::PasswordPolicy};

    fn hasher(memory_kib: u32, threads: usize, queue: usize) -> Hasher {
        let threads = NonZeroUsize::new(threads).unwrap();
        let config = HasherConfig { memory_kib, iterations: 1, parallelism: 1, threads, queue };
        Hasher::start(config, Arc::new(OsEntropy)).unwrap()
    }

    fn plain(text: &str) -> PlainPassword {
        PlainPassword::parse(text.to_owned()).unwrap()
    }

    fn checked(text: &str) -> CheckedPassword {
        PasswordPolicy { min_length: 8 }.check(plain(text), &"john@example.com".parse().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn password_policy_typed_nfc_and_nfd_is_the_same_password() {
        let hasher = hasher(64, 1, 4);
        let hash = hasher.hash(checked("caf\u{e9} au lait")).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash.as_str());
        let verify = async |text| hasher.verify(plain(text), Some(hash.clone())).await.unwrap().0;
        assert_eq!(verify("cafe\u{301} au lait").await, Verification::Right);
        assert_eq!(verify("cafe au lait").await, Verification::Wrong);
    }

    #[tokio::test]
    async fn an_old_hash_is_recognised_and_no_hash_never_matches() {
        let old = hasher(64, 1, 4).hash(checked("long enough")).await.unwrap();
        let today = hasher(128, 1, 4);
        assert_eq!(today.verify(plain("long enough"), Some(old)).await.unwrap().0, Verification::RightButOld);
        assert_eq!(
            today.verify(plain("a password that nobody has"), None).await.unwrap().0,
            Verification::Wrong
        );
        let damaged = PasswordHash::from_phc("$argon2id$".to_owned());
        assert_eq!(today.verify(plain("long enough"), Some(damaged)).await.unwrap_err(), HashError::Unusable);
    }

    #[tokio::test]
    async fn argon2_budget_a_full_queue_is_busy_and_nothing_is_lost() {
        let hasher = hasher(19_456, 1, 2);
        let calls = (0..20).map(|_| hasher.hash(checked("long enough")));
        let answers = futures_util::future::join_all(calls).await;
        let done = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!((2..20).contains(&done), "{done} of 20 were hashed");
        assert!(answers.iter().all(|answer| !matches!(answer, Err(HashError::Unusable))));
        assert!(hasher.hash(checked("long enough")).await.is_ok());
    }
}
