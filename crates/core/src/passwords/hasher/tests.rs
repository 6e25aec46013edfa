use super::*;
use crate::{passwords::PolicyViolation, random::OsRandom};

fn hasher(memory_kib: u32, threads: usize, queue: usize) -> Hasher {
    let threads = NonZeroUsize::new(threads).unwrap();
    let config = HasherConfig { memory_kib, iterations: 1, parallelism: 1, threads, queue };
    Hasher::start(config, Arc::new(OsRandom)).unwrap()
}

fn plain(text: &str) -> PlainPassword {
    PlainPassword::parse(text.to_owned()).unwrap()
}

fn checked(text: &str) -> CheckedPassword {
    let email = "john@example.com".parse().unwrap();
    let person = Person { email: &email, shop: "Demo Shop" };
    PasswordPolicy { min_length: 8 }.check(plain(text), &person).unwrap()
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
    assert_eq!(
        today.verify(plain("long enough"), Some(old)).await.unwrap().0,
        Verification::RightButOutdated
    );
    assert_eq!(today.verify(plain("a password that nobody has"), None).await.unwrap().0, Verification::Wrong);
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
        assert_eq!(verification, Verification::RightButOutdated);
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
    let hasher = hasher(64, 1, 2);
    let held = Held::hold(&hasher).await;
    let calls = (0..20).map(|_| hasher.hash(checked("long enough")));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), held.release());
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(HashError::Busy))).count(), 18);
    assert!(hasher.hash(checked("long enough")).await.is_ok());
}

#[tokio::test]
async fn a_refused_password_comes_with_hints_unless_all_threads_are_busy() {
    let email = "john@example.com".parse().unwrap();
    let (policy, person) = (PasswordPolicy { min_length: 8 }, Person { email: &email, shop: "Demo Shop" });
    let hasher = hasher(64, 1, 1);
    let refused = hasher.check(policy, plain("password1"), &person).await.unwrap_err();
    assert!(refused.hints.iter().next().is_some(), "{refused:?}");
    let held = Held::hold(&hasher).await;
    let (waits, refused, ()) = tokio::join!(
        hasher.hash(checked("long enough")),
        hasher.check(policy, plain("password1"), &person),
        held.release()
    );
    assert!(waits.is_ok());
    let refused = refused.unwrap_err();
    assert_eq!((refused.violation, refused.hints), (PolicyViolation::TooCommon, Hints::default()));
    assert!(hasher.check(policy, plain("three small words"), &person).await.is_ok());
}

/// B13.
#[tokio::test]
async fn a_job_that_panics_is_counted_and_its_thread_starts_with_fresh_memory() {
    let hasher = hasher(64, 1, 4);
    let before = hasher.hash(checked("long enough")).await.unwrap();
    for n in 1..=3 {
        let panicked = hasher.run(|memory| -> Result<(), _> {
            memory.with_blocks(1, |blocks| {
                blocks[0].as_mut().fill(1);
                panic!("a test's panic");
            })
        });
        assert_eq!(panicked.await.unwrap_err(), HashError::Panicked);
        let is_fresh =
            |memory: &mut Memory| Ok(memory.with_blocks(1, |blocks| *blocks[0].as_ref() == [0; 128]));
        assert_eq!(hasher.run(is_fresh).await, Ok(true));
        assert_eq!((hasher.panic_count(), hasher.is_alive()), (n, true));
        let verified = hasher.verify(plain("long enough"), Some(before.clone())).await.unwrap().0;
        assert_eq!(verified, Verification::Right);
    }
}

/// The only thread of a hasher, kept from its queue: what is asked for meanwhile waits or is refused, however the threads are
/// scheduled.
struct Held {
    gate: std::sync::mpsc::Sender<()>,
    work: tokio::task::JoinHandle<Result<(), HashError>>,
}

impl Held {
    async fn hold(hasher: &Hasher) -> Self {
        let (gate, opened) = std::sync::mpsc::channel::<()>();
        let (reached, has_reached) = oneshot::channel();
        let hasher = hasher.clone();
        let work = tokio::spawn(async move {
            let wait = move |_: &mut Memory| {
                reached.send(()).unwrap();
                opened.recv().map_err(|_| HashError::Unusable)
            };
            hasher.run(wait).await
        });
        has_reached.await.unwrap();
        Self { gate, work }
    }

    async fn release(self) {
        self.gate.send(()).unwrap();
        self.work.await.unwrap().unwrap();
    }
}
