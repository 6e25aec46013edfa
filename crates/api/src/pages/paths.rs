//! The paths of the hosted pages.

pub const FORGOT_PASSWORD: &str = "/forgot-password";
pub const SENT: &str = "/forgot-password/sent";
pub const RESET_PASSWORD: &str = "/reset-password";
pub const NOT_ME: &str = "/not-me";

/// The query parameters of [`NOT_ME`], in addition to those of every page.
pub const NOT_ME_PARAMS: [&str; 2] = ["id", "proof"];
