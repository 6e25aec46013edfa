//! `rekey console`: the operators' pages, next to `/readyz` and `/metrics` on the admin listener.
//!
//! The pages are rendered here, work without scripts, and load nothing from elsewhere. [`request`] has who may call what, [`page`] the
//! look and headers of every answer.

mod dead_letters;
mod letters;
mod mails;
mod overview;
mod page;
mod problem;
mod request;
mod sign_in;
mod suppressions;
mod webhooks;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    web::{self, Data, FormConfig, PathConfig, QueryConfig, ServiceConfig},
};
use anyhow::Context;
use clap::Args;
use rekey_core::{
    operators::sign_in::OperatorSignIn,
    passwords::{Hasher, HasherConfig},
    ping::Ping,
    random::OsRandom,
};
use rekey_runtime::{
    admin,
    config::{Configuration, ConsoleSettings, Source},
    health::{Check, Readiness, probe},
    lifecycle::{Signals, Tasks},
    telemetry,
};
use rekey_store_postgres::PostgresStore;
use secrecy::ExposeSecret;

use self::{letters::Letters, problem::Problem};
use crate::dead_letter::rabbit_config;

/// The arguments of `rekey console`.
#[derive(Debug, Args)]
pub struct Options {
    /// Ask the running console at its admin listener whether it is ready, print what fails, and exit with 0 or 1.
    #[arg(long)]
    health: bool,
}

/// The admin listener's port, where `admin.listen` has no other.
const ADMIN_PORT: u16 = 8083;
/// How many passwords wait to be compared. It limits all sign-ins together: one more is asked to come back.
const HASHING_QUEUE: usize = 16;
/// The most bytes of a form.
const MAX_FORM: usize = 16 * 1024;
/// Requests are short.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What the pages need.
struct Console {
    store: PostgresStore,
    sign_in: OperatorSignIn,
    letters: Letters,
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(options: &Options, source: Source) -> anyhow::Result<()> {
    if options.health {
        return probe(&source, ADMIN_PORT).await;
    }
    let settings: ConsoleSettings = Configuration::load(&source)?.settings()?;
    let address = settings.admin.address(ADMIN_PORT);
    let address = address.context("admin.listen is \"off\": the console needs an IP address and a port")?;
    let telemetry = telemetry::init(&settings.telemetry, "rekey-console", Some(address))?;
    let database = &settings.database;
    let url = database.url.expose_secret();
    let store = PostgresStore::connect(url, database.max_connections, database.acquire_timeout)?;
    let store = store.measured_as("console");
    store.check().await.context("the database can't be used")?;
    store.check_schema().await.context("the database can't be used")?;

    let (mut tasks, signals) = (Tasks::new(), Signals::listen()?);
    let hasher =
        HasherConfig { threads: NonZeroUsize::MIN, queue: HASHING_QUEUE, ..settings.passwords.hasher };
    let hasher = Hasher::start(hasher, Arc::new(OsRandom))?;
    let console = Data::new(Console {
        sign_in: OperatorSignIn::new(Arc::new(store.clone()), hasher, Arc::new(OsRandom)),
        letters: Letters::new(rabbit_config(&settings.broker)?, store.clone()),
        store: store.clone(),
    });
    page::check()?;
    let readiness = Arc::new(Readiness::new(vec![store_check(&store)]));
    admin::serve_with(&mut tasks, Some(address), readiness, telemetry.metrics(), routes(console))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, "the console is served");
    let stopped = tasks.run_until_signal(signals, STOP_TIMEOUT).await;
    store.close().await;
    Ok(stopped?)
}

/// The broker is no condition: all pages but one work without it.
fn store_check(store: &PostgresStore) -> Check {
    let store = store.clone();
    Check::new("store", move || {
        let store = store.clone();
        async move { Ok(store.ping().await?) }
    })
}

fn routes(console: Data<Console>) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(console.clone())
            .app_data(FormConfig::default().limit(MAX_FORM).error_handler(|_, _| Problem::BadRequest.into()))
            .app_data(QueryConfig::default().error_handler(|_, _| Problem::BadRequest.into()))
            .app_data(PathConfig::default().error_handler(|_, _| Problem::NotFound.into()))
            .route("/", web::get().to(overview::show))
            .route("/sign-in", web::get().to(sign_in::show))
            .route("/sign-in", web::post().to(sign_in::submit))
            .route("/sign-out", web::post().to(sign_in::sign_out))
            .route("/mails", web::get().to(mails::list))
            .route("/mails/{id}", web::get().to(mails::show))
            .route("/mails/{id}/resend", web::post().to(mails::resend))
            .route("/dead-letters", web::get().to(dead_letters::list))
            .route("/dead-letters/replay", web::post().to(dead_letters::replay))
            .route("/suppressions", web::get().to(suppressions::list))
            .route("/suppressions/lift", web::post().to(suppressions::lift))
            .route("/webhooks", web::get().to(webhooks::list))
            .route("/webhooks/{id}", web::get().to(webhooks::show))
            .route("/webhooks/{id}/replay", web::post().to(webhooks::replay_failed))
            .route("/webhooks/{id}/reset-circuit", web::post().to(webhooks::reset_circuit))
            .route("/webhooks/{id}/callbacks/{callback}/replay", web::post().to(webhooks::replay_one))
            .route("/console.css", web::get().to(page::style))
            .default_service(web::to(async || Err::<HttpResponse, _>(Problem::NotFound)));
    }
}
