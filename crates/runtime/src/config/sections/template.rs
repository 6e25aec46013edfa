//! `[resets]` and `[links]`: the token's life and the page that takes it.

use std::time::Duration;

use rekey_core::reset::Allowance;

use super::public_url::{PublicUrl, parse_http};
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Password resets, where an organization has no setting of its own.
#[derive(Debug, Clone)]
pub struct Resets {
    pub token_life: Duration,
    /// How many self-service makes for an account.
    pub allowance: Allowance,
}

impl Section for Resets {
    const NAME: &'static str = "resets";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let seconds = |key, bounds| Ok(time::Duration::seconds(reader.integer(key, bounds)?));
        Ok(Self {
            token_life: reader.seconds("token_life_seconds", 60..=604_800)?,
            allowance: Allowance {
                cooldown: seconds("self_service_cooldown_seconds", 0..=3600)?,
                budget: reader.integer("self_service_budget", 1..=1000)?,
                window: seconds("self_service_window_seconds", 60..=604_800)?,
            },
        })
    }
}

/// Where the links in mails lead.
#[derive(Debug, Clone)]
pub struct Links {
    reset: Option<LinkTemplate>,
}

impl Links {
    /// The page behind the link: the one configured, or the one this service hosts.
    #[must_use]
    pub fn reset_template(&self, public_url: &PublicUrl) -> LinkTemplate {
        let hosted = || LinkTemplate(format!("{public_url}/reset-password?id={{id}}&token={{token}}"));
        self.reset.clone().unwrap_or_else(hosted)
    }
}

impl Section for Links {
    const NAME: &'static str = "links";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "an http or https URL with {id} and {token}, and no other placeholder than {locale}, after its host";
        Ok(Self { reset: reader.optional("reset_url_template", expected, LinkTemplate::parse)? })
    }
}

/// An http or https URL with the placeholders `{id}`, `{token}` and, if wanted, `{locale}`, none of them in the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let filled = text.replace("{id}", "x").replace("{token}", "x").replace("{locale}", "x");
        let origin = parse_http(&filled)?.origin().ascii_serialization();
        // Everything that can be filled in stands after the host, as it is written, with a character that ends it.
        let rest = text.strip_prefix(&origin)?;
        let is_sound = rest.starts_with(['/', '?', '#']) && !filled.contains(['{', '}']);
        (is_sound && text.contains("{id}") && text.contains("{token}")).then(|| Self(text.to_owned()))
    }
}
