//! The samples were signed by `openssl dgst -sign`, with the key of the certificate next to them.

use std::{
    future::pending,
    sync::{Mutex, MutexGuard},
    time::Duration as StdDuration,
};

use async_trait::async_trait;
use rekey_core::deliveries::reports::ReportKind;
use tokio::time::timeout;
use url::Url;

use super::{certificates::FAILURE_TTL, *};

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
        self.asked().push(url.to_string());
        tokio::task::yield_now().await;
        match url.path() {
            path if path.contains(MISSING) => {
                Err(FetchError { host: "sns.example".to_owned(), reason: "it answered 404".to_owned() })
            }
            path if path.contains(SLOW) => pending().await,
            _ => Ok(CERTIFICATE.to_vec()),
        }
    }
}

impl Amazon {
    fn asked(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }
}

/// The ids of certificates: the sample's, one that is not there, and one that never comes.
const ID: &str = "01d088a6f77103d0fe307c0069e40ed6";
const MISSING: &str = "00000000000000000000000000000404";
const SLOW: &str = "00000000000000000000000000000504";

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
    at(1_796_014_800)
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
    assert_eq!(*amazon.asked(), [certificate], "once");

    let confirmed = sns.webhooks(SUBSCRIPTION.as_bytes(), now()).await;
    assert_eq!(confirmed, Ok(Vec::new()));
    let last = amazon.asked().last().cloned().unwrap();
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
        (BOUNCE, ID, &"0".repeat(65)),
        (SUBSCRIPTION, "amazonaws.com/?Action", "amazonaws.com.evil.example/?Action"),
        (SUBSCRIPTION, "\"Token\": \"2336412f37\"", "\"Token\": \"2336412f38\""),
    ] {
        let (amazon, sns) = sns(TOPIC);
        assert!(body.contains(from), "{from}");
        let result = sns.webhooks(body.replace(from, to).as_bytes(), now()).await;
        assert!(matches!(result, Err(FeedError::Refused(_))), "{to}: {result:?}");
        let asked = amazon.asked().clone();
        assert!(
            asked.iter().all(|url| url.starts_with("https://sns.eu-west-1.amazonaws.com/Simple")),
            "{asked:?}"
        );
    }
    let (amazon, sns) = sns(TOPIC);
    for days in [-2, 2] {
        let result = sns.webhooks(BOUNCE.as_bytes(), now() + Duration::days(days)).await;
        assert!(matches!(result, Err(FeedError::Refused(_))), "{days}: {result:?}");
    }
    assert!(amazon.asked().is_empty(), "for an old message");
    // The certificate is not valid yet, or any more.
    let message: SnsMessage = parse(BOUNCE.as_bytes()).unwrap();
    for (seconds, is_valid) in [(1_700_000_000, false), (1_800_000_000, true), (5_000_000_000, false)] {
        let key = sns.certificates.key(&message.signing_cert_url, &sns.topics[0], at(seconds)).await;
        assert_eq!(key.is_ok(), is_valid, "{seconds}: {key:?}");
    }
    // The first one was no use, and may have been renewed.
    assert_eq!(amazon.asked().len(), 2);
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_a_slow_one_delays_no_other() {
    let (amazon, sns) = sns(TOPIC);
    let slow = BOUNCE.replace(ID, SLOW);
    let slow = sns.webhooks(slow.as_bytes(), now());
    let both = async {
        let [one, other] = [BOUNCE, COMPLAINT].map(|body| sns.webhooks(body.as_bytes(), now()));
        let (one, other) = tokio::join!(one, other);
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    };
    let first = async {
        tokio::select! { biased; result = slow => panic!("{result:?}"), () = both => {} }
    };
    Box::pin(timeout(StdDuration::from_secs(10), first)).await.expect("the slow one delays the others");
    assert_eq!(amazon.asked().iter().filter(|url| url.contains(ID)).count(), 1);
}

#[tokio::test]
async fn a_certificate_that_can_not_be_fetched_is_not_asked_for_again_at_once() {
    let (amazon, sns) = sns(TOPIC);
    let missing = BOUNCE.replace(ID, MISSING);
    let again = FAILURE_TTL + Duration::SECOND;
    for (wait, count) in [(Duration::ZERO, 1), (Duration::SECOND, 1), (again, 2), (again, 2)] {
        let result = sns.webhooks(missing.as_bytes(), now() + wait).await;
        assert!(matches!(result, Err(FeedError::Unavailable(_))), "{result:?}");
        assert_eq!(amazon.asked().len(), count, "after {wait}");
    }
    assert!(sns.webhooks(BOUNCE.as_bytes(), now()).await.is_ok());
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
