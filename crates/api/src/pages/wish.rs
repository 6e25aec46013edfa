//! What the address of a page says of whose page is wanted, and in which language. It holds no secret, and is carried along from
//! page to page.

use actix_web::{HttpRequest, http::header::HOST};
use rekey_core::{locale::Locale, organizations::Slug};

use super::address::Address;

/// The query's parts that are understood; others are passed over.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The API client that resets are asked for as.
    pub client_id: Option<String>,
    /// The organization whose page it is to be.
    pub organization: Option<Slug>,
    /// The language.
    pub locale: Option<Locale>,
}

impl Wish {
    /// What the request's address says.
    pub fn of(address: &Address) -> Self {
        Self {
            client_id: address.value("client_id").map(str::to_owned),
            organization: address.value("organization").and_then(|slug| slug.parse().ok()),
            locale: address.value("locale").and_then(|locale| locale.parse().ok()),
        }
    }

    /// The address of that page with these wishes.
    pub fn at(&self, path: &str) -> String {
        self.at_with(path, [])
    }

    /// The same, after these parts.
    pub fn at_with<'a>(&'a self, path: &str, parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let wishes = [
            ("client_id", self.client_id.as_deref()),
            ("organization", self.organization.as_ref().map(Slug::as_str)),
            ("locale", self.locale.as_ref().map(Locale::as_str)),
        ];
        let wishes = wishes.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<_> = parts.into_iter().chain(wishes).collect();
        match serde_urlencoded::to_string(query) {
            Ok(query) if !query.is_empty() => format!("{path}?{query}"),
            Ok(_) | Err(_) => path.to_owned(),
        }
    }
}

/// The organization that the host's first label names, as the vendor's clients call it: `<slug>.<domain>`. It only chooses which
/// public page is shown; no link is made from it.
pub fn host_organization(request: &HttpRequest, domain: &str) -> Option<Slug> {
    let host = request.headers().get(HOST)?.to_str().ok()?.to_ascii_lowercase();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
    host.strip_suffix(domain)?.strip_suffix('.')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn wish(uri: &str) -> Wish {
        Wish::of(&Address::of(&TestRequest::with_uri(uri).to_http_request()))
    }

    #[test]
    fn wishes_are_carried_along_and_nothing_else_is() {
        for (asked, carried) in [
            ("/x", "/y"),
            ("/x?id=1&token=2", "/y"),
            ("/x?locale=pt_br&token=2&organization=acme", "/y?organization=acme&locale=pt-BR"),
            ("/x?client_id=a%26b&locale=%0d%0a", "/y?client_id=a%26b"),
            ("/x?organization=acme&locale=de%3E", "/y?organization=acme&locale=de"),
            ("/x?organization=acme%3E.&amp;locale=de", "/y?organization=acme&locale=de"),
            ("/x?organization=../x&locale=%3Cb%3E", "/y"),
        ] {
            assert_eq!(wish(asked).at("/y"), carried, "{asked}");
        }
    }

    #[test]
    fn a_host_names_an_organization_by_its_first_label() {
        let named = |host: &str| {
            let request = TestRequest::default().insert_header((HOST, host)).to_http_request();
            host_organization(&request, "rekey.test").map(|slug| slug.to_string())
        };
        assert_eq!(named("acme.rekey.test").as_deref(), Some("acme"));
        assert_eq!(named("ACME.rekey.test:8080").as_deref(), Some("acme"));
        for host in ["rekey.test", "acme.evil.test", "acmerekey.test", "a.b.rekey.test", "", ".rekey.test"] {
            assert_eq!(named(host), None, "{host}");
        }
    }
}
