//! The paths of the hosted pages.

pub const FORGOT_PASSWORD: &str = "/forgot-password";
pub const SENT: &str = "/forgot-password/sent";
pub const RESET_PASSWORD: &str = "/reset-password";
pub const NOT_ME: &str = "/not-me";
pub const RESTORE_EMAIL: &str = "/restore-email";

/// The query parameters of [`NOT_ME`], in addition to those of every page.
pub const NOT_ME_PARAMS: [&str; 2] = ["id", "proof"];

/// Returns the query parameters that a page with this path keeps in its own URL, in addition to those of every page.
pub fn own_params(path: &str) -> &'static [&'static str] {
    match path {
        NOT_ME => &NOT_ME_PARAMS,
        _ => &[],
    }
}
