//! Whether the process lives, and whether it can do its work.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use futures_util::future::{BoxFuture, join_all};
use rekey_core::{error::Cause, store::Store};
use serde_json::json;
use tokio::time::timeout;

use crate::api::Api;

/// How long a check may take before it counts as failed.
const LIMIT: Duration = Duration::from_secs(2);

/// Something that readiness depends on.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), Cause>> + Send + Sync>,
}

impl Check {
    /// A check by that name, as it is told when it fails.
    pub fn new<F>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<(), Cause>> + Send + Sync + 'static,
    {
        Self { name, run: Arc::new(run) }
    }

    pub(crate) fn store(store: Arc<dyn Store>) -> Self {
        Self::new("store", move || {
            let store = store.clone();
            Box::pin(async move { Ok(store.ping().await?) })
        })
    }

    /// Its name, if it fails.
    async fn failure(&self) -> Option<&'static str> {
        match timeout(LIMIT, (self.run)()).await {
            Ok(Ok(())) => None,
            Ok(Err(cause)) => {
                tracing::warn!(check = self.name, %cause, "not ready");
                Some(self.name)
            }
            Err(_) => {
                tracing::warn!(check = self.name, "not ready: no answer in time");
                Some(self.name)
            }
        }
    }
}

/// `GET /livez`: this process answers; it looks at nothing else.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// `GET /readyz`: every check succeeds; or 503 and the names of those that don't.
pub async fn ready(api: web::Data<Api>) -> HttpResponse {
    let failed: Vec<_> =
        join_all(api.checks.iter().map(Check::failure)).await.into_iter().flatten().collect();
    if failed.is_empty() {
        HttpResponse::Ok().json(json!({ "status": "ready" }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "unavailable", "failed": failed }))
    }
}
