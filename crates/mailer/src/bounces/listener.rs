//! The listener for reports, `bounces.listen`: only these paths, each only where it can be checked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpServer, Resource,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::{ErrorRequestTimeout, InternalError},
    middleware::{Next, from_fn},
    web::{self, Bytes, Data, PayloadConfig, ServiceConfig},
};
use rekey_core::{clock::Clock, deliveries::reports::Recorded, error::chain};
use rekey_runtime::{config::Bounces, lifecycle::Tasks, proxies::Proxies};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::timeout;

use super::{
    Answer, Fetch, IngestError, Ingested, MAX_REPORT, Reports,
    callers::Callers,
    feed::{FeedError, Webhook},
    mailgun, postmark, result_name, sendgrid,
    sns::Sns,
};
use crate::metrics::{self, Source};

/// The largest request of a provider, in bytes: they send events in batches of some hundred KiB.
const MAX_WEBHOOK: usize = 2 << 20;
/// How many connections may be open.
const MAX_CONNECTIONS: usize = 64;
/// How long a request may take, its transfer included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// After how many seconds a report is to come again that can't be recorded yet.
const RETRY_AFTER: u32 = 60;

/// The listener for reports, before it is opened.
pub struct Listener {
    /// Records them.
    pub reports: Reports,
    /// The keys of the providers.
    pub settings: Bounces,
    /// Who is believed about the addresses of callers.
    pub proxies: Proxies,
    /// The clock by which signatures grow old.
    pub clock: Arc<dyn Clock>,
    /// Fetches the certificates of Amazon SNS.
    pub fetch: Arc<dyn Fetch>,
}

/// The listener can't be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't listen on {address}: set bounces.listen to an address and port that are free, or leave it empty"
)]
pub struct ListenError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

struct State {
    reports: Reports,
    settings: Bounces,
    clock: Arc<dyn Clock>,
    sns: Sns,
    proxies: Proxies,
    callers: Callers,
}

impl Listener {
    /// Listens at this address, as one of the program's tasks.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn serve(self, address: SocketAddr, tasks: &mut Tasks) -> Result<(), ListenError> {
        let Self { reports, settings, proxies, clock, fetch } = self;
        metrics::start_reports();
        let sns = Sns::new(settings.ses_topics.clone(), fetch);
        let state = Data::new(State { reports, settings, clock, sns, proxies, callers: Callers::new() });
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(PayloadConfig::new(MAX_REPORT))
                .wrap(from_fn(within_bounds))
                .configure(|routes| configure(routes, &state.settings))
        };
        let server = HttpServer::new(app).workers(1).max_connections(MAX_CONNECTIONS);
        let server = server.shutdown_signal(tasks.token().cancelled_owned());
        let server = server.bind(address).map_err(|cause| ListenError { address, cause })?;
        tasks.spawn("bounces", server.run());
        Ok(())
    }
}

fn configure(routes: &mut ServiceConfig, settings: &Bounces) {
    routes.route("/bounces/report", web::post().to(report));
    if settings.mailgun_signing_key.is_some() {
        routes.service(webhook("/bounces/mailgun").route(web::post().to(mailgun)));
    }
    if settings.sendgrid_public_key.is_some() {
        routes.service(webhook("/bounces/sendgrid").route(web::post().to(sendgrid)));
    }
    if settings.postmark_login.is_some() {
        routes.service(webhook("/bounces/postmark").route(web::post().to(postmark)));
    }
    if !settings.ses_topics.is_empty() {
        routes.service(webhook("/bounces/ses").route(web::post().to(ses)));
    }
}

fn webhook(path: &str) -> Resource {
    web::resource(path).app_data(PayloadConfig::new(MAX_WEBHOOK))
}

async fn within_bounds(
    state: Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let address = state.proxies.client_address(peer, request.headers());
    let Some(_request) = state.callers.admit(address) else {
        return Err(InternalError::from_response("too many requests", come_again(1)).into());
    };
    timeout(TIMEOUT, next.call(request)).await.unwrap_or_else(|_| Err(ErrorRequestTimeout("too slow")))
}

async fn report(state: Data<State>, body: Bytes) -> HttpResponse {
    match state.reports.ingest(&body).await {
        Ok(Ingested { recorded: Recorded::Unsettled, .. }) => come_again(RETRY_AFTER),
        Ok(Ingested { delivery, kind, recorded }) => HttpResponse::Ok().json(json!({
            "delivery": delivery.as_str(),
            "kind": kind.as_str(),
            "result": result_name(recorded),
        })),
        Err(error @ IngestError::Forged) => {
            tracing::warn!(%error, "a report was refused");
            HttpResponse::Forbidden().body(error.to_string())
        }
        Err(error @ IngestError::NotReported(_)) => {
            HttpResponse::UnprocessableEntity().body(error.to_string())
        }
        Err(IngestError::Store(error)) => {
            tracing::warn!(cause = chain(&error), "a report can't be recorded");
            come_again(RETRY_AFTER)
        }
    }
}

async fn mailgun(state: Data<State>, body: Bytes) -> HttpResponse {
    let key = state.settings.mailgun_signing_key.as_ref().map_or("", |key| key.expose_secret());
    state.record(Source::Mailgun, mailgun::webhooks(key, &body, state.clock.now())).await
}

async fn sendgrid(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let key = state.settings.sendgrid_public_key.as_deref().unwrap_or_default();
    let [timestamp, signature] =
        [sendgrid::TIMESTAMP, sendgrid::SIGNATURE].map(|name| header(&request, name));
    state.record(Source::Sendgrid, sendgrid::webhooks(key, timestamp, signature, &body)).await
}

async fn postmark(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let login = state.settings.postmark_login.as_ref().map_or("", |login| login.expose_secret());
    state.record(Source::Postmark, postmark::webhooks(login, header(&request, "Authorization"), &body)).await
}

async fn ses(state: Data<State>, body: Bytes) -> HttpResponse {
    let webhooks = state.sns.webhooks(&body, state.clock.now()).await;
    state.record(Source::Ses, webhooks).await
}

impl State {
    async fn record(&self, source: Source, webhooks: Result<Vec<Webhook>, FeedError>) -> HttpResponse {
        match webhooks {
            Ok(webhooks) => match self.reports.record_webhooks(source, webhooks).await {
                Ok(Answer::Done) => HttpResponse::NoContent().finish(),
                Ok(Answer::ComeAgain) => come_again(RETRY_AFTER),
                Err(error) => {
                    tracing::warn!(cause = chain(&error), "a report can't be recorded");
                    come_again(RETRY_AFTER)
                }
            },
            Err(error) => refuse(source, &error),
        }
    }
}

fn refuse(source: Source, error: &FeedError) -> HttpResponse {
    let provider: &'static str = source.into();
    tracing::warn!(provider, %error, "a provider's report was refused");
    let (result, mut answer) = match error {
        FeedError::Refused(_) => ("refused", HttpResponse::Forbidden()),
        FeedError::Malformed(_) => ("ignored", HttpResponse::BadRequest()),
        FeedError::Unavailable(_) => ("failed", HttpResponse::ServiceUnavailable()),
    };
    metrics::count_report(source, result);
    answer.body(error.to_string())
}

fn come_again(seconds: u32) -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header(("Retry-After", seconds.to_string())).finish()
}

/// Returns a header; empty if it is missing.
fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
