//! The time at which a failed log-in is answered.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{Sessions, StoredScheme, sign_in::SignInError};
use crate::{
    error::StoreError,
    ids::OrganizationId,
    passwords::{HashError, Hasher, SchemeName},
    random::RandomSource,
};

/// Knows for each organization how long verifying its slowest hash takes. Without it, the time of a failed log-in would show which
/// addresses have an imported hash, and so who is a customer. An organization with hashes of the configured scheme only has no floor: a
/// decoy costs the same.
pub(super) struct FailureFloors {
    sessions: Arc<dyn Sessions>,
    times: HashTimes,
    organizations: Mutex<HashMap<OrganizationId, Arc<tokio::sync::Mutex<Option<Known>>>>>,
}

/// How long hashes take on this machine.
struct HashTimes {
    hasher: Hasher,
    /// One hash of each scheme.
    measured: Mutex<HashMap<SchemeName, Duration>>,
}

/// The schemes that an organization has, and the floor that follows.
struct Known {
    read_at: Instant,
    /// `None` if they were too many to be read.
    schemes: Option<HashSet<SchemeName>>,
    floor: Option<FailureFloor>,
}

/// The time at which an organization's failed log-ins are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FailureFloor {
    /// How long the slowest hash takes.
    slowest: Duration,
    /// Whether there are hashes that have the thread for large ones.
    pub has_large: bool,
}

/// How long the schemes that were read are used. A scheme that was not among them is seen at the first log-in with it.
const FRESH: Duration = Duration::from_secs(10);
/// The most schemes that are measured. Some systems vary the rounds from hash to hash; then the floor is the highest.
const MAX_SCHEMES: usize = 16;
/// The floor of an organization with more of them: the most that an imported hash may take.
const MANY_SCHEMES: FailureFloor = FailureFloor { slowest: Duration::from_secs(1), has_large: true };
/// The most that a failed log-in takes, for each Unicode form of its password: twice as long as an imported hash may.
const MAX_FLOOR: Duration = Duration::from_secs(2);
/// What a floor has in addition to twice the slowest hash: a busy machine takes several times as long as it did when it was measured.
const MARGIN: Duration = Duration::from_millis(250);
/// The most that is added at random, which hides what an answer's own way takes.
const MAX_JITTER: Duration = Duration::from_millis(25);

impl FailureFloors {
    pub fn new(sessions: Arc<dyn Sessions>, hasher: Hasher) -> Self {
        let times = HashTimes { hasher, measured: Mutex::default() };
        Self { sessions, times, organizations: Mutex::default() }
    }

    /// Returns the organization's floor, which covers the scheme of the log-in's own hash; `None` if it needs none.
    pub async fn get(
        &self,
        organization: OrganizationId,
        own: Option<&SchemeName>,
    ) -> Result<Option<FailureFloor>, SignInError> {
        let known = lock(&self.organizations).entry(organization).or_default().clone();
        let mut known = known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.covers(own)) {
            return Ok(known.floor);
        }
        let read_at = Instant::now();
        let (schemes, floor) = match self.read(organization).await? {
            Some(schemes) => {
                let floor = self.times.measure(organization, &schemes).await?;
                (Some(schemes.into_iter().map(|scheme| scheme.name).collect()), floor)
            }
            None => (None, Some(MANY_SCHEMES)),
        };
        *known = Some(Known { read_at, schemes, floor });
        Ok(floor)
    }

    /// Reads the organization's schemes; `None` if they are too many.
    async fn read(&self, organization: OrganizationId) -> Result<Option<Vec<StoredScheme>>, StoreError> {
        let mut schemes: Vec<StoredScheme> = Vec::new();
        loop {
            let last = schemes.last().map(|last| &last.name);
            let Some(next) = self.sessions.next_scheme(organization, last).await? else {
                return Ok(Some(schemes));
            };
            if schemes.len() >= MAX_SCHEMES {
                return Ok(None);
            }
            schemes.push(next);
        }
    }
}

impl HashTimes {
    /// Returns the floor of an organization with these schemes; `None` if it needs none.
    async fn measure(
        &self,
        organization: OrganizationId,
        schemes: &[StoredScheme],
    ) -> Result<Option<FailureFloor>, HashError> {
        let mut floor = FailureFloor { slowest: self.hasher.own_time(), has_large: false };
        let is_other =
            |scheme: &&StoredScheme| scheme.name.is_imported() || !self.hasher.is_current(&scheme.sample);
        let mut is_needed = false;
        for StoredScheme { name, sample } in schemes.iter().filter(is_other) {
            is_needed = true;
            floor.has_large |= self.hasher.needs_large_thread(sample);
            let measured = lock(&self.measured).get(name).copied();
            let time = match measured {
                Some(time) => time,
                None => self.hasher.measure(organization, sample).await?.unwrap_or_default(),
            };
            lock(&self.measured).insert(name.clone(), time);
            floor.slowest = floor.slowest.max(time);
        }
        Ok(is_needed.then_some(floor))
    }
}

impl Known {
    /// Whether this still holds, and is about that scheme, too.
    fn covers(&self, own: Option<&SchemeName>) -> bool {
        let is_seen = |own| self.schemes.as_ref().is_none_or(|schemes| schemes.contains(own));
        self.read_at.elapsed() < FRESH && own.is_none_or(is_seen)
    }
}

impl FailureFloor {
    /// Waits until a failed log-in may be answered. When that is depends on when it arrived and how long it waited, in the queues and for
    /// the store, not on its hash. `form_count` is that of the typed password: as many hashes may have been computed.
    pub async fn wait(
        self,
        arrived_at: Instant,
        waited: Duration,
        form_count: u32,
        random: &dyn RandomSource,
    ) {
        let elapsed = arrived_at.elapsed();
        let floor = self.answer_time(elapsed, waited, form_count);
        let mut byte = [0];
        random.fill(&mut byte);
        let jitter = MAX_JITTER.mul_f64(f64::from(byte[0]) / 256.0);
        sleep_until(arrived_at + floor + jitter).await;
    }

    /// Returns the time from arrival to answer. Where the queues are long, it is a multiple of the floor.
    fn answer_time(self, elapsed: Duration, waited: Duration, form_count: u32) -> Duration {
        let slowest = self.slowest * form_count;
        let floor = (slowest * 2 + MARGIN).min(MAX_FLOOR * form_count).max(slowest);
        let needed = elapsed.max(waited + slowest);
        floor.mul_f64(needed.div_duration_f64(floor).ceil().max(1.0))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::{
        passwords::{HasherConfig, PasswordHash},
        random::OsRandom,
        testing::Always,
    };

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn floor(slowest: u64) -> FailureFloor {
        FailureFloor { slowest: millis(slowest), has_large: false }
    }

    #[test]
    fn a7_an_answer_comes_at_the_floor_or_at_a_multiple_of_it_by_the_wait_alone() {
        let floor = floor(200);
        for elapsed in [1, 30, 200, 499] {
            assert_eq!(floor.answer_time(millis(elapsed), millis(0), 1), millis(650), "{elapsed}");
            assert_eq!(floor.answer_time(millis(elapsed), millis(300), 1), millis(650), "{elapsed}");
        }
        for (waited, elapsed) in [(451, 460), (301, 651), (1_000, 1_299)] {
            assert_eq!(floor.answer_time(millis(elapsed), millis(waited), 1), millis(1_300));
        }
    }

    #[test]
    fn a7_the_floor_is_2_seconds_at_most_for_each_form_of_the_password() {
        assert_eq!(floor(1_500).answer_time(millis(10), millis(0), 1), millis(2_000));
        assert_eq!(floor(1_500).answer_time(millis(10), millis(0), 3), millis(6_000));
        assert_eq!(floor(20).answer_time(millis(10), millis(0), 3), millis(370));
        // A slower machine than the bounds of imported hashes are made for.
        assert_eq!(floor(3_000).answer_time(millis(10), millis(0), 1), millis(3_000));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_waits_until_its_time_and_for_a_random_part_of_the_jitter() {
        for (byte, jitter) in [(0, Duration::ZERO), (128, MAX_JITTER / 2)] {
            let arrived_at = Instant::now();
            floor(200).wait(arrived_at, Duration::ZERO, 1, &Always(byte)).await;
            // A timer is at most a millisecond late.
            let late = arrived_at.elapsed().checked_sub(millis(650) + jitter);
            assert!(late.is_some_and(|late| late <= millis(1)), "{late:?}");
        }
    }

    fn hash(memory_kib: u32) -> PasswordHash {
        let salt_and_output = "c2FsdHNhbHRzYWx0c2FsdA$QOKF1iG70GOhZX71bkTGoINw9zqSjKFirULQQtMxBVI";
        PasswordHash::from_phc(format!("$argon2id$v=19$m={memory_kib},t=1,p=1${salt_and_output}"))
    }

    #[tokio::test]
    async fn a_floor_is_needed_for_hashes_that_are_imported_or_not_as_configured() {
        let threads = NonZeroUsize::MIN;
        let config = HasherConfig { memory_kib: 64, iterations: 1, parallelism: 1, threads, queue: 4 };
        let hasher = Hasher::start(config, Arc::new(OsRandom)).unwrap();
        let times = HashTimes { hasher, measured: Mutex::default() };
        let own = |memory| StoredScheme { name: SchemeName::own(&hash(memory)), sample: hash(memory) };
        let imported =
            |memory| StoredScheme { name: SchemeName::imported(&hash(memory)), sample: hash(memory) };
        for (schemes, has_large) in [
            (vec![], None),
            (vec![own(64)], None),
            (vec![own(32)], Some(false)),
            (vec![own(64), imported(64)], Some(false)),
            (vec![own(128)], Some(true)),
            (vec![imported(128), own(32)], Some(true)),
        ] {
            let floor = times.measure(OrganizationId::generate(&OsRandom), &schemes).await.unwrap();
            assert_eq!(floor.map(|floor| floor.has_large), has_large, "{schemes:?}");
            assert!(floor.is_none_or(|floor| floor.slowest > Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_used_for_ten_seconds_and_for_the_schemes_that_were_seen() {
        let [seen, other] = [64, 128].map(|memory| SchemeName::own(&hash(memory)));
        let schemes = Some(HashSet::from([seen.clone()]));
        let some = Known { read_at: Instant::now(), schemes, floor: None };
        let all = Known { read_at: Instant::now(), schemes: None, floor: None };
        tokio::time::advance(millis(9_999)).await;
        assert!(some.covers(None) && some.covers(Some(&seen)) && !some.covers(Some(&other)));
        assert!(all.covers(None) && all.covers(Some(&other)));
        tokio::time::advance(millis(1)).await;
        assert!(!some.covers(None) && !some.covers(Some(&seen)) && !all.covers(Some(&other)));
    }
}
