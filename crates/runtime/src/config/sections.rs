//! The sections of the file, one struct each, in types that need no second check.

mod admin;
mod auth;
mod bounces;
mod dkim;
mod limits;
mod links;
mod mail;
mod organization;
mod passwords;
mod public_url;
mod resets;
mod retention;
mod server;
mod smtp;
mod smtp_relay;
mod storage;
mod telemetry;
mod webhooks;

#[cfg(test)]
pub(super) use self::{dkim::DkimSection, organization::MailSections, resets::Resets};
pub use admin::Admin;
pub use auth::{Auth, Keys, OptionalKeys};
pub use bounces::{Bounces, TopicArn};
pub use dkim::{Dkim, DkimKey};
pub use limits::{Limits, PerMinute};
pub use links::{LinkTemplate, LinkValues, Links};
pub use mail::{Mail, Mailbox, Mailer, TestMailbox};
pub use organization::{
    Brand, HostedPages, Languages, OrganizationMailSettings, OrganizationSettings, Support,
};
pub use passwords::Passwords;
pub use public_url::PublicUrl;
pub use retention::Retention;
pub use server::{ForwardedHeader, Server, TrustedProxies};
pub use smtp::Smtp;
pub use smtp_relay::{PasswordMechanism, SmtpLogin, SmtpRelayConfig, SmtpTls};
pub use storage::{Broker, Database, OutboxRelayConfig};
pub use telemetry::{LogFormat, Telemetry};
pub use webhooks::Webhooks;
