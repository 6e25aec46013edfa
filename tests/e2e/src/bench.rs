//! What the programs of `make bench` share. None asserts a figure: they depend on the machine and on what else it does.

pub mod cpu;
mod report;
pub mod wrk;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::sleep;

pub use self::report::{Figure, Report};
use crate::{client::Api, shop::ANNA, smtp::SmtpServer, stack::Stack};

/// Per second, and microseconds of processor time of the measured program for each.
pub type Run = [f64; 2];

/// The clients that send requests at once.
pub const CLIENTS: u32 = 16;
/// The customers, where each request is about a random one.
pub const CUSTOMERS: u32 = 10_000;

/// Three kinds of runs, in a different order in each round, so that each comes first, second and third.
pub fn orders(rounds: usize) -> impl Iterator<Item = [usize; 3]> {
    let orders = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];
    orders.into_iter().cycle().take(rounds)
}

/// Adds customers to the only organization, in live mode, with the addresses customer1@example.com, customer2@example.com, ….
pub async fn add_customers(url: &str, count: u32) {
    let customers = format!(
        "INSERT INTO customers (id, organization_id, mode, email, metadata)
         SELECT reverse(lpad(n::text, 10, '0')), organizations.id, 'live', format('customer%s@example.com', n), '{{}}'
         FROM organizations, generate_series(1, {count}) n"
    );
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(customers)).execute(&mut connection).await.unwrap();
}

/// Creates resets for [`ANNA`] by [`CLIENTS`] at once, with a token of the back office.
pub async fn create_resets(api: &Api, token: &str, count: u32) {
    let create = async |api: Api| {
        for _ in 0..count / CLIENTS {
            api.create_reset(token, ANNA).await.expect(StatusCode::CREATED);
        }
    };
    join_all((0..CLIENTS).map(|_| create(api.clone()))).await;
}

/// Waits until no event is left to publish.
pub async fn all_published(stack: &Stack) {
    let waiting = "SELECT id FROM events WHERE published_at IS NULL AND dead_at IS NULL LIMIT 1";
    while !stack.texts(waiting).await.is_empty() {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the SMTP server has `mails`, and returns how many it took each second and the processor time of the mailer for each. That
/// begins with the first new mail.
pub async fn drain(smtp: &SmtpServer, mailer: u32, mails: usize) -> Run {
    let before = smtp.taken();
    arrived(smtp, before + 1).await;
    let (start, used, first) = (Instant::now(), processor_time(mailer), smtp.taken());
    arrived(smtp, mails).await;
    run(start, used, mailer, u32::try_from(mails - first).unwrap())
}

/// Waits until the SMTP server has that many mails.
pub async fn arrived(smtp: &SmtpServer, mails: usize) {
    while smtp.taken() < mails {
        sleep(Duration::from_micros(500)).await;
    }
}

/// Returns a run of `count` since `start`, when the program had used that much processor time.
#[must_use]
pub fn run(start: Instant, used: f64, pid: u32, count: u32) -> Run {
    let used = processor_time(pid) - used;
    [f64::from(count) / start.elapsed().as_secs_f64(), used / f64::from(count)]
}

/// Returns the processor time that a program has used so far, in microseconds.
#[must_use]
pub fn processor_time(pid: u32) -> f64 {
    let (_, [user, system, ..]) = cpu::stat(&pid.to_string()).unwrap();
    (user + system) * cpu::TICK
}

/// Reports runs with a feature, without it, and without it again: the control, which shows how much the figures differ by chance. `columns` are
/// what is done a second, and what one of it takes.
pub fn compare(report: &mut Report, columns: [&str; 2], runs: &[Vec<Run>; 3]) {
    for (column, (what, unit)) in columns.into_iter().zip(["per second", "µs"]).enumerate() {
        let [with, without, again] = runs.each_ref().map(|runs| self::column(runs, column));
        report.add(Figure::new(format!("{what}: with"), unit, with.clone()));
        report.add(Figure::new(format!("{what}: without"), unit, without.clone()));
        for (kind, over) in [("with next to without", with), ("control", again)] {
            report.add(Figure::new(format!("{what}: {kind}"), "times", ratios(&over, &without)));
        }
    }
}

/// Returns one column of runs.
#[must_use]
pub fn column<const N: usize>(runs: &[[f64; N]], column: usize) -> Vec<f64> {
    runs.iter().map(|run| run[column]).collect()
}

/// Returns the ratios of the same rounds.
#[must_use]
pub fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

/// Returns milliseconds.
#[must_use]
pub fn milliseconds(times: impl IntoIterator<Item = Duration>) -> Vec<f64> {
    times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect()
}

/// Returns the value that this share of all values is below: 0.5 for the median.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = f64::from(u32::try_from(values.len() - 1).unwrap());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the values")]
    let below = (last * share).floor() as usize;
    let above = values[(below + 1).min(values.len() - 1)];
    values[below] + (above - values[below]) * (last * share).fract()
}

/// Returns the median.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_values() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&values, share).to_string());
        assert_eq!(quantiles, ["1", "2", "3", "4", "5"]);
        assert_eq!(quantile(&values[..3], 0.25).to_string(), "2.5", "between two of three values");
        assert_eq!(median(&[7.0]).to_string(), "7");
    }
}
