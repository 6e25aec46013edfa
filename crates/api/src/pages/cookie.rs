//! What the pages remember between two requests, and in nothing but cookies: no query, no hidden field has a secret.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header::COOKIE,
};

/// A cookie of ours. Only the paths that need it get it: the host may be the shop's own, so `__Host-`, which wants `Path=/`, would
/// hand it to the shop. Over https its name begins with `__Secure-`, so that nobody can plant it over http (RFC 6265bis §4.1.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    name: &'static str,
    path: &'static str,
    same_site: SameSite,
}

/// The reset and token of a link that was followed. `Lax`, because a click in a mail comes from another site.
pub const LINK: Kept =
    Kept { name: "rekey_reset", path: super::reset_password::PATH, same_site: SameSite::Lax };
/// The resets that were asked for in this browser. Nothing but our own form leads to its page.
pub const ASKED: Kept =
    Kept { name: "rekey_asked", path: super::forgot_password::PATH, same_site: SameSite::Strict };

impl Kept {
    /// What the request's cookie holds. Nothing, if there are two of its name that differ: a host beside ours may have planted one
    /// (RFC 6265bis §8.6, "weak integrity"), and nothing tells which. The other cookies may be as malformed as they like.
    pub fn of(self, request: &HttpRequest, https: bool) -> Option<String> {
        let name = self.full_name(https);
        let value = |pair| str::from_utf8(pair).ok()?.trim().strip_prefix(name.as_str())?.strip_prefix('=');
        let pairs = request
            .headers()
            .get_all(COOKIE)
            .flat_map(|header| header.as_bytes().split(|octet| *octet == b';'));
        let mut values = pairs.filter_map(value);
        let first = values.next()?;
        values.all(|other| other == first).then(|| first.to_owned())
    }

    /// The cookie, for so long.
    pub fn cookie(self, value: String, life: Duration, https: bool) -> Cookie<'static> {
        let seconds = i64::try_from(life.as_secs()).unwrap_or(0);
        Cookie::build(self.full_name(https), value)
            .path(self.path)
            .http_only(true)
            .same_site(self.same_site)
            .secure(https)
            .max_age(time::Duration::seconds(seconds))
            .finish()
    }

    /// Makes the browser forget it.
    pub fn removal(self, https: bool) -> Cookie<'static> {
        self.cookie(String::new(), Duration::ZERO, https)
    }

    fn full_name(self, https: bool) -> String {
        let prefix = if https { "__Secure-" } else { "" };
        format!("{prefix}{}", self.name)
    }
}
