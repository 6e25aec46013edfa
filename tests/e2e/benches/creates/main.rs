//! Measures how fast the API creates resets, next to pgbench with the same statement, and next to itself without the chain of the audit log:
//! `make bench`.
//!
//! They run in turn, on databases of the same size on one server that waits for its disk; no mailer runs. pgbench only executes the
//! statement, and logs a line for each; the API also publishes and settles the events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that fails is to stop")]

mod statement;

use std::{fs, process::Command, time::Duration};

use rekey_e2e::{
    bench::{
        CLIENTS, CUSTOMERS, Figure, Report, add_customers, all_published, column,
        cpu::{self, PROGRAMS},
        quantile, ratios,
        wrk::{Load, Requests, output, wrk},
    },
    shop::Shop,
    stack::Stack,
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{postgres::TestDatabase, seed};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// Runs of each kind.
const ROUNDS: usize = 5;
/// The length of a run in seconds.
const SECONDS: u32 = 10;

/// Resets per second, latencies in milliseconds, WAL bytes and CPU microseconds per reset.
type Run = [f64; 4 + PROGRAMS.len()];

#[tokio::main]
async fn main() {
    let shop = Shop::open(Stack::prepare().await).await;
    let _api = shop.stack.start_api().await;
    let token = shop.back_office.token(&shop.stack.api).await;
    let requests = Requests::resets(&shop.stack.api.url, &token, "customer");
    let api_database = Database::fill(&shop.stack.database.url()).await;

    let database = TestDatabase::create().await;
    let store = PostgresStore::connect(&database.url(), 1, Duration::from_secs(30)).unwrap();
    store.migrate().await.unwrap();
    let scope = seed::scope(&store, "shop").await;
    let pgbench_database = Database::fill(&database.url()).await;
    let statement = statement::pgbench_script(scope, CUSTOMERS);

    let mut report =
        Report::new("creates", "Resets created by 16 clients, next to the same statement by pgbench");
    let (mut pgbench_runs, mut api_runs, mut unchained_runs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        pgbench_runs.push(pgbench_database.measure(|| pgbench(&pgbench_database.url, &statement)).await);
        // The database grows, so they take turns at being first.
        let mut pair = [("ENABLE", &mut api_runs), ("DISABLE", &mut unchained_runs)];
        pair.rotate_left(round % 2);
        for (queueing, runs) in pair {
            api_database
                .run(&format!("ALTER TABLE audit_entries {queueing} TRIGGER audit_entries_queue"))
                .await;
            runs.push(api_database.measure(|| wrk(&requests, SECONDS)).await);
            all_published(&shop.stack).await;
        }
    }
    let rates = |runs: &[Run]| column(runs, 0);
    let goal = "0.75, at least 0.65";
    let next_to_pgbench = ratios(&rates(&api_runs), &rates(&pgbench_runs));
    report.add(Figure::new("resets a second, API next to pgbench", "times", next_to_pgbench).goal(goal));
    let unchained = ratios(&rates(&api_runs), &rates(&unchained_runs));
    report.add(Figure::new("resets a second, with the audit chain next to without it", "times", unchained));
    add_columns(&mut report, "pgbench", &pgbench_runs);
    add_columns(&mut report, "API", &api_runs);
    report.save();
}

fn add_columns(report: &mut Report, who: &str, runs: &[Run]) {
    let titles = [("resets", "per second"), ("median", "ms"), ("99 %", "ms"), ("WAL for a reset", "bytes")];
    let titles = titles.map(|(title, unit)| (title.to_owned(), unit));
    let programs = PROGRAMS.map(|program| (format!("processor time of {program} for a reset"), "µs"));
    for (index, (title, unit)) in titles.into_iter().chain(programs).enumerate() {
        report.add(Figure::new(format!("{who}: {title}"), unit, column(runs, index)));
    }
}

struct Database {
    url: String,
}

impl Database {
    async fn fill(url: &str) -> Self {
        add_customers(url, CUSTOMERS).await;
        Self { url: url.to_owned() }
    }

    /// Measures a run that begins after a checkpoint, so that each run writes as many full pages to the WAL.
    async fn measure(&self, load: impl FnOnce() -> Load) -> Run {
        for prepare in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            self.run(prepare).await;
        }
        let mut connection = self.connect().await;
        let (cpu, wal) = (cpu::times(), wal_bytes(&mut connection).await);
        let Load { requests: resets, seconds, median_ms, p99_ms } = load();
        let wal = (wal_bytes(&mut connection).await - wal) / resets;
        let after = cpu::times();
        let [postgres, api, broker, load] =
            std::array::from_fn(|program| (after[program] - cpu[program]) / resets);
        [resets / seconds, median_ms, p99_ms, wal, postgres, api, broker, load]
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
    let _ = output(command.current_dir(folder.path()));
    // A line of the log: client, transaction, latency in microseconds, ...
    let log = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let log: String =
        log.filter(|path| *path != file).map(|path| fs::read_to_string(path).unwrap()).collect();
    let microseconds = log.lines().map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap());
    let latencies: Vec<f64> = microseconds.map(|latency| latency / 1e3).collect();
    let requests = f64::from(u32::try_from(latencies.len()).unwrap());
    let [median_ms, p99_ms] = [0.5, 0.99].map(|share| quantile(&latencies, share));
    Load { requests, seconds: SECONDS.into(), median_ms, p99_ms }
}
