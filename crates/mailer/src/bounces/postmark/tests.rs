use super::*;

const SAMPLE: &str = include_str!("../../../tests/reports/postmark.json");
const LOGIN: &str = "rekey:a-long-password-of-theirs";

fn basic(login: &str) -> String {
    format!("Basic {}", STANDARD.encode(login))
}

#[test]
fn a_bounce_with_the_login_is_read_and_others_are_refused() {
    let found = webhooks(LOGIN, &basic(LOGIN), SAMPLE.as_bytes()).unwrap();
    let [Webhook { ids, notice, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(ids, &["EVENTEVENT"]);
    assert_eq!(
        (notice.kind, notice.text.as_str()),
        (ReportKind::Bounced, "550 5.1.1 <anna@example.com>: user unknown")
    );
    assert_eq!(notice.addresses, ["anna@example.com"]);
    let longer = format!("{LOGIN}x");
    for authorization in
        ["", "Basic", &basic(&longer), &basic("rekey:"), &basic(LOGIN).replace("Basic", "Bearer")]
    {
        let result = webhooks(LOGIN, authorization, SAMPLE.as_bytes());
        assert!(matches!(result, Err(FeedError::Refused(_))), "{authorization}");
    }
}

#[test]
fn each_event_has_its_meaning() {
    let hard = "\"Type\":\"HardBounce\"";
    for (from, to, expected) in [
        (hard, "\"Type\":\"SoftBounce\"", Some(ReportKind::Bounced)),
        (hard, "\"Type\":\"Transient\"", Some(ReportKind::Delayed)),
        (hard, "\"Type\":\"AutoResponder\"", None),
        ("\"RecordType\":\"Bounce\"", "\"RecordType\":\"SpamComplaint\"", Some(ReportKind::Complained)),
        ("\"RecordType\":\"Bounce\"", "\"RecordType\":\"Delivery\"", None),
    ] {
        let found = webhooks(LOGIN, &basic(LOGIN), SAMPLE.replace(from, to).as_bytes()).unwrap();
        assert_eq!(found.first().map(|webhook| webhook.notice.kind), expected, "{to}");
    }
}
