//! All ports of a database together.

use rekey_core::{
    administration::AdministrationStore,
    cleanup::Cleanup,
    customers::{anonymization::AnonymizationStore, import::Importer, store::CustomerStore},
    deliveries::{ledger::Ledger, reports::ReportStore},
    events::{audit::chain::AuditChain, outbox::Outbox},
    gauges::GaugeStore,
    idempotency::AnswerStore,
    key_rotation::KeyLog,
    limits::RateLimits,
    ping::Ping,
    resets::store::Resets,
    sessions::{Sessions, guesses::PasswordGuesses},
    webhooks::{
        circuit_mails::CircuitMails,
        queue::CallbackQueue,
        replay::CallbackReplay,
        store::{CallbackStore, WebhookStore},
    },
};

/// A database with every port.
pub trait Store:
    Ping
    + AdministrationStore
    + Resets
    + CustomerStore
    + AnonymizationStore
    + Sessions
    + PasswordGuesses
    + KeyLog
    + AuditChain
    + Outbox
    + GaugeStore
    + Ledger
    + ReportStore
    + AnswerStore
    + RateLimits
    + Importer
    + Cleanup
    + WebhookStore
    + CallbackStore
    + CallbackQueue
    + CircuitMails
    + CallbackReplay
{
}

impl<T> Store for T where
    T: Ping
        + AdministrationStore
        + Resets
        + CustomerStore
        + AnonymizationStore
        + Sessions
        + PasswordGuesses
        + KeyLog
        + AuditChain
        + Outbox
        + GaugeStore
        + Ledger
        + ReportStore
        + AnswerStore
        + RateLimits
        + Importer
        + Cleanup
        + WebhookStore
        + CallbackStore
        + CallbackQueue
        + CircuitMails
        + CallbackReplay
{
}

/// The ports, for tests that use several.
pub mod prelude {
    pub use rekey_core::{
        administration::AdministrationStore,
        cleanup::Cleanup,
        clients::ClientStore,
        customers::{
            anonymization::AnonymizationStore, email_change::EmailChangeStore, import::Importer,
            store::CustomerStore,
        },
        deliveries::{ledger::Ledger, reports::ReportStore, suppression::SuppressionStore},
        events::{audit::chain::AuditChain, outbox::Outbox},
        gauges::GaugeStore,
        idempotency::AnswerStore,
        key_rotation::KeyLog,
        limits::RateLimits,
        organizations::OrganizationStore,
        ping::Ping,
        resets::store::{CodeStore, ResetStore, TokenStore},
        resources::catalog::Catalog,
        sessions::{Sessions, guesses::PasswordGuesses},
        webhooks::{
            circuit_mails::CircuitMails,
            queue::CallbackQueue,
            replay::CallbackReplay,
            store::{CallbackStore, WebhookStore},
        },
    };

    pub use super::Store;
}
