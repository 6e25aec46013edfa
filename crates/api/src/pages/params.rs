//! The query parameters that say whose page is requested, and in which language. They hold no secret, and every link from one page to
//! another has them.

use actix_web::{HttpRequest, http::header::HOST};
use rekey_core::{locale::Locale, organizations::Slug};

use super::link_query::LinkQuery;

/// The parameters that every page has.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PageParams {
    /// The API client as which resets are requested.
    pub client_id: Option<String>,
    /// The organization whose page is requested.
    pub organization: Option<Slug>,
    /// The language.
    pub locale: Option<Locale>,
}

impl PageParams {
    pub fn from_query(query: &LinkQuery) -> Self {
        Self {
            client_id: query.value("client_id").map(str::to_owned),
            organization: query.value("organization").and_then(|slug| slug.parse().ok()),
            locale: query.value("locale").and_then(|locale| locale.parse().ok()),
        }
    }

    /// Returns the URL of that page with these parameters.
    pub fn url(&self, path: &str) -> String {
        self.url_with(path, [])
    }

    /// Returns the URL of that page with other parameters in front of these.
    pub fn url_with<'a>(
        &'a self,
        path: &str,
        others: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let own = [
            ("client_id", self.client_id.as_deref()),
            ("organization", self.organization.as_ref().map(Slug::as_str)),
            ("locale", self.locale.as_ref().map(Locale::as_str)),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<_> = others.into_iter().chain(own).collect();
        match serde_urlencoded::to_string(query) {
            Ok(query) if !query.is_empty() => format!("{path}?{query}"),
            Ok(_) | Err(_) => path.to_owned(),
        }
    }
}

/// Returns the organization that the host's first label names, as the vendor's clients use it: `<slug>.<domain>`. It only chooses which
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

    fn params(uri: &str) -> PageParams {
        PageParams::from_query(&LinkQuery::from_request(&TestRequest::with_uri(uri).to_http_request()))
    }

    #[test]
    fn links_have_these_parameters_and_no_others() {
        for (requested, linked) in [
            ("/x", "/y"),
            ("/x?id=1&token=2", "/y"),
            ("/x?locale=pt_br&token=2&organization=acme", "/y?organization=acme&locale=pt-BR"),
            ("/x?client_id=a%26b&locale=%0d%0a", "/y?client_id=a%26b"),
            ("/x?organization=acme&locale=de%3E", "/y?organization=acme&locale=de"),
            ("/x?organization=acme%3E.&amp;locale=de", "/y?organization=acme&locale=de"),
            ("/x?organization=../x&locale=%3Cb%3E", "/y"),
        ] {
            assert_eq!(params(requested).url("/y"), linked, "{requested}");
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
