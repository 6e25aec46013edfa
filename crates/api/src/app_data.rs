//! The parts of the API: handlers, middleware and extractors take those that they need as `web::Data`.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::web::{Data, PayloadConfig, ServiceConfig};
use rekey_core::{
    clients::ClientStore,
    clock::Clock,
    customers::{
        anonymization::{AnonymizationStore, AnonymizationTask},
        service::CustomerService,
        store::CustomerStore,
    },
    documents::Documents,
    events::{
        audit::{chain::AuditChain, chainer::Chainer},
        recorder::EventRecorder,
        relay_queue::RelayQueue,
    },
    idempotency::{AnswerStore, Idempotency},
    key_rotation::{KeyKind, KeyLog, KeyRecorder},
    limits::RateLimits,
    organizations::PerOrganization,
    passwords::Hasher,
    ping::Ping,
    random::RandomSource,
    resets::{rules::SharedRules, service::ResetService, store::Resets},
    secrets::KeyRing,
    sessions::{
        Sessions,
        guesses::{PasswordGuesses, PasswordThrottle},
        sign_in::{SessionTtls, SignIn},
    },
    webhooks::{
        fan_out::FanOut,
        service::WebhookService,
        store::{CallbackStore, WebhookStore},
    },
};
use rekey_runtime::{
    config::{self, Auth, OrganizationSettings, Server},
    health::{Check, Readiness},
    proxies::Proxies,
};

use crate::{
    auth::{
        clients::ClientDirectory,
        jwt::{Issuer, SigningKeyError},
    },
    limits::Limits,
    oauth::AuthorizationServer,
    pages::{Pages, PagesError, SharedPages},
};

/// The sections of the configuration that the API needs.
#[derive(Debug, Clone, Copy)]
pub struct Config<'a> {
    pub server: &'a Server,
    pub auth: &'a Auth,
    pub limits: &'a config::Limits,
    /// How long after its request a customer is anonymized.
    pub anonymization_delay: time::Duration,
    pub organizations: &'a PerOrganization<OrganizationSettings>,
}

/// The services that the API is built on.
pub struct Services {
    pub database: Arc<dyn Database>,
    /// Counts requests for the rate limits; usually the database [`WithTimeout`](crate::WithTimeout).
    pub rate_limits: Arc<dyn RateLimits>,
    /// Seals tokens and answers, signs events.
    pub keys: KeyRing,
    pub hasher: Hasher,
    /// Takes committed events to the relay of this process.
    pub relay_queue: RelayQueue,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    /// What `/readyz` checks in addition to the store and the hashing threads.
    pub checks: Vec<Check>,
}

/// A database with all ports that the API needs.
pub trait Database:
    Ping
    + Resets
    + CustomerStore
    + AnonymizationStore
    + ClientStore
    + Sessions
    + PasswordGuesses
    + KeyLog
    + AuditChain
    + AnswerStore
    + RateLimits
    + WebhookStore
    + CallbackStore
{
}

impl<T> Database for T where
    T: Ping
        + Resets
        + CustomerStore
        + AnonymizationStore
        + ClientStore
        + Sessions
        + PasswordGuesses
        + KeyLog
        + AuditChain
        + AnswerStore
        + RateLimits
        + WebhookStore
        + CallbackStore
{
}

/// Why the API can't be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// An organization's pages can't be built.
    #[error(transparent)]
    Pages(#[from] PagesError),
    #[error("can't listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
}

/// What the API has read of the organizations' folders. Copies share it.
#[derive(Clone)]
pub struct SharedOrganizations {
    /// The rules of all organizations.
    pub rules: SharedRules,
    pages: Data<SharedPages>,
}

impl SharedOrganizations {
    /// Replaces the settings of all organizations. Requests in progress keep the pages that they began with.
    ///
    /// # Errors
    /// When a text or template of an organization is malformed. Nothing is replaced then.
    pub fn replace(&self, settings: &PerOrganization<OrganizationSettings>) -> Result<(), BuildError> {
        let pages = self.pages.load().rebuild(settings)?;
        self.pages.store(Arc::new(pages));
        self.rules.store(Arc::new(settings.map(OrganizationSettings::rules)));
        Ok(())
    }
}

/// The use cases, and what the HTTP side needs with them.
#[derive(Clone)]
pub struct AppData {
    resets: Data<ResetService>,
    customers: Data<CustomerService>,
    sign_in: Data<SignIn>,
    idempotency: Data<Idempotency>,
    clients: Data<ClientDirectory>,
    issuer: Data<Issuer>,
    authorization: Data<AuthorizationServer>,
    documents: Data<Documents>,
    webhooks: Data<WebhookService>,
    pub organizations: SharedOrganizations,
    proxies: Data<Proxies>,
    pub readiness: Data<Readiness>,
    pub limits: Data<Limits>,
    pub anonymization: AnonymizationTask,
    pub chainer: Chainer,
    pub key_recorder: KeyRecorder,
    max_body_bytes: usize,
}

impl AppData {
    /// Puts the parts together.
    pub fn new(config: Config<'_>, services: Services) -> Result<Self, BuildError> {
        let Services { database, rate_limits, keys, hasher, relay_queue, clock, random, mut checks } =
            services;
        let Config { server, auth, limits, anonymization_delay, organizations } = config;
        let pinged = database.clone();
        let ping = move || {
            let database = pinged.clone();
            async move { Ok(database.ping().await?) }
        };
        let is_hashing = {
            let hasher = hasher.clone();
            move || hasher.is_alive()
        };
        checks.insert(0, Check::new("store", ping));
        checks.insert(1, Check::state("hashing", "all hashing threads have ended", is_hashing));
        let ttl = whole_seconds(server.idempotency_key_ttl);
        let recorder =
            EventRecorder { keys: keys.clone(), clock: clock.clone(), random: random.clone(), relay_queue };
        let rules = OrganizationSettings::shared_rules(organizations);
        let ttls = SessionTtls {
            session: whole_seconds(auth.refresh_token_ttl),
            max_age: whole_seconds(auth.session_max_age),
            refresh_leeway: whole_seconds(auth.refresh_leeway),
        };
        let throttle =
            PasswordThrottle { guesses: database.clone(), budget: auth.password_guesses, keys: keys.clone() };
        let sign_in =
            Data::new(SignIn::new(database.clone(), throttle, hasher.clone(), random.clone(), ttls));
        let clients = Data::new(ClientDirectory::new(database.clone(), database.clone(), clock.clone()));
        let limits = Data::new(Limits::new(*limits, rate_limits, clock.clone()));
        let issuer = Data::new(Issuer::new(auth, clock, random.clone())?);
        let key_recorder = KeyRecorder {
            store: database.clone(),
            random: random.clone(),
            keys: [(KeyKind::SigningKeys, issuer.key_ids()), (KeyKind::SealingKeys, keys.ids())],
        };
        let documents = Documents {
            catalog: database.clone(),
            keys: keys.clone(),
            api_url: format!("{}/api", server.public_url.as_str()),
        };
        let fan_out = FanOut::new(database.clone(), database.clone(), keys.clone(), random.clone());
        Ok(Self {
            authorization: Data::new(AuthorizationServer {
                clients: clients.clone(),
                issuer: issuer.clone(),
                limits: limits.clone(),
                sign_in: sign_in.clone(),
            }),
            chainer: Chainer { store: database.clone(), keys: keys.clone() },
            documents: Data::new(documents),
            webhooks: Data::new(WebhookService { store: database.clone(), fan_out }),
            resets: Data::new(ResetService {
                store: database.clone(),
                recorder: recorder.clone(),
                hasher: hasher.clone(),
                rules: rules.clone(),
            }),
            customers: Data::new(CustomerService {
                store: database.clone(),
                sessions: database.clone(),
                fresh_time: whole_seconds(auth.fresh_time),
                recorder: recorder.clone(),
                hasher,
                rules: rules.clone(),
            }),
            anonymization: AnonymizationTask {
                store: database.clone(),
                recorder,
                delay: anonymization_delay,
            },
            idempotency: Data::new(Idempotency { answers: database, keys, random, ttl }),
            organizations: SharedOrganizations {
                rules,
                pages: Data::new(SharedPages::from_pointee(Pages::new(server, auth, organizations)?)),
            },
            proxies: Data::new(Proxies::new(server)),
            readiness: Data::new(Readiness::new(checks)),
            key_recorder,
            max_body_bytes: server.max_body_bytes,
            sign_in,
            clients,
            issuer,
            limits,
        })
    }

    /// Makes all parts available to an app.
    pub fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.resets.clone())
            .app_data(self.customers.clone())
            .app_data(self.sign_in.clone())
            .app_data(self.idempotency.clone())
            .app_data(self.clients.clone())
            .app_data(self.issuer.clone())
            .app_data(self.authorization.clone())
            .app_data(self.documents.clone())
            .app_data(self.webhooks.clone())
            .app_data(self.organizations.pages.clone())
            .app_data(self.proxies.clone())
            .app_data(self.readiness.clone())
            .app_data(self.limits.clone())
            .app_data(PayloadConfig::new(self.max_body_bytes));
    }
}

fn whole_seconds(duration: Duration) -> time::Duration {
    time::Duration::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
