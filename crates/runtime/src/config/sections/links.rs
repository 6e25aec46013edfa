//! `[links]`: the page that the links in mails lead to.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, de::Error};

use super::public_url::PublicUrl;
use crate::config::fields::{is_this_machine, parse_http};

/// Where the links in mails lead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    #[serde(default, deserialize_with = "reset_url_template")]
    reset_url_template: Option<LinkTemplate>,
    /// By client id: for the resets that this client asked for.
    #[serde(deserialize_with = "clients")]
    clients: HashMap<String, LinkTemplate>,
}

impl Links {
    /// Returns the page behind the link of a reset that this client asked for: its own, the organization's, or the one this
    /// service hosts.
    #[must_use]
    pub fn reset_template(&self, public_url: &PublicUrl, client_id: Option<&str>) -> LinkTemplate {
        let hosted = || {
            let query = "id={id}&token={token}&organization={organization}&locale={locale}";
            LinkTemplate(format!("{public_url}/reset-password?{query}"))
        };
        let own = client_id.and_then(|client_id| self.clients.get(client_id));
        own.or(self.reset_url_template.as_ref()).cloned().unwrap_or_else(hosted)
    }

    /// Returns the clients with a page of their own for resets, and the page of each.
    pub fn clients(&self) -> impl Iterator<Item = (&str, &LinkTemplate)> {
        self.clients.iter().map(|(client_id, template)| (client_id.as_str(), template))
    }

    /// Returns the setting with a template that names where customers log in.
    pub(super) fn key_with_login_url(&self) -> Option<&'static str> {
        if self.reset_url_template.as_ref().is_some_and(LinkTemplate::needs_login_url) {
            return Some("links.reset_url_template");
        }
        self.clients.values().any(LinkTemplate::needs_login_url).then_some("links.clients")
    }
}

fn reset_url_template<'de, D: Deserializer<'de>>(value: D) -> Result<Option<LinkTemplate>, D::Error> {
    LinkTemplate::parse(&String::deserialize(value)?).map(Some).map_err(D::Error::custom)
}

fn clients<'de, D: Deserializer<'de>>(value: D) -> Result<HashMap<String, LinkTemplate>, D::Error> {
    let mut clients = HashMap::new();
    for item in Vec::<String>::deserialize(value)? {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        let (client_id, template) = item
            .split_once('=')
            .filter(|(client_id, _)| is_id(client_id))
            .ok_or_else(|| D::Error::custom("a list of \"CLIENT_ID=URL\""))?;
        let template = LinkTemplate::parse(template)
            .map_err(|expected| D::Error::custom(format_args!("{expected} for {client_id}")))?;
        if clients.insert(client_id.to_owned(), template).is_some() {
            return Err(D::Error::custom("each client once"));
        }
    }
    Ok(clients)
}

/// An https URL, or an http one of this machine, with the placeholders `{id}`, `{token}` and any others of [`PLACEHOLDERS`], none
/// of them in the host; spelled as browsers spell it, so that no reader of mails breaks it.
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
    /// The client id with which the page behind the link gets an access token.
    pub client_id: &'a str,
    /// The scope of that token.
    pub scope: &'a str,
    /// Where the customer logs in afterwards.
    pub login_url: &'a str,
}

impl LinkTemplate {
    /// Returns the link, with each value percent-encoded.
    #[must_use]
    pub fn fill(&self, values: LinkValues<'_>) -> String {
        let LinkValues { id, token, locale, organization, client_id, scope, login_url } = values;
        let values = [id, token, locale, organization, client_id, scope, login_url]
            .map(|value| utf8_percent_encode(value, RESERVED).to_string());
        replace_each(&self.0, PLACEHOLDERS, values.each_ref().map(String::as_str))
    }

    /// Whether links made of it name where customers log in.
    fn needs_login_url(&self) -> bool {
        self.0.contains("{login_url}")
    }

    /// Parses a template. The error is what was expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const NOT_URL: &str =
            "an https URL without credentials, such as https://shop.example/reset?id={id}&token={token}";
        let marked = replace_each(text, PLACEHOLDERS, MARKS);
        // The URL parser drops tabs and line breaks.
        if marked.contains(char::is_control) {
            return Err(NOT_URL);
        }
        if marked.contains(['{', '}']) {
            return Err(
                "a URL with no other placeholders than {id}, {token}, {locale}, {organization}, {client_id}, {scope} and \
                        {login_url}",
            );
        }
        let url = parse_http(&marked).ok_or(NOT_URL)?;
        // Whoever reads the link can set the password.
        if url.scheme() != "https" && !is_this_machine(&url) {
            return Err("an https URL (http is for pages of this machine, such as http://localhost:3000)");
        }
        let origin = url.origin().ascii_serialization();
        if MARKS.iter().any(|mark| origin.contains(mark)) {
            return Err("a URL with its placeholders after the host");
        }
        let template = replace_each(url.as_str(), MARKS, PLACEHOLDERS);
        let has_both = template.contains("{id}") && template.contains("{token}");
        has_both.then_some(Self(template)).ok_or("a URL with {id} and {token}")
    }
}

fn replace_each<const N: usize>(text: &str, from: [&str; N], to: [&str; N]) -> String {
    from.into_iter().zip(to).fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The placeholders of a template.
const PLACEHOLDERS: [&str; 7] =
    ["{id}", "{token}", "{locale}", "{organization}", "{client_id}", "{scope}", "{login_url}"];
/// What replaces each of them while the URL is parsed: letters that no part of a URL changes.
const MARKS: [&str; 7] =
    ["qzidzq", "qztokenzq", "qzlocalezq", "qzorganizationzq", "qzclientzq", "qzscopezq", "qzloginzq"];
/// All but RFC 3986's unreserved characters: a router that doesn't decode paths must find `pt-BR` in one.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
