use rekey_core::{
    deliveries::{
        Reply,
        reports::{NewReport, Report, ReportKind},
    },
    ids::EventId,
};

use crate::transport::{address_is_bad, clean, is_enhanced};

/// What a report says, in the words of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What is reported.
    pub kind: ReportKind,
    /// The mail server or the provider that reports.
    pub reporter: Option<String>,
    /// The status code (RFC 3463).
    pub status: Option<String>,
    /// The receiving server's reply, or the reason.
    pub text: String,
    /// The addresses that were reported: the failed one, or that of the reader who complains.
    pub addresses: Vec<String>,
}

impl Notice {
    /// Returns the report to record. An address is suppressed by the rule of the hand-over, and after a complaint.
    #[must_use]
    pub fn into_report(self, delivery: EventId) -> NewReport {
        let text = clean(&self.text);
        let reply = match self.kind {
            ReportKind::Bounced | ReportKind::Delayed => reply(&text, self.status.as_deref()),
            ReportKind::Complained => None,
        };
        let is_suppressed = match self.kind {
            ReportKind::Bounced => reply.as_ref().is_some_and(address_is_bad),
            ReportKind::Delayed => false,
            ReportKind::Complained => true,
        };
        let addresses = self.addresses.iter().filter(|_| is_suppressed);
        NewReport {
            delivery,
            suppress: addresses.filter_map(|address| address.parse().ok()).collect(),
            report: Report {
                kind: self.kind,
                reporter: self.reporter.map(|name| clean(&name)).filter(|name| !name.is_empty()),
                reply,
                detail: Some(text).filter(|text| !text.is_empty()),
            },
        }
    }
}

/// Whether this type of feedback is a complaint (RFC 5965 §7.3). Others are about viruses and signatures, or praise ("not-spam").
pub(super) fn is_complaint(feedback: &str) -> bool {
    ["abuse", "fraud", "other", "opt-out"].iter().any(|kind| kind.eq_ignore_ascii_case(feedback))
}

/// Returns the codes of a failure: those of the reply, if it begins with one; else the status, with the reply code of its class. The
/// code in the reply is used instead of a status that only repeats the class.
fn reply(text: &str, status: Option<&str>) -> Option<Reply> {
    let (first, rest) = text.split_at_checked(3).unwrap_or_default();
    let said = first.parse().ok().filter(|code| (400..600).contains(code) && rest.starts_with([' ', '-']));
    let said: Option<u16> = said.filter(|_| first.bytes().all(|byte| byte.is_ascii_digit()));
    let class = status.and_then(|status| status.chars().next()).and_then(|class| class.to_digit(10));
    let implied = class.and_then(|class| u16::try_from(class * 100 + 50).ok());
    let code = said.or(implied.filter(|code| (400..600).contains(code)))?;
    let is_code = |word: &&str| is_enhanced(code, word);
    let in_reply = said.and_then(|_| rest.get(1..)?.split_whitespace().next()).filter(is_code);
    let is_vague = |status: &&str| status.ends_with(".0.0");
    let status = status.filter(is_code);
    let enhanced = status.filter(|status| !is_vague(status)).or(in_reply).or(status).map(str::to_owned);
    Some(Reply { code, enhanced })
}

#[cfg(test)]
mod tests {
    use rekey_core::email::EmailAddress;

    use super::*;

    #[test]
    fn codes_are_those_of_the_reply_and_the_status() {
        for (text, status, expected) in [
            ("550 5.1.1 no such user", Some("5.1.1"), Some((550, Some("5.1.1")))),
            ("550-5.1.1 no such user", Some("5.0.0"), Some((550, Some("5.1.1")))),
            ("550 Unrouteable address", Some("5.0.0"), Some((550, Some("5.0.0")))),
            ("550 5.7.1 blocked", None, Some((550, Some("5.7.1")))),
            ("host or domain name not found", Some("5.1.2"), Some((550, Some("5.1.2")))),
            ("connection timed out", Some("4.4.1"), Some((450, Some("4.4.1")))),
            // The classes differ: the reply is what was said.
            ("450 mailbox full", Some("5.1.1"), Some((450, None))),
            ("250 5.1.1 no", None, None),
            ("5500 no", None, None),
            ("+50 no", None, None),
            ("no such user", Some("nonsense"), None),
            ("", None, None),
        ] {
            let found = reply(text, status);
            let found = found.as_ref().map(|reply| (reply.code, reply.enhanced.as_deref()));
            assert_eq!(found, expected, "{text} {status:?}");
        }
    }

    #[test]
    fn only_a_bad_address_and_a_complaint_suppress() {
        let notice = |kind, text: &str| Notice {
            kind,
            reporter: Some("mx for john@example.com".to_owned()),
            status: None,
            text: text.to_owned(),
            addresses: vec!["<John@example.com>".to_owned(), "John@Example.com".to_owned()],
        };
        for (kind, text, is_suppressed) in [
            (ReportKind::Bounced, "550 5.1.1 <john@example.com>: unknown", true),
            (ReportKind::Bounced, "552 5.2.2 full", false),
            (ReportKind::Bounced, "550 5.7.1 policy", false),
            (ReportKind::Bounced, "", false),
            (ReportKind::Delayed, "550 5.1.1 later", false),
            (ReportKind::Complained, "abuse", true),
        ] {
            let new = notice(kind, text).into_report("EVENTEVEN1".parse().unwrap());
            let suppressed: Vec<_> = new.suppress.iter().map(EmailAddress::as_str).collect();
            let expected: &[_] = if is_suppressed { &["john@example.com"] } else { &[] };
            assert_eq!(suppressed, expected, "{kind:?} {text}");
            assert!(!format!("{:?}", new.report).contains("john"), "{new:?}");
        }
    }
}
