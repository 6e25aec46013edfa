//! What the pages look like.

use std::sync::Arc;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
};
use minijinja::{
    Environment,
    value::{Serde, Value},
};
use rekey_runtime::config::PublicUrl;
use serde::Serialize;

/// Renders pages. Cheap to clone.
#[derive(Clone)]
pub struct Pages {
    templates: Arc<Environment<'static>>,
    /// Whether the world sees us over https.
    pub https: bool,
}

/// What a page says.
pub enum Page<'a> {
    /// The form for a new password.
    Form {
        /// Whose password it is, for password managers.
        email: &'a str,
        form_token: &'a str,
        /// Characters that the new one has at least.
        min_length: usize,
        /// What was wrong with the last one.
        error: Option<String>,
    },
    /// The new password is set.
    Done,
    /// The token can't be used.
    Dead,
    /// The form did not come from our page.
    Foreign,
    /// Too much is going on.
    Busy,
    /// Too many forms came from there.
    TooMany,
    /// Something went wrong.
    Failed(StatusCode),
}

#[derive(Serialize)]
struct View<'a> {
    title: &'static str,
    text: &'static str,
    form: Option<FormView<'a>>,
}

#[derive(Serialize)]
struct FormView<'a> {
    email: &'a str,
    form_token: &'a str,
    error: Option<String>,
    min_length: usize,
}

const TEMPLATE: &str = "page.html";
/// Nothing but our stylesheet is loaded, nothing but our form is sent, nobody frames the page.
const CSP: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

impl Pages {
    /// Pages for the world at that address.
    #[must_use]
    pub fn new(public_url: &PublicUrl) -> Self {
        let mut templates = Environment::new();
        let added = templates.add_template(TEMPLATE, include_str!("templates/page.html"));
        debug_assert!(added.is_ok(), "the template is part of the program, and of its tests");
        Self { templates: Arc::new(templates), https: public_url.is_https() }
    }

    /// An answer with this page.
    #[must_use]
    pub fn answer(&self, page: Page<'_>) -> HttpResponse {
        let (status, view) = Self::view(page);
        match self
            .templates
            .get_template(TEMPLATE)
            .and_then(|template| template.render(Value::from(Serde(view))))
        {
            Ok(html) => Self::blank(status).content_type("text/html; charset=utf-8").body(html),
            Err(error) => {
                tracing::error!(%error, "a page can't be rendered");
                Self::blank(StatusCode::INTERNAL_SERVER_ERROR).finish()
            }
        }
    }

    /// An answer with the headers of every page.
    pub fn blank(status: StatusCode) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        response
            .insert_header((header::CONTENT_SECURITY_POLICY, CSP))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response
    }

    fn view(page: Page<'_>) -> (StatusCode, View<'_>) {
        let message = |status, title, text| (status, View { title, text, form: None });
        match page {
            Page::Form { email, form_token, min_length, error } => {
                let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
                let form = FormView { email, form_token, error, min_length };
                (status, View { title: "Choose a new password", text: "", form: Some(form) })
            }
            Page::Done => message(
                StatusCode::OK,
                "Your password was changed",
                "You can now log in with your new password. You have been logged out everywhere else.",
            ),
            Page::Dead => message(
                StatusCode::GONE,
                "This link no longer works",
                "It has been used, has expired, or was replaced by a newer one. Your password is as it was. Ask for a new link where you log in.",
            ),
            Page::Foreign => message(
                StatusCode::FORBIDDEN,
                "Please open the link again",
                "This form was not sent from our page. Nothing was changed. Open the link in the mail again.",
            ),
            Page::Busy => message(
                StatusCode::SERVICE_UNAVAILABLE,
                "Please try again in a moment",
                "We have a lot to do right now. Nothing was changed, and your link still works.",
            ),
            Page::TooMany => message(
                StatusCode::TOO_MANY_REQUESTS,
                "Please try again in a minute",
                "Too many passwords were sent from where you are. Nothing was changed, and your link still works.",
            ),
            Page::Failed(status) => {
                message(status, "Something went wrong", "Open the link in the mail again, in a while.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body;

    use super::*;

    #[actix_web::test]
    async fn page_leak_texts_are_escaped() {
        let mut templates = Environment::new();
        templates.add_template(TEMPLATE, include_str!("templates/page.html")).unwrap();
        let pages = Pages { templates: Arc::new(templates), https: false };
        let error = Some("<script>alert(1)</script>".to_owned());
        let answer =
            pages.answer(Page::Form { email: "\"><b>@example.com", form_token: "t", min_length: 8, error });
        let html = body::to_bytes(answer.into_body()).await.unwrap();
        let html = str::from_utf8(&html).unwrap();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }
}
