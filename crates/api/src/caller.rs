//! Where a call comes from.

use std::net::IpAddr;

use actix_web::{HttpRequest, http::header::HeaderMap};
use rekey_core::access::{Actor, Caller};
use rekey_runtime::{config::TrustedProxies, telemetry};

/// The caller of a request, acting as `actor`.
#[must_use]
pub fn of(request: &HttpRequest, proxies: &TrustedProxies, actor: Actor) -> Caller {
    let peer = request.peer_addr().map(|peer| peer.ip());
    Caller {
        actor,
        address: peer.map(|peer| client_address(peer, request.headers(), proxies)),
        traceparent: telemetry::current_traceparent(),
    }
}

/// The client's address: the peer's, or, as far as proxies of ours vouch for it, what `X-Forwarded-For` says. Each proxy
/// appends whom it saw, so the list is read from its end, up to the first address that is none of ours.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for hop in forwarded.iter().rev() {
        if !proxies.contains(client) {
            break;
        }
        let Ok(address) = hop.trim().parse() else { break };
        client = address;
    }
    client.to_canonical()
}
