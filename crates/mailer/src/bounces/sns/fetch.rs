use std::time::Duration;

use async_trait::async_trait;
use url::Url;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes. A certificate has about 2,000.
const MAX_ANSWER: usize = 64 << 10;

/// Gets what a provider publishes.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// Returns the body of a successful answer.
    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError>;
}

/// Something can't be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{host} can't be used: {reason}")]
pub struct FetchError {
    /// The host.
    pub host: String,
    /// Why.
    pub reason: String,
}

/// Fetches by HTTPS, with the system's certificate authorities, and follows no redirect.
pub struct HttpsFetch(reqwest::Client);

impl HttpsFetch {
    /// Makes a client.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().https_only(true).timeout(TIMEOUT);
        client.redirect(reqwest::redirect::Policy::none()).build().map(Self)
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, String> {
        let mut answer =
            self.0.get(url.clone()).send().await.map_err(|error| error.without_url().to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(format!("its answer has more than {MAX_ANSWER} bytes"));
            }
        }
        Ok(body)
    }
}

#[async_trait]
impl Fetch for HttpsFetch {
    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let failed = |reason| FetchError { host: url.host_str().unwrap_or_default().to_owned(), reason };
        self.read(url).await.map_err(failed)
    }
}
