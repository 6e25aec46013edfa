//! What a request brings: its body, query and headers.

use std::{net::IpAddr, sync::LazyLock};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};
use rekey_api::{JsonError, ListQuery, MAX_ORDERS, Problem, Query, read_document, read_json};
use rekey_core::{
    email::EmailAddress,
    idempotency::IdempotencyKey,
    locale::{Locale, accepted},
    resources::{
        Audience, CUSTOMERS, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, RESOURCES,
        customers::{EMAIL, LOCALE, PASSWORD},
        listing::{Cursor, Page},
        record,
    },
};
use rekey_runtime::proxies::Proxies;
use serde_json::Value;

use crate::config::server;

/// JSON is read as any other reader reads it, or refused. What a record keeps of a document can be stored.
pub fn jsonapi(input: &[u8]) {
    let other = serde_json::from_slice::<Value>(input);
    match (read_json(input), other) {
        (Ok(read), other) => assert_eq!(read, other.expect("JSON")),
        (Err(JsonError::Malformed), other) => assert!(other.is_err()),
        // Written again, it has each name once.
        (Err(JsonError::DuplicateName), Ok(other)) => {
            assert!(read_json(other.to_string().as_bytes()).is_ok());
        }
        (Err(JsonError::DuplicateName), Err(_)) => {}
    }
    let Ok(mut attributes) = read_document(input, &CUSTOMERS, None) else { return };
    let was_given = [attributes.has(&EMAIL), attributes.has(&PASSWORD)];
    let email = attributes.optional::<EmailAddress>(&EMAIL);
    let password = attributes.password(&PASSWORD);
    let _ = attributes.locale(&LOCALE);
    let common = attributes.common();
    for text in [common.reference.value(), common.reference_origin.value()].into_iter().flatten() {
        assert!(text.chars().count() <= Kind::MAX_TEXT && !text.contains('\0'), "{text:?}");
    }
    if let Some(metadata) = common.metadata {
        assert!(!record::holds_nul(&Value::Object(metadata)));
    }
    for attribute in [&EMAIL, &PASSWORD, &LOCALE, &REFERENCE, &REFERENCE_ORIGIN, &METADATA] {
        assert!(!attributes.has(attribute), "{} is still there", attribute.name);
    }
    match attributes.finish(Some(())) {
        Ok(()) => assert_eq!([email.is_some(), password.is_some()], was_given),
        Err(Problem::Validation(errors)) => assert!(!errors.is_empty()),
        Err(other) => panic!("{other:?}"),
    }
}

/// A query's parts are within their bounds, and the links to other pages ask for the same list. The first byte selects the resource.
pub fn query(input: &[u8]) {
    let Some((first, query)) = input.split_first() else { return };
    let resource = RESOURCES[usize::from(*first) % RESOURCES.len()];
    let text = String::from_utf8_lossy(query);
    let query = Query::parse(&text);
    let everyone = query.one(resource, Audience::Everyone);
    if let Ok(view) = everyone {
        assert!(view.includes.is_empty(), "related records are for integrations");
    }
    let Ok(list) = query.list(resource) else { return };
    let size = list.listing.page.size();
    assert!((1..=Page::MAX_SIZE).contains(&size) && list.listing.order.len() <= MAX_ORDERS);
    let order = list.listing.total_order();
    assert!(order.last().is_some_and(|order| order.attribute.name == "id"));
    if let Page::After { cursor: Some(cursor), .. } = &list.listing.page {
        assert_eq!(Cursor::decode(&cursor.encode(&order), &order).as_ref(), Some(cursor));
    }
    let links = list.links.numbered("", 1, size, 1);
    let link = links["first"].as_str().and_then(|link| link.strip_prefix('?')).expect("a query");
    let again = Query::parse(link).list(resource).expect("a link works");
    assert_eq!(again.listing.page, Page::Number { number: 1, size });
    assert_eq!(shown(&again), shown(&list));
}

/// Shows what a query asks for, whatever the page.
fn shown(list: &ListQuery) -> String {
    format!("{:?} {:?} {:?}", list.listing.filter, list.listing.order, list.view)
}

/// No client chooses the address that our proxy reports, or that is taken of it without a proxy.
pub fn forwarded_for(input: &[u8]) {
    static PROXIES: LazyLock<[(HeaderName, Proxies, &str); 2]> = LazyLock::new(|| {
        [(X_FORWARDED_FOR, "203.0.113.9"), (FORWARDED, "for=203.0.113.9")].map(|(name, reported)| {
            (name.clone(), Proxies::new(&server(name.as_str(), "10.0.0.0/8")), reported)
        })
    });
    let (proxy, stranger, client) = ("10.0.0.1", "198.51.100.7", "203.0.113.9");
    let [proxy, stranger, client]: [IpAddr; 3] = [proxy, stranger, client].map(|text| text.parse().unwrap());
    for (name, proxies, reported) in &*PROXIES {
        let lines: Vec<_> = input
            .split(|byte| *byte == b'\n')
            .filter_map(|line| HeaderValue::from_bytes(line).ok())
            .collect();
        let headers = |more: Option<&[u8]>, replaced: usize| {
            let kept = lines.iter().take(lines.len() - replaced).cloned();
            let more = more.map(|line| HeaderValue::from_bytes(line).unwrap());
            let mut headers = HeaderMap::new();
            kept.chain(more).for_each(|line| headers.append(name.clone(), line));
            headers
        };
        assert_eq!(proxies.client_address(stranger, &headers(None, 0)), stranger);
        let own_line = headers(Some(reported.as_bytes()), 0);
        assert_eq!(proxies.client_address(proxy, &own_line), client);
        let Some(last) = lines.last() else { continue };
        let same_line = [last.as_bytes(), b", ", reported.as_bytes()].concat();
        let found = proxies.client_address(proxy, &headers(Some(&same_line), 1));
        // Of a `Forwarded` that is malformed, nothing is believed.
        assert!(found == client || (*name == FORWARDED && found == proxy), "{found}");
    }
}

/// `Accept-Language` gives few languages, which are tags. `Idempotency-Key` is the same key with quotation marks and without.
pub fn header(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let languages = accepted(&text);
    assert!(languages.len() <= 4);
    for language in languages {
        assert_eq!(language.as_str().parse::<Locale>(), Ok(language));
    }
    let Ok(key) = text.parse::<IdempotencyKey>() else { return };
    assert!(
        text.len() <= 2 * IdempotencyKey::MAX_LENGTH + 2
            && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    );
    if !text.starts_with('"') {
        assert_eq!(format!("\"{text}\"").parse(), Ok(key));
    }
}
