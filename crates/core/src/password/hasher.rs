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
    CheckedPassword, PasswordHash, PlainPassword,
    memory::Memory,
    scheme::{Argon2Hash, Scheme},
};
use crate::ambient::Entropy;

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
    pub fn start(config: HasherConfig, entropy: Arc<dyn Entropy>) -> Result<Self, HashError> {
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
        let decoy = hash(&params, b"a password that nobody has", &fresh_salt(&*entropy), &mut memory)?;
        Ok(Self { jobs, params, decoy: Arc::new(decoy), entropy })
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
        let (params, salt) = (self.params.clone(), fresh_salt(&*self.entropy));
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

fn fresh_salt(entropy: &dyn Entropy) -> [u8; SALT] {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
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
    async fn password_import_an_imported_hash_is_right_but_old_until_it_is_hashed_again() {
        let hasher = hasher(64, 1, 4);
        let verify = async |typed, hash| hasher.verify(plain(typed), Some(hash)).await.unwrap();
        for old in [
            "$2a$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm",
            // Today's parameters, but of argon2i, and with a shorter output.
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$Lb5cID2k+yPXhfrrKW/kiSaE1/CHnf+BU+n1GvTC5Wo",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$96/PyMoTf7QyEfKHKtuWpQ",
        ] {
            let old = PasswordHash::import(old).unwrap();
            assert_eq!(verify("correct horse", old.clone()).await.0, Verification::Wrong);
            let (verification, password) = verify("correct horse battery", old).await;
            assert_eq!(verification, Verification::RightButOld);
            let today = hasher.rehash(password).await.unwrap();
            assert!(today.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
            assert_eq!(verify("correct horse battery", today).await.0, Verification::Right);
        }
        let same =
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$QOKF1iG70GOhZX71bkTGoINw9zqSjKFirULQQtMxBVI";
        let same = PasswordHash::import(same).unwrap();
        assert_eq!(verify("correct horse battery", same).await.0, Verification::Right);
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
