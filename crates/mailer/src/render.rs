//! From typed contexts to subject, text and HTML.

use minijinja::{Environment, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;

/// What a template is given: one type for each mail.
pub trait Context: Serialize {
    /// The first part of its three templates' names.
    const TEMPLATE: &'static str;
}

/// The link to set a new password.
#[derive(Debug, Clone, Serialize)]
pub struct ResetRequested {
    /// The shop's name.
    pub shop: String,
    /// The link, with the token.
    pub link: String,
    /// The short code that stands for it, where there is one: `CDFH-JKMN`.
    pub code: Option<String>,
    /// How long it works, in words: "6 hours".
    pub life: String,
    /// Until when, in words.
    pub expires: String,
}

/// Word that the password was changed.
#[derive(Debug, Clone, Serialize)]
pub struct PasswordChanged {
    /// The shop's name.
    pub shop: String,
    /// When, in words.
    pub changed: String,
}

impl Context for ResetRequested {
    const TEMPLATE: &'static str = "reset_requested";
}

impl Context for PasswordChanged {
    const TEMPLATE: &'static str = "password_changed";
}

/// A mail's words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// A language tag (RFC 5646).
    pub language: &'static str,
}

/// The language of the templates there are.
pub const LANGUAGE: &str = "en";

/// Name and source of every template.
const TEMPLATES: [(&str, &str); 7] = [
    ("base.html", include_str!("../templates/base.html")),
    ("reset_requested.subject.txt", include_str!("../templates/reset_requested.subject.txt")),
    ("reset_requested.txt", include_str!("../templates/reset_requested.txt")),
    ("reset_requested.html", include_str!("../templates/reset_requested.html")),
    ("password_changed.subject.txt", include_str!("../templates/password_changed.subject.txt")),
    ("password_changed.txt", include_str!("../templates/password_changed.txt")),
    ("password_changed.html", include_str!("../templates/password_changed.html")),
];

/// The templates, compiled. A name that a context does not have is an error, and HTML is escaped by the file's name.
pub struct Renderer(Environment<'static>);

impl Renderer {
    /// Compiles the templates of this program.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("url", escape_url);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    /// Renders one mail.
    pub fn render<C: Context>(&self, context: &C) -> Result<Rendered, minijinja::Error> {
        let context = Value::from(Serde(context));
        let part =
            |suffix| self.0.get_template(&format!("{}.{suffix}", C::TEMPLATE))?.render(context.clone());
        Ok(Rendered {
            subject: part("subject.txt")?.trim().to_owned(),
            text: part("txt")?,
            html: part("html")?,
            language: LANGUAGE,
        })
    }
}

/// Escapes a URL for HTML, in attributes and text. The built-in escaping also replaces each slash, which is right but makes a
/// link that no reader of the source can check.
fn escape_url(url: &str) -> Value {
    let mut escaped = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Value::from_safe_string(escaped)
}

#[cfg(test)]
mod tests;
