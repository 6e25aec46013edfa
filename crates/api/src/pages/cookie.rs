//! Where the link's token lives once it has left the URL.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use rekey_core::{ids::ResetId, secret::ResetToken};

/// A reset and its token, as a link or a cookie names them: of the right shape, and no more is known.
pub struct Link {
    pub reset: ResetId,
    pub token: ResetToken,
}

/// What the cookie is scoped to, and where the page is.
pub const PATH: &str = "/reset-password";
const NAME: &str = "rekey_reset";
/// The cookie's life: long enough to think of a password, short enough for a shared computer.
const LIFE: Duration = Duration::from_hours(1);

impl Link {
    /// Reads the two parts; `None` unless both have the right shape.
    pub fn parse(reset: &str, token: &str) -> Option<Self> {
        Some(Self { reset: reset.parse().ok()?, token: ResetToken::parse(token)? })
    }

    /// The one that the request's cookie holds.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let cookie = request.cookie(NAME)?;
        let (reset, token) = cookie.value().split_once('.')?;
        Self::parse(reset, token)
    }

    /// A cookie for it. `Lax`, because a click in a mail comes from another site.
    pub fn cookie(&self, https: bool) -> Cookie<'static> {
        let value = format!("{}.{}", self.reset, self.token.expose());
        build(value, https, LIFE)
    }
}

/// Makes the browser forget the cookie.
pub fn removal(https: bool) -> Cookie<'static> {
    build(String::new(), https, Duration::ZERO)
}

fn build(value: String, https: bool, life: Duration) -> Cookie<'static> {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(0);
    Cookie::build(NAME, value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(https)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}
