//! Configuration by section, parsed and checked once, at the start.
//!
//! Layers, from weakest to strongest: the shipped `config/default.toml` (it is the reference manual, and the list of all
//! keys), [`Source::preset`], the TOML file, the environment, [`Source::overriding`]. A program asks for the sections it
//! needs by one of [`ApiSettings`], [`MailerSettings`], [`DevSettings`] and [`ToolSettings`]; keys of other sections may
//! stay unset, but must exist and have the right type.

mod color;
mod error;
mod organizations;
mod reader;
mod sections;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod value;
mod values;

pub use color::Color;
pub use error::ConfigError;
pub use organizations::Organizations;
pub use sections::{
    Auth, Brand, Broker, Database, Dkim, DkimKey, HostedPages, Keys, Languages, Limits, LinkTemplate,
    LinkValues, Links, LogFormat, Mail, Mailbox, Mailer, MailingShop, PasswordMechanism, Passwords,
    PerMinute, PublicUrl, Relay, Resets, Server, Shop, Smtp, SmtpLogin, SmtpRelay, SmtpTls, Support,
    Telemetry, TestMail, TrustedProxies,
};
pub use settings::{ApiSettings, DevSettings, MailSettings, MailerSettings, ToolSettings};
pub use source::Source;
