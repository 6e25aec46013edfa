//! Where a request comes from.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::header::{ACCEPT_LANGUAGE, HeaderMap},
    web::Data,
};
use rekey_core::{
    caller::{Actor, Caller},
    locale::{self, Locale},
};
use rekey_runtime::{config::TrustedProxies, telemetry};

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
    let proxies = request.app_data::<Data<TrustedProxies>>()?;
    Some(client_address(peer, request.headers(), proxies))
}

/// Returns the peer's address, or the one in `X-Forwarded-For` that trusted proxies vouch for. Each proxy appends the address
/// it saw, so the list is read from its end, up to the first address that is not a trusted proxy.
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

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rekey_runtime::config::{Configuration, DevSettings, Source};

    use super::*;

    fn seen(peer: &str, trusted: &str, forwarded: &[&str]) -> String {
        let source = Source::default()
            .preset("server.public_url", "https://shop.test")
            .preset("server.trusted_proxies", trusted)
            .preset("auth.signing_key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
            .preset("keys.sealing", "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
            .preset("mail.from", "shop@example.com");
        let settings: DevSettings = Configuration::load(&source).unwrap().settings().unwrap();
        let proxies = settings.server.trusted_proxies;
        let request = forwarded.iter().fold(TestRequest::default(), |request, value| {
            request.append_header(("x-forwarded-for", *value))
        });
        client_address(peer.parse().unwrap(), request.to_http_request().headers(), &proxies).to_string()
    }

    #[test]
    fn forwarded_for_is_believed_only_from_configured_proxies() {
        assert_eq!(seen("203.0.113.9", "10.0.0.0/8", &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["192.0.2.1"]), "192.0.2.1");
        // The client's own claim is to the left of the address that our proxy saw.
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["198.51.100.7, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["198.51.100.7", "192.0.2.1 , 10.1.1.1"]), "192.0.2.1");
        assert_eq!(seen("::ffff:10.0.0.1", "10.0.0.0/8", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", "10.0.0.0/8", &["192.0.2.1, nonsense"]), "10.0.0.1");
    }
}
