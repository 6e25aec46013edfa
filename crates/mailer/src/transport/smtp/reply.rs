//! The codes of a relay's reply.

use lettre::transport::smtp::{Error, response::Response};
use rekey_core::deliveries::Reply;

/// Returns the codes of a failure, if it was a reply.
pub(super) fn from_error(error: &Error) -> Option<Reply> {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    error.status().map(|code| reply(code.into(), &text))
}

/// Returns the codes of a reply.
pub(super) fn from_response(response: &Response) -> Reply {
    reply(response.code().into(), response.message().next().unwrap_or_default())
}

/// Returns whether a permanent refusal means that no mail to this address can ever succeed, so that none should be tried (a
/// "hard bounce"). A mail has one recipient, so an enhanced code counts at whatever command it comes. These count (RFC 3463 §3.2
/// and §3.3, RFC 7505 §4.2):
///
/// - 5.1.1 no such mailbox, 5.1.2 no such domain, 5.1.3 no valid address, 5.1.6 moved without a new address, 5.1.10 the
///   domain takes no mail at all (null MX)
/// - 5.2.1 the mailbox is disabled
///
/// Not: 5.1.0 and 5.1.4 (vague), 5.1.7 and 5.1.8 (the sender's), 5.2.0 (vague), 5.2.2 (full), 5.2.3 and 5.3.4 (too big), 5.4.x
/// (routing), 5.6.x (contents), 5.7.x (policy): another mail, or another day, may succeed. Nor a reply without such a code: 550 and 553
/// are also sent for reasons of policy (RFC 5321 §4.2.3), as by Exim ("550 relay not permitted") and qmail ("553 sorry, that
/// domain isn't in my list"), and a relay that is set up wrongly must not suppress every customer.
pub(crate) fn address_is_bad(reply: &Reply) -> bool {
    reply
        .enhanced
        .as_deref()
        .is_some_and(|code| matches!(code, "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1"))
}

fn reply(code: u16, text: &str) -> Reply {
    let first = text.split_whitespace().next();
    Reply { code, enhanced: first.filter(|word| is_enhanced(code, word)).map(str::to_owned) }
}

/// `class.subject.detail`, of the reply code's own class (RFC 2034 §4); each number of up to 3 digits without leading zeros
/// (RFC 3463 §2).
pub(crate) fn is_enhanced(code: u16, word: &str) -> bool {
    let is_number = |text: &str| {
        (1..=3).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'))
    };
    let parts: Vec<_> = word.split('.').collect();
    matches!(parts.as_slice(), [class, subject, detail]
        if *class == (code / 100).to_string() && is_number(subject) && is_number(detail))
}

#[cfg(test)]
mod tests;
