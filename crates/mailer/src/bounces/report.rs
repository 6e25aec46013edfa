//! Reports of mail servers: delivery status notifications (RFC 3464) and complaints (RFC 5965).

use std::borrow::Cow;

use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};
use rekey_core::deliveries::reports::ReportKind;

use super::notice::{Notice, is_complaint};

/// A mail that reports no failure and no complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReported {
    /// It has no part with a report: an automatic reply, for example.
    #[error(
        "the mail is no report: expected a part of type message/delivery-status (RFC 3464) or message/feedback-report (RFC 5965)"
    )]
    NoReport,
    /// It reports something else, such as a delivery that succeeded.
    #[error(
        "the report is about no failure: expected `Action: failed`, `Action: delayed` or `Feedback-Type: abuse`"
    )]
    NoFailure,
}

/// Reads a report, as it was received.
pub(super) fn parse(raw: &[u8]) -> Result<Notice, NotReported> {
    let message = MessageParser::default().parse(raw).ok_or(NotReported::NoReport)?;
    let find = |subtypes: &[&str]| {
        let has_type = |part: &&MessagePart<'_>| {
            part.content_type().is_some_and(|found| {
                found.ctype() == "message"
                    && found.subtype().is_some_and(|subtype| subtypes.contains(&subtype))
            })
        };
        message.parts.iter().find(has_type)
    };
    if let Some(status) = find(&["delivery-status", "global-delivery-status"]) {
        return delivery_status(&text(status));
    }
    let feedback = find(&["feedback-report"]).ok_or(NotReported::NoReport)?;
    complaint(&text(feedback), returned_recipients(&message.parts))
}

/// The fields of the message, then those of each recipient (RFC 3464 §2.1). A mail of ours has one, but it may have been forwarded to several.
fn delivery_status(text: &str) -> Result<Notice, NotReported> {
    let blocks = blocks(text);
    let reporter = blocks.first().and_then(|block| block.value("Reporting-MTA"));
    let with_action = |action: &str| {
        blocks
            .iter()
            .find(|block| block.get("Action").is_some_and(|found| found.eq_ignore_ascii_case(action)))
    };
    let (kind, recipient) = match (with_action("failed"), with_action("delayed")) {
        (Some(failed), _) => (ReportKind::Bounced, failed),
        (None, Some(delayed)) => (ReportKind::Delayed, delayed),
        (None, None) => return Err(NotReported::NoFailure),
    };
    Ok(Notice {
        kind,
        reporter,
        // A comment may follow the code.
        status: recipient
            .get("Status")
            .and_then(|status| status.split_whitespace().next())
            .map(str::to_owned),
        text: recipient.value("Diagnostic-Code").unwrap_or_default(),
        addresses: recipient.value("Final-Recipient").into_iter().collect(),
    })
}

fn complaint(text: &str, returned: Vec<String>) -> Result<Notice, NotReported> {
    let blocks = blocks(text);
    let field = |name: &str| blocks.iter().find_map(|block| block.value(name));
    let kind = field("Feedback-Type").filter(|kind| is_complaint(kind)).ok_or(NotReported::NoFailure)?;
    let recipients = blocks.iter().filter_map(|block| block.value("Original-Rcpt-To"));
    Ok(Notice {
        kind: ReportKind::Complained,
        reporter: field("Reporting-MTA").or_else(|| field("User-Agent")),
        status: None,
        text: format!("complaint: {kind}"),
        addresses: recipients.chain(returned).collect(),
    })
}

/// Returns the recipients in the returned mail's header: providers leave them out of the fields.
fn returned_recipients(parts: &[MessagePart<'_>]) -> Vec<String> {
    let headers = parts.iter().filter_map(|part| match &part.body {
        PartType::Message(message) => Some(Cow::Borrowed(message.raw_message())),
        _ if part.is_content_type("text", "rfc822-headers") => Some(Cow::Borrowed(part.contents())),
        _ => None,
    });
    let recipients = headers.filter_map(|headers| {
        let message = MessageParser::default().parse_headers(&*headers)?;
        let recipients = message.to()?.iter().filter_map(|address| address.address().map(str::to_owned));
        Some(recipients.collect::<Vec<_>>())
    });
    recipients.flatten().collect()
}

fn text<'a>(part: &'a MessagePart<'_>) -> Cow<'a, str> {
    String::from_utf8_lossy(part.contents())
}

/// Fields that belong together.
struct Block(Vec<(String, String)>);

impl Block {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns a value without its type, such as `rfc822;`, and without angle brackets.
    fn value(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let value = match value.split_once(';') {
            Some((kind, value)) if !kind.trim().contains(char::is_whitespace) => value,
            _ => value,
        };
        Some(value.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
    }
}

/// Returns the fields of each block, their lines unfolded. Blocks are separated by empty lines.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = vec![Block(Vec::new())];
    for line in text.lines() {
        let Some(Block(fields)) = blocks.last_mut() else { continue };
        if line.trim().is_empty() {
            if !fields.is_empty() {
                blocks.push(Block(Vec::new()));
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    blocks
}

#[cfg(test)]
mod tests;
