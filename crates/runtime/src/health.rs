//! `GET /livez` and `GET /readyz`, the same in every program.

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    web::{self, Data},
};
use serde_json::json;
use tokio::{runtime::Handle, time::timeout};
use tokio_util::sync::CancellationToken;

/// How long a check may take before it counts as failed.
const TIMEOUT: Duration = Duration::from_secs(2);

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;
type Running = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A condition that the program needs to do its work.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> Running + Send + Sync>,
}

impl Check {
    /// Makes a check that calls something. `name` is shown when it fails.
    pub fn new<F, C>(name: &'static str, call: C) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
        C: Fn() -> F + Send + Sync + 'static,
    {
        Self { name, run: Arc::new(move || Box::pin(call())) }
    }

    /// Makes a check of the program's own state; `cause` is logged while the check fails.
    pub fn state<C>(name: &'static str, cause: &'static str, is_good: C) -> Self
    where
        C: Fn() -> bool + Send + Sync + 'static,
    {
        Self::new(name, move || {
            let outcome = if is_good() { Ok(()) } else { Err(cause.into()) };
            async move { outcome }
        })
    }
}

/// The checks of a program. They run on the runtime on which this was made, not on the HTTP server's threads: each of those
/// has a runtime of its own that ends with it, and a database connection that was opened there would break under its next user.
pub struct Readiness {
    checks: Vec<Check>,
    runtime: Handle,
}

impl Readiness {
    /// Must be called on the program's own runtime.
    #[must_use]
    pub fn new(checks: Vec<Check>) -> Self {
        Self { checks, runtime: Handle::current() }
    }

    /// Runs all checks at once and returns the names of those that fail, in their order.
    async fn failed(&self) -> Vec<&'static str> {
        let start = |check: &Check| (check.name, self.runtime.spawn(timeout(TIMEOUT, (check.run)())));
        let running: Vec<_> = self.checks.iter().map(start).collect();
        let mut failed = Vec::new();
        for (name, check) in running {
            let cause = match check.await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(cause))) => cause,
                Ok(Err(late)) => late.into(),
                Err(crashed) => crashed.into(),
            };
            tracing::warn!(check = name, %cause, "not ready");
            failed.push(name);
        }
        failed
    }
}

/// Answers `GET /livez`: the process answers. It checks nothing else.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// Answers `GET /readyz`: 200 when every check succeeds; otherwise 503 and the names of those that fail.
pub async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    let failed = readiness.failed().await;
    if failed.is_empty() {
        HttpResponse::Ok().json(json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "unavailable", "failed": failed }))
    }
}

/// Binds a server that answers these two and nothing else, until `stop` is cancelled: for a program without an HTTP server.
pub fn serve(listen: SocketAddr, readiness: Readiness, stop: CancellationToken) -> io::Result<Server> {
    let readiness = Data::new(readiness);
    let app = move || {
        App::new()
            .app_data(readiness.clone())
            .route("/livez", web::get().to(live))
            .route("/readyz", web::get().to(ready))
    };
    Ok(HttpServer::new(app).workers(1).shutdown_signal(stop.cancelled_owned()).bind(listen)?.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_check_fails_by_an_error_a_panic_or_after_two_seconds() {
        let readiness = Readiness::new(vec![
            Check::state("good", "bad", || true),
            Check::new("silent", std::future::pending),
            Check::new("error", || async { Err("refused".into()) }),
            Check::state("state", "not connected", || false),
            Check::new("crash", || async { panic!("a test's panic") }),
        ]);
        let started = tokio::time::Instant::now();
        assert_eq!(readiness.failed().await, ["silent", "error", "state", "crash"]);
        assert_eq!(started.elapsed(), TIMEOUT);
    }
}
