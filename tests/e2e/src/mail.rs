//! Mails, as their readers see them.

use mail_parser::{Message, MessageParser};
use serde_json::Value;

/// A mail that was taken by a server.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom the envelope named.
    pub recipients: Vec<String>,
    /// The mail, byte for byte.
    pub raw: Vec<u8>,
}

impl Mail {
    /// All headers of this name, unfolded.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<String> {
        let head = String::from_utf8_lossy(&self.raw);
        let head = head.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
        let named = head.lines().filter_map(|line| line.split_once(':'));
        let named = named.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// The one header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let [value] = self.headers(name).try_into().unwrap_or_else(|all| panic!("one {name}: {all:?}"));
        value
    }

    /// Its subject, decoded.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed().subject().unwrap().to_owned()
    }

    /// Its plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.parsed().body_text(0).unwrap().into_owned()
    }

    /// Its HTML.
    #[must_use]
    pub fn html(&self) -> String {
        self.parsed().body_html(0).unwrap().into_owned()
    }

    /// The mail's parts, parsed.
    #[must_use]
    pub fn parsed(&self) -> Message<'_> {
        MessageParser::new().parse(&self.raw).unwrap()
    }
}

/// What a link of ours carries: the whole link, the reset's id and its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    pub id: String,
    pub token: String,
}

impl Link {
    /// The link in a text with exactly one.
    #[must_use]
    pub fn find(text: &str) -> Self {
        let links: Vec<_> = text.split_whitespace().filter(|word| word.contains("token=")).collect();
        let [url] = links.as_slice() else { panic!("one link in: {text}") };
        let url = reqwest::Url::parse(url).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        Self { url: url.to_string(), id: value("id"), token: value("token") }
    }
}

/// The mails of `GET /dev/mailbox.json` to an address, newest first.
#[must_use]
pub fn in_mailbox(mailbox: &Value, address: &str) -> Vec<Value> {
    let mails = mailbox.as_array().unwrap_or_else(|| panic!("a list of mails: {mailbox}"));
    mails.iter().filter(|mail| mail["to"].to_string().contains(address)).cloned().collect()
}
