//! The time of a failed log-in does not show which accounts have a hash from another system.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use rekey_core::{
    clients::ClientKind,
    customers::import::{Import, ImportKey, ImportedCustomer, Outcome, Reference},
    passwords::PasswordHash,
    random::OsRandom,
    sessions::Sessions,
};
use rekey_testkit::{
    seed,
    statistics::{random_swaps, rank_sum_z},
};

use crate::app::{TestApp, TestClient};

/// Log-ins of each kind: enough to find a difference of 20 ms, which the control shows.
const ROUNDS: usize = 300;
/// Accounts of each kind. Each is tried four times, or it would have to wait.
const ACCOUNTS: usize = ROUNDS / 4;
/// Rounds at the same time: each log-in mostly waits for the floor.
const WORKERS: usize = 16;

const BCRYPT: (&str, &str) =
    ("bcrypt@example.com", "$2b$06$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm");
const PBKDF2: (&str, &str) = (
    "pbkdf2@example.com",
    "pbkdf2_sha256$60000$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=",
);
const SCRYPT: (&str, &str) = (
    "scrypt@example.com",
    "$scrypt$ln=11,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0",
);
/// More memory than the tests' `argon2_memory_kib`.
const LARGE: (&str, &str) = (
    "large@example.com",
    "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$UmMMA9eKaJeujd7Zk9VnfQwuMkyRD2XP/gZtZkkH4qc",
);
const NATIVE: &str = "native@example.com";
const UNKNOWN: &str = "unknown@example.com";
const CONTROL: &str = "control@example.com";

/// The address of one of the accounts of a kind.
fn numbered(email: &str, n: usize) -> String {
    if n == 0 { email.to_owned() } else { email.replace('@', &format!("{n}@")) }
}

/// An app with that many customers of each of these schemes.
async fn shop(
    settings: &[(&str, &str)],
    old_hashes: &[(&str, &str)],
    accounts: usize,
) -> (TestApp, TestClient) {
    let unlimited = [("limits.sales_channel_per_minute", "1000000")];
    let app = TestApp::start_with(&[settings, &unlimited].concat(), Vec::new()).await;
    app.customer(NATIVE, "the first password").await;
    let native = app.store.find_credentials(app.scope, &seed::email(NATIVE)).await.unwrap().unwrap();
    for n in 1..accounts {
        seed::customer(&app.store, app.scope, &numbered(NATIVE, n), native.password.clone()).await;
    }
    let customers =
        old_hashes.iter().flat_map(|(email, hash)| (0..accounts).map(move |n| (numbered(email, n), hash)));
    let lines = customers.zip(1..).map(|((email, hash), line)| ImportedCustomer {
        line,
        email: seed::email(&email),
        password: Some(PasswordHash::import(hash).unwrap()),
        reference: Reference::default(),
        locale: None,
    });
    let (importer, key) = (Arc::new(app.store.clone()), ImportKey::generate(&OsRandom));
    let import = Import { importer, scope: app.scope, key, updates_passwords: false };
    let outcomes = import.write(lines.collect()).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Created));
    let sales = app.client(ClientKind::SalesChannel, false).await;
    (app, sales)
}

/// How long each failed log-in took, and whether it was shed.
async fn measure(
    app: &TestApp,
    sales: &TestClient,
    emails: &[&str],
    password: &str,
) -> Vec<Vec<(Duration, bool)>> {
    let bits: Vec<_> = random_swaps().take(ROUNDS * emails.len() * 3).collect();
    let rounds = stream::iter(bits.chunks(emails.len() * 3).enumerate()).map(|(round, bits)| async move {
        // A shuffle by random transpositions.
        let mut order: Vec<_> = (0..emails.len()).collect();
        for (n, bits) in bits.chunks(3).enumerate() {
            let number = bits.iter().fold(0, |number, bit| 2 * number + usize::from(*bit));
            order.swap(n, number % (n + 1));
        }
        let mut times = vec![(Duration::ZERO, false); emails.len()];
        for index in order {
            let asked = Instant::now();
            let answer = app.log_in(sales, &numbered(emails[index], round % ACCOUNTS), password).await;
            let time = asked.elapsed();
            assert!([400, 503].contains(&answer.status.as_u16()), "{}", answer.text);
            times[index] = (time, answer.status == 503);
        }
        times
    });
    let rounds: Vec<_> = rounds.buffer_unordered(WORKERS).collect().await;
    (0..emails.len()).map(|index| rounds.iter().map(|times| times[index]).collect()).collect()
}

/// Compares all kinds with the last one. The control is that a difference of 20 ms, less than one hash, would be found.
fn assert_alike(emails: &[&str], measured: &[Vec<(Duration, bool)>]) {
    let times = |sample: &[(Duration, bool)]| sample.iter().map(|(time, _)| *time).collect::<Vec<_>>();
    let shed = |sample: &[(Duration, bool)]| sample.iter().filter(|(_, is_shed)| *is_shed).count();
    let (last, others) = measured.split_last().unwrap();
    for (email, sample) in emails.iter().zip(others) {
        let z = rank_sum_z(&times(sample), &times(last));
        println!("{email}: z = {z}, {} and {} shed", shed(sample), shed(last));
        assert!(z.abs() < 5.0, "{email}: z = {z}");
        let (one, other) = (i32::try_from(shed(sample)).unwrap(), i32::try_from(shed(last)).unwrap());
        let bound = 25 * (one + other).max(1);
        assert!((one - other).pow(2) <= bound, "{email}: {one} and {other} were shed");
    }
    let slower: Vec<_> = times(last).iter().map(|time| *time + Duration::from_millis(20)).collect();
    let z = rank_sum_z(&slower, &times(last));
    println!("20 ms: z = {z}");
    assert!(z > 5.0, "20 ms: z = {z}");
}

/// A7.
#[tokio::test(flavor = "multi_thread")]
async fn enum_time_a_failed_log_in_takes_as_long_whoever_made_the_hash() {
    let (app, sales) = shop(&[], &[BCRYPT, PBKDF2, SCRYPT, LARGE], ACCOUNTS).await;
    let emails = [BCRYPT.0, PBKDF2.0, SCRYPT.0, LARGE.0, NATIVE, CONTROL, UNKNOWN];
    let measured = measure(&app, &sales, &emails, "another password").await;
    assert_alike(&emails, &measured);
    assert!(measured.iter().flatten().all(|(time, _)| *time >= Duration::from_millis(100)));
}

/// A7. The workers fill the queue: most log-ins wait in it or find no place.
#[tokio::test(flavor = "multi_thread")]
async fn enum_time_a_full_queue_does_not_show_it_either() {
    let settings = [("passwords.hashing_threads", "1"), ("passwords.hashing_queue", "4")];
    let (app, sales) = shop(&settings, &[BCRYPT, LARGE], ACCOUNTS).await;
    let emails = [BCRYPT.0, LARGE.0, NATIVE, UNKNOWN];
    let measured = measure(&app, &sales, &emails, "another password").await;
    let shed = measured.iter().flatten().filter(|(_, is_shed)| *is_shed).count();
    assert!(shed > ROUNDS / 10, "{shed} of {} were shed", 4 * ROUNDS);
    assert_alike(&emails, &measured);
}

/// A7. A right password does not wait, and nobody does where no hash is slow.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_wrong_password_waits_and_only_where_a_hash_is_slow() {
    let slow = "$scrypt$ln=15,r=8,p=8$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0";
    let (app, sales) = shop(&[], &[("slow@example.com", slow)], 1).await;
    let failed = Instant::now();
    app.log_in(&sales, UNKNOWN, "another password").await.assert_oauth_error(
        400,
        "invalid_grant",
        "INVALID_GRANT",
    );
    let failed = failed.elapsed();
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let asked = Instant::now();
        assert_eq!(app.log_in(&sales, NATIVE, "the first password").await.status, 200);
        quickest = quickest.min(asked.elapsed());
    }
    assert!(quickest * 3 < failed, "{quickest:?} and {failed:?}");

    // Nor does a wrong one where all hashes are as configured: it takes one hash anyway.
    let (app, sales) = shop(&[], &[], 1).await;
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let asked = Instant::now();
        assert_eq!(app.log_in(&sales, UNKNOWN, "another password").await.status, 400);
        quickest = quickest.min(asked.elapsed());
    }
    assert!(quickest * 3 < failed, "{quickest:?} and {failed:?}");
}

/// C3 and A7. A password that other systems may have hashed in three forms takes up to three hashes, for everybody.
#[tokio::test(flavor = "multi_thread")]
async fn c3_the_forms_of_a_password_take_the_same_time_at_every_account() {
    let slow = "$scrypt$ln=14,r=8,p=8$MDEyMzQ1Njc4OWFiY2RlZg$faCG2Y2MU7gpu0yKEJONexUzhBri6oOSfKdyxUHubQ0";
    let (app, sales) = shop(&[], &[("slow@example.com", slow)], 1).await;
    let time = async |email: &str, password: &str| {
        let asked = Instant::now();
        assert_eq!(app.log_in(&sales, email, password).await.status, 400);
        asked.elapsed()
    };
    time(UNKNOWN, "warm up").await;
    let one = time(UNKNOWN, "Tieng Viet 2019").await;
    let three = "Ti\u{ea}\u{301}ng Vi\u{ea}\u{323}t 2019";
    for email in [UNKNOWN, NATIVE, "slow@example.com"] {
        let all = time(email, three).await;
        assert!(all > one.mul_f64(1.5), "{email}: {one:?}, {all:?}");
    }
}
