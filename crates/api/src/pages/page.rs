//! What a page says. How it looks is its template's matter, in which words its texts'.

use actix_web::http::StatusCode;
use serde::Serialize;

/// A page, with what its template needs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Page<'a> {
    /// The form for the address of who forgot the password.
    ForgotPassword {
        action: String,
        /// What was typed before.
        email: &'a str,
        errors: Vec<String>,
        login: Option<&'a str>,
    },
    /// A mail is on its way, if there is such an account.
    Sent {
        /// How long its link can be used, in the reader's words.
        life: String,
        /// Where the short code from the mail is sent, if this organization has one.
        code_action: Option<String>,
        errors: Vec<String>,
        /// Back to the form.
        again: String,
    },
    /// The form for a new password.
    ResetPassword {
        action: String,
        /// Whose password it is; also for password managers.
        email: &'a str,
        form_token: String,
        /// Characters that the new one has at least.
        min_length: usize,
        /// What the new one must be, in sentences.
        rules: Vec<String>,
        errors: Vec<String>,
    },
    /// The new password is set.
    Done { login: Option<&'a str> },
    /// No link arrived: it was not copied whole, or the browser keeps no cookies.
    Lost {
        /// Where a new link can be asked for.
        again: Option<String>,
        login: Option<&'a str>,
    },
    /// The token can't be used. What it led to is gone for good.
    Dead {
        /// Where a new link can be asked for.
        again: Option<String>,
        login: Option<&'a str>,
    },
    /// The form to say that somebody else asked for the reset.
    NotMe {
        /// With the reset and the proof.
        action: String,
        /// How long nobody can ask for another here, in the reader's words; nothing if it is no time.
        cooldown: Option<String>,
    },
    /// A disavowed reset's link is dead.
    Disavowed,
    /// A reset that somebody disavows has set a password.
    Misused { again: Option<String> },
    /// The form did not come from our page.
    Foreign { again: String },
    /// Too much is going on.
    Busy { again: String },
    /// Too many forms came from there.
    TooMany { again: String },
    /// There is no such page, or no shop that has it.
    NotFound,
    /// Something went wrong.
    Failed {
        #[serde(skip)]
        status: StatusCode,
        again: String,
    },
}

/// The template of each page; a page of that name can be replaced by an organization.
pub const TEMPLATES: [&str; 14] = [
    "forgot_password.html",
    "sent.html",
    "reset_password.html",
    "done.html",
    "lost.html",
    "dead.html",
    "not_me.html",
    "disavowed.html",
    "misused.html",
    "foreign.html",
    "busy.html",
    "too_many.html",
    "not_found.html",
    "failed.html",
];

impl Page<'_> {
    /// The name of its template.
    pub fn template(&self) -> &'static str {
        let [
            forgot,
            sent,
            reset,
            done,
            lost,
            dead,
            not_me,
            disavowed,
            misused,
            foreign,
            busy,
            too_many,
            not_found,
            failed,
        ] = TEMPLATES;
        match self {
            Self::ForgotPassword { .. } => forgot,
            Self::Sent { .. } => sent,
            Self::ResetPassword { .. } => reset,
            Self::Done { .. } => done,
            Self::Lost { .. } => lost,
            Self::Dead { .. } => dead,
            Self::NotMe { .. } => not_me,
            Self::Disavowed => disavowed,
            Self::Misused { .. } => misused,
            Self::Foreign { .. } => foreign,
            Self::Busy { .. } => busy,
            Self::TooMany { .. } => too_many,
            Self::NotFound => not_found,
            Self::Failed { .. } => failed,
        }
    }

    /// What HTTP calls it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ForgotPassword { errors, .. }
            | Self::Sent { errors, .. }
            | Self::ResetPassword { errors, .. }
                if !errors.is_empty() =>
            {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::ForgotPassword { .. }
            | Self::Sent { .. }
            | Self::ResetPassword { .. }
            | Self::Done { .. }
            | Self::NotMe { .. }
            | Self::Disavowed
            | Self::Misused { .. } => StatusCode::OK,
            Self::Lost { .. } => StatusCode::BAD_REQUEST,
            Self::Dead { .. } => StatusCode::GONE,
            Self::Foreign { .. } => StatusCode::FORBIDDEN,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Failed { status, .. } => *status,
        }
    }

    /// Whether a look at its address shows it again, so that it can be had in another language. A form's errors go then.
    pub fn can_be_reread(&self) -> bool {
        match self {
            Self::ForgotPassword { .. }
            | Self::Sent { .. }
            | Self::ResetPassword { .. }
            | Self::Lost { .. }
            | Self::Dead { .. }
            | Self::NotMe { .. }
            | Self::Disavowed
            | Self::Misused { .. } => true,
            Self::Done { .. }
            | Self::Foreign { .. }
            | Self::Busy { .. }
            | Self::TooMany { .. }
            | Self::NotFound
            | Self::Failed { .. } => false,
        }
    }
}
