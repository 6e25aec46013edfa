//! The hosted pages, as a browser without JavaScript sees them.

use reqwest::{Client, Response, StatusCode, Url};

use crate::client::http;

/// A browser that keeps cookies and shows each redirect instead of following it.
pub struct Browser(Client);

/// An HTML form.
#[derive(Debug)]
pub struct Form {
    action: Url,
    /// Names and values of the fields that have a value.
    fields: Vec<(String, String)>,
    /// Names of the password fields.
    passwords: Vec<String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self(http(|builder| builder.cookie_store(true)))
    }
}

impl Browser {
    /// Requests a page.
    pub async fn get(&self, url: &str) -> Response {
        self.0.get(url).send().await.unwrap()
    }

    /// Requests only the headers of a page.
    pub async fn head(&self, url: &str) -> Response {
        self.0.head(url).send().await.unwrap()
    }

    /// Opens a link, and returns the URL that it redirects to, with that page.
    pub async fn open(&self, link: &str) -> (Url, Response) {
        let redirect = self.get(link).await;
        let target = location(&redirect);
        let page = self.get(target.as_str()).await;
        (target, page)
    }

    /// Submits a form with this password in each password field.
    pub async fn submit(&self, form: &Form, password: &str) -> Response {
        let passwords = form.passwords.iter().map(|name| (name.clone(), password.to_owned()));
        let fields: Vec<_> = form.fields.iter().cloned().chain(passwords).collect();
        let request = self.0.post(form.action.clone()).form(&fields);
        // As every browser does for a form's POST (Fetch Standard, "append a request Origin header").
        request.header("origin", form.action.origin().ascii_serialization()).send().await.unwrap()
    }
}

/// Returns a redirect's location.
#[must_use]
pub fn location(redirect: &Response) -> Url {
    assert!(redirect.status().is_redirection(), "a redirect: {}", redirect.status());
    redirect.url().join(header(redirect, "location")).unwrap()
}

/// Returns the only header with this name.
#[must_use]
pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let values: Vec<_> = response.headers().get_all(name).iter().collect();
    let [value] = values.as_slice() else { panic!("one {name}: {values:?}") };
    value.to_str().unwrap()
}

impl Form {
    /// Finds the form in a page.
    pub async fn of(page: Response) -> Self {
        assert_eq!(page.status(), StatusCode::OK);
        let url = page.url().clone();
        Self::parse(&url, &page.text().await.unwrap())
    }

    fn parse(page: &Url, html: &str) -> Self {
        let form = tags(html, "form").next().unwrap_or_else(|| panic!("a form in {html}"));
        let inputs: Vec<_> = tags(html, "input").collect();
        let is_password = |tag: &&&str| attribute(tag, "type").as_deref() == Some("password");
        let name = |tag: &&str| attribute(tag, "name");
        let form = Self {
            action: page.join(&attribute(form, "action").unwrap_or_default()).unwrap(),
            fields: inputs.iter().filter_map(|tag| Some((name(tag)?, attribute(tag, "value")?))).collect(),
            passwords: inputs.iter().filter(is_password).filter_map(name).collect(),
        };
        assert!(!form.passwords.is_empty(), "a password field in {html}");
        form
    }
}

/// Returns the text between `<name` and `>` of each such tag.
fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<').filter_map(move |tag| tag.strip_prefix(name)?.split('>').next())
}

/// Returns a quoted attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&").replace("&#x2f;", "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_reads_it() {
        let html = r#"<p>first</p><form method="post" action="/reset-password">
            <input type="hidden" name="form_token" value="a&amp;b"><input name="empty" type="text">
            <input id="password" type="password" name="password" required></form>"#;
        let form = Form::parse(&Url::parse("http://127.0.0.1:8080/page?x=1").unwrap(), html);
        assert_eq!(form.action.as_str(), "http://127.0.0.1:8080/reset-password");
        assert_eq!(form.fields, [("form_token".to_owned(), "a&b".to_owned())]);
        assert_eq!(form.passwords, ["password"]);
    }
}
