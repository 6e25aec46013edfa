//! Each page as it may look, to try texts and templates with.

use actix_web::http::StatusCode;
use rekey_core::password::PolicyViolation;

use super::{
    page::{Message, Page},
    refusal,
};

/// Every page, with and without what it may lack.
pub fn all() -> Vec<Page<'static>> {
    let again = || "/forgot-password?locale=de".to_owned();
    let login = Some("https://shop.example/login");
    let mut pages = vec![
        forgot("", Vec::new(), login),
        forgot("john@", vec![Message::plain("pages-forgot-invalid")], None),
        forgot("", vec![Message::plain("pages-forgot-missing")], None),
        Page::Sent { life: "6 h".to_owned(), again: again() },
        reset(Vec::new()),
        Page::Done { login },
        Page::Done { login: None },
        Page::Dead { again: Some(again()) },
        Page::Dead { again: None },
        not_me(Some("1 h".to_owned())),
        not_me(None),
        Page::Disavowed,
        Page::Misused { again: Some(again()) },
        Page::Misused { again: None },
        Page::Foreign { again: again() },
        Page::Busy { again: again() },
        Page::TooMany { again: again() },
        Page::NotFound,
        Page::Failed(StatusCode::INTERNAL_SERVER_ERROR),
    ];
    let violations = [PolicyViolation::TooShort(8), PolicyViolation::OwnEmail];
    pages.extend(violations.map(|violation| reset(refusal::told(violation))));
    let unusable = [(true, false), (false, true), (false, false)];
    pages.extend(unusable.map(|(is_empty, is_long)| reset(vec![refusal::unusable(is_empty, is_long)])));
    pages
}

fn forgot(email: &'static str, errors: Vec<Message>, login: Option<&'static str>) -> Page<'static> {
    Page::ForgotPassword { action: "/forgot-password".to_owned(), email, errors, login }
}

fn not_me(cooldown: Option<String>) -> Page<'static> {
    Page::NotMe { action: "/not-me?id=x&proof=y".to_owned(), cooldown }
}

fn reset(errors: Vec<Message>) -> Page<'static> {
    Page::ResetPassword {
        action: "/reset-password".to_owned(),
        email: "john@example.com",
        form_token: "form-token".to_owned(),
        min_length: 15,
        errors,
    }
}
