//! Whether the mailer lives and whether it can work, for whoever runs it.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{App, HttpResponse, HttpServer, web};
use rekey_core::deliveries::ledger::Ledger;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::MailHandler;

/// What readiness depends on.
pub struct Readiness {
    pub ledger: Arc<dyn Ledger>,
    /// Whether messages come in.
    pub connected: Box<dyn Fn() -> bool + Send + Sync>,
    pub handler: Arc<MailHandler>,
}

#[derive(Serialize)]
struct Report {
    database: bool,
    broker: bool,
    /// Whether live mails can be sent, as far as the last one told.
    mail: bool,
}

/// Answers `GET /livez` and `GET /readyz` on the listener until `stop` is cancelled.
pub async fn serve(listener: TcpListener, readiness: Readiness, stop: CancellationToken) -> io::Result<()> {
    // A server's worker has a runtime of its own, which ends with it. A database connection that is made there would die in
    // the hands of a mail that is still on its way, so the database is asked from the mailer's own runtime.
    let (readiness, runtime) = (web::Data::new(readiness), web::Data::new(Handle::current()));
    let app = move || {
        App::new()
            .app_data(readiness.clone())
            .app_data(runtime.clone())
            .route("/livez", web::get().to(HttpResponse::NoContent))
            .route("/readyz", web::get().to(readyz))
    };
    let server = HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(async move {
        stop.cancelled().await;
        handle.stop(true).await;
    });
    server.await
}

async fn readyz(readiness: web::Data<Readiness>, runtime: web::Data<Handle>) -> HttpResponse {
    let ledger = Arc::clone(&readiness.ledger);
    let ping = runtime.spawn(async move { ledger.ping().await.is_ok() });
    let report = Report {
        database: ping.await.unwrap_or(false),
        broker: (readiness.connected)(),
        mail: !readiness.handler.is_paused(),
    };
    let ready = report.database && report.broker && report.mail;
    let mut answer = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(report)
}
