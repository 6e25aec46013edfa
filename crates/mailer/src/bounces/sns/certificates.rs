use std::{collections::HashMap, sync::Arc};

use rekey_runtime::config::TopicArn;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use x509_parser::{pem::parse_x509_pem, time::ASN1Time};

use super::{super::feed::FeedError, amazon_url, fetch::Fetch};

/// How many certificates are kept: a region has one or two.
const MAX_KEPT: usize = 8;

/// The certificates by which SNS signs, fetched once from its own hosts. They are Amazon's, since
/// TLS authenticates the host.
pub(super) struct Certificates {
    fetch: Arc<dyn Fetch>,
    kept: Mutex<HashMap<String, Certificate>>,
}

#[derive(Clone)]
struct Certificate {
    key: Vec<u8>,
    valid: [i64; 2],
}

impl Certificates {
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, kept: Mutex::default() }
    }

    /// Returns the RSA key of the certificate at this URL, which must be one of SNS in the topic's region.
    pub async fn key(&self, url: &str, topic: &TopicArn, now: OffsetDateTime) -> Result<Vec<u8>, FeedError> {
        // With a query, the same host answers with texts that its callers have chosen.
        let certificate_url = amazon_url(url, topic).filter(|url| url.query().is_none()).filter(|url| {
            let name = url.path().strip_prefix("/SimpleNotificationService-");
            name.and_then(|name| name.strip_suffix(".pem"))
                .is_some_and(|id| id.bytes().all(|b| b.is_ascii_alphanumeric()))
        });
        let certificate_url = certificate_url
            .ok_or(FeedError::Refused("the SigningCertURL is not one of Amazon SNS in the topic's region"))?;
        // While one is fetched, other requests wait for it.
        let mut kept = self.kept.lock().await;
        let certificate = if let Some(certificate) = kept.get(url) {
            certificate.clone()
        } else {
            let pem = self.fetch.get(&certificate_url).await;
            let pem = pem.map_err(|error| FeedError::Unavailable(error.to_string()))?;
            let certificate =
                parse(&pem).ok_or(FeedError::Refused("the certificate of Amazon SNS can't be read"))?;
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.insert(url.to_owned(), certificate.clone());
            certificate
        };
        let [from, until] = certificate.valid;
        if (from..=until).contains(&now.unix_timestamp()) {
            Ok(certificate.key)
        } else {
            kept.remove(url);
            Err(FeedError::Refused("the certificate of Amazon SNS is not valid now"))
        }
    }
}

fn parse(pem: &[u8]) -> Option<Certificate> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let [from, until] =
        [&certificate.validity.not_before, &certificate.validity.not_after].map(ASN1Time::timestamp);
    Some(Certificate { key: certificate.public_key().subject_public_key.data.to_vec(), valid: [from, until] })
}
