//! `rekey import customers` on both databases.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rekey_e2e::{
    dev::Dev,
    dice::Dice,
    process::{Exit, Program, binary},
    wait::eventually,
};
use rekey_testkit::{
    backdoor::{Backdoor, PostgresBackdoor, SqliteBackdoor},
    postgres::TestDatabase,
};
use reqwest::StatusCode;
use tempfile::TempDir;

/// Hashes of "correct horse battery".
const BCRYPT: &str = "$2a$04$MgJPgGRKFp5HVTIMjWvT0uMXRDnJkNus33yrtU5JS/GiZFhkbUaAm";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt2seasalt$JLsQ6q5RdWSbET+kce/r+9eDxaX4sf2dtHjHtALnLmA=";
const PASSWORD: &str = "correct horse battery";

/// A database with the organization `demo` in it, and a folder for files.
pub struct Shop {
    folder: TempDir,
    /// Additional arguments.
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    pub backdoor: Box<dyn Backdoor>,
    /// The database, in production.
    database: Option<TestDatabase>,
}

impl Shop {
    /// Creates a shop in the data directory of a `rekey dev` that has ended.
    pub async fn embedded() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let dev = Dev::start(&data).await;
        assert_eq!(dev.program.terminate().await.code, Some(0));
        Self::in_data(folder, &data)
    }

    fn in_data(folder: TempDir, data: &Path) -> Self {
        let arguments = vec!["--data-dir".to_owned(), data.to_str().unwrap().to_owned()];
        let backdoor = Box::new(SqliteBackdoor::open(&data.join("rekey.db")));
        Self { folder, arguments, environment: Vec::new(), backdoor, database: None }
    }

    /// Creates a shop in a new PostgreSQL database.
    pub async fn production() -> Self {
        let database = TestDatabase::create().await;
        let environment = vec![("REKEY__DATABASE__URL".to_owned(), database.url())];
        for arguments in [&["migrate"][..], &["organization", "create", "--slug", "demo", "--name", "Demo"]] {
            let exit = Program::start("rekey", arguments, &environment).end().await;
            assert_eq!(exit.code, Some(0), "{exit:?}");
        }
        let backdoor = Box::new(PostgresBackdoor::open(&database.url()));
        let folder = TempDir::new().unwrap();
        Self { folder, arguments: Vec::new(), environment, backdoor, database: Some(database) }
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn start(&self, file: &str, more: &[&str]) -> Program {
        Program::start("rekey", &self.command_line(file, more), &self.environment)
    }

    fn command_line<'a>(&'a self, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let fixed = ["import", "customers", file, "--organization", "demo", "--mode", "test"];
        let own = self.arguments.iter().map(String::as_str);
        fixed.into_iter().chain(more.iter().copied()).chain(own).collect()
    }

    /// Imports to the end. The last line on standard error is the peak memory in KiB, as reported by the kernel.
    async fn measured(&self, file: &str) -> Exit {
        let measure = "import resource, subprocess, sys\n\
                       subprocess.run(sys.argv[1:])\n\
                       print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)";
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", measure]).arg(binary("rekey")).args(self.command_line(file, &[]));
        command.env_clear().envs(self.environment.iter().cloned());
        Program::spawn("rekey import", &mut command).end().await
    }

    pub async fn import(&self, file: &Path, more: &[&str]) -> Exit {
        self.start(file.to_str().unwrap(), more).end().await
    }

    /// Counts the customers with such an address.
    pub async fn customers(&self, like: &str) -> u64 {
        self.backdoor.count("customers", &format!("email LIKE '{like}'")).await
    }

    async fn hash_of(&self, email: &str) -> Option<String> {
        let query = format!(
            "SELECT p.hash FROM customer_passwords p JOIN customers c ON c.id = p.customer_id WHERE c.email = '{email}'"
        );
        self.backdoor.text(&query).await
    }
}

#[tokio::test]
async fn password_import_an_imported_customer_logs_in_and_is_hashed_anew() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let dev = Dev::start(&data).await;
    let storefront = &*dev.env["SALES_CLIENT_ID"];
    let shop = Shop::in_data(folder, &data);
    let lines = [
        ("rails@example.com", BCRYPT),
        ("php@example.com", &BCRYPT.replace("$2a$", "$2y$")),
        ("django@example.com", DJANGO),
    ]
    .map(|(email, hash)| format!("{{\"email\": \"{email}\", \"password_hash\": \"{hash}\"}}\n"));
    let exit = shop.import(&shop.file("old.jsonl", &lines.concat()), &[]).await;
    assert_eq!((exit.code, &*exit.stdout), (Some(0), "lines=3\ncreated=3\ntaken=0\nrefused=0\n"), "{exit:?}");
    assert_eq!(exit.stderr, "", "no progress bar where there is no terminal");

    for email in ["rails@example.com", "php@example.com", "django@example.com"] {
        let imported = shop.hash_of(email).await.unwrap();
        assert!(
            imported.starts_with("$2b$04$") || imported.starts_with("$pbkdf2-sha256$i=1000$"),
            "{imported}"
        );
        let refused = dev.api.log_in(storefront, email, "correct horse").await;
        assert_eq!(refused.text("/error"), "invalid_grant");
        assert_eq!(shop.hash_of(email).await.unwrap(), imported, "a wrong password changes nothing");

        dev.api.log_in(storefront, email, PASSWORD).await.expect(StatusCode::OK);
        let rehashed = shop.hash_of(email).await.unwrap();
        assert!(rehashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{rehashed}");
        dev.api.log_in(storefront, email, PASSWORD).await.expect(StatusCode::OK);
        assert_eq!(shop.hash_of(email).await.unwrap(), rehashed);
    }
    let of_import = "name = 'customers.create' AND resource_id IN (SELECT id FROM customers WHERE email <> 'john@example.com')";
    assert_eq!(shop.backdoor.count("events", of_import).await, 0, "an import publishes no event");
}

#[tokio::test]
async fn every_refused_line_is_named_and_no_hash_is_shown() {
    for shop in [Shop::embedded().await, Shop::production().await] {
        let secret = "JLsQ6q5RdWSbET";
        let too_many_rounds = DJANGO.replace("$1000$", "$9999999$");
        let content = format!(
            "email,reference,reference_origin,metadata,locale,password_hash\n\
             first@example.com,R-1,back office,\"{{\"\"vip\"\": true}}\",de_AT,{DJANGO}\n\
             not an address,,,,,\n\
             second@example.com,,,[1],,\n\
             third@example.com,R-3,,,,$P$B{secret}\n\
             fourth@example.com,,,,,{too_many_rounds}\n\
             FIRST@example.com,,,,,\n\
             fifth@example.com,\"open,,,,\n\
             sixth@example.com,,,,,\n\
             seventh@example.com,,,,German,\n"
        );
        let file = shop.file("customers.csv", &content);
        let report = shop.folder.path().join("report.csv");
        let with_report = ["--report", report.to_str().unwrap()];

        let dry_run = shop.import(&file, &[&with_report[..], &["--dry-run"]].concat()).await;
        assert_eq!(dry_run.code, Some(1), "{dry_run:?}");
        let reported = fs::read_to_string(&report).unwrap();
        assert_eq!(shop.customers("%h@example.com").await, 0);
        assert_eq!((shop.customers("third@%").await, shop.customers("first%").await), (0, 0));
        assert_eq!(shop.backdoor.count("imports", "true").await, 0);

        let exit = shop.import(&file, &with_report).await;
        assert_eq!(exit.code, Some(1), "{exit:?}");
        let counts = "lines=9\ncreated=4\ntaken=0\nrefused=5\nwithout_password=2\n";
        assert_eq!(exit.stdout, counts);
        assert_eq!(dry_run.stdout, format!("Dry run: nothing was written.\n{counts}"));
        let without = "2 hashes could not be imported: these customers set a password by a reset.\n";
        assert_eq!(exit.stderr, format!("{without}rekey: 5 of 9 lines were refused\n"));
        assert_eq!(fs::read_to_string(&report).unwrap(), reported, "the dry run reported the same");
        let lines: Vec<_> = reported.lines().collect();
        let expected = [
            "line,outcome,column,reason",
            "3,refused,email,\"is not an e-mail address\"",
            "4,refused,metadata,\"is not a JSON object\"",
            "5,warning,password_hash,\"the hash is phpass of MD5",
            "6,warning,password_hash,\"the hash claims too many rounds",
            "7,refused,email,\"an earlier line has the same address\"",
            "8,refused,,\"a quotation mark is opened and not closed\"",
            "10,refused,locale,\"is not a language tag",
        ];
        assert_eq!(lines.len(), expected.len(), "{reported}");
        for (line, begin) in lines.iter().zip(expected) {
            assert!(line.starts_with(begin), "{line}");
        }

        // Without a report, standard error names the lines.
        let again = shop.import(&file, &[]).await;
        assert_eq!(again.stdout, "lines=9\ncreated=0\ntaken=5\nrefused=4\n");
        assert!(again.stderr.contains("line 4: refused: metadata: is not a JSON object"), "{}", again.stderr);
        assert_eq!(shop.hash_of("third@example.com").await, None);
        assert_eq!(
            shop.backdoor.count("customers", "email = 'third@example.com' AND reference = 'R-3'").await,
            1
        );
        for shown in [&reported, &dry_run.stderr, &exit.stderr, &again.stderr, &again.stdout] {
            assert!(!shown.contains(secret) && !shown.contains("first@"), "{shown}");
        }
        let stored = "email = 'first@example.com' AND reference = 'R-1' AND reference_origin = 'back office' AND locale = 'de-AT'";
        assert_eq!(shop.backdoor.count("customers", stored).await, 1);
    }
}

/// C4. A later export has the customers of the first one: a newer hash is imported until its customer has logged in.
#[tokio::test]
async fn c4_an_update_brings_newer_hashes_for_those_who_have_not_logged_in() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let dev = Dev::start(&data).await;
    let storefront = &*dev.env["SALES_CLIENT_ID"];
    let shop = Shop::in_data(folder, &data);
    let other = "$2a$04$JNjZN1I4KQJE0LtpRgp/KumvXu16zpe6ktv240JAviXXijRHK.oRa";
    let first = format!(
        "Customer Email,password_hash,Group\na@example.com,{DJANGO},1\nb@example.com,{DJANGO},1\nc@example.com,$P$B,1\n"
    );
    let more = ["--map", "Customer Email=email", "--ignore-unknown"];
    let exit = shop.import(&shop.file("first.csv", &first), &more).await;
    let counts = "lines=3\ncreated=3\ntaken=0\nrefused=0\nwithout_password=1\n";
    assert_eq!((exit.code, &*exit.stdout), (Some(0), counts), "{exit:?}");
    dev.api.log_in(storefront, "a@example.com", PASSWORD).await.expect(StatusCode::OK);
    let own = shop.hash_of("a@example.com").await;

    let second =
        format!("email,password_hash\na@example.com,{other}\nb@example.com,{other}\nc@example.com,{other}\n");
    let file = shop.file("second.csv", &second);
    for dry_run in [&["--update", "--dry-run"][..], &["--update"]] {
        let exit = shop.import(&file, dry_run).await;
        let counts = "lines=3\ncreated=0\ntaken=1\nrefused=0\nupdated=2\n";
        assert_eq!((exit.code, exit.stdout.ends_with(counts)), (Some(0), true), "{exit:?}");
    }
    assert_eq!(shop.hash_of("a@example.com").await, own);
    for email in ["b@example.com", "c@example.com"] {
        assert!(shop.hash_of(email).await.unwrap().starts_with("$2b$04$"));
        dev.api.log_in(storefront, email, PASSWORD).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn crash_an_import_killed_at_any_moment_is_resumed_and_reports_everything() {
    const LINES: usize = 12_000;
    for shop in [Shop::embedded().await, Shop::production().await] {
        let file = shop.file("many.csv", &csv(LINES));
        let report = shop.folder.path().join("report.csv");
        let more = ["--report", report.to_str().unwrap()];
        let mut dice = Dice::new(10);
        // The first dies as soon as it has written something.
        let mut program = shop.start(file.to_str().unwrap(), &more);
        eventually("the first customers", async || match shop.customers("customer-%").await {
            0 => Err(format!("none; ended: {:?}", program.ended())),
            written => Ok(written),
        })
        .await;
        program.crash();
        let written = shop.customers("customer-%").await;
        assert!(written < LINES as u64, "the kill did not come in the middle: {written}");
        let mut kills = 0;
        let exit = loop {
            let mut program = shop.start(file.to_str().unwrap(), &more);
            // Each run lives longer than the one before, so that some are interrupted and one finishes.
            tokio::time::sleep(dice.millis(50..100) * (kills + 1)).await;
            if program.ended().is_some() {
                break program.end().await;
            }
            let exit = program.crash();
            // Killed between the end of its work and its own: it has reported.
            if shop.backdoor.count("imports", "true").await == 0 {
                break exit;
            }
            kills += 1;
        };
        assert!(matches!(exit.code, Some(1) | None), "{exit:?}");
        // One line is a duplicate, one is invalid.
        assert_eq!(exit.stdout, format!("lines={}\ncreated={LINES}\ntaken=0\nrefused=2\n", LINES + 2));
        assert!(exit.stderr.contains("it is resumed"), "{}", exit.stderr);
        assert_eq!(fs::read_to_string(&report).unwrap().lines().count(), 3);
        assert_eq!(shop.customers("customer-%").await, LINES as u64);
        assert_eq!(
            shop.backdoor.count("audit_entries", "actor = 'operator' AND resource_type = 'customers'").await,
            LINES as u64
        );
        assert_eq!(shop.backdoor.count("customer_passwords", "hash LIKE '$pbkdf2%'").await, LINES as u64);
        assert_eq!(shop.backdoor.count("imports", "true").await, 0, "what is finished is forgotten");
    }
}

#[tokio::test]
async fn a_finished_import_run_again_finds_everybody_there_also_from_standard_input() {
    for shop in [Shop::embedded().await, Shop::production().await] {
        let file = shop.file("some.txt", "email\na@example.com\nb@example.com\n");
        let path = file.to_str().unwrap();
        let unknown = shop.import(&file, &[]).await;
        assert_eq!((unknown.code, &*unknown.stdout), (Some(1), ""));
        assert!(unknown.stderr.contains("--format"), "{}", unknown.stderr);

        let first = shop.import(&file, &["--format", "csv"]).await;
        assert_eq!(
            (first.code, &*first.stdout),
            (Some(0), "lines=2\ncreated=2\ntaken=0\nrefused=0\n"),
            "{first:?}"
        );
        let piped = format!(
            "exec {} import customers - --format csv --organization demo --mode test {} <{path}",
            binary("rekey").display(),
            shop.arguments.join(" ")
        );
        let mut piped_command = Command::new("sh");
        piped_command.args(["-c", &piped]).env_clear().envs(shop.environment.iter().cloned());
        let again = Program::spawn("rekey", &mut piped_command).end().await;
        assert_eq!(
            (again.code, &*again.stdout),
            (Some(0), "lines=2\ncreated=0\ntaken=2\nrefused=0\n"),
            "{again:?}"
        );
        if shop.database.is_some() {
            // The migration analyzed the empty table, and each import the filled one.
            let analyzed = "relname = 'customers' AND analyze_count = 3";
            assert_eq!(shop.backdoor.count("pg_stat_user_tables", analyzed).await, 1, "statistics");
        }
    }
}

#[tokio::test]
async fn an_error_is_reported_in_one_line() {
    let shop = Shop::embedded().await;
    let (folder, bare) = (shop.folder.path().to_str().unwrap(), shop.file("bare.csv", "reference\nR-1\n"));
    let file = shop.file("one.csv", "email\na@example.com\n");
    let nowhere = format!("{folder}/nowhere.csv");
    let arguments = ["--organization", "demo", "--mode", "test"];
    let data = [shop.arguments[0].as_str(), shop.arguments[1].as_str()];
    let stranger = ["--organization", "stranger", "--mode", "test"];
    for (file, more, message, code) in [
        (bare.to_str().unwrap(), [arguments.as_slice(), &data].concat(), "no column email", 1),
        (&nowhere, [arguments.as_slice(), &data].concat(), "nowhere.csv can't be read", 1),
        (
            file.to_str().unwrap(),
            [stranger.as_slice(), &data].concat(),
            "no organization has the slug stranger",
            3,
        ),
        (
            file.to_str().unwrap(),
            [arguments.as_slice(), &["--data-dir", folder]].concat(),
            "rekey.db does not exist",
            1,
        ),
        (file.to_str().unwrap(), arguments.to_vec(), "database.url", 2),
    ] {
        let exit = Program::start("rekey", &[&["import", "customers", file], more.as_slice()].concat(), &[])
            .end()
            .await;
        assert_eq!((exit.code, &*exit.stdout), (Some(code), ""), "{exit:?}");
        assert!(exit.stderr.contains(message) && exit.stderr.lines().count() == 1, "{}", exit.stderr);
    }
    assert_eq!(shop.customers("a@%").await, 0);
}

#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    let shop = Shop::embedded().await;
    let mut peaks = Vec::new();
    for lines in [2_000, 40_000] {
        let file =
            shop.file(&format!("{lines}.csv"), &csv(lines).replace("customer-", &format!("c{lines}-")));
        let exit = shop.measured(file.to_str().unwrap()).await;
        assert!(exit.stdout.contains(&format!("created={lines}\n")), "{exit:?}");
        peaks.push(exit.stderr.lines().last().unwrap().parse::<u64>().unwrap());
    }
    assert!(peaks[1] < peaks[0] + 8 * 1024, "peaks in KiB: {peaks:?}");
}

/// Returns a file with that many customers, a line with the first one's address, and an invalid line.
fn csv(lines: usize) -> String {
    let mut text = "email,reference,metadata,password_hash\n".to_owned();
    for n in (0..lines).chain([0]) {
        writeln!(text, "customer-{n}@example.com,R-{n},\"{{\"\"n\"\": {n}}}\",{DJANGO}").unwrap();
    }
    text + "broken\n"
}
