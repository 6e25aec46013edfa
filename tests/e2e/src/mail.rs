//! Received mails.

use mail_parser::{Message, MessageParser};
use serde_json::Value;
use time::OffsetDateTime;

/// A mail that a server accepted.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The sender in the envelope.
    pub sender: String,
    /// The recipient in the envelope.
    pub recipients: Vec<String>,
    /// The mail, byte for byte.
    pub raw: Vec<u8>,
    /// When the server had all of it.
    pub received_at: OffsetDateTime,
}

impl Mail {
    /// Returns all headers with this name, unfolded.
    #[must_use]
    pub fn headers(&self, name: &str) -> Vec<String> {
        let head = String::from_utf8_lossy(&self.raw);
        let head = head.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
        let named = head.lines().filter_map(|line| line.split_once(':'));
        let named = named.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim().to_owned()).collect()
    }

    /// Returns the only header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let [value] = self.headers(name).try_into().unwrap_or_else(|all| panic!("one {name}: {all:?}"));
        value
    }

    /// Returns the subject, decoded.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed().subject().unwrap().to_owned()
    }

    /// Returns the plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.parsed().body_text(0).unwrap().into_owned()
    }

    /// Returns the HTML.
    #[must_use]
    pub fn html(&self) -> String {
        self.parsed().body_html(0).unwrap().into_owned()
    }

    /// Parses the mail.
    #[must_use]
    pub fn parsed(&self) -> Message<'_> {
        MessageParser::new().parse(&self.raw).unwrap()
    }
}

/// A reset link, with the reset's id and its token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub url: String,
    pub id: String,
    pub token: String,
}

impl Link {
    /// Finds the link in a text with exactly one.
    #[must_use]
    pub fn find(text: &str) -> Self {
        let links: Vec<_> = text.split_whitespace().filter(|word| word.contains("token=")).collect();
        let [url] = links.as_slice() else { panic!("one link in: {text}") };
        let url = reqwest::Url::parse(url).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        Self { url: url.to_string(), id: value("id"), token: value("token") }
    }
}

/// Returns the mails to an address in `GET /dev/mailbox.json`, newest first.
#[must_use]
pub fn in_mailbox(mailbox: &Value, address: &str) -> Vec<Value> {
    let mails = mailbox.as_array().unwrap_or_else(|| panic!("a list of mails: {mailbox}"));
    mails.iter().filter(|mail| mail["to"].to_string().contains(address)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_unfolded_and_a_body_has_none() {
        let raw = b"To: a@example.com\r\nSubject: one\r\n two\r\n\r\nTo: b@example.com\r\n".to_vec();
        let mail = Mail {
            sender: String::new(),
            recipients: Vec::new(),
            raw,
            received_at: OffsetDateTime::UNIX_EPOCH,
        };
        assert_eq!(
            (mail.header("to"), mail.header("SUBJECT")),
            ("a@example.com".to_owned(), "one two".to_owned())
        );
        assert_eq!(mail.headers("Date"), [""; 0]);
    }

    #[test]
    fn a_link_is_found_among_words() {
        let link = Link::find("Open this:\n\nhttp://127.0.0.1:8080/reset-password?id=abc&token=xyz\n\nonce.");
        assert_eq!((link.id.as_str(), link.token.as_str()), ("abc", "xyz"));
    }
}
