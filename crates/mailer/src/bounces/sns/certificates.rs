use std::sync::Arc;

use moka::future::Cache;
use rekey_runtime::config::TopicArn;
use time::{Duration, OffsetDateTime};
use url::Url;
use x509_parser::{pem::parse_x509_pem, time::ASN1Time};

use super::{super::feed::FeedError, amazon_url, fetch::Fetch};

/// How many certificates are kept, those used most: a region has one or two.
const MAX_KEPT: u64 = 16;
/// How many failures are remembered: some hundred KiB.
const MAX_FAILURES: u64 = 1000;
/// How long a certificate that can't be fetched is not asked for again. SNS sends a report again after 20 s, three times unless the
/// subscription says otherwise (docs.aws.amazon.com/sns, "Message delivery retries"): each of them must find a certificate that is back.
pub(super) const FAILURE_TTL: Duration = Duration::seconds(15);
/// The longest id of a certificate. Amazon's have 32 characters.
const MAX_ID: usize = 64;

/// The certificates by which SNS signs, each fetched once from its own hosts. They are Amazon's, since TLS authenticates the host. Nobody
/// waits for a certificate that another report names: any stranger can name some that do not exist.
pub(super) struct Certificates {
    fetch: Arc<dyn Fetch>,
    kept: Cache<Url, Arc<Certificate>>,
    failures: Cache<Url, (OffsetDateTime, FeedError)>,
}

struct Certificate {
    key: Vec<u8>,
    valid: [i64; 2],
}

impl Certificates {
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, kept: Cache::new(MAX_KEPT), failures: Cache::new(MAX_FAILURES) }
    }

    /// Returns the RSA key of the certificate at this URL, which must be one of SNS in the topic's region.
    pub async fn key(&self, url: &str, topic: &TopicArn, now: OffsetDateTime) -> Result<Vec<u8>, FeedError> {
        let url = certificate_url(url, topic)
            .ok_or(FeedError::Refused("the SigningCertURL is not one of Amazon SNS in the topic's region"))?;
        let certificate = self.kept.try_get_with_by_ref(&url, self.fetch(&url, now)).await;
        let certificate = certificate.map_err(|error| (*error).clone())?;
        let [from, until] = certificate.valid;
        if (from..=until).contains(&now.unix_timestamp()) {
            return Ok(certificate.key.clone());
        }
        // There may be a renewed one at the same URL.
        let error = FeedError::Refused("the certificate of Amazon SNS is not valid now");
        self.failures.insert(url.clone(), (now, error.clone())).await;
        self.kept.invalidate(&url).await;
        Err(error)
    }

    /// Fetches a certificate, unless that failed just now.
    async fn fetch(&self, url: &Url, now: OffsetDateTime) -> Result<Arc<Certificate>, FeedError> {
        let failure = self.failures.get(url).await;
        if let Some((_, error)) = failure.filter(|(at, _)| (now - *at).abs() < FAILURE_TTL) {
            return Err(error);
        }
        let fetched = match self.fetch.get(url).await {
            Ok(pem) => parse(&pem).ok_or(FeedError::Refused("the certificate of Amazon SNS can't be read")),
            Err(error) => Err(FeedError::Unavailable(error.to_string())),
        };
        if let Err(error) = &fetched {
            self.failures.insert(url.clone(), (now, error.clone())).await;
        }
        fetched.map(Arc::new)
    }
}

/// Parses the URL of a certificate. With a query, the same host answers with texts that its callers have chosen.
fn certificate_url(text: &str, topic: &TopicArn) -> Option<Url> {
    let url = amazon_url(text, topic).filter(|url| url.query().is_none())?;
    let id = url.path().strip_prefix("/SimpleNotificationService-")?.strip_suffix(".pem")?;
    (id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(url)
}

fn parse(pem: &[u8]) -> Option<Certificate> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let [from, until] =
        [&certificate.validity.not_before, &certificate.validity.not_after].map(ASN1Time::timestamp);
    Some(Certificate { key: certificate.public_key().subject_public_key.data.to_vec(), valid: [from, until] })
}
