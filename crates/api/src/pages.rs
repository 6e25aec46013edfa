//! The hosted pages that customers see in a browser.
//!
//! They are plain HTML forms in the organization's look and the reader's language; they work without JavaScript. Each
//! page is a file: [`forgot_password`], [`sent`], [`reset_password`], [`not_me`], [`restore_email`]. A [`context::PageContext`] knows which organization's
//! page is requested and in which language, and answers with a [`page::Page`]; [`site`] has each organization's templates and texts.

mod assets;
mod client;
mod context;
mod cookie;
mod forgot_password;
mod form;
mod link_query;
mod not_me;
mod page;
mod palette;
mod params;
mod paths;
mod reset_password;
mod restore_email;
pub mod routes;
mod samples;
mod sent;
mod site;
mod templates;
mod translation;

pub use self::{
    cookie::CookieSpec,
    form::{FormToken, is_same_origin},
    site::{Pages, PagesError, SharedPages, check_pages},
};
