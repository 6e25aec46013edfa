//! Rate limits: which requests are counted together, and what a caller learns of it.

mod limiter;
mod window;
mod with_timeout;

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use rekey_core::{
    clients::ClientKind,
    clock::Clock,
    limits::{RateLimits, WINDOW},
    scope::Mode,
};
use rekey_runtime::config::{self, PerMinute};

use self::{limiter::Limiter, window::Address};
pub use self::{limiter::RateLimitStatus, with_timeout::WithTimeout};
use crate::{
    auth::{bearer::BearerToken, claims::Claims},
    caller,
    jsonapi::error::Problem,
};

/// Limits the requests under `/api`. It runs before the body is read.
pub async fn api(
    limits: Data<Limits>,
    token: BearerToken,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let address = caller::address(request.request());
    let status = limits.api(request.method(), address, token.valid_claims()).await;
    let mut response = match status.and_then(|status| status.wait) {
        Some(wait) => request.into_response(Problem::TooManyRequests(wait).error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    add_headers(status, response.headers_mut());
    Ok(response)
}

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
        address: Option<IpAddr>,
        claims: Option<&Claims>,
    ) -> Option<RateLimitStatus> {
        let direction = if method.is_safe() { "read" } else { "write" };
        let address = Address(address);
        let Some(claims) = claims else {
            return self.take(format!("{direction} {address}"), self.per_minute.live).await;
        };
        let mode = if claims.test { Mode::Test } else { Mode::Live };
        let (client, limit) = (&claims.application.id, self.per_minute.for_mode(mode));
        if claims.application.kind == ClientKind::Integration.as_str() {
            return self.take(format!("{direction} {client}"), limit).await;
        }
        let visitor = self.take(format!("{direction} {client} {address}"), limit).await;
        if visitor.is_some_and(|status| status.wait.is_some()) {
            return visitor;
        }
        let together = self.sales_channel(client).await;
        if together.is_some_and(|status| status.wait.is_some()) { together } else { visitor }
    }

    /// Counts a request against the ceiling of all visitors of a sales channel.
    pub async fn sales_channel(&self, client: &str) -> Option<RateLimitStatus> {
        self.take(format!("client {client}"), self.per_minute.sales_channel).await
    }

    /// Counts a request under `/oauth`.
    pub async fn token(&self, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        self.take(format!("token {}", Address(address)), self.per_minute.token).await
    }

    /// Counts a form that is sent from a hosted page.
    pub async fn page(&self, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        self.take(format!("page {}", Address(address)), self.per_minute.page).await
    }

    /// Deletes counts that are over, until it is dropped.
    pub async fn run_cleanup(&self) -> Infallible {
        self.limiter.run_cleanup().await
    }

    async fn take(&self, window: String, limit: PerMinute) -> Option<RateLimitStatus> {
        Some(self.limiter.take(&window, limit?.get()).await)
    }
}
