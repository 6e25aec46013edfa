//! The HTTP server.

use std::{convert::Infallible, future, io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header,
    middleware::{DefaultHeaders, from_fn},
    web,
    web::Data,
};
use rekey_runtime::{config::Server as ServerSettings, health::Readiness};
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;

use crate::{
    app_data::{AppData, BuildError, Config, Services, SharedOrganizations},
    metrics, routes,
    span::PathSpan,
};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that is bound to its address and doesn't run yet.
pub struct Application {
    server: Server,
    data: AppData,
    address: SocketAddr,
}

impl Application {
    /// Binds `server.listen`; port 0 takes a free one. `extra` adds routes of the program that embeds the API. The server
    /// runs until `stop` is cancelled, then finishes the requests in progress, for `server.shutdown_timeout` at most.
    pub fn build<F>(
        config: Config<'_>,
        services: Services,
        extra: F,
        stop: CancellationToken,
    ) -> Result<Self, BuildError>
    where
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let ServerSettings { listen, keep_alive, shutdown_timeout, ref public_url, .. } = *config.server;
        let https = public_url.is_https();
        metrics::REFUSALS.start();
        let data = AppData::new(config, services)?;
        let parts = data.clone();
        let app = move || {
            App::new()
                .configure(|config| parts.register(config))
                .configure(extra.clone())
                .configure(routes::add)
                .wrap(security_headers(https))
                .wrap(from_fn(metrics::measure))
                .wrap(TracingLogger::<PathSpan>::new())
        };
        let server = HttpServer::new(app)
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(keep_alive)
            .shutdown_signal(stop.cancelled_owned())
            .shutdown_timeout(shutdown_timeout.as_secs())
            .bind(listen)
            .map_err(|error| BuildError::Listen(listen, error))?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        Ok(Self { server: server.run(), data, address })
    }

    /// Returns the address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it has read of the organizations' folders.
    #[must_use]
    pub fn organizations(&self) -> SharedOrganizations {
        self.data.organizations.clone()
    }

    /// Returns what `/readyz` checks.
    #[must_use]
    pub fn readiness(&self) -> Data<Readiness> {
        self.data.readiness.clone()
    }

    /// Serves requests, records its keys, anonymizes customers and chains audit entries, until it is stopped.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let record_keys = async {
            self.data.key_recorder.run().await;
            future::pending::<Infallible>().await
        };
        tokio::select! {
            ended = self.server => ended,
            never = record_keys => match never {},
            never = self.data.limits.run_cleanup() => match never {},
            never = self.data.anonymization.run() => match never {},
            never = self.data.chainer.run() => match never {},
        }
    }
}

/// Sets the security headers that an answer doesn't set itself. Without a `Cache-Control` of its own no answer is cached.
fn security_headers(https: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CACHE_CONTROL, "no-store"));
    // A year, as hstspreload.org asks for.
    if https { headers.add((header::STRICT_TRANSPORT_SECURITY, "max-age=31536000")) } else { headers }
}
