//! What a relay's reply says in codes.

use lettre::transport::smtp::{Error, response::Response};
use rekey_core::deliveries::Reply;

/// The codes of a refusal, if it was a reply.
pub(super) fn of_error(error: &Error) -> Option<Reply> {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    error.status().map(|code| reply(code.into(), &text))
}

/// The codes of a reply.
pub(super) fn of_response(response: &Response) -> Reply {
    reply(response.code().into(), response.message().next().unwrap_or_default())
}

/// Whether a refusal for good says that no mail to this address can ever succeed, so that none should be tried (a "hard
/// bounce"). A mail has one recipient, so an enhanced code counts wherever it comes. Those that count (RFC 3463 §3.2 and §3.3,
/// RFC 7505 §4.2):
///
/// - 5.1.1 no such mailbox, 5.1.2 no such domain, 5.1.3 no valid address, 5.1.6 moved without a new address, 5.1.10 the
///   domain takes no mail at all (null MX)
/// - 5.2.1 the mailbox is disabled
///
/// Not: 5.1.0 and 5.1.4 (vague), 5.1.7 and 5.1.8 (the sender's), 5.2.2 (full), 5.2.3 and 5.3.4 (too big), 5.4.x (routing),
/// 5.6.x (contents), 5.7.x (policy): another mail, or another day, may fare better. Nor a reply without such a code: 550 and 553
/// are also said for reasons of policy (RFC 5321 §4.2.3), as by Exim ("550 relay not permitted") and qmail ("553 sorry, that
/// domain isn't in my list"), and a relay that is set up wrongly must not suppress every customer.
pub(super) fn address_is_bad(reply: &Reply) -> bool {
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
fn is_enhanced(code: u16, word: &str) -> bool {
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
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_one_of_the_replys_own_class() {
        for (code, text, enhanced) in [
            (250, "2.0.0 Ok: queued as 4F", Some("2.0.0")),
            (550, "5.1.10 null MX", Some("5.1.10")),
            (450, "4.2.1", Some("4.2.1")),
            (550, "4.2.1 of another class", None),
            (550, "No such user", None),
            (550, "5.1 short", None),
            (550, "5.1.1.1 long", None),
            (550, "5.01.1 zero", None),
            (550, "5.1.1000 many", None),
            (550, "", None),
        ] {
            let expected = Reply { code, enhanced: enhanced.map(str::to_owned) };
            assert_eq!(reply(code, text), expected, "{code} {text}");
        }
    }

    #[test]
    fn smtp_5xx_only_codes_about_the_address_make_it_bad() {
        for (code, text, bad) in [
            (550, "5.1.1 no such user", true),
            (550, "5.1.2 no such domain", true),
            (501, "5.1.3 bad syntax", true),
            (551, "5.1.6 moved", true),
            (556, "5.1.10 null MX", true),
            (550, "5.2.1 disabled", true),
            (550, "no such user", false),
            (550, "relay not permitted", false),
            (551, "not here", false),
            (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", false),
            (552, "5.2.2 full", false),
            (550, "5.7.1 policy", false),
            (554, "5.7.1 relay access denied", false),
            (550, "5.1.0 vague", false),
            (550, "5.4.1 no route", false),
            (554, "5.6.0 contents", false),
        ] {
            assert_eq!(address_is_bad(&reply(code, text)), bad, "{code} {text}");
        }
    }
}
