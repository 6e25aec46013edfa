//! The pages and what their templates get. Organizations replace templates by their file names, which therefore stay.

use actix_web::http::StatusCode;
use serde::Serialize;

/// A page with the values for its template.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Page<'a> {
    /// The form for the address of a customer who forgot the password.
    ForgotPassword {
        action: String,
        /// What was typed before.
        email: &'a str,
        errors: Vec<String>,
        login: Option<&'a str>,
    },
    /// A mail is on its way, if there is such an account.
    Sent {
        /// How long its link can be used, in the reader's language.
        life: String,
        /// The URL to which the short code from the mail is sent, if the organization uses codes.
        code_action: Option<String>,
        errors: Vec<String>,
        /// The form's URL.
        again: String,
    },
    /// The form for a new password.
    ResetPassword {
        action: String,
        /// The account; also for password managers.
        email: &'a str,
        form_token: String,
        /// The fewest characters of the new password.
        min_length: usize,
        /// The rules for the new password, in sentences.
        rules: Vec<String>,
        errors: Vec<String>,
    },
    /// The new password is set.
    Done { login: Option<&'a str> },
    /// There is no link: it was not copied whole, or the browser keeps no cookies.
    MissingLink {
        /// The URL on which a new link can be requested.
        again: Option<String>,
        login: Option<&'a str>,
    },
    /// The token can't be used any more.
    LinkExpired {
        /// The URL on which a new link can be requested.
        again: Option<String>,
        login: Option<&'a str>,
    },
    /// The form to say that somebody else requested the reset.
    NotMe {
        /// The URL with the reset and the proof.
        action: String,
        /// How long no other reset can be requested here, in the reader's language, if at all.
        cooldown: Option<String>,
    },
    /// The reset was rejected: its link can't be used any more.
    Rejected,
    /// The reset that is rejected has already set a password.
    AlreadyUsed { again: Option<String> },
    /// The form to undo a change of the address.
    RestoreEmail {
        action: String,
        /// A proof that this browser has opened the link.
        form_token: String,
    },
    /// The address was restored.
    EmailRestored,
    /// The change can't be undone any more.
    EmailNotRestorable,
    /// The form was not sent from a page of this service.
    CsrfRejected { again: String },
    /// The service is at its limit.
    Busy { again: String },
    /// Too many forms came from this address.
    TooMany { again: String },
    /// There is no such page, or no organization that has it.
    NotFound,
    /// Something went wrong.
    Failed {
        #[serde(skip)]
        status: StatusCode,
        again: String,
    },
}

impl Page<'_> {
    /// Returns the name of its template; an organization can replace a template of that name.
    pub fn template(&self) -> &'static str {
        self.properties().0
    }

    /// Returns the status of the answer.
    pub fn status(&self) -> StatusCode {
        self.properties().1
    }

    /// Whether a GET of its URL shows it again, so that it can be shown in another language. Errors of a form go then.
    pub fn can_be_reloaded(&self) -> bool {
        self.properties().2
    }

    fn properties(&self) -> (&'static str, StatusCode, bool) {
        let form = |errors: &[String]| match errors {
            [] => StatusCode::OK,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        match self {
            Self::ForgotPassword { errors, .. } => ("forgot_password.html", form(errors), true),
            Self::Sent { errors, .. } => ("sent.html", form(errors), true),
            Self::ResetPassword { errors, .. } => ("reset_password.html", form(errors), true),
            Self::Done { .. } => ("done.html", StatusCode::OK, false),
            Self::MissingLink { .. } => ("lost.html", StatusCode::BAD_REQUEST, true),
            Self::LinkExpired { .. } => ("dead.html", StatusCode::GONE, true),
            Self::NotMe { .. } => ("not_me.html", StatusCode::OK, true),
            Self::Rejected => ("disavowed.html", StatusCode::OK, true),
            Self::AlreadyUsed { .. } => ("misused.html", StatusCode::OK, true),
            Self::RestoreEmail { .. } => ("restore_email.html", StatusCode::OK, true),
            Self::EmailRestored => ("email_restored.html", StatusCode::OK, true),
            Self::EmailNotRestorable => ("email_not_restorable.html", StatusCode::GONE, true),
            Self::CsrfRejected { .. } => ("foreign.html", StatusCode::FORBIDDEN, false),
            Self::Busy { .. } => ("busy.html", StatusCode::SERVICE_UNAVAILABLE, false),
            Self::TooMany { .. } => ("too_many.html", StatusCode::TOO_MANY_REQUESTS, false),
            Self::NotFound => ("not_found.html", StatusCode::NOT_FOUND, false),
            Self::Failed { status, .. } => ("failed.html", *status, false),
        }
    }
}
