//! The samples were signed by `openssl dgst -sign`, with the key of the certificate next to them.

use std::sync::Mutex;

use async_trait::async_trait;
use rekey_core::deliveries::reports::ReportKind;
use url::Url;

use super::*;

const BOUNCE: &str = include_str!("../../../tests/reports/sns/bounce.json");
const COMPLAINT: &str = include_str!("../../../tests/reports/sns/complaint.json");
const SUBSCRIPTION: &str = include_str!("../../../tests/reports/sns/subscription.json");
const CERTIFICATE: &[u8] = include_bytes!("../../../tests/reports/sns/certificate.pem");

/// Amazon's hosts, as far as they are asked.
#[derive(Default)]
struct Amazon(Mutex<Vec<String>>);

#[async_trait]
impl Fetch for Amazon {
    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        self.0.lock().unwrap().push(url.to_string());
        Ok(CERTIFICATE.to_vec())
    }
}

fn sns(topic: &str) -> (Arc<Amazon>, Sns) {
    let amazon = Arc::new(Amazon::default());
    (amazon.clone(), Sns::new(vec![TopicArn::parse(topic).unwrap()], amazon))
}

const COMPLAINT_EVENT: &str = r#"{"complaint":{"complainedRecipients":[{"emailAddress":"anna@example.com"}],"complaintFeedbackType":"abuse"},"mail":{}}"#;
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:bounces";

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn now() -> OffsetDateTime {
    at(1_800_000_000)
}

#[tokio::test]
async fn signed_events_of_a_configured_topic_are_read() {
    let (amazon, sns) = sns(TOPIC);
    for (body, kind, text) in [
        (BOUNCE, ReportKind::Bounced, "550 5.1.1 <anna@example.com>: user unknown"),
        (COMPLAINT, ReportKind::Complained, "complaint: abuse"),
        (BOUNCE, ReportKind::Bounced, "550 5.1.1 <anna@example.com>: user unknown"),
    ] {
        let found = sns.webhooks(body.as_bytes(), now()).await.unwrap();
        let [Webhook { sender, ids, notice }] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (sender.as_deref(), ids.join(",").as_str()),
            (Some("no-reply@shop.example"), "<EVENTEVENT@shop.example>")
        );
        assert_eq!((notice.kind, notice.text.as_str()), (kind, text));
        assert_eq!(notice.addresses, ["anna@example.com"]);
    }
    let certificate =
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem";
    assert_eq!(*amazon.0.lock().unwrap(), [certificate], "once");

    let confirmed = sns.webhooks(SUBSCRIPTION.as_bytes(), now()).await;
    assert_eq!(confirmed, Ok(Vec::new()));
    let last = amazon.0.lock().unwrap().last().cloned().unwrap();
    assert!(last.starts_with("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&"), "{last}");
}

#[tokio::test]
async fn anything_else_is_refused_and_nothing_fetched_from_elsewhere() {
    let host = "https://sns.eu-west-1.amazonaws.com/Simple";
    for (body, from, to) in [
        (BOUNCE, "user unknown", "user known"),
        (BOUNCE, "\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"2\""),
        (BOUNCE, "\"SignatureVersion\": \"1\"", "\"SignatureVersion\": \"0\""),
        (BOUNCE, "2026-11-29T10:15:43.000Z", "2026-11-29T10:15:44.000Z"),
        (BOUNCE, TOPIC, "arn:aws:sns:eu-west-1:123456789012:others"),
        (BOUNCE, host, "http://sns.eu-west-1.amazonaws.com/Simple"),
        (BOUNCE, host, "https://sns.eu-west-2.amazonaws.com/Simple"),
        (BOUNCE, host, "https://sns.eu-west-1.amazonaws.com.evil.example/Simple"),
        (BOUNCE, host, "https://sns.eu-west-1.amazonaws.com@evil.example/Simple"),
        (BOUNCE, host, "https://sns.eu-west-1.amazonaws.com:8443/Simple"),
        (BOUNCE, host, "https://s3.eu-west-1.amazonaws.com/Simple"),
        (BOUNCE, host, "https://sns.eu-west-1.amazonaws.com/bucket/Simple"),
        (BOUNCE, ".pem", ".pem?Action=GetEndpointAttributes"),
        (BOUNCE, ".pem", ".pem#"),
        (SUBSCRIPTION, "amazonaws.com/?Action", "amazonaws.com.evil.example/?Action"),
        (SUBSCRIPTION, "\"Token\": \"2336412f37\"", "\"Token\": \"2336412f38\""),
    ] {
        let (amazon, sns) = sns(TOPIC);
        assert!(body.contains(from), "{from}");
        let result = sns.webhooks(body.replace(from, to).as_bytes(), now()).await;
        assert!(matches!(result, Err(FeedError::Refused(_))), "{to}: {result:?}");
        let asked = amazon.0.lock().unwrap().clone();
        assert!(
            asked.iter().all(|url| url.starts_with("https://sns.eu-west-1.amazonaws.com/Simple")),
            "{asked:?}"
        );
    }
    // The certificate is not valid yet, or any more.
    for seconds in [1_700_000_000, 5_000_000_000] {
        let (_, sns) = sns(TOPIC);
        assert!(matches!(sns.webhooks(BOUNCE.as_bytes(), at(seconds)).await, Err(FeedError::Refused(_))));
    }
}

#[test]
fn automatic_replies_and_praise_are_no_reports() {
    let reply = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"General",
        "bouncedRecipients":[{"emailAddress":"anna@example.com"}]},"mail":{"source":"a@shop.example"}}"#;
    let found = ses::webhooks(reply.as_bytes()).unwrap();
    assert_eq!(found[0].notice.kind, ReportKind::Delayed);
    let full = reply.replace(r#"example.com""#, r#"example.com","action":"failed","status":"5.2.2""#);
    assert_eq!(ses::webhooks(full.as_bytes()).unwrap()[0].notice.kind, ReportKind::Bounced);
    let praise = COMPLAINT_EVENT.replace("abuse", "not-spam");
    assert_eq!(ses::webhooks(COMPLAINT_EVENT.as_bytes()).unwrap().len(), 1);
    assert_eq!(ses::webhooks(praise.as_bytes()), Ok(Vec::new()));
    assert_eq!(
        ses::webhooks(b"Successfully validated SNS topic for Amazon SES event publishing."),
        Ok(Vec::new())
    );
    assert_eq!(ses::webhooks(br#"{"notificationType":"Delivery","delivery":{}}"#), Ok(Vec::new()));
}
