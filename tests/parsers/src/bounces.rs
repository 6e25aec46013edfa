//! What providers of mail report: JSON, with a proof that it is theirs.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::{deliveries::reports::ReportKind, ids::EventId};
use rekey_mailer::bounces::{
    FeedError, Fetch, FetchError, Webhook, find_delivery, mailgun, postmark, sendgrid,
    sns::{self, Sns},
};
use rekey_runtime::config::TopicArn;
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use time::{Duration, OffsetDateTime};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::{KEYS, assert_is_clean};

type Read = Result<Vec<Webhook>, FeedError>;

/// What providers sign with, and the password in a webhook's URL.
const KEY: &str = "a key of at least 16 characters";

/// An event has texts that may be shown and stored, and suppresses addresses as they are stored. A mistake quotes no value.
fn check(read: Read) {
    let webhooks = match read {
        Ok(webhooks) => webhooks,
        Err(error) => return assert_is_clean(&error.to_string()),
    };
    for webhook in webhooks {
        let delivery = find_delivery(&webhook, &KEYS);
        let delivery = delivery.unwrap_or_else(|| "EVENTEVEN1".parse::<EventId>().unwrap());
        let new = webhook.notice.into_report(delivery);
        for text in new.report.detail.iter().chain(&new.report.reporter) {
            assert_is_clean(text);
            assert!(!text.is_empty());
        }
        if let Some(reply) = &new.report.reply {
            assert!((400..600).contains(&reply.code), "{reply:?}");
        }
        assert!(new.report.kind != ReportKind::Delayed || new.suppress.is_empty(), "{new:?}");
        for address in new.suppress {
            assert_eq!(address.as_str().parse(), Ok(address));
        }
    }
}

/// Whatever has the right proof is not refused.
fn check_proven(read: Read) {
    assert!(!matches!(read, Err(FeedError::Refused(_))), "{read:?}");
    check(read);
}

/// Only who knows the password is read.
pub fn postmark(input: &[u8]) {
    let login = format!("user:{KEY}");
    let basic = |login: &str| format!("Basic {}", STANDARD.encode(login));
    for other in ["user:", "user", "", KEY] {
        assert!(matches!(postmark::webhooks(&login, &basic(other), input), Err(FeedError::Refused(_))));
    }
    check_proven(postmark::webhooks(&login, &basic(&login), input));
}

/// Only what is signed is read: the input is a body, and the event of a signed one.
pub fn mailgun(input: &[u8]) {
    // That of the corpus.
    let now = OffsetDateTime::from_unix_timestamp(1_795_947_400).unwrap();
    let timestamp = now.unix_timestamp();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()),
        format!("{timestamp}token").as_bytes(),
    );
    let tag = hex::encode(tag);
    let proof = format!(
        r#"{{"signature":{{"timestamp":"{timestamp}","token":"token","signature":"{tag}"}},"event-data":"#
    );
    let body = [proof.as_bytes(), input, b"}"].concat();
    for body in [input, &body] {
        assert!(mailgun::webhooks("another key", body, now).is_err(), "nobody else can sign");
    }
    check_proven(mailgun::webhooks(KEY, &body, now));
    let late = mailgun::webhooks(KEY, &body, now + Duration::DAY);
    assert!(matches!(late, Err(FeedError::Refused(_) | FeedError::Malformed(_))), "{late:?}");
}

/// Only what is signed is read.
pub fn sendgrid(input: &[u8]) {
    static PAIR: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap()
    });
    let (key, timestamp) = (PAIR.public_key().as_ref(), "1795947345");
    let signature = PAIR.sign(&SystemRandom::new(), &[timestamp.as_bytes(), input].concat()).unwrap();
    let signature = STANDARD.encode(signature);
    check_proven(sendgrid::webhooks(key, timestamp, &signature, input));
    let other = [input, b" "].concat();
    for (timestamp, body) in [("1795947346", input), (timestamp, &other)] {
        let read = sendgrid::webhooks(key, timestamp, &signature, body);
        assert!(matches!(read, Err(FeedError::Refused(_))), "{read:?}");
    }
}

/// The event in a message of SNS. Praise is no complaint.
pub fn ses(input: &[u8]) {
    let read = sns::ses::webhooks(input);
    for Webhook { notice, .. } in read.iter().flatten() {
        let is_complaint = notice.kind == ReportKind::Complained;
        assert!(!is_complaint || !notice.text.eq_ignore_ascii_case("complaint: not-spam"), "{notice:?}");
    }
    check(read);
}

/// Amazon SNS, which has one certificate.
struct Amazon;

#[async_trait]
impl Fetch for Amazon {
    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        assert_eq!(url.origin().ascii_serialization(), "https://sns.eu-west-1.amazonaws.com", "{url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        Ok(include_bytes!("../../../crates/mailer/tests/reports/sns/certificate.pem").to_vec())
    }
}

/// Nothing is fetched but from Amazon, and nothing is read that it has not signed: of the corpus, the messages of the mailer's tests.
pub fn sns(input: &[u8]) {
    // One for all inputs: it keeps certificates, which are the same.
    static SNS: LazyLock<(Runtime, Sns)> = LazyLock::new(|| {
        let topic = TopicArn::parse("arn:aws:sns:eu-west-1:123456789012:bounces").unwrap();
        (Builder::new_current_thread().build().unwrap(), Sns::new(vec![topic], Arc::new(Amazon)))
    });
    let (runtime, sns) = &*SNS;
    let now = OffsetDateTime::from_unix_timestamp(1_796_014_800).unwrap();
    let read = runtime.block_on(sns.webhooks(input, now));
    for webhook in read.iter().flatten() {
        let signed = ["550 5.1.1 <anna@example.com>: user unknown", "complaint: abuse"];
        assert!(signed.contains(&webhook.notice.text.as_str()), "{webhook:?}");
    }
    check(read);
}
