//! The query of a page's URL, as mail clients, link scanners and people who copy links change it.

use actix_web::HttpRequest;

/// The query parameters in their order.
#[derive(Clone)]
pub struct LinkQuery(Vec<(String, String)>);

rekey_core::redacted_debug!(LinkQuery);

impl LinkQuery {
    pub fn from_request(request: &HttpRequest) -> Self {
        Self(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
    }

    /// Returns the first value of that name, without characters that were taken for a part of the link, such as the `>` or the full stop
    /// that follows it in plain text. No valid value ends with such a character. The name may have an `amp;` in front, from HTML.
    pub fn value(&self, name: &str) -> Option<&str> {
        let is_named = |own: &str| own.strip_prefix("amp;").unwrap_or(own) == name;
        let (_, value) = self.0.iter().find(|(own, _)| is_named(own))?;
        Some(value.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn changes_by_mail_clients_are_ignored() {
        for query in [
            "id=X&token=Y",
            "utm_source=mail&token=Y&id=X&utm_medium=%ff",
            "id=X&amp;token=Y",
            "id=X&token=Y%3E",
            "id=X.&token=Y%3E.%0d%0a",
            "id=X&token=Y&token=Z",
            "%zz&id=X&token=Y)%22",
        ] {
            let request = TestRequest::with_uri(&format!("/x?{query}")).to_http_request();
            let link = LinkQuery::from_request(&request);
            assert_eq!((link.value("id"), link.value("token")), (Some("X"), Some("Y")), "{query}");
            assert_eq!(link.value("locale"), None, "{query}");
            // A14.
            assert_eq!(format!("{link:?}"), "LinkQuery(…)");
        }
    }
}
