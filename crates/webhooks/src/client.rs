//! Sending one delivery.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use ipnet::IpNet;
use reqwest::{Certificate, Client, header::CONTENT_TYPE, redirect::Policy};
use time::OffsetDateTime;
use url::{Host, Url};

use crate::{
    answer::Answer,
    failure::{FailureReason, SendFailure},
    lookup::{CheckedLookup, LOCALHOST, Lookup, SystemLookup},
    signature::Secrets,
    target::Targets,
};

/// How long an attempt may take: look-up, connection, request and answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How many idle connections are kept for a host, and how long: for the deliveries of a burst. Each was checked when it was opened.
const MAX_IDLE: usize = 4;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MEDIA_TYPE: &str = "application/vnd.api+json";
const USER_AGENT: &str = concat!("Rekey/", env!("CARGO_PKG_VERSION"));

/// A delivery to one receiver.
pub struct Request<'a> {
    pub url: &'a Url,
    /// The event's name.
    pub topic: &'a str,
    /// The event's id, the same in every attempt.
    pub id: &'a str,
    /// The time of this attempt, from which receivers see that it is no replay.
    pub sent_at: OffsetDateTime,
    pub secrets: &'a Secrets,
    /// W3C `traceparent` of the span that sends it.
    pub traceparent: Option<&'a str>,
    /// The resource's JSON:API document.
    pub body: Bytes,
}

/// How deliveries are sent.
pub struct ClientOptions {
    /// The networks that may be reached although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Certificate authorities in addition to the system's.
    pub authorities: Vec<Certificate>,
    pub lookup: Arc<dyn Lookup>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            allowed_networks: Vec::new(),
            timeout: TIMEOUT,
            authorities: Vec::new(),
            lookup: Arc::new(SystemLookup),
        }
    }
}

/// Sends deliveries. Clones share their connections.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    http: Client,
    targets: Arc<Targets>,
    timeout: Duration,
}

impl WebhookClient {
    /// Makes a client. The process's TLS provider must be installed.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(options: ClientOptions) -> Result<Self, reqwest::Error> {
        let ClientOptions { allowed_networks, timeout, authorities, lookup } = options;
        let targets = Arc::new(Targets::new(allowed_networks));
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .redirect(Policy::none())
            .referer(false)
            // A proxy of the environment would look hosts up itself.
            .no_proxy()
            // Another crate could switch these features, and HTTP/2, on. 16 KiB can decompress to 16 MiB.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .http1_only()
            .pool_max_idle_per_host(MAX_IDLE)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_certs_merge(authorities)
            .dns_resolver(CheckedLookup { lookup, targets: targets.clone() });
        Ok(Self { http: client.build()?, targets, timeout })
    }

    /// Signs and sends a delivery once. The caller decides which statuses are successes.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, SendFailure> {
        let Request { url, topic, id, sent_at, secrets, traceparent, body } = request;
        let failure = |reason| SendFailure { host: url.host_str().unwrap_or_default().to_owned(), reason };
        self.check(url).map_err(failure)?;
        let mut post = self.http.post(url.clone()).header(CONTENT_TYPE, MEDIA_TYPE);
        for (name, value) in secrets.sign(topic, id, sent_at, &body) {
            post = post.header(name, value);
        }
        if let Some(traceparent) = traceparent {
            post = post.header("traceparent", traceparent);
        }
        let answer = async { Answer::read(post.body(body).send().await?, sent_at).await };
        answer.await.map_err(|error| failure(FailureReason::from_error(&error, self.timeout)))
    }

    /// Checks what no look-up checks: an address in a URL is used without one.
    fn check(&self, url: &Url) -> Result<(), FailureReason> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        let is_this_machine =
            address.map_or(url.host_str() == Some(LOCALHOST), |address| address.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine) {
            return Err(FailureReason::UnusableUrl("expected https (http is for this machine only)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FailureReason::UnusableUrl("it has a user name or a password"));
        }
        if address.is_some_and(|address| !self.targets.permits(address)) {
            return Err(FailureReason::Refused);
        }
        Ok(())
    }
}
