//! The settings of an organization, and the sections `[brand]`, `[languages]` and `[pages]`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rekey_core::{
    email::EmailAddress,
    locale::Locale,
    name::is_invisible,
    organizations::PerOrganization,
    resets::rules::{Rules, SharedRules},
    time_zone::TimeZone,
};
use serde::Deserialize;

use super::{
    dkim::{Dkim, DkimSection},
    links::Links,
    mail::Mail,
    passwords::Passwords,
    resets::Resets,
};
use crate::config::{
    color::Color,
    configuration::Configuration,
    error::ConfigError,
    fields::{host_name, parse, parse_http, parse_secure, text_fields},
};

/// The settings of an organization that the API needs.
#[derive(Debug, Clone, Deserialize)]
pub struct OrganizationSettings {
    pub brand: Brand,
    pub languages: Languages,
    pub pages: HostedPages,
    pub links: Links,
    passwords: Passwords,
    resets: Resets,
    /// Where its own texts and templates are.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

/// The settings of an organization that the mailer needs.
#[derive(Debug, Clone)]
pub struct OrganizationMailSettings {
    pub organization: OrganizationSettings,
    pub mail: Mail,
    pub dkim: Dkim,
}

#[derive(Deserialize)]
pub(in crate::config) struct MailSections {
    mail: Mail,
    dkim: DkimSection,
}

impl OrganizationSettings {
    pub(in crate::config) fn read(
        configuration: &Configuration,
        folder: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let settings: Self = configuration.settings()?;
        if let (Some(key), None) = (settings.links.key_with_login_url(), &settings.pages.login_url) {
            let expected = "no {login_url} as long as pages.login_url is empty";
            return Err(ConfigError::invalid(key, &configuration.get(key), expected));
        }
        Ok(Self { folder: folder.map(Path::to_owned), ..settings })
    }

    /// Returns the rules of all organizations.
    #[must_use]
    pub fn shared_rules(organizations: &PerOrganization<Self>) -> SharedRules {
        Arc::new(ArcSwap::from_pointee(organizations.map(Self::rules)))
    }

    /// Returns the rules for its passwords and resets.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.resets.rules(self.passwords.policy)
    }
}

impl OrganizationMailSettings {
    pub(in crate::config) fn read(
        configuration: &Configuration,
        folder: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let MailSections { mail, dkim } = configuration.settings()?;
        let dkim = dkim.check(&mail, configuration, folder)?;
        Ok(Self { organization: OrganizationSettings::read(configuration, folder)?, mail, dkim })
    }
}

/// The look of an organization's mails and pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The text in the place of a logo, if not the organization's name.
    #[serde(default, deserialize_with = "logo_text")]
    pub logo_text: Option<String>,
    /// The color of buttons and links.
    #[serde(deserialize_with = "color")]
    pub color: Color,
    #[serde(default, deserialize_with = "support")]
    pub support: Option<Support>,
    /// A telephone number for customers. This and the following are only for storefronts, in `/api/organization`.
    #[serde(default, deserialize_with = "support_phone")]
    pub support_phone: Option<String>,
    /// The URL of the logo.
    #[serde(default, deserialize_with = "image_url")]
    pub logo_url: Option<String>,
    /// The URL of the icon in browsers' tabs.
    #[serde(default, deserialize_with = "image_url")]
    pub favicon_url: Option<String>,
    /// The host name under which the organization is reached, if not `<slug>.<auth.domain>`.
    #[serde(default, deserialize_with = "host_name")]
    pub domain: Option<String>,
}

/// Where customers get help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// An e-mail address.
    Email(String),
    /// The http or https URL of a page.
    Page(String),
}

/// The languages and the time zone of an organization's mails and pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Languages {
    /// The language where neither the customer's nor the request's is one that there are texts in.
    #[serde(deserialize_with = "locale")]
    pub default: Locale,
    /// The time zone of the times in mails.
    #[serde(deserialize_with = "time_zone")]
    pub time_zone: TimeZone,
}

/// The pages this service hosts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostedPages {
    /// The sales channel that `/forgot-password` asks for resets as.
    #[serde(default, deserialize_with = "client_id")]
    pub client_id: Option<String>,
    /// Where customers log in: the last page leads there.
    #[serde(default, deserialize_with = "login_url")]
    pub login_url: Option<String>,
}

text_fields! {
    logo_text: String = "a line of at most 40 characters that can be seen", short_line;
    support_phone: String = "a line of at most 40 characters that can be seen", short_line;
    image_url: String = "an https URL (http is for this machine only)", |text| parse_secure(text).map(String::from);
    color: Color = "a colour such as \"#1f5fbf\"", Color::parse;
    support: Support = "an e-mail address, or an http or https URL", |text| match parse::<EmailAddress>(text) {
        Some(email) => Some(Support::Email(email.to_string())),
        None => http_url(text).map(Support::Page),
    };
    locale: Locale = "a language tag such as \"en\" or \"pt-BR\"", parse;
    time_zone: TimeZone = "a time zone's name in the IANA database, such as \"Europe/Berlin\"", parse;
    client_id: String = "the client id of a sales channel", |text| {
        (text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| text.into())
    };
    login_url: String = "an http or https URL", http_url;
}

fn short_line(text: &str) -> Option<String> {
    (text.chars().count() <= 40 && !text.contains(is_invisible)).then(|| text.into())
}

fn http_url(text: &str) -> Option<String> {
    parse_http(text).map(String::from)
}
