//! The page behind the link in the mail: plain HTML forms, no script.

mod cookie;
mod form;
mod html;
pub mod reference;
pub mod reset_password;

pub use self::html::Pages;
