//! Configuration by section, parsed and checked once, at the start.
//!
//! Layers, from weakest to strongest: the shipped `config/default.toml` (it is the reference manual, and the list of all
//! keys), [`Source::preset`], the TOML file, the environment, [`Source::overriding`]. [`Configuration::load`] merges them; a
//! program asks it for the sections that it needs by one of [`ApiSettings`], [`MailerSettings`], [`DevSettings`] and
//! [`ToolSettings`]. Keys of other sections may stay unset, but must exist and have the right type.

mod color;
mod configuration;
mod error;
mod fields;
mod files;
mod invisible;
mod layer;
mod organizations;
mod sections;
mod server_url;
mod settings;
mod source;
#[cfg(test)]
mod tests;

pub use color::Color;
pub use configuration::{Configuration, ShownValue};
pub use error::ConfigError;
pub use sections::{
    Admin, Auth, Bounces, Brand, Broker, Database, Dkim, DkimKey, ForwardedHeader, HostedPages, Keys,
    Languages, Limits, LinkTemplate, LinkValues, Links, LogFormat, Mail, Mailbox, Mailer, OptionalKeys,
    OrganizationMailSettings, OrganizationSettings, OutboxRelayConfig, PasswordMechanism, Passwords,
    PerMinute, PublicUrl, Retention, Server, Smtp, SmtpLogin, SmtpRelayConfig, SmtpTls, Support, Telemetry,
    TestMailbox, TopicArn, TrustedProxies, Webhooks,
};
pub use settings::{
    ApiSettings, AuditSettings, BounceSettings, ConsoleSettings, DeadLetterSettings, DevSettings,
    MailerSettings, OperatorSettings, ToolSettings, WebhookSettings, WebhookToolSettings,
};
pub use source::Source;
