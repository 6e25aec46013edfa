//! Webhooks: the receivers of a shop that are sent what happens, and the callbacks that are made to them.

pub mod circuit_mails;
pub mod fan_out;
pub mod queue;
pub mod replay;
pub mod retries;
pub mod service;
pub mod store;

use std::str::FromStr;

use time::Duration;
use url::{Host, Url};

use crate::{
    attributes::CommonAttributes, events::EventName, ids::WebhookId, newtypes::text_newtype,
    secrets::SealedSharedSecret,
};

/// The most webhooks of an organization in a mode: an event is sent to all of them in one statement.
pub const MAX_WEBHOOKS: u32 = 100;
/// How long what webhooks are sent is kept: as long as the vendor does.
pub const KEEP_CALLBACKS: Duration = Duration::days(30);
/// After how many failed attempts in a row no more are made (the vendor's number).
pub const MAX_FAILURES: u32 = 30;

/// The address of a receiver: an https URL of at most [`CallbackUrl::MAX_LENGTH`] characters without credentials; http only to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl(String);

/// A text that is no address of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an https URL without credentials")]
pub struct InvalidCallbackUrl;

text_newtype!(CallbackUrl);

impl CallbackUrl {
    /// The maximum number of characters.
    pub const MAX_LENGTH: usize = 2_048;

    /// Returns its host, without the path and query, which may be a secret.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.0).ok();
        url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned()
    }
}

impl FromStr for CallbackUrl {
    type Err = InvalidCallbackUrl;

    fn from_str(text: &str) -> Result<Self, InvalidCallbackUrl> {
        let text = text.trim();
        let is_plain = text.chars().count() <= Self::MAX_LENGTH
            && !text.contains(|c: char| c.is_control() || c.is_whitespace());
        let url = Url::parse(text).ok().filter(|_| is_plain).ok_or(InvalidCallbackUrl)?;
        let has_no_credentials = url.username().is_empty() && url.password().is_none();
        let is_secure = url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&url);
        if has_no_credentials && is_secure { Ok(Self(text.to_owned())) } else { Err(InvalidCallbackUrl) }
    }
}

/// Whether the URL's host is this machine: `localhost`, or a loopback address.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A webhook to create.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Its name, unique in its scope; `None` is `Webhook {id}`.
    pub name: Option<String>,
    /// The events that it is sent.
    pub topic: EventName,
    /// Where it receives.
    pub callback_url: CallbackUrl,
    /// The relationships of the topic's resource that are included.
    pub include_resources: Vec<String>,
    /// The secret that signs what it is sent.
    pub secret: SealedSharedSecret,
    /// Whether it is sent nothing yet.
    pub is_disabled: bool,
    /// The shop's own attributes.
    pub common: CommonAttributes,
}

impl NewWebhook {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("Webhook {}", self.id))
    }
}

/// What changes of a webhook; `None` keeps a value.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Its name.
    pub name: Option<String>,
    /// The events that it is sent.
    pub topic: Option<EventName>,
    /// Where it receives.
    pub callback_url: Option<CallbackUrl>,
    /// The relationships that are included.
    pub include_resources: Option<Vec<String>>,
    /// Whether it is sent nothing.
    pub is_disabled: Option<bool>,
    /// Whether its circuit is closed, and its failed attempts are forgotten.
    pub resets_circuit: bool,
    /// A new secret; the former one signs along for [`FORMER_SECRET_TTL`](store::FORMER_SECRET_TTL).
    pub secret: Option<SealedSharedSecret>,
    /// The shop's own attributes.
    pub common: CommonAttributes,
}

impl WebhookChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            name,
            topic,
            callback_url,
            include_resources,
            is_disabled,
            resets_circuit,
            secret,
            common,
        } = self;
        name.is_none()
            && topic.is_none()
            && callback_url.is_none()
            && include_resources.is_none()
            && is_disabled.is_none()
            && !resets_circuit
            && secret.is_none()
            && common.names().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_url_is_https_and_has_no_credentials() {
        let long = format!("https://shop.example/{}", "a".repeat(CallbackUrl::MAX_LENGTH));
        for (text, is_url) in [
            ("https://shop.example/hooks?x=1", true),
            ("  https://shop.example/hooks ", true),
            ("https://[2001:db8::1]:8443/", true),
            ("http://localhost:9000/hook", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]/", true),
            ("http://shop.example/", false),
            ("http://shop.localhost/", false),
            ("https://user@shop.example/", false),
            ("https://user:secret@shop.example/", false),
            ("ftp://shop.example/", false),
            ("file:///etc/passwd", false),
            ("https://", false),
            ("shop.example/hooks", false),
            ("https://shop.example/a b", false),
            ("https://shop.exa\nmple/", false),
            (&long[..CallbackUrl::MAX_LENGTH], true),
            (&long, false),
            ("", false),
        ] {
            assert_eq!(text.parse::<CallbackUrl>().is_ok(), is_url, "{text:?}");
        }
        let url: CallbackUrl = "https://shop.example:8443/hooks?token=secret".parse().unwrap();
        assert_eq!(url.host(), "shop.example");
    }
}
