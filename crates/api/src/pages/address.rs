//! What stands in the query of a page's address, as it arrives: through mail clients, link scanners and people who copy it.

use actix_web::HttpRequest;

/// The query's values by their names.
#[derive(Debug, Clone)]
pub struct Address(Vec<(String, String)>);

impl Address {
    /// That of the request.
    pub fn of(request: &HttpRequest) -> Self {
        Self(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
    }

    /// The first value of that name, without what was taken for the end of the link: the `>` or the full stop behind it in a mail of
    /// plain text, say. None of our values ends with such a character. A name may come as HTML writes it, behind `&amp;`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let is_it = |own: &str| own.strip_prefix("amp;").unwrap_or(own) == name;
        let (_, value) = self.0.iter().find(|(own, _)| is_it(own))?;
        Some(value.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_mail_clients_do_to_a_link_is_passed_over() {
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
            let address = Address::of(&request);
            assert_eq!((address.value("id"), address.value("token")), (Some("X"), Some("Y")), "{query}");
            assert_eq!(address.value("locale"), None, "{query}");
        }
    }
}
