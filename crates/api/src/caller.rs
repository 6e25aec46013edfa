//! Where a request comes from.

use std::net::IpAddr;

use actix_web::{HttpRequest, http::header::ACCEPT_LANGUAGE, web::Data};
use rekey_core::{
    caller::{Actor, Caller},
    locale::{self, Locale},
};
use rekey_runtime::{proxies::Proxies, telemetry};

/// Returns the caller of a request, acting as `actor`.
#[must_use]
pub fn from_request(request: &HttpRequest, actor: Actor) -> Caller {
    Caller {
        actor,
        address: address(request),
        traceparent: telemetry::current_traceparent(),
        locales: locales(request),
        record: None,
    }
}

/// Returns the languages that the request asks for, best first.
#[must_use]
pub fn locales(request: &HttpRequest) -> Vec<Locale> {
    let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.map(locale::accepted).unwrap_or_default()
}

/// Returns the client's address, if the connection has one.
#[must_use]
pub fn address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let proxies = request.app_data::<Data<Proxies>>()?;
    Some(proxies.client_address(peer, request.headers()))
}
