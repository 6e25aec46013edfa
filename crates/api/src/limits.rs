//! Rate limits: which requests are counted together, and what a caller learns of it.

mod limiter;
pub mod middleware;
mod with_timeout;

use std::{convert::Infallible, net::IpAddr, num::NonZeroU32, sync::Arc};

use actix_web::{
    dev::ServiceRequest,
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
};
use rekey_core::{
    clients::ClientKind,
    clock::Clock,
    limits::{RateLimits, WINDOW},
    network::Network,
    scope::Mode,
};
use rekey_runtime::config::{self, PerMinute};
use strum::Display;
use time::Duration;

use self::limiter::Limiter;
pub use self::{limiter::RateLimitStatus, with_timeout::WithTimeout};
use crate::{
    auth::claims::Claims,
    metrics::{Limit, REFUSALS},
};

/// Adds the vendor's headers, in its units: requests, and seconds.
pub fn add_headers(status: Option<RateLimitStatus>, headers: &mut HeaderMap) {
    let Some(status) = status else { return };
    let interval = u32::try_from(WINDOW.whole_seconds()).unwrap_or_default();
    for (name, value) in [
        ("x-ratelimit-limit", status.limit),
        ("x-ratelimit-interval", interval),
        ("x-ratelimit-remaining", status.remaining),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

/// The configured limits, and what is used of them.
pub struct Limits {
    per_minute: config::Limits,
    limiter: Limiter,
}

impl Limits {
    /// Counts in `store`.
    pub fn new(per_minute: config::Limits, store: Arc<dyn RateLimits>, clock: Arc<dyn Clock>) -> Self {
        Self { per_minute, limiter: Limiter::new(store, clock) }
    }

    /// Counts a request under `/api`. An integration is counted as itself, as many may share an address. A sales channel's visitors are
    /// counted by address, so that one of them can't use up the shop's limit, and have a ceiling together. Requests without
    /// a valid token are counted by address.
    pub async fn api(
        &self,
        method: &Method,
        ceiling: Ceiling,
        address: Option<IpAddr>,
        claims: Option<&Claims>,
    ) -> Option<RateLimitStatus> {
        let direction = direction(method);
        let Some(claims) = claims else {
            return counted(
                Limit::Live,
                self.take_by_address(direction, address, self.per_minute.live).await,
            );
        };
        let mode = if claims.test { Mode::Test } else { Mode::Live };
        let name = if claims.test { Limit::Test } else { Limit::Live };
        let (client, limit) = (&claims.application.id, self.per_minute.for_mode(mode));
        if claims.application.kind == ClientKind::Integration.as_str() {
            return counted(name, self.take(format!("{direction} {client}"), limit).await);
        }
        let visitor =
            counted(name, self.take_by_address(&format!("{direction} {client}"), address, limit).await);
        if visitor.is_some_and(|status| status.wait.is_some()) {
            return visitor;
        }
        let together = self.sales_channel(client, ceiling).await;
        if together.is_some_and(|status| status.wait.is_some()) { together } else { visitor }
    }

    /// Counts a token that was not issued here, sent for the first time. A storefront's server passes its visitors' tokens on, and a few bad
    /// ones must not hold up all others.
    pub async fn bad_token(&self, address: Option<IpAddr>) {
        self.take_by_address(BAD_TOKENS, address, self.tenfold()).await;
    }

    /// How long no unknown token is checked, because too many bad ones came from that address. Counts nothing.
    pub async fn refuses_unknown_tokens(&self, address: Option<IpAddr>) -> Option<Duration> {
        let limit = self.tenfold()?;
        for (window, limit) in networks(BAD_TOKENS, address, limit.get()) {
            let wait = self.limiter.wait(&window, limit).await;
            if wait.is_some() {
                REFUSALS.add(Limit::UnknownToken, 1);
                return wait;
            }
        }
        None
    }

    /// Ten times what an address may call: for what costs little, but more than nothing.
    fn tenfold(&self) -> PerMinute {
        self.per_minute.live.map(|limit| limit.saturating_mul(TENFOLD))
    }

    /// Counts a request against the ceiling of all visitors of a sales channel.
    pub async fn sales_channel(&self, client: &str, ceiling: Ceiling) -> Option<RateLimitStatus> {
        let status = self.take(format!("client {ceiling} {client}"), self.per_minute.sales_channel).await;
        counted(Limit::SalesChannel, status)
    }

    /// Counts a request under `/oauth`.
    pub async fn token(&self, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        counted(Limit::Token, self.take_by_address("token", address, self.per_minute.token).await)
    }

    /// Counts a request for a hosted page: a form that is sent, or a read, of which mail scanners make many.
    pub async fn page(&self, method: &Method, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        let status = if method.is_safe() {
            self.take_by_address("page read", address, self.tenfold()).await
        } else {
            self.take_by_address("page", address, self.per_minute.page).await
        };
        counted(Limit::Page, status)
    }

    /// Deletes counts that are over, until it is dropped.
    pub async fn run_cleanup(&self) -> Infallible {
        self.limiter.run_cleanup().await
    }

    /// Counts a request by its client's networks, from the narrowest on. Returns the narrowest's status, or the refusal.
    async fn take_by_address(
        &self,
        window: &str,
        address: Option<IpAddr>,
        limit: PerMinute,
    ) -> Option<RateLimitStatus> {
        let limit = limit?.get();
        let mut narrowest = None;
        for (window, limit) in networks(window, address, limit) {
            let status = self.limiter.take(&window, limit).await;
            if status.wait.is_some() {
                return Some(status);
            }
            narrowest.get_or_insert(status);
        }
        narrowest
    }

    async fn take(&self, window: String, limit: PerMinute) -> Option<RateLimitStatus> {
        Some(self.limiter.take(&window, limit?.get()).await)
    }
}

/// Which requests of a sales channel's visitors have a ceiling together, so that a flood of others does not keep customers from logging in
/// or recovering their accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
#[strum(serialize_all = "snake_case")]
pub enum Ceiling {
    /// Requests for tokens and revocations.
    LogIn,
    /// Requests for resets, and their uses.
    Recovery,
    /// All others.
    Other,
}

impl Ceiling {
    fn for_request(request: &ServiceRequest) -> Self {
        let is_reset = request.path().starts_with(RESETS);
        if is_reset && !request.method().is_safe() { Self::Recovery } else { Self::Other }
    }
}

/// The window of tokens that were not issued here.
const BAD_TOKENS: &str = "bad token";
const TENFOLD: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// The path of resets.
const RESETS: &str = "/api/customer_password_resets";

/// Returns the windows in which a request is counted, and their limits, the narrowest first.
fn networks(window: &str, address: Option<IpAddr>, limit: u32) -> impl Iterator<Item = (String, u32)> {
    let known = address.into_iter().flat_map(Network::counted);
    let known = known.map(|(network, factor)| (network.to_string(), factor));
    let unknown = address.is_none().then(|| ("unknown".to_owned(), 1));
    known
        .chain(unknown)
        .map(move |(network, factor)| (format!("{window} {network}"), limit.saturating_mul(factor)))
}

/// Counts a refusal by this limit.
fn counted(limit: Limit, status: Option<RateLimitStatus>) -> Option<RateLimitStatus> {
    if status.is_some_and(|status| status.wait.is_some()) {
        REFUSALS.add(limit, 1);
    }
    status
}

fn direction(method: &Method) -> &'static str {
    if method.is_safe() { "read" } else { "write" }
}
