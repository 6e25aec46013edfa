//! `GET /livez` and `GET /readyz`, the same in every program.

mod probe;

use std::{collections::BTreeMap, convert::Infallible, error::Error, sync::Arc, time::Duration};

use actix_web::{HttpResponse, web::Data};
use opentelemetry::KeyValue;
use rekey_core::metrics::{LastValue, REFRESH_INTERVAL, gauge};
use serde_json::json;
use tokio::{
    runtime::Handle,
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

pub use probe::probe;

/// How long a check may take before it counts as failed.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer is repeated, so that no number of callers makes the checks a load: less than any prober's interval.
const KEPT: Duration = Duration::from_secs(1);

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;
type Running = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A condition that the program needs to do its work.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    is_required: bool,
    run: Arc<dyn Fn() -> Running + Send + Sync>,
}

impl Check {
    /// Makes a check that calls something. `name` is shown when it fails.
    pub fn new<F, C>(name: &'static str, call: C) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
        C: Fn() -> F + Send + Sync + 'static,
    {
        Self { name, is_required: true, run: Arc::new(move || Box::pin(call())) }
    }

    /// Makes it a check that is only shown when it fails: the program can still do its work, which others would have to do without it.
    /// What it checks logs its own changes.
    #[must_use]
    pub fn degrading(self) -> Self {
        Self { is_required: false, ..self }
    }

    /// Makes a check of the program's own state, which returns why it fails, if it does.
    pub fn problem<C>(name: &'static str, problem: C) -> Self
    where
        C: Fn() -> Option<String> + Send + Sync + 'static,
    {
        Self::new(name, move || {
            let outcome = problem().map_or(Ok(()), |cause| Err(cause.into()));
            async move { outcome }
        })
    }

    /// Makes a check of the program's own state; `cause` is logged while the check fails.
    pub fn state<C>(name: &'static str, cause: &'static str, is_good: C) -> Self
    where
        C: Fn() -> bool + Send + Sync + 'static,
    {
        Self::problem(name, move || (!is_good()).then(|| cause.to_owned()))
    }
}

/// The checks that fail, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Failures {
    required: Vec<Failure>,
    degrading: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    name: &'static str,
    /// Why, for an operator.
    cause: String,
}

impl Failures {
    /// Returns the cause of each failure.
    fn causes(&self) -> BTreeMap<&'static str, &str> {
        let all = self.required.iter().chain(&self.degrading);
        all.map(|Failure { name, cause }| (*name, cause.as_str())).collect()
    }

    /// Logs what is different from the outcome before. Degrading checks log their own changes.
    fn log_changes(&self, before: &Self) {
        for Failure { name, cause } in
            self.required.iter().filter(|failure| !before.required.contains(failure))
        {
            tracing::warn!(check = name, cause, "not ready");
        }
        let has_ended = |failed: &&Failure| self.required.iter().all(|failure| failure.name != failed.name);
        for Failure { name, .. } in before.required.iter().filter(has_ended) {
            tracing::info!(check = name, "ready again");
        }
    }
}

/// The checks of a program. They run on the runtime on which this was made, not on the HTTP server's threads: each of those
/// has a runtime of its own that ends with it, and a database connection that was opened there would break under its next user.
pub struct Readiness {
    checks: Vec<Check>,
    runtime: Handle,
    /// The last answer and its time. Whoever waits for the lock gets the answer of whoever holds it.
    last: Mutex<Option<(Instant, Failures)>>,
}

impl Readiness {
    /// Must be called on the program's own runtime.
    #[must_use]
    pub fn new(checks: Vec<Check>) -> Self {
        Self { checks, runtime: Handle::current(), last: Mutex::default() }
    }

    /// Returns the failures of at most a second ago. The checks go on when the caller goes away, for those who wait with it.
    async fn recent_failures(self: Arc<Self>) -> Failures {
        let required = self.checks.iter().filter(|check| check.is_required);
        let all = required.map(|check| Failure { name: check.name, cause: "stopping".to_owned() }).collect();
        let answer = self.runtime.clone().spawn(async move {
            let mut last = self.last.lock().await;
            match &*last {
                Some((at, failures)) if at.elapsed() < KEPT => failures.clone(),
                before => {
                    let failures = self.failures().await;
                    failures
                        .log_changes(before.as_ref().map_or(&Failures::default(), |(_, failures)| failures));
                    last.insert((Instant::now(), failures)).1.clone()
                }
            }
        });
        // It fails when the runtime ends, and then nothing is ready.
        answer.await.unwrap_or(Failures { required: all, degrading: Vec::new() })
    }

    /// Shows the state of each check as a gauge, and runs them every 15 seconds for it, until it is dropped.
    pub(crate) async fn run_gauge(self: Arc<Self>) -> Infallible {
        let checks: Vec<_> = self.checks.iter().map(|check| (check.name, check.is_required)).collect();
        let last = LastValue::<Arc<Failures>>::default();
        let value = last.clone();
        gauge("rekey.ready", "Whether a check of /readyz succeeds: 1 if so.", move |gauge| {
            value.with(|failures| {
                for &(name, is_required) in &checks {
                    let has_failed = failures.causes().contains_key(name);
                    let attributes = [KeyValue::new("check", name), KeyValue::new("required", is_required)];
                    gauge.observe((!has_failed).into(), &attributes);
                }
            });
        });
        loop {
            // First, because a program that has just started is not ready yet, which would be logged each time.
            sleep(REFRESH_INTERVAL).await;
            last.set(Some(Arc::new(self.clone().recent_failures().await)));
        }
    }

    /// Runs all checks at once.
    async fn failures(&self) -> Failures {
        let start = |check: &Check| self.runtime.spawn(timeout(TIMEOUT, (check.run)()));
        let running: Vec<_> = self.checks.iter().map(|check| (check, start(check))).collect();
        let mut failures = Failures::default();
        for (&Check { name, is_required, .. }, outcome) in running {
            let cause = match outcome.await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(cause))) => cause,
                Ok(Err(late)) => late.into(),
                Err(crashed) => crashed.into(),
            };
            let failed = if is_required { &mut failures.required } else { &mut failures.degrading };
            failed.push(Failure { name, cause: cause.to_string() });
        }
        failures
    }
}

/// Answers `GET /livez`: the process answers. It checks nothing else.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// Answers `GET /readyz`: 200 when every required check succeeds; otherwise 503 and the names of those that fail. `degraded` names the
/// other checks that fail, if any. The answer is at most a second old.
pub async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    answer(&readiness.into_inner().recent_failures().await, false)
}

/// Answers `GET /readyz` of the admin listener: as [`ready`], with the causes.
pub(crate) async fn ready_with_causes(readiness: Data<Readiness>) -> HttpResponse {
    answer(&readiness.into_inner().recent_failures().await, true)
}

fn answer(failures: &Failures, with_causes: bool) -> HttpResponse {
    let names = |failures: &[Failure]| failures.iter().map(|failure| failure.name).collect::<Vec<_>>();
    let is_ready = failures.required.is_empty();
    let mut body = BTreeMap::from([("status", json!(if is_ready { "ready" } else { "unavailable" }))]);
    if !is_ready {
        body.insert("failed", json!(names(&failures.required)));
    }
    if !failures.degrading.is_empty() {
        body.insert("degraded", json!(names(&failures.degrading)));
    }
    if with_causes && failures != &Failures::default() {
        body.insert("causes", json!(failures.causes()));
    }
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(body)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use tokio::{task::JoinSet, time::sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_check_fails_by_an_error_a_panic_or_after_two_seconds() {
        let readiness = Readiness::new(vec![
            Check::state("good", "bad", || true),
            Check::new("silent", std::future::pending),
            Check::new("error", || async { Err("refused".into()) }),
            Check::state("state", "not connected", || false),
            Check::state("warning", "blocked", || false).degrading(),
            Check::state("quiet", "blocked", || true).degrading(),
            Check::new("crash", || async { panic!("a test's panic") }),
        ]);
        let started = Instant::now();
        let failures = readiness.failures().await;
        let found = |failures: &[Failure]| {
            failures.iter().map(|one| format!("{}: {}", one.name, one.cause)).collect::<Vec<_>>()
        };
        let required = found(&failures.required);
        assert_eq!(required[..3], ["silent: deadline has elapsed", "error: refused", "state: not connected"]);
        assert!(required[3].starts_with("crash: ") && required.len() == 4, "{required:?}");
        assert_eq!(found(&failures.degrading), ["warning: blocked"]);
        assert_eq!(started.elapsed(), TIMEOUT);
    }

    /// A10: the checks are no way to load the database.
    #[tokio::test(start_paused = true)]
    async fn many_callers_in_a_second_run_the_checks_once() {
        let (runs, good) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let check = {
            let (runs, good) = (runs.clone(), good.clone());
            Check::new("store", move || {
                runs.fetch_add(1, Ordering::Relaxed);
                let outcome = if good.load(Ordering::Relaxed) { Ok(()) } else { Err("down".into()) };
                async move {
                    sleep(TIMEOUT / 2).await;
                    outcome
                }
            })
        };
        let readiness = Arc::new(Readiness::new(vec![check]));
        let abandoned = tokio::spawn(readiness.clone().recent_failures());
        sleep(TIMEOUT / 4).await;
        abandoned.abort();
        let mut callers: JoinSet<_> = (0..100).map(|_| readiness.clone().recent_failures()).collect();
        while let Some(failures) = callers.join_next().await {
            assert_eq!(failures.unwrap(), Failures::default());
        }
        assert_eq!(runs.load(Ordering::Relaxed), 1);

        good.store(false, Ordering::Relaxed);
        sleep(KEPT.mul_f64(0.9)).await;
        assert_eq!(readiness.clone().recent_failures().await, Failures::default());
        sleep(KEPT.mul_f64(0.1)).await;
        let failed = readiness.clone().recent_failures().await.required;
        assert_eq!(failed, [Failure { name: "store", cause: "down".to_owned() }]);
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }
}
