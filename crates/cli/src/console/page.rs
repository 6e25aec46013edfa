//! The look of every answer: templates, headers, and the notices that follow an action.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
};
use anyhow::Context;
use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::{Deserialize, Serialize};

use super::request::Session;

/// Only our stylesheet is loaded, there are no scripts, forms are sent only to us, and no other page may frame ours.
const CSP: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/console/", $name)))),+]
    };
}

const TEMPLATES: [(&str, &str); 11] = templates![
    "layout.html",
    "macros.html",
    "sign_in.html",
    "overview.html",
    "mails.html",
    "mail.html",
    "dead_letters.html",
    "suppressions.html",
    "webhooks.html",
    "webhook.html",
    "problem.html",
];

static COMPILED: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.add_filter("time", time);
    templates.add_filter("duration", duration);
    for (name, source) in TEMPLATES {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

/// What was just done, or why the sign-in is shown: the query parameter `done`. Nothing else can be said through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Done {
    SignedIn,
    SignedOut,
    Expired,
    NoCookie,
    Resent,
    Replayed,
    Lifted,
    CallbackReplayed,
    AllReplayed,
    SomeReplayed,
    CircuitClosed,
}

/// The query of a page that may show a notice.
#[derive(Deserialize)]
pub struct Notice {
    pub done: Option<Done>,
}

impl Done {
    /// Returns the query that shows the notice.
    pub fn query(self) -> String {
        format!("done={}", <&str>::from(self))
    }

    /// Returns the notice, if there is something to say.
    fn text(self) -> Option<&'static str> {
        match self {
            Self::SignedIn => None,
            Self::SignedOut => Some("You are signed out."),
            Self::Expired => Some("Your session has ended. Sign in again."),
            Self::NoCookie => Some(
                "Your browser did not keep the session’s cookie, which it sends over https only, unless this is your own machine. Use \
                 https, or a tunnel to http://127.0.0.1:8083.",
            ),
            Self::Resent => Some("The mail is due again."),
            Self::Replayed => Some("The message is back with the mailer."),
            Self::Lifted => Some("Mails go to this address again."),
            Self::CallbackReplayed => Some("The callback is due again."),
            Self::AllReplayed => Some("The callbacks that had failed since then are due again."),
            Self::SomeReplayed => Some(
                "The oldest of the callbacks that had failed since then are due again. Replay the others when these are sent.",
            ),
            Self::CircuitClosed => Some("The circuit is closed: what waits is sent."),
        }
    }
}

/// Makes sure that the templates can be used.
pub fn check() -> anyhow::Result<()> {
    COMPILED.as_ref().map(drop).context("a template of the console is malformed")
}

/// Answers with a page of a session.
pub fn show(template: &str, session: &Session, done: Option<Done>, values: Value) -> HttpResponse {
    let own = context! {
        operator => session.operator.name.as_str(),
        may_act => session.may_act(),
        form_token => session.form_token(),
        current => template.trim_end_matches(".html"),
        notice => done.and_then(Done::text),
    };
    answer(StatusCode::OK, template, context! { ..own, ..values })
}

/// Answers with a page of nobody.
pub fn show_to_anybody(
    status: StatusCode,
    template: &str,
    done: Option<Done>,
    values: Value,
) -> HttpResponse {
    let own = context! { operator => (), current => "", notice => done.and_then(Done::text) };
    answer(status, template, context! { ..own, ..values })
}

/// Answers a form with another page, so that a reload sends nothing again.
pub fn redirect(to: &str, done: Option<Done>) -> HttpResponseBuilder {
    let query = done.map(|done| format!("?{}", done.query())).unwrap_or_default();
    let mut response = blank(StatusCode::SEE_OTHER);
    response.insert_header((header::LOCATION, format!("{to}{query}")));
    response
}

/// `GET /console.css`.
pub async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(include_str!("../../templates/console/console.css"))
}

/// Returns a record as templates read it.
pub fn value(record: impl Serialize) -> Value {
    Value::from(Serde(record))
}

fn answer(status: StatusCode, template: &str, values: Value) -> HttpResponse {
    let rendered = COMPILED.as_ref().map_err(ToString::to_string).and_then(|templates| {
        let template = templates.get_template(template);
        template.and_then(|template| template.render(values)).map_err(|error| format!("{error:#}"))
    });
    match rendered {
        Ok(html) => blank(status).insert_header(ContentType::html()).body(html),
        Err(error) => {
            tracing::error!(error, template, "rendering a page failed");
            blank(StatusCode::INTERNAL_SERVER_ERROR).finish()
        }
    }
}

fn blank(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, CSP))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("cross-origin-opener-policy", "same-origin"));
    response
}

/// The filter that shows a time as this program writes them, such as 2026-11-29T03:00:00Z.
fn time(at: &str) -> Value {
    let is_fit = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T' | 'Z' | '+' | '.');
    if !at.chars().all(is_fit) {
        return Value::from(at);
    }
    let text = at.replace('T', " ").replace('Z', " UTC");
    Value::from_safe_string(format!("<time datetime=\"{at}\">{text}</time>"))
}

/// The filter that shows seconds in the two largest units.
fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_for_people() {
        let shown = "<time datetime=\"2026-11-29T03:00:00Z\">2026-11-29 03:00:00 UTC</time>";
        assert_eq!(time("2026-11-29T03:00:00Z").to_string(), shown);
        assert!(!time("<b>").is_safe());
        let shown = [0, 59, 60, 3_700, 90_000].map(duration);
        assert_eq!(shown, ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }

    #[test]
    fn notices_are_those_of_a_closed_list() {
        let read = |text: &str| serde_json::from_value::<Done>(text.into()).ok();
        assert_eq!(read("no_cookie"), Some(Done::NoCookie));
        assert_eq!(Done::NoCookie.query(), "done=no_cookie");
        assert_eq!(read("<b>"), None);
    }
}
