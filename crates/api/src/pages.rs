//! The pages that customers come to.
//!
//! They are plain HTML forms in the organization's look and the reader's language; they work without JavaScript. One
//! file is a page: [`forgot_password`], [`sent`], [`reset_password`], [`not_me`]. What they share: a [`visit::Visit`] knows whose
//! page is asked for and in which language, and answers with a [`page::Page`]; [`site`] holds each organization's templates and
//! texts.

mod address;
mod assets;
mod cookie;
pub mod forgot_password;
mod form;
pub mod not_me;
mod page;
mod palette;
pub mod reset_password;
pub mod routes;
mod samples;
pub mod sent;
mod site;
mod templates;
mod view;
mod visit;
mod wish;

pub use self::{
    site::{Pages, PagesError},
    visit::too_many,
};
