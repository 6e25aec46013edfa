//! Why a request is not fulfilled, as a page.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use minijinja::context;
use rekey_core::{
    deliveries::log::ResendError,
    error::{StoreError, chain},
    webhooks::replay::ReplayError,
};

use super::page::{self, Done};

/// Why a request is not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no session: the sign-in is shown, with the notice.
    #[error("nobody is signed in")]
    SignedOut(Option<Done>),
    #[error(
        "Your role may look at everything and change nothing. Ask for the role “act”: rekey operator update."
    )]
    ReadOnly,
    #[error(
        "The form was not sent from this console, or from an older session. Nothing was changed: go back, reload the page and try again."
    )]
    ForeignForm,
    #[error("There is no such page, mail, address or webhook.")]
    NotFound,
    #[error("The request is malformed.")]
    BadRequest,
    /// The action is not possible now.
    #[error("Nothing was changed: {0}.")]
    Refused(String),
    /// The action failed.
    #[error("It failed: {0}. Look at the page again to see whether anything was changed.")]
    Failed(String),
    #[error("The database can’t be used now. Try again in a moment.")]
    Store(#[from] StoreError),
}

impl Problem {
    fn title(&self) -> &'static str {
        match self {
            Self::SignedOut(_) | Self::ReadOnly => "Not allowed",
            Self::ForeignForm => "Please send the form again",
            Self::NotFound => "Not found",
            Self::BadRequest => "Not understood",
            Self::Refused(_) => "Not done",
            Self::Failed(_) | Self::Store(_) => "Not available",
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignedOut(_) => StatusCode::SEE_OTHER,
            Self::ReadOnly | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Failed(_) | Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(StoreError::Internal(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::SignedOut(done) => return page::redirect("/sign-in", *done).finish(),
            Self::Store(error) => tracing::error!(cause = chain(error), "a page of the console failed"),
            Self::Failed(cause) => tracing::error!(cause, "an action in the console failed"),
            Self::ReadOnly | Self::ForeignForm | Self::NotFound | Self::BadRequest | Self::Refused(_) => {}
        }
        let values = context! { title => self.title(), text => self.to_string() };
        page::show_to_anybody(self.status_code(), "problem.html", None, values)
    }
}

impl From<ResendError> for Problem {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::Unknown(_) => Self::NotFound,
            ResendError::NotResendable(..) | ResendError::Changed(_) => Self::Refused(error.to_string()),
            ResendError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Unknown(_) => Self::NotFound,
            ReplayError::Waiting(_) | ReplayError::Erased(_) | ReplayError::NoWebhook(_) => {
                Self::Refused(error.to_string())
            }
            ReplayError::Store(error) => Self::Store(error),
        }
    }
}
