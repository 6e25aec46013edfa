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

fn organization() -> OrganizationId {
    OrganizationId::generate(&OsRandom)
}

fn claim(text: &str, stored: Option<PasswordHash>) -> Claim {
    let (organization, password) = (organization(), plain(text));
    Claim { organization, password, stored, is_imported: false, waits_for_both_queues: false }
}

async fn verify(hasher: &Hasher, claim: Claim) -> Verification {
    hasher.verify(claim).await.outcome.unwrap().0
}

fn checked(text: &str) -> CheckedPassword {
    let email = "john@example.com".parse().unwrap();
    let person = Person { email: &email, shop: "Demo Shop" };
    PasswordPolicy { min_length: 8 }.check(plain(text), &person).unwrap()
}

#[tokio::test]
async fn password_policy_typed_nfc_and_nfd_is_the_same_password() {
    let hasher = hasher(64, 1, 4);
    let hash = hasher.hash(organization(), checked("caf\u{e9} au lait")).await.unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash.as_str());
    for (text, expected) in
        [("cafe\u{301} au lait", Verification::Right), ("cafe au lait", Verification::Wrong)]
    {
        assert_eq!(verify(&hasher, claim(text, Some(hash.clone()))).await, expected);
    }
}

#[tokio::test]
async fn an_old_hash_is_recognised_and_no_hash_never_matches() {
    let old = hasher(64, 1, 4).hash(organization(), checked("long enough")).await.unwrap();
    let today = hasher(128, 1, 4);
    let again = today.hash(organization(), checked("long enough")).await.unwrap();
    assert_ne!(again, today.hash(organization(), checked("long enough")).await.unwrap(), "another salt");
    let outdated = verify(&today, claim("long enough", Some(old))).await;
    assert_eq!(outdated, Verification::RightButOutdated);
    let unknown = verify(&today, claim("a password that nobody has", None)).await;
    assert_eq!(unknown, Verification::Wrong);
    let damaged = PasswordHash::from_phc("$argon2id$".to_owned());
    let outcome = today.verify(claim("long enough", Some(damaged))).await.outcome;
    assert_eq!(outcome.unwrap_err(), HashError::Unusable);
}

#[tokio::test]
async fn password_import_an_imported_hash_is_right_but_old_until_it_is_hashed_again() {
    let hasher = hasher(64, 1, 4);
    let imported = |typed, hash| Claim { is_imported: true, ..claim(typed, Some(hash)) };
    for old in [
        "$2a$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm",
        // Today's parameters, but of argon2i, and with a shorter output.
        "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$Lb5cID2k+yPXhfrrKW/kiSaE1/CHnf+BU+n1GvTC5Wo",
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$96/PyMoTf7QyEfKHKtuWpQ",
        // Today's: nobody has logged in with it yet.
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$QOKF1iG70GOhZX71bkTGoINw9zqSjKFirULQQtMxBVI",
    ] {
        let old = PasswordHash::import(old).unwrap();
        assert_eq!(verify(&hasher, imported("correct horse", old.clone())).await, Verification::Wrong);
        let verified = hasher.verify(imported("correct horse battery", old)).await;
        let (verification, password) = verified.outcome.unwrap();
        assert_eq!(verification, Verification::RightButOutdated);
        let today = hasher.rehash(organization(), password).await.unwrap();
        assert!(today.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_eq!(verify(&hasher, claim("correct horse battery", Some(today))).await, Verification::Right);
    }
}

/// The password "Tiếng Việt 2019" as three systems hashed it: in Form C, in Form D, and in a form between them.
#[tokio::test]
async fn c3_an_imported_hash_of_any_unicode_form_is_right_and_one_of_ours_costs_one_hash() {
    let hasher = hasher(64, 1, 4);
    let composed = "Ti\u{1ebf}ng Vi\u{1ec7}t 2019";
    let decomposed = "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t 2019";
    let between = "Ti\u{ea}\u{301}ng Vi\u{ea}\u{323}t 2019";
    let params = Params::new(64, 1, 1, Some(OUTPUT_SIZE)).unwrap();
    let hash_of =
        |bytes: &str| hash(&params, bytes.as_bytes(), &[7; SALT_SIZE], &mut Memory::new(64)).unwrap();
    for typed in [composed, decomposed, between] {
        for (hashed, is_ours) in [(composed, true), (decomposed, false), (typed, typed == composed)] {
            let imported = Claim { is_imported: true, ..claim(typed, Some(hash_of(hashed))) };
            let verification = verify(&hasher, imported).await;
            assert_eq!(verification, Verification::RightButOutdated, "{typed:?} {hashed:?}");
            let expected = if is_ours { Verification::Right } else { Verification::Wrong };
            assert_eq!(verify(&hasher, claim(typed, Some(hash_of(hashed)))).await, expected);
        }
    }
    let form_counts = [composed, decomposed, between, "ascii only"].map(|text| plain(text).form_count());
    assert_eq!(form_counts, [2, 2, 3, 1]);
}

/// bcrypt reads 72 bytes. The old system accepted every password that begins with them; from the first log-in on it is the one typed.
#[tokio::test]
async fn a14_a_long_password_is_verified_as_bcrypt_did_and_hashed_anew_in_full() {
    let hasher = hasher(64, 1, 4);
    let bcrypt = "$2b$04$7CH4vnioeM9LzHJ3xCHdx.nr7HnEehwfBobGpDRmSEN62ctadsWIe";
    let bcrypt = PasswordHash::import(bcrypt).unwrap();
    let long = "x".repeat(100);
    let imported = |typed: &str| Claim { is_imported: true, ..claim(typed, Some(bcrypt.clone())) };
    assert_eq!(verify(&hasher, imported(&long[..71])).await, Verification::Wrong);
    assert_eq!(verify(&hasher, imported(&long[..72])).await, Verification::RightButOutdated);
    let (verification, password) = hasher.verify(imported(&long)).await.outcome.unwrap();
    assert_eq!(verification, Verification::RightButOutdated);
    let today = hasher.rehash(organization(), password).await.unwrap();
    for (typed, expected) in [(&*long, Verification::Right), (&long[..72], Verification::Wrong)] {
        assert_eq!(verify(&hasher, claim(typed, Some(today.clone()))).await, expected);
    }
}

/// A hash that needs more memory than the pool's threads have.
const LARGE: &str =
    "$argon2id$v=19$m=128,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$QOKF1iG70GOhZX71bkTGoINw9zqSjKFirULQQtMxBVI";

#[tokio::test]
async fn the_time_of_a_hash_is_measured_unless_it_is_damaged() {
    let hasher = hasher(64, 1, 4);
    let measured = async |hash: &str| {
        hasher.measure(organization(), &PasswordHash::from_phc(hash.to_owned())).await.unwrap()
    };
    assert!(measured(LARGE).await.is_some_and(|time| time > Duration::ZERO));
    assert_eq!(measured("damaged").await, None);
    assert!(hasher.own_time() > Duration::ZERO);
}

#[tokio::test]
async fn a6_large_hashes_wait_for_each_other_and_nobody_else_waits_for_them() {
    let hasher = hasher(64, 1, 4);
    let held = Held::hold(&hasher.large).await;
    let large = || claim("long enough", Some(PasswordHash::from_phc(LARGE.to_owned())));
    let mut waiting = Box::pin(hasher.verify(large()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    for _ in 0..20 {
        assert_eq!(verify(&hasher, claim("long enough", None)).await, Verification::Wrong);
    }
    assert!(futures_util::poll!(&mut waiting).is_pending());
    // One organization holds its share of the short queue, and another one still gets a place.
    let greedy = organization();
    let calls = (0..20).map(|_| hasher.verify(Claim { organization: greedy, ..large() }));
    let calls = futures_util::future::join_all(calls);
    let (greedy, other, ()) = tokio::join!(calls, hasher.verify(large()), held.release());
    let count = |error| greedy.iter().filter(|verified| verified.outcome.as_ref().err() == error).count();
    assert_eq!((count(None), count(Some(&HashError::Busy))), (4, 16));
    assert!(other.outcome.is_ok() && waiting.await.outcome.is_ok());
}

/// Whichever queue is long or full: a wrong password is answered as if its hash were in both, a right one does not wait.
#[tokio::test]
async fn a7_neither_queue_shows_in_which_one_a_hash_is() {
    let hasher = hasher(64, 1, 1);
    let own = hasher.hash(organization(), checked("long enough")).await.unwrap();
    let wrong = [None, Some(own.clone()), Some(PasswordHash::from_phc(LARGE.to_owned()))];
    let both = |text, stored| Claim { waits_for_both_queues: true, ..claim(text, stored) };
    for threads in [&hasher.large, &hasher.pool] {
        for stored in &wrong {
            let held = Held::hold(threads).await;
            let mut waiting = Box::pin(hasher.verify(both("not the one", stored.clone())));
            assert!(futures_util::poll!(&mut waiting).is_pending());
            tokio::time::sleep(Duration::from_millis(30)).await;
            held.release().await;
            let verified = waiting.await;
            assert_eq!(verified.outcome.unwrap().0, Verification::Wrong);
            assert!(verified.waited >= Duration::from_millis(25), "{:?}", verified.waited);
        }
        let held = Held::hold(threads).await;
        let full: Vec<_> =
            (0..LARGE_QUEUE).map_while(|_| threads.submit(organization(), |_| ()).ok()).collect();
        for stored in &wrong {
            let verified = hasher.verify(both("not the one", stored.clone())).await;
            assert_eq!(verified.outcome.unwrap_err(), HashError::Busy);
            let is_large = stored.as_ref().is_some_and(|stored| hasher.needs_large_thread(stored));
            let own = if is_large { &hasher.large } else { &hasher.pool };
            assert_eq!(verified.was_compared, !Arc::ptr_eq(own, threads), "it counts as a guess");
        }
        held.release().await;
        // They would still hold places of the queue.
        for job in full {
            job.result().await.unwrap();
        }
    }
    let held = Held::hold(&hasher.large).await;
    assert_eq!(verify(&hasher, both("long enough", Some(own))).await, Verification::Right);
    held.release().await;
}

#[tokio::test]
async fn argon2_budget_a_full_queue_is_busy_and_nothing_is_lost() {
    let hasher = hasher(64, 1, 4);
    let held = Held::hold(&hasher.pool).await;
    let organization = organization();
    let calls = (0..20).map(|_| hasher.hash(organization, checked("long enough")));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), held.release());
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2, "half of the queue");
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(HashError::Busy))).count(), 18);
    assert!(hasher.hash(organization, checked("long enough")).await.is_ok());
}

#[tokio::test]
async fn a_refused_password_comes_with_hints_unless_all_threads_are_busy() {
    let email = "john@example.com".parse().unwrap();
    let (policy, person) = (PasswordPolicy { min_length: 8 }, Person { email: &email, shop: "Demo Shop" });
    let hasher = hasher(64, 1, 1);
    let refused = hasher.check(organization(), policy, plain("password1"), &person).await.unwrap_err();
    assert!(refused.hints.iter().next().is_some(), "{refused:?}");
    let held = Held::hold(&hasher.pool).await;
    let (waits, refused, ()) = tokio::join!(
        hasher.hash(organization(), checked("long enough")),
        hasher.check(organization(), policy, plain("password1"), &person),
        held.release()
    );
    assert!(waits.is_ok());
    let refused = refused.unwrap_err();
    assert_eq!((refused.violation, refused.hints), (PolicyViolation::TooCommon, Hints::default()));
    assert!(hasher.check(organization(), policy, plain("three small words"), &person).await.is_ok());
}

/// B13.
#[tokio::test]
async fn a_job_that_panics_is_counted_and_its_thread_starts_with_fresh_memory() {
    let hasher = hasher(64, 1, 4);
    let before = hasher.hash(organization(), checked("long enough")).await.unwrap();
    for n in 1..=3 {
        let panicked = hasher.run(organization(), |memory| -> Result<(), _> {
            memory.with_blocks(1, |blocks| {
                blocks[0].as_mut().fill(1);
                panic!("a test's panic");
            })
        });
        assert_eq!(panicked.await.unwrap_err(), HashError::Panicked);
        let is_fresh =
            |memory: &mut Memory| Ok(memory.with_blocks(1, |blocks| *blocks[0].as_ref() == [0; 128]));
        assert_eq!(hasher.run(organization(), is_fresh).await, Ok(true));
        assert_eq!((hasher.panic_count(), hasher.is_alive()), (n, true));
        let verified = verify(&hasher, claim("long enough", Some(before.clone()))).await;
        assert_eq!(verified, Verification::Right);
    }
}

/// What only a thread's end can follow: it panics once more while the panic is handled.
struct EndsItsThread;

impl Drop for EndsItsThread {
    fn drop(&mut self) {
        panic!("a test's panic");
    }
}

#[tokio::test]
async fn a_hasher_without_the_threads_of_a_queue_is_not_alive() {
    let end = async |hasher: &Hasher, threads: &HashingThreads| {
        let ending = threads.submit(organization(), |_| std::panic::panic_any(EndsItsThread));
        assert_eq!(wait_for(ending).await.unwrap_err(), HashError::Panicked);
        while threads.is_alive() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!hasher.is_alive());
        let late = threads.submit(organization(), |_| ());
        assert_eq!(wait_for(late).await.unwrap_err(), HashError::Panicked);
    };
    let [first, second] = [(); 2].map(|()| hasher(64, 1, 4));
    end(&first, &first.pool).await;
    end(&second, &second.large).await;
}

/// The only one of the threads, kept from its queue: what is asked for meanwhile waits or is refused, however the threads are scheduled.
struct Held {
    gate: std::sync::mpsc::Sender<()>,
    work: Submitted<()>,
}

impl Held {
    async fn hold(threads: &HashingThreads) -> Self {
        let (gate, opened) = std::sync::mpsc::channel::<()>();
        let (reached, has_reached) = tokio::sync::oneshot::channel();
        let wait = move |_: &mut Memory| {
            reached.send(()).unwrap();
            opened.recv().unwrap();
        };
        let work = threads.submit(organization(), wait).ok().unwrap();
        has_reached.await.unwrap();
        Self { gate, work }
    }

    async fn release(self) {
        self.gate.send(()).unwrap();
        self.work.result().await.unwrap();
    }
}
