//! What every handler works with.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, web};
use rekey_core::{
    cleanup::{Cleanup, CleanupTask},
    clients::ClientStore,
    clock::Clock,
    customers::{service::CustomerService, store::CustomerStore},
    events::{outbox::RelaySignal, recorder::EventRecorder},
    idempotency::{AnswerStore, Idempotency},
    limits::RateLimits,
    organizations::PerOrganization,
    passwords::Hasher,
    ping::Ping,
    random::RandomSource,
    resets::{service::ResetService, store::Resets},
    resources::catalog::Catalog,
    secrets::KeyRing,
    sessions::{Sessions, sign_in::SignIn},
};
use rekey_runtime::{
    config::{self, Auth, Server, Shop, TrustedProxies},
    health::{Check, Readiness},
};

use crate::{
    auth::{
        clients::ClientDirectory,
        jwt::{Issuer, SigningKeyError},
    },
    jsonapi::error::Problem,
    limits::{Limits, Patient},
    pages::{Pages, PagesError},
};

/// The sections of the configuration that the API lives by.
#[derive(Debug, Clone, Copy)]
pub struct Config<'a> {
    pub server: &'a Server,
    pub auth: &'a Auth,
    pub limits: &'a config::Limits,
    pub shops: &'a PerOrganization<Shop>,
}

/// The parts that the API stands on.
pub struct Services {
    pub ports: Ports,
    /// Seals tokens and answers, signs events.
    pub keys: KeyRing,
    pub hasher: Hasher,
    /// Wakes the relay after a commit.
    pub signal: RelaySignal,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    /// What `/readyz` checks in addition to the store.
    pub checks: Vec<Check>,
}

/// What of the database the API needs, port by port.
pub struct Ports {
    pub ping: Arc<dyn Ping>,
    /// Reads records.
    pub catalog: Arc<dyn Catalog>,
    pub resets: Arc<dyn Resets>,
    pub customers: Arc<dyn CustomerStore>,
    pub clients: Arc<dyn ClientStore>,
    pub sessions: Arc<dyn Sessions>,
    /// Where decoys are cleared away.
    pub housekeeping: Arc<dyn Cleanup>,
    /// Keeps the answers of calls that may be repeated.
    pub answers: Arc<dyn AnswerStore>,
    /// Where rate limits are counted.
    pub limits: Arc<dyn RateLimits>,
}

impl Ports {
    /// All of them on one database.
    pub fn on<D>(database: &D) -> Self
    where
        D: Ping
            + Resets
            + CustomerStore
            + ClientStore
            + Sessions
            + Cleanup
            + AnswerStore
            + RateLimits
            + Clone,
    {
        Self {
            ping: Arc::new(database.clone()),
            catalog: Arc::new(database.clone()),
            resets: Arc::new(database.clone()),
            customers: Arc::new(database.clone()),
            clients: Arc::new(database.clone()),
            sessions: Arc::new(database.clone()),
            housekeeping: Arc::new(database.clone()),
            answers: Arc::new(database.clone()),
            limits: Arc::new(Patient::new(Arc::new(database.clone()))),
        }
    }
}

/// The use cases, and what the edge needs beside them.
pub struct Api {
    pub recovery: ResetService,
    pub registration: CustomerService,
    pub sign_in: SignIn,
    /// Reads records.
    pub catalog: Arc<dyn Catalog>,
    pub idempotency: Idempotency,
    pub clients: ClientDirectory,
    pub issuer: Issuer,
    pub limits: Limits,
    pub housekeeper: CleanupTask,
    pub pages: Pages,
    pub readiness: web::Data<Readiness>,
    /// What every link begins with; no request can change it.
    pub public_url: String,
    pub trusted_proxies: TrustedProxies,
    pub max_body_bytes: usize,
}

/// Why there is no API.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// An organization's pages can't be made.
    #[error(transparent)]
    Pages(#[from] PagesError),
}

impl Api {
    /// Puts the use cases together.
    pub fn new(config: Config<'_>, services: Services) -> Result<Self, ApiError> {
        let Services { ports, keys, hasher, signal, clock, random, mut checks } = services;
        let Ports {
            ping,
            catalog,
            resets,
            customers,
            clients,
            sessions,
            housekeeping,
            answers,
            limits: counts,
        } = ports;
        let Config { server, auth, limits, shops } = config;
        let life = whole_seconds(server.idempotency_key_life);
        let idempotency = Idempotency { answers, keys: keys.clone(), random: random.clone(), life };
        let recorder = EventRecorder { keys, clock: clock.clone(), random: random.clone(), signal };
        let rules = Arc::new(shops.map(|shop| shop.rules));
        let ping = move || {
            let database = ping.clone();
            async move { Ok(database.ping().await?) }
        };
        checks.insert(0, Check::new("store", ping));
        Ok(Self {
            recovery: ResetService {
                store: resets,
                recorder: recorder.clone(),
                hasher: hasher.clone(),
                rules: rules.clone(),
            },
            registration: CustomerService { store: customers, recorder, hasher: hasher.clone(), rules },
            sign_in: SignIn {
                sessions: sessions.clone(),
                hasher,
                random: random.clone(),
                session_life: whole_seconds(auth.refresh_token_life),
                refresh_leeway: whole_seconds(auth.refresh_leeway),
            },
            catalog,
            idempotency,
            clients: ClientDirectory::new(clients, sessions, clock.clone()),
            housekeeper: CleanupTask { store: housekeeping },
            limits: Limits::new(*limits, counts, clock.clone()),
            issuer: Issuer::new(auth, clock, random)?,
            pages: Pages::new(server, auth, shops)?,
            readiness: web::Data::new(Readiness::new(checks)),
            public_url: server.public_url.as_str().to_owned(),
            trusted_proxies: server.trusted_proxies.clone(),
            max_body_bytes: server.max_body_bytes,
        })
    }

    /// The one that serves this request.
    pub fn of(request: &HttpRequest) -> Result<&Self, Problem> {
        request.app_data::<web::Data<Self>>().map(web::Data::get_ref).ok_or(Problem::Internal)
    }
}

fn whole_seconds(duration: Duration) -> time::Duration {
    time::Duration::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
