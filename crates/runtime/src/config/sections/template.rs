//! `[resets]` and `[links]`: the token's life and the page that takes it.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rekey_core::reset::{Allowance, CodeRules};

use super::public_url::{PublicUrl, parse_http};
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

/// Password resets, where an organization has no setting of its own.
#[derive(Debug, Clone)]
pub struct Resets {
    pub token_life: time::Duration,
    /// How many self-service makes for an account.
    pub allowance: Allowance,
    /// Whether there is a short code beside the link, and how often it may be guessed.
    pub code: Option<CodeRules>,
    /// How long self-service makes no reset for an account after one was disavowed.
    pub disavowal_cooldown: time::Duration,
    /// Whether an address without an account gets a mail that says so.
    pub no_account_mail: bool,
}

impl Section for Resets {
    const NAME: &'static str = "resets";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let seconds = |key, bounds| Ok(time::Duration::seconds(reader.integer(key, bounds)?));
        // Checked also where they are of no use.
        let guesses = CodeRules {
            budget: reader.integer("code_guesses", 1..=100)?,
            window: seconds("code_guesses_window_seconds", 60..=604_800)?,
        };
        Ok(Self {
            token_life: seconds("token_life_seconds", 60..=604_800)?,
            allowance: Allowance {
                cooldown: seconds("self_service_cooldown_seconds", 0..=3600)?,
                budget: reader.integer("self_service_budget", 1..=1000)?,
                window: seconds("self_service_window_seconds", 60..=604_800)?,
            },
            code: reader.flag("code")?.then_some(guesses),
            disavowal_cooldown: seconds("disavowal_cooldown_seconds", 0..=604_800)?,
            no_account_mail: reader.flag("no_account_mail")?,
        })
    }
}

/// Where the links in mails lead.
#[derive(Debug, Clone)]
pub struct Links {
    reset: Option<LinkTemplate>,
    /// By client id: for the resets that this client asked for.
    clients: HashMap<String, LinkTemplate>,
}

impl Links {
    /// The page behind the link of a reset that this client asked for: its own, the organization's, or the one this service
    /// hosts.
    #[must_use]
    pub fn reset_template(&self, public_url: &PublicUrl, client_id: Option<&str>) -> LinkTemplate {
        let hosted = || {
            let query = "id={id}&token={token}&organization={organization}&locale={locale}";
            LinkTemplate(format!("{public_url}/reset-password?{query}"))
        };
        let of_client = client_id.and_then(|client_id| self.clients.get(client_id));
        of_client.or(self.reset.as_ref()).cloned().unwrap_or_else(hosted)
    }
}

impl Section for Links {
    const NAME: &'static str = "links";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "an http or https URL with {id} and {token}, and no other placeholders than {locale} and {organization}, \
                        after its host";
        let of_client = |item: &str| {
            let (client_id, template) = item.split_once('=')?;
            let is_id = !client_id.is_empty() && client_id.bytes().all(|b| b.is_ascii_alphanumeric());
            Some((is_id.then(|| client_id.to_owned())?, LinkTemplate::parse(template)?))
        };
        let clients = reader.list(
            "clients",
            &format!("a list of \"CLIENT_ID=URL\", each with {expected}"),
            of_client,
        )?;
        Ok(Self {
            reset: reader.optional("reset_url_template", expected, LinkTemplate::parse)?,
            clients: clients.into_iter().collect(),
        })
    }
}

/// An http or https URL with the placeholders `{id}`, `{token}` and, if wanted, `{locale}` and `{organization}`, none of them in
/// the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate(String);

/// The values of a link's placeholders.
#[derive(Clone, Copy)]
pub struct LinkValues<'a> {
    /// The reset's id.
    pub id: &'a str,
    /// Its token.
    pub token: &'a str,
    /// The language of the mail, as a tag.
    pub locale: &'a str,
    /// The organization's slug.
    pub organization: &'a str,
}

impl LinkTemplate {
    /// The link, with each value percent-encoded.
    #[must_use]
    pub fn fill(&self, values: LinkValues<'_>) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        self.0
            .replace("{id}", &encode(values.id))
            .replace("{token}", &encode(values.token))
            .replace("{locale}", &encode(values.locale))
            .replace("{organization}", &encode(values.organization))
    }

    fn parse(text: &str) -> Option<Self> {
        let filled = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| text.replace(name, "x"));
        let origin = parse_http(&filled)?.origin().ascii_serialization();
        // Everything that can be filled in stands after the host, as it is written, with a character that ends it.
        let rest = text.strip_prefix(&origin)?;
        let is_sound = rest.starts_with(['/', '?', '#']) && !filled.contains(['{', '}']);
        (is_sound && text.contains("{id}") && text.contains("{token}")).then(|| Self(text.to_owned()))
    }
}

/// What a link can be filled with.
const PLACEHOLDERS: [&str; 4] = ["{id}", "{token}", "{locale}", "{organization}"];
