//! Measures how fast the API creates resets, next to pgbench with the same statement, and next to itself without the chain of the audit log:
//! `make bench`.
//!
//! Both run in turn, on databases of the same size on one server that waits for its disk; no mailer runs. pgbench only executes the
//! statement, and logs a line for each; the API also publishes and settles the events. The figures are printed, and none is asserted: they
//! depend on the machine and on what else it does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod cpu;
mod statement;

use std::{fs, process::Command, time::Duration};

use rekey_e2e::{process::project, shop::Shop, stack::Stack, wait::eventually};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{postgres::TestDatabase, seed};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::cpu::PROGRAMS;

/// Runs of each kind; the medians are printed.
const ROUNDS: usize = 5;
/// The length of a run in seconds.
const SECONDS: u32 = 10;
const CLIENTS: u32 = 16;
/// The customers of each database. Each reset is for one of them, at random.
const CUSTOMERS: u32 = 10_000;

/// What a load generator reports.
struct Load {
    resets: f64,
    seconds: f64,
    median_ms: f64,
    p99_ms: f64,
}

/// The columns of a run: resets per second, latencies in milliseconds, WAL bytes and CPU microseconds per reset.
type Run = [f64; 4 + PROGRAMS.len()];

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let _api = shop.stack.start_api().await;
    let (url, token) = (&shop.stack.api.url, shop.back_office.token(&shop.stack.api).await);
    let api_database = Database::fill(&shop.stack.database.url()).await;

    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let pgbench_database = Database::fill(&database.url()).await;
    let statement = statement::pgbench_script(scope, CUSTOMERS);

    let (mut pgbench_runs, mut api_runs, mut unchained_runs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        pgbench_runs.push(pgbench_database.measure(|| pgbench(&pgbench_database.url, &statement)).await);
        for (queueing, runs) in [("ENABLE", &mut api_runs), ("DISABLE", &mut unchained_runs)] {
            api_database
                .run(&format!("ALTER TABLE audit_entries {queueing} TRIGGER audit_entries_queue"))
                .await;
            runs.push(api_database.measure(|| wrk(url, &token)).await);
            api_database.wait_until_published().await;
        }
    }
    println!("\nResets created by {CLIENTS} clients, medians of {ROUNDS} runs of {SECONDS} s, in turn:");
    report(["pgbench", "API"], &pgbench_runs, &api_runs);
    report(["unchained", "API"], &unchained_runs, &api_runs);
}

struct Database {
    url: String,
}

impl Database {
    /// Adds the customers to the only organization.
    async fn fill(url: &str) -> Self {
        let customers = format!(
            "INSERT INTO customers (id, organization_id, mode, email, metadata)
             SELECT reverse(lpad(n::text, 10, '0')), organizations.id, 'live', format('customer%s@example.com', n), '{{}}'
             FROM organizations, generate_series(1, {CUSTOMERS}) n"
        );
        let database = Self { url: url.to_owned() };
        sqlx::raw_sql(AssertSqlSafe(customers)).execute(&mut database.connect().await).await.unwrap();
        database
    }

    /// Measures a run that begins after a checkpoint, so that each run writes as many full pages to the WAL.
    async fn measure(&self, load: impl FnOnce() -> Load) -> Run {
        for prepare in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            self.run(prepare).await;
        }
        let mut connection = self.connect().await;
        let (cpu, wal) = (cpu::times(), wal_bytes(&mut connection).await);
        let Load { resets, seconds, median_ms, p99_ms } = load();
        let wal = (wal_bytes(&mut connection).await - wal) / resets;
        let after = cpu::times();
        let [postgres, api, broker, load] =
            std::array::from_fn(|program| (after[program] - cpu[program]) / resets);
        [resets / seconds, median_ms, p99_ms, wal, postgres, api, broker, load]
    }

    async fn wait_until_published(&self) {
        let mut connection = self.connect().await;
        eventually("all events to be published", async || {
            let waiting = "SELECT count(*) FROM events WHERE published_at IS NULL";
            let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&mut connection).await.unwrap();
            if waiting == 0 { Ok(()) } else { Err(waiting) }
        })
        .await;
    }

    async fn run(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.connect().await).await.unwrap();
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

async fn wal_bytes(connection: &mut PgConnection) -> f64 {
    let query = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

fn pgbench(url: &str, script: &str) -> Load {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("create.sql");
    fs::write(&file, script).unwrap();
    let seconds = SECONDS.to_string();
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--log", "--log-prefix=log"]);
    command.args(["--client", &CLIENTS.to_string(), "--time", &seconds, "--file"]).arg(&file);
    // libpq does not know the parameters of sqlx that follow.
    command.arg(url.split('?').next().unwrap());
    output(command.current_dir(folder.path()));
    // A line of the log: client, transaction, latency in microseconds, ...
    let log = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let log: String =
        log.filter(|path| *path != file).map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut latencies: Vec<f64> =
        log.lines().map(|line| line.split(' ').nth(2).unwrap().parse().unwrap()).collect();
    latencies.sort_by(f64::total_cmp);
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100] / 1e3;
    let resets = f64::from(u32::try_from(latencies.len()).unwrap());
    Load { resets, seconds: SECONDS.into(), median_ms: at(50), p99_ms: at(99) }
}

fn wrk(url: &str, token: &str) -> Load {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &CLIENTS.to_string(), "--timeout", "30s"]);
    command.args(["--duration", &SECONDS.to_string(), "--script"]);
    command.arg(project().join("tests/e2e/benches/creates/resets.lua"));
    command.arg(format!("{url}/api/customer_password_resets"));
    let text = output(command.env("TOKEN", token).env("CUSTOMERS", CUSTOMERS.to_string()));
    let result =
        text.lines().find_map(|line| line.strip_prefix("RESULT ")).unwrap_or_else(|| panic!("{text}"));
    let figures: Vec<f64> = result.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [resets, refused, failed, duration, median, p99] = figures[..] else { panic!("{result}") };
    assert!(refused + failed == 0.0, "{result}");
    Load { resets, seconds: duration / 1e6, median_ms: median / 1e3, p99_ms: p99 / 1e3 }
}

fn output(command: &mut Command) -> String {
    let name = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", name.display()));
    assert!(output.status.success(), "{}: {output:?}", name.display());
    String::from_utf8(output.stdout).unwrap()
}

fn report(names: [&str; 2], first: &[Run], second: &[Run]) {
    let titles = ["per second", "median ms", "99 % ms", "WAL bytes"].into_iter().map(str::to_owned);
    let titles = titles.chain(PROGRAMS.map(|program| format!("{program} µs")));
    println!("{:>24} {:>10} {:>10} {:>8}", "", names[0], names[1], "ratio");
    for (title, (first, second)) in titles.zip(medians(first).into_iter().zip(medians(second))) {
        println!("{title:>24} {first:>10.1} {second:>10.1} {:>8.2}", second / first);
    }
}

/// The median of each column.
fn medians(runs: &[Run]) -> Run {
    std::array::from_fn(|column| {
        let mut values: Vec<_> = runs.iter().map(|run| run[column]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}
