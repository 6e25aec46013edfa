//! Sample pages, with which texts and templates are checked at the start.

use actix_web::http::StatusCode;
use rekey_core::passwords::{Hint, PasswordPolicy, PasswordRejected, PolicyViolation};
use rekey_texts::{Reader, SayError};

use super::page::Page;

/// Returns every page, with and without its optional values.
pub fn all(reader: &Reader) -> Result<Vec<Page<'static>>, SayError> {
    let error = |key| reader.say(key, &[]);
    let hints = [Hint::CommonPassword, Hint::AddWords].into_iter().collect();
    let reasons = reader.explain(&PasswordRejected { violation: PolicyViolation::TooCommon, hints })?;
    let rules = reader.policy(PasswordPolicy { min_length: 15 })?;

    let again = || "/forgot-password?locale=de".to_owned();
    let login = Some("https://shop.example/login");
    Ok(vec![
        forgot("", Vec::new(), login),
        forgot("john@", vec![error("pages-forgot-invalid")?], None),
        sent(None, Vec::new()),
        sent(Some("/forgot-password/sent".to_owned()), Vec::new()),
        sent(Some("/forgot-password/sent".to_owned()), vec![error("pages-code-wrong")?]),
        reset(rules.clone(), Vec::new()),
        reset(rules, reasons),
        Page::Done { login },
        Page::Done { login: None },
        Page::MissingLink { again: Some(again()), login },
        Page::MissingLink { again: None, login: None },
        Page::LinkExpired { again: Some(again()), login },
        Page::LinkExpired { again: None, login: None },
        not_me(Some("1 h".to_owned())),
        not_me(None),
        Page::Rejected,
        Page::AlreadyUsed { again: Some(again()) },
        Page::AlreadyUsed { again: None },
        Page::RestoreEmail { action: "/restore-email".to_owned(), form_token: "x".to_owned() },
        Page::EmailRestored,
        Page::EmailNotRestorable,
        Page::CsrfRejected { again: again() },
        Page::Busy { again: again() },
        Page::TooMany { again: again() },
        Page::NotFound,
        Page::Failed { status: StatusCode::INTERNAL_SERVER_ERROR, again: again() },
    ])
}

fn forgot(email: &'static str, errors: Vec<String>, login: Option<&'static str>) -> Page<'static> {
    Page::ForgotPassword { action: "/forgot-password".to_owned(), email, errors, login }
}

fn sent(code_action: Option<String>, errors: Vec<String>) -> Page<'static> {
    let again = "/forgot-password?locale=de".to_owned();
    Page::Sent { life: "6 h".to_owned(), code_action, errors, again }
}

fn not_me(cooldown: Option<String>) -> Page<'static> {
    Page::NotMe { action: "/not-me?id=x&proof=y".to_owned(), cooldown }
}

fn reset(rules: Vec<String>, errors: Vec<String>) -> Page<'static> {
    Page::ResetPassword {
        action: "/reset-password".to_owned(),
        email: "john@example.com",
        form_token: "form-token".to_owned(),
        min_length: 15,
        rules,
        errors,
    }
}
