//! A store that calls each port under the database role of the program that uses it.

use async_trait::async_trait;
use rekey_core::{
    attributes::CommonAttributes,
    cleanup::PurgeKind,
    clients::{ClientChange, RegisteredClient},
    customers::{
        Credentials, CustomerChange, NewCustomer,
        anonymization::{Anonymization, DueAnonymization},
        email_change::{EmailTries, EmailUndo, RecordedEmailChange},
        import::{self, ImportKey, ImportRecord, SourceDigest, StartedImport},
        store::ChangeEvents,
    },
    deliveries::{
        MailJob, Outcome,
        ledger::Claim,
        log::{DeliveryFilter, DeliveryLife, DeliveryLog, LoggedDelivery},
        reports::{NewReport, Recorded},
        suppression::{Suppression, SuppressionFilter},
    },
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{
        EventName,
        audit::{
            AuditEntry,
            chain::{Chained, ChainedEntry, Link, Unchained},
        },
        outbox::{ClaimedMessage, NewEvent, Settlement},
    },
    gauges::{Backlog, KeyAges, UnsentMails, WebhookBacklog},
    idempotency::{Claimed, KeyClaim},
    ids::{
        AccessTokenId, ApplicationId, AuditId, CallbackId, CustomerId, EmailChangeId, EventId,
        OrganizationId, RecordId, ResetId, SessionId, WebhookId,
    },
    key_rotation::{KeyChange, KeyKind, KeyLog},
    limits::WindowCounts,
    name::DisplayName,
    organizations::{NewOrganization, Organization},
    passwords::{PasswordHash, SchemeName},
    resets::{
        CreatedReset, Redeemed, RejectableReset, TokenHolder,
        store::{Completion, ResetRecord, ResetRejection},
    },
    resources::{
        Relationship, Resource,
        catalog::Related,
        listing::{Listed, Listing},
        record::Record,
    },
    scope::Scope,
    secrets::{
        CodeDigest, KeyDigest, KeyRing, RefreshTokenDigest, SealedAnswer, TokenDigest, UndoTokenDigest,
    },
    sessions::{
        EndSessionOutcome, NewSession, Refresh, RefreshOutcome, SignInRecord, StoredScheme,
        guesses::{GuessCharge, GuessCounter, GuessSource},
    },
    webhooks::{
        NewWebhook, WebhookChange,
        circuit_mails::OpenCircuit,
        queue::{AttemptResult, ClaimLimits, ClaimedCallback, Settled},
        replay::{Replay, ReplayError, Replayed},
        store::{NewCallbacks, RecordedEvent, Subscription, WriteWebhookError},
    },
};
use rekey_store_postgres::PostgresStore;
use rekey_testkit::{postgres::TestDatabase, store::prelude::*};
use time::{Duration, OffsetDateTime};

/// How long a call waits for a connection.
const TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

/// One migrated database under the role of each program.
#[derive(Debug, Clone)]
pub struct ByRole {
    /// rekey-api.
    pub api: PostgresStore,
    /// rekey-mailer.
    pub mailer: PostgresStore,
    /// rekey-webhooks.
    pub webhooks: PostgresStore,
    /// `rekey maintain` and `rekey purge`.
    pub maintenance: PostgresStore,
    /// `rekey console`.
    pub console: PostgresStore,
    /// `rekey migrate` and the operator's other commands.
    pub owner: PostgresStore,
}

impl ByRole {
    /// Migrates a database, and connects to it under each role.
    pub async fn migrate(database: &TestDatabase) -> Self {
        database.create_roles().await;
        let owner = connect(&database.url());
        owner.migrate().await.unwrap();
        let [api, mailer, webhooks, maintenance, console] =
            ["rekey_api", "rekey_mailer", "rekey_webhooks", "rekey_maintenance", "rekey_console"]
                .map(|role| connect(&database.url_as(role)));
        Self { api, mailer, webhooks, maintenance, console, owner }
    }
}

/// Connects as the URL's role.
pub fn connect(url: &str) -> PostgresStore {
    PostgresStore::connect(url, 8, TIMEOUT).unwrap()
}

/// Implements a port: each method under the role that is named before it.
macro_rules! port {
    ($port:ident { $($role:ident.$method:ident($($name:ident: $type:ty),*) -> $result:ty;)+ }) => {
        #[async_trait]
        impl $port for ByRole {
            $(async fn $method(&self $(, $name: $type)*) -> $result {
                self.$role.$method($($name),*).await
            })+
        }
    };
}

type Stored<T> = Result<T, StoreError>;

port!(Ping { api.ping() -> Stored<()>; });
port!(OrganizationStore {
    owner.create_organization(organization: &NewOrganization, audit: &AuditEntry) -> Result<Organization, CreateError>;
    owner.rename_organization(id: OrganizationId, name: &DisplayName, audit: &AuditEntry) -> Stored<bool>;
    owner.organizations() -> Stored<Vec<Organization>>;
});
port!(ClientStore {
    owner.create_api_client(client: &RegisteredClient, audit: &AuditEntry) -> Result<RegisteredClient, CreateError>;
    owner.api_clients() -> Stored<Vec<RegisteredClient>>;
    api.find_api_client(client_id: &str) -> Stored<Option<RegisteredClient>>;
    owner.update_api_client(scope: Scope, id: ApplicationId, change: &ClientChange, audit: &AuditEntry) -> Stored<bool>;
    owner.revoke_api_client(scope: Scope, id: ApplicationId, audit: &AuditEntry) -> Stored<bool>;
});
port!(SuppressionStore {
    owner.suppressions(filter: SuppressionFilter) -> Stored<Vec<Suppression>>;
    owner.lift_suppression(scope: Scope, email: &EmailAddress, audit: &AuditEntry) -> Stored<bool>;
});
port!(Importer {
    owner.begin_import(scope: Scope, source: &SourceDigest, key: &ImportKey) -> Stored<StartedImport>;
    owner.import_customers(scope: Scope, records: &[ImportRecord], updates: bool) -> Stored<Vec<import::Outcome>>;
    owner.preview_import(scope: Scope, records: &[ImportRecord], updates: bool) -> Stored<Vec<import::Outcome>>;
    owner.refresh_statistics() -> Stored<()>;
    owner.finish_import(scope: Scope, source: &SourceDigest) -> Stored<()>;
});
port!(Catalog {
    api.find(scope: Scope, resource: &'static Resource, id: RecordId) -> Stored<Option<Record>>;
    api.list(scope: Scope, listing: &Listing) -> Stored<Listed>;
    api.related(
        scope: Scope, owner: &'static Resource, relationship: &'static Relationship, ids: &[RecordId]
    ) -> Stored<Vec<Related>>;
});
port!(ResetStore {
    api.create_reset(scope: Scope, record: &ResetRecord<'_>) -> Result<Option<CreatedReset>, CreateError>;
    api.update_reset(scope: Scope, id: ResetId, changes: &CommonAttributes, audit: &AuditEntry) -> Stored<bool>;
    api.delete_reset(scope: Scope, id: ResetId, event: &NewEvent, audit: &AuditEntry) -> Stored<bool>;
});
port!(TokenStore {
    api.find_token_holder(reset: ResetId, token: &TokenDigest) -> Stored<Option<TokenHolder>>;
    api.complete_reset(completion: &Completion<'_>) -> Stored<bool>;
    api.find_rejectable(reset: ResetId) -> Stored<Option<RejectableReset>>;
    api.reject_reset(rejection: &ResetRejection<'_>) -> Stored<bool>;
});
port!(CodeStore {
    api.redeem_code(scope: Option<Scope>, resets: &[ResetId], code: &[CodeDigest], audits: &[AuditEntry]) -> Stored<Option<Redeemed>>;
});
port!(CustomerStore {
    api.create_customer(scope: Scope, customer: &NewCustomer, event: &NewEvent, audit: &AuditEntry) -> Result<(), CreateError>;
    api.update_customer(
        scope: Scope, id: CustomerId, change: &CustomerChange, events: ChangeEvents<'_>, audit: &AuditEntry
    ) -> Result<bool, CreateError>;
    api.delete_customer(scope: Scope, id: CustomerId, event: &NewEvent, audit: &AuditEntry) -> Stored<bool>;
});
port!(EmailChangeStore {
    api.count_email_try(scope: Scope, id: CustomerId, limit: EmailTries, audit: &AuditEntry) -> Stored<Option<Duration>>;
    api.find_email_change(id: EmailChangeId, token: &UndoTokenDigest) -> Stored<Option<RecordedEmailChange>>;
    api.undo_email_change(undo: &EmailUndo<'_>) -> Stored<bool>;
});
port!(Sessions {
    api.find_credentials(scope: Scope, email: &EmailAddress) -> Stored<Option<Credentials>>;
    api.next_scheme(organization: OrganizationId, after: Option<&SchemeName>) -> Stored<Option<StoredScheme>>;
    api.rehash_password(scope: Scope, customer: CustomerId, old: &PasswordHash, new: &PasswordHash) -> Stored<()>;
    api.record_sign_in(scope: Scope, record: &SignInRecord<'_>) -> Stored<()>;
    api.open_session(scope: Scope, session: &NewSession<'_>) -> Stored<bool>;
    api.session_is_live(scope: Scope, session: SessionId, max_age: Duration) -> Stored<bool>;
    api.refresh_session(scope: Scope, refresh: &Refresh<'_>) -> Stored<RefreshOutcome>;
    api.end_session(scope: Scope, session: SessionId) -> Stored<()>;
    api.end_session_of_token(
        scope: Scope, application: ApplicationId, token: &RefreshTokenDigest
    ) -> Stored<EndSessionOutcome>;
    api.revoke_access_token(
        scope: Scope, application: ApplicationId, token: AccessTokenId, remaining: Duration
    ) -> Stored<()>;
    api.revoked_access_tokens(scope: Scope, application: ApplicationId) -> Stored<Vec<AccessTokenId>>;
});
port!(PasswordGuesses {
    api.charge_guess(source: &GuessSource, budget: u32) -> Stored<GuessCharge>;
    api.return_guess(source: &GuessSource, charged: GuessCounter) -> Stored<()>;
    api.accept_guess(source: &GuessSource, charged: GuessCounter) -> Stored<()>;
});
port!(GaugeStore {
    api.outbox_backlog() -> Stored<Backlog>;
    api.unchained_entries() -> Stored<u64>;
    mailer.unsent_mails() -> Stored<UnsentMails>;
    webhooks.webhook_backlog() -> Stored<WebhookBacklog>;
    api.key_ages() -> Stored<KeyAges>;
});
port!(KeyLog {
    api.known_keys(kind: KeyKind) -> Stored<Option<Vec<String>>>;
    api.record_keys(change: &KeyChange<'_>) -> Stored<()>;
});
port!(AuditChain {
    api.queued_scopes() -> Stored<Vec<Scope>>;
    api.chain_entries(scope: Scope, keys: &KeyRing, max: u32) -> Stored<Chained>;
    owner.read_chain(scope: Scope, after: i64, max: u32) -> Stored<Vec<ChainedEntry>>;
    owner.chain_head(scope: Scope) -> Stored<Option<Link>>;
    owner.unchained(scope: Scope) -> Stored<Unchained>;
});
port!(AnswerStore {
    api.claim_key(scope: Scope, claim: &KeyClaim<'_>) -> Stored<Claimed>;
    api.settle_key(scope: Scope, key: &KeyDigest, attempt: u32, answer: Option<&SealedAnswer>) -> Stored<bool>;
});
port!(RateLimits {
    api.count_hits(window: &str, hits: &[i64]) -> Stored<WindowCounts>;
    api.sweep_hits() -> Stored<u64>;
});
port!(Outbox {
    api.claim_messages(lease: Duration, max: u32) -> Stored<Vec<ClaimedMessage>>;
    api.settle_messages(settlements: &[Settlement]) -> Stored<()>;
});
port!(Ledger {
    mailer.claim(job: &MailJob, lease: Duration) -> Stored<Claim>;
    mailer.settle(event: EventId, claim: u32, outcome: &Outcome) -> Stored<bool>;
    mailer.reject(event: EventId, payload: &[u8], reason: &str) -> Stored<bool>;
    mailer.republish_overdue(max: u32) -> Stored<u64>;
});
port!(ReportStore {
    mailer.record_report(report: &NewReport) -> Stored<Recorded>;
});
port!(DeliveryLog {
    console.deliveries(filter: &DeliveryFilter, limit: u32) -> Stored<Vec<LoggedDelivery>>;
    console.delivery_life(id: EventId) -> Stored<Option<DeliveryLife>>;
    console.waiting_deliveries(age: Duration, limit: u32) -> Stored<Vec<LoggedDelivery>>;
    console.revive_delivery(scope: Scope, id: EventId, publish: bool, audit: &AuditEntry) -> Stored<bool>;
    console.is_event(id: EventId, payload: &[u8]) -> Stored<Option<bool>>;
    console.record_dead_letter(id: EventId, audit: &AuditEntry) -> Stored<bool>;
});
port!(WebhookStore {
    api.create_webhook(scope: Scope, webhook: &NewWebhook, audit: &AuditEntry) -> Result<(), WriteWebhookError>;
    api.update_webhook(
        scope: Scope, id: WebhookId, change: &WebhookChange, audit: &AuditEntry
    ) -> Result<bool, WriteWebhookError>;
    api.delete_webhook(scope: Scope, id: WebhookId, audit: &AuditEntry) -> Stored<bool>;
});
port!(CallbackQueue {
    webhooks.claim_callbacks(lease: Duration, limits: ClaimLimits) -> Stored<Vec<ClaimedCallback>>;
    webhooks.settle_callback(id: CallbackId, attempt: u32, result: &AttemptResult) -> Stored<Settled>;
});
port!(CircuitMails {
    mailer.claim_circuit_mail(lease: Duration) -> Stored<Option<OpenCircuit>>;
    mailer.settle_circuit_mail(webhook: WebhookId, opened_at: OffsetDateTime, retry_after: Option<Duration>) -> Stored<()>;
});
port!(CallbackReplay {
    console.replay_callback(scope: Scope, id: CallbackId, audit: &AuditEntry) -> Result<(), ReplayError>;
    console.replay_callbacks(scope: Scope, replay: &Replay, audit: &AuditEntry) -> Stored<Replayed>;
});
port!(AnonymizationStore {
    api.due_anonymizations(age: Duration, max: u32) -> Stored<Vec<DueAnonymization>>;
    api.anonymize(age: Duration, customers: &[Anonymization]) -> Stored<u64>;
});
port!(Cleanup {
    maintenance.is_permitted() -> Stored<bool>;
    maintenance.forget_decoys(age: Duration, max: u32) -> Stored<u32>;
    maintenance.forget_quotas(age: Duration, max: u32) -> Stored<u64>;
    maintenance.forget_guesses(age: Duration, max: u32) -> Stored<u64>;
    maintenance.forget_email_changes(age: Duration) -> Stored<u64>;
    maintenance.erase(retry_after: Duration, max: u32) -> Stored<u64>;
    maintenance.end_sign_in_counts(age: Duration, ids: &[AuditId]) -> Stored<u64>;
    maintenance.purge(kind: PurgeKind, age: Duration, max: u32) -> Stored<u64>;
    maintenance.count_purgeable(kind: PurgeKind, age: Duration) -> Stored<u64>;
});

/// The worker adds what events lead to, the API what is triggered.
#[async_trait]
impl CallbackStore for ByRole {
    async fn find_event(&self, scope: Scope, id: EventId) -> Stored<Option<RecordedEvent>> {
        self.api.find_event(scope, id).await
    }

    async fn subscriptions(&self, scope: Scope, topic: EventName) -> Stored<Vec<Subscription>> {
        assert_eq!(
            self.api.subscriptions(scope, topic).await?,
            self.webhooks.subscriptions(scope, topic).await?
        );
        self.webhooks.subscriptions(scope, topic).await
    }

    async fn add_callbacks(&self, scope: Scope, callbacks: &NewCallbacks<'_>) -> Stored<u64> {
        let role = if callbacks.trigger.is_some() { &self.api } else { &self.webhooks };
        role.add_callbacks(scope, callbacks).await
    }
}
