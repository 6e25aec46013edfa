//! The admin listener of a program: `GET /livez`, `/readyz` and `/metrics`, for probes and Prometheus, and a program's own pages.

use std::{convert::Infallible, io, net::SocketAddr};

use actix_web::{
    App, HttpResponse, HttpServer,
    error::ErrorInternalServerError,
    web::{self, Data, ServiceConfig},
};
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};

use crate::{
    health::{self, Readiness},
    lifecycle::Tasks,
};

/// The admin listener can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}: set admin.listen to an address and port that are free, or to \"off\"")]
pub struct AdminError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

/// Serves the three at this address, if there is one, as one of the program's tasks. `metrics` is [`Guard::metrics`](crate::telemetry::Guard::metrics).
pub fn serve(
    tasks: &mut Tasks,
    address: Option<SocketAddr>,
    readiness: impl Into<Data<Readiness>>,
    metrics: &Registry,
) -> Result<(), AdminError> {
    serve_with(tasks, address, readiness, metrics, |_| {})
}

/// Like [`serve`], with more routes.
pub fn serve_with(
    tasks: &mut Tasks,
    address: Option<SocketAddr>,
    readiness: impl Into<Data<Readiness>>,
    metrics: &Registry,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Result<(), AdminError> {
    let (readiness, metrics) = (readiness.into(), Data::new(metrics.clone()));
    let (observed, stop) = (readiness.clone().into_inner(), tasks.token());
    tasks.spawn("readiness", async move {
        stop.run_until_cancelled(observed.run_gauge()).await;
        Ok::<_, Infallible>(())
    });
    let Some(address) = address else { return Ok(()) };
    let app = move || {
        App::new()
            .app_data(readiness.clone())
            .app_data(metrics.clone())
            .route("/livez", web::get().to(health::live))
            .route("/readyz", web::get().to(health::ready_with_causes))
            .route("/metrics", web::get().to(show_metrics))
            .configure(routes.clone())
    };
    let server = HttpServer::new(app).workers(1).shutdown_signal(tasks.token().cancelled_owned());
    let server = server.bind(address).map_err(|cause| AdminError { address, cause })?;
    tasks.spawn("admin", server.run());
    Ok(())
}

/// Answers `GET /metrics`, in Prometheus' text format.
async fn show_metrics(metrics: Data<Registry>) -> actix_web::Result<HttpResponse> {
    let text = TextEncoder::new().encode_to_string(&metrics.gather()).map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(text))
}
