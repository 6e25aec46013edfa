//! `[links]`: the page that the links in mails lead to.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use super::public_url::{PublicUrl, parse_http};
use crate::config::{
    ConfigError,
    reader::{Reader, Section},
};

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
        let read = |key, text: &str, whose: &str| {
            LinkTemplate::parse(text).map_err(|fault| reader.invalid(key, &format!("{fault}{whose}")))
        };
        let reset = reader.optional("reset_url_template", "a text", Some)?;
        let mut clients = HashMap::new();
        for (client_id, text) in reader.list("clients", "a list of \"CLIENT_ID=URL\"", of_client)? {
            let template = read("clients", &text, &format!(" for {client_id}"))?;
            if clients.insert(client_id, template).is_some() {
                return Err(reader.invalid("clients", "each client once"));
            }
        }
        Ok(Self { reset: reset.map(|text| read("reset_url_template", text, "")).transpose()?, clients })
    }
}

fn of_client(item: &str) -> Option<(String, String)> {
    let (client_id, template) = item.split_once('=')?;
    let is_id = !client_id.is_empty() && client_id.bytes().all(|b| b.is_ascii_alphanumeric());
    is_id.then(|| (client_id.to_owned(), template.to_owned()))
}

/// An https URL, or an http one of this machine, with the placeholders `{id}`, `{token}` and, if wanted, `{locale}` and
/// `{organization}`, none of them in the host; spelled as browsers spell it, so that no reader of mails breaks it.
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

/// Why a text is no template; what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum LinkFault {
    #[error("an https URL without credentials, such as https://shop.example/reset?id={{id}}&token={{token}}")]
    NotUrl,
    /// Who reads the link can set the password.
    #[error("an https URL (http is for pages of this machine, such as http://localhost:3000)")]
    Insecure,
    #[error("a URL with {{id}} and {{token}}")]
    Missing,
    #[error("a URL with no other placeholders than {{id}}, {{token}}, {{locale}} and {{organization}}")]
    Unknown,
    #[error("a URL with its placeholders after the host")]
    InHost,
}

impl LinkTemplate {
    /// The link, with each value percent-encoded.
    #[must_use]
    pub fn fill(&self, values: LinkValues<'_>) -> String {
        let LinkValues { id, token, locale, organization } = values;
        let values = [id, token, locale, organization];
        PLACEHOLDERS.iter().zip(values).fold(self.0.clone(), |link, (placeholder, value)| {
            link.replace(placeholder, &utf8_percent_encode(value, RESERVED).to_string())
        })
    }

    fn parse(text: &str) -> Result<Self, LinkFault> {
        let marked = PLACEHOLDERS
            .iter()
            .zip(MARKS)
            .fold(text.to_owned(), |text, (placeholder, mark)| text.replace(placeholder, mark));
        // A URL's parser leaves tabs and line ends out.
        if marked.contains(char::is_control) {
            return Err(LinkFault::NotUrl);
        }
        if marked.contains(['{', '}']) {
            return Err(LinkFault::Unknown);
        }
        let url = parse_http(&marked).ok_or(LinkFault::NotUrl)?;
        if url.scheme() != "https" && !is_of_this_machine(&url) {
            return Err(LinkFault::Insecure);
        }
        let origin = url.origin().ascii_serialization();
        if MARKS.iter().any(|mark| origin.contains(mark)) {
            return Err(LinkFault::InHost);
        }
        let template = PLACEHOLDERS
            .iter()
            .zip(MARKS)
            .fold(String::from(url), |text, (placeholder, mark)| text.replace(mark, placeholder));
        let has_both = template.contains("{id}") && template.contains("{token}");
        has_both.then_some(Self(template)).ok_or(LinkFault::Missing)
    }
}

fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        // RFC 6761 §6.3.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What a link can be filled with.
const PLACEHOLDERS: [&str; 4] = ["{id}", "{token}", "{locale}", "{organization}"];
/// What stands for each of them while the URL around is read: letters that no part of a URL changes.
const MARKS: [&str; 4] = ["qzidzq", "qztokenzq", "qzlocalezq", "qzorganizationzq"];
/// All but RFC 3986's unreserved characters: a path's `pt-BR` is to be found by routers that don't decode it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
