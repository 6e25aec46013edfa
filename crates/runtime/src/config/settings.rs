//! The sections that each program needs. Keys of other sections may stay unset.

use serde::Deserialize;

use super::sections::{
    Admin, Auth, Bounces, Broker, Database, Keys, Limits, Mailer, OptionalKeys, OutboxRelayConfig, Passwords,
    Retention, Server, Smtp, Telemetry, TestMailbox, Webhooks,
};

/// The settings of `rekey-api`.
#[derive(Debug, Deserialize)]
pub struct ApiSettings {
    pub server: Server,
    pub auth: Auth,
    pub keys: Keys,
    pub database: Database,
    pub broker: Broker,
    #[serde(rename = "relay")]
    pub outbox_relay: OutboxRelayConfig,
    pub passwords: Passwords,
    pub limits: Limits,
    pub retention: Retention,
    pub admin: Admin,
    pub telemetry: Telemetry,
}

/// The settings of `rekey-mailer`.
#[derive(Debug, Deserialize)]
pub struct MailerSettings {
    pub server: Server,
    pub keys: Keys,
    pub database: Database,
    pub broker: Broker,
    #[serde(rename = "mailbox")]
    pub test_mailbox: TestMailbox,
    pub smtp: Smtp,
    pub mailer: Mailer,
    pub bounces: Bounces,
    pub admin: Admin,
    pub telemetry: Telemetry,
}

/// The settings of `rekey-webhooks`.
#[derive(Debug, Deserialize)]
pub struct WebhookSettings {
    pub server: Server,
    pub keys: Keys,
    pub database: Database,
    pub broker: Broker,
    pub webhooks: Webhooks,
    pub admin: Admin,
    pub telemetry: Telemetry,
}

/// The settings of `rekey dev`: API and mailer in one process, without database server, broker and SMTP relay. It presets what
/// production requires and it generates itself: `server.public_url`, `auth.signing_key`, `keys.sealing` and `mail.from`.
#[derive(Debug, Deserialize)]
pub struct DevSettings {
    pub server: Server,
    pub auth: Auth,
    pub keys: Keys,
    #[serde(rename = "relay")]
    pub outbox_relay: OutboxRelayConfig,
    pub passwords: Passwords,
    pub limits: Limits,
    pub retention: Retention,
    pub mailer: Mailer,
    pub webhooks: Webhooks,
    pub telemetry: Telemetry,
}

/// The settings of `rekey dead-letter`.
#[derive(Debug, Deserialize)]
pub struct DeadLetterSettings {
    pub broker: Broker,
}

/// The settings of `rekey console`.
#[derive(Debug, Deserialize)]
pub struct ConsoleSettings {
    pub database: Database,
    pub broker: Broker,
    pub passwords: Passwords,
    pub admin: Admin,
    pub telemetry: Telemetry,
}

/// The settings of `rekey operator`, which makes passwords.
#[derive(Debug, Deserialize)]
pub struct OperatorSettings {
    pub passwords: Passwords,
}

/// The settings of the operator's commands, such as `rekey migrate`, and of `rekey maintain`.
#[derive(Debug, Deserialize)]
pub struct ToolSettings {
    pub database: Database,
    pub retention: Retention,
    pub telemetry: Telemetry,
}

/// The settings of `rekey bounce`.
#[derive(Debug, Deserialize)]
pub struct BounceSettings {
    pub keys: Keys,
}

/// The settings of `rekey webhook`.
#[derive(Debug, Deserialize)]
pub struct WebhookToolSettings {
    pub keys: Keys,
    pub webhooks: Webhooks,
}

/// The settings of `rekey audit`.
#[derive(Debug, Deserialize)]
pub struct AuditSettings {
    pub database: Database,
    pub retention: Retention,
    pub keys: OptionalKeys,
}
