//! The sections of the file, one struct each, in types that need no second check.

mod auth;
mod dkim;
mod limits;
mod links;
mod mail;
mod passwords;
mod public_url;
mod resets;
mod server;
mod shop;
mod smtp;
mod smtp_relay;
mod storage;
mod telemetry;

pub use auth::{Auth, Keys};
pub use dkim::{Dkim, DkimKey};
pub use limits::{Limits, PerMinute};
pub use links::{LinkTemplate, LinkValues, Links};
pub use mail::{Mail, Mailbox, Mailer, TestMail};
pub use passwords::Passwords;
pub use public_url::PublicUrl;
pub use resets::Resets;
pub use server::{Server, TrustedProxies};
pub use shop::{Brand, HostedPages, Languages, MailingShop, Shop, Support};
pub use smtp::Smtp;
pub use smtp_relay::{PasswordMechanism, SmtpLogin, SmtpRelay, SmtpTls};
pub use storage::{Broker, Database, Relay};
pub use telemetry::{LogFormat, Telemetry};

/// Whether this is a host name: labels of lower-case letters, digits and inner hyphens, 63 octets each and 253 in all at most
/// (RFC 1123 §2.1).
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
