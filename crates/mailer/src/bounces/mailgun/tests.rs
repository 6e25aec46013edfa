//! The signature in the sample was made by `openssl dgst -sha256 -hmac`.

use super::*;

const KEY: &str = "key-0123456789abcdef";
const SAMPLE: &str = include_str!("../../../tests/reports/mailgun.json");

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_947_342 + seconds).unwrap()
}

#[test]
fn a_signed_failure_is_read_and_others_are_refused() {
    let webhooks = |body: &str, key, seconds| webhooks(key, body.as_bytes(), at(seconds));
    let found = webhooks(SAMPLE, KEY, 30).unwrap();
    let [Webhook { sender, ids, notice }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (sender.as_deref(), ids),
        (Some("no-reply@shop.example"), &vec!["EVENTEVENT@shop.example".to_owned()])
    );
    let expected = Notice {
        kind: ReportKind::Bounced,
        reporter: Some("mailgun".to_owned()),
        status: Some("5.1.1".to_owned()),
        text: "550 5.1.1 <anna@example.com>: user unknown".to_owned(),
        addresses: vec!["anna@example.com".to_owned()],
    };
    assert_eq!(*notice, expected);

    let refused = |result: Result<_, FeedError>| matches!(result, Err(FeedError::Refused(_)));
    assert!(refused(webhooks(SAMPLE, "key-0123456789abcdeg", 30)));
    assert!(refused(webhooks(&SAMPLE.replace("a8ce0edb", "a8ce0edc"), KEY, 30)));
    assert!(refused(webhooks(&SAMPLE.replace("\"signature\":\"", "\"signature\":\"x"), KEY, 30)));
    for hours in [-13, 13] {
        assert!(refused(webhooks(SAMPLE, KEY, hours * 3600)), "{hours}");
        assert!(webhooks(SAMPLE, KEY, hours.signum() * 11 * 3600).is_ok());
    }
    assert!(matches!(webhooks("{}", KEY, 30), Err(FeedError::Malformed(_))));
}

#[test]
fn each_event_has_its_meaning() {
    for (from, to, expected) in [
        ("\"permanent\"", "\"temporary\"", Some(ReportKind::Delayed)),
        ("\"failed\"", "\"complained\"", Some(ReportKind::Complained)),
        ("\"failed\"", "\"delivered\"", None),
    ] {
        let found = webhooks(KEY, SAMPLE.replace(from, to).as_bytes(), at(0)).unwrap();
        assert_eq!(found.first().map(|webhook| webhook.notice.kind), expected, "{to}");
    }
    // Mailgun's own codes are no replies.
    let suppressed = SAMPLE.replace("\"code\":550", "\"code\":605").replace("\"5.1.1\"", "\"\"");
    let notice = webhooks(KEY, suppressed.as_bytes(), at(0)).unwrap().remove(0).notice;
    assert_eq!((notice.status, notice.text.as_str()), (None, "5.1.1 <anna@example.com>: user unknown"));
}
