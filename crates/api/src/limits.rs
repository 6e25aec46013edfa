//! Rate limits: who is counted against what, and what a caller is told of it.

mod limiter;
mod middleware;
mod patient;
mod window;

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use actix_web::http::Method;
use rekey_core::{clients::ClientKind, clock::Clock, limits::RateLimits, scope::Mode};
use rekey_runtime::config::{self, PerMinute};

use self::{limiter::Limiter, window::Address};
pub use self::{
    limiter::RateLimitStatus,
    middleware::{api, oauth, page},
    patient::Patient,
};
use crate::auth::jwt::Claims;

/// The limits of this deployment, as far as they are used up.
pub struct Limits {
    per_minute: config::Limits,
    limiter: Limiter,
}

impl Limits {
    /// Limits that are counted in `store`.
    pub fn new(per_minute: config::Limits, store: Arc<dyn RateLimits>, clock: Arc<dyn Clock>) -> Self {
        Self { per_minute, limiter: Limiter::new(store, clock) }
    }

    /// A call under `/api`, with whatever a good access token says. An integration is one party, wherever it calls from, and many
    /// of them may share an address. A sales channel speaks for all its visitors: each address is a party, so that none can
    /// use up what is the shop's, and they have a ceiling together. Who shows no good token is an address.
    pub async fn call(
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
        let (client, limit) = (&claims.application.id, self.per_minute.of(mode));
        if claims.application.kind == ClientKind::Integration.as_str() {
            return self.take(format!("{direction} {client}"), limit).await;
        }
        let visitor = self.take(format!("{direction} {client} {address}"), limit).await;
        if visitor.is_some_and(|standing| standing.wait.is_some()) {
            return visitor;
        }
        let together = self.sales_channel(client).await;
        if together.is_some_and(|standing| standing.wait.is_some()) { together } else { visitor }
    }

    /// What a sales channel's visitors do together.
    pub async fn sales_channel(&self, client: &str) -> Option<RateLimitStatus> {
        self.take(format!("client {client}"), self.per_minute.sales_channel).await
    }

    /// A call for a token, or to revoke one.
    pub async fn token(&self, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        self.take(format!("token {}", Address(address)), self.per_minute.token).await
    }

    /// A form sent from a hosted page.
    pub async fn page(&self, address: Option<IpAddr>) -> Option<RateLimitStatus> {
        self.take(format!("page {}", Address(address)), self.per_minute.page).await
    }

    /// Clears away what has been counted and is over, until it is dropped.
    pub async fn run_cleanup(&self) -> Infallible {
        self.limiter.run_cleanup().await
    }

    async fn take(&self, window: String, limit: PerMinute) -> Option<RateLimitStatus> {
        Some(self.limiter.take(&window, limit?.get()).await)
    }
}
