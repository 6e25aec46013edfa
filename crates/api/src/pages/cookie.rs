//! The cookies in which the pages keep secrets between two requests. No query and no hidden field holds one.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header::COOKIE,
};

use super::paths;

/// A cookie's name and scope. Only the paths that need it get it: the host may be the shop's own, so `__Host-`, which requires
/// `Path=/`, would show it to the shop. Over https its name begins with `__Secure-`, so that it can't be planted over http (RFC 6265bis
/// §4.1.3.1).
#[derive(Debug, Clone, Copy)]
pub struct CookieSpec {
    pub name: &'static str,
    pub path: &'static str,
    pub same_site: SameSite,
}

/// How long the browser keeps a link's token: long enough to think of a password, short enough for a shared computer.
pub const LINK_TTL: Duration = Duration::from_hours(1);

/// The reset and token of a link that was opened. `Lax`, because a click in a mail comes from another site.
pub const LINK: CookieSpec =
    CookieSpec { name: "rekey_reset", path: paths::RESET_PASSWORD, same_site: SameSite::Lax };
/// The same for a change of an address.
pub const RESTORE_LINK: CookieSpec =
    CookieSpec { name: "rekey_restore", path: paths::RESTORE_EMAIL, same_site: SameSite::Lax };
/// The resets that were requested in this browser. Only our own form leads to its page.
pub const REQUESTED: CookieSpec =
    CookieSpec { name: "rekey_asked", path: paths::FORGOT_PASSWORD, same_site: SameSite::Strict };

impl CookieSpec {
    /// Returns the value of the request's cookie; none if there are two with different values: a sibling host may have planted one
    /// (RFC 6265bis §8.6, "weak integrity"). Malformed other cookies are ignored.
    #[must_use]
    pub fn read(self, request: &HttpRequest, https: bool) -> Option<String> {
        let name = self.full_name(https);
        let value = |pair| str::from_utf8(pair).ok()?.trim().strip_prefix(name.as_str())?.strip_prefix('=');
        let pairs = request
            .headers()
            .get_all(COOKIE)
            .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(value);
        let first = values.next()?;
        values.all(|other| other == first).then(|| first.to_owned())
    }

    /// Returns the cookie with that value.
    #[must_use]
    pub fn cookie(self, value: String, ttl: Duration, https: bool) -> Cookie<'static> {
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(0);
        Cookie::build(self.full_name(https), value)
            .path(self.path)
            .http_only(true)
            .same_site(self.same_site)
            .secure(https)
            .max_age(time::Duration::seconds(seconds))
            .finish()
    }

    /// Returns a cookie that removes it from the browser.
    #[must_use]
    pub fn removal(self, https: bool) -> Cookie<'static> {
        self.cookie(String::new(), Duration::ZERO, https)
    }

    fn full_name(self, https: bool) -> String {
        let prefix = if https { "__Secure-" } else { "" };
        format!("{prefix}{}", self.name)
    }
}
