//! `[brand]`, `[languages]` and `[pages]`: what an organization looks and sounds like; and all that it may set for itself.

use std::path::{Path, PathBuf};

use rekey_core::{locale::Locale, name::is_invisible, resets::rules::Rules, time_zone::TimeZone};

use super::{Dkim, Links, Mail, Passwords, Resets};
use crate::config::{
    Color, ConfigError,
    reader::{Reader, Section},
    values::Values,
};

/// What an organization has of its own, for those who serve its customers.
#[derive(Debug, Clone)]
pub struct Shop {
    pub brand: Brand,
    pub languages: Languages,
    pub pages: HostedPages,
    pub links: Links,
    pub rules: Rules,
    /// Where its own texts and templates are.
    pub folder: Option<PathBuf>,
}

/// A [`Shop`], who writes its mails, and what signs them.
#[derive(Debug, Clone)]
pub struct MailingShop {
    pub shop: Shop,
    pub mail: Mail,
    pub dkim: Dkim,
}

impl Shop {
    pub(in crate::config) fn read(values: &Values, folder: Option<&Path>) -> Result<Self, ConfigError> {
        let passwords: Passwords = values.section()?;
        let resets: Resets = values.section()?;
        Ok(Self {
            brand: values.section()?,
            languages: values.section()?,
            pages: values.section()?,
            links: values.section()?,
            rules: Rules {
                policy: passwords.policy,
                token_ttl: resets.token_ttl,
                quota: resets.quota,
                code: resets.code,
                disavowal_cooldown: resets.disavowal_cooldown,
                no_account_mail: resets.no_account_mail,
            },
            folder: folder.map(Path::to_owned),
        })
    }
}

impl MailingShop {
    pub(in crate::config) fn read(values: &Values, folder: Option<&Path>) -> Result<Self, ConfigError> {
        let mail = values.section()?;
        let dkim = Dkim::read(values, folder, &mail)?;
        Ok(Self { shop: Shop::read(values, folder)?, mail, dkim })
    }
}

/// What an organization looks like, in mails and on pages.
#[derive(Debug, Clone)]
pub struct Brand {
    /// What stands in the place of a logo, if not the organization's name.
    pub logo_text: Option<String>,
    /// Of buttons and links.
    pub color: Color,
    /// Where customers get help: an e-mail address, or the http or https URL of a page.
    pub support: Option<Support>,
}

/// Where customers get help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// An e-mail address.
    Email(String),
    /// A page.
    Page(String),
}

impl Section for Brand {
    const NAME: &'static str = "brand";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let logo = |text: &str| {
            (text.chars().count() <= 40 && !text.contains(is_invisible)).then(|| text.to_owned())
        };
        Ok(Self {
            logo_text: reader.optional(
                "logo_text",
                "a line of at most 40 characters that can be seen",
                logo,
            )?,
            color: reader.required("color", "a colour such as \"#1f5fbf\"", Color::parse)?,
            support: reader.optional(
                "support",
                "an e-mail address, or an http or https URL",
                Support::parse,
            )?,
        })
    }
}

impl Support {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(email) = text.parse::<rekey_core::email::EmailAddress>() {
            return Some(Self::Email(email.to_string()));
        }
        super::public_url::parse_http(text).map(|url| Self::Page(url.to_string()))
    }
}

/// Which languages customers are spoken to in, and by which clocks.
#[derive(Debug, Clone)]
pub struct Languages {
    /// Where neither the customer nor the request says anything that is understood.
    pub default: Locale,
    /// Whose clocks mails tell the time by.
    pub time_zone: TimeZone,
}

impl Section for Languages {
    const NAME: &'static str = "languages";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let expected = "a language tag such as \"en\" or \"pt-BR\"";
        let zone = "a time zone's name in the IANA database, such as \"Europe/Berlin\"";
        Ok(Self {
            default: reader.required("default", expected, |text| text.parse().ok())?,
            time_zone: reader.required("time_zone", zone, |text| text.parse().ok())?,
        })
    }
}

/// The pages this service hosts.
#[derive(Debug, Clone)]
pub struct HostedPages {
    /// The sales channel that `/forgot-password` asks for resets as.
    pub client_id: Option<String>,
    /// Where customers log in: the last page leads there.
    pub login_url: Option<String>,
}

impl Section for HostedPages {
    const NAME: &'static str = "pages";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        let client_id = |text: &str| {
            let is_id = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric());
            is_id.then(|| text.to_owned())
        };
        let url = |text: &str| super::public_url::parse_http(text).map(|url| url.to_string());
        Ok(Self {
            client_id: reader.optional("client_id", "the client id of a sales channel", client_id)?,
            login_url: reader.optional("login_url", "an http or https URL", url)?,
        })
    }
}
