//! What customers read, in their languages: the texts of mails and pages.
//!
//! [`Texts`] holds all texts of one organization in every [`Language`]: the built-in ones (`locales/<language>/*.ftl`,
//! [Fluent](https://projectfluent.org)) with the organization's own laid over them. A [`Reader`] is those texts in one language;
//! templates get it as the function `t` ([`Reader::function`]).
//!
//! # Directions
//! A name of a shop in another direction than the text around it would drag the punctuation beside it along. Fluent would put
//! isolating marks (FSI and PDI, Unicode UAX #9) around every value; here only values get them that hold a letter or digit of the
//! other direction. So a Latin address inside Arabic has them and "6 hours" in English never does, and the same texts serve
//! subjects, plain text and HTML. Links must not go through a text: in plain text they stand on lines of their own.

mod builtin;
mod file;
mod isolate;
mod language;
mod moment;
mod own;
mod policy;
mod reader;
mod texts;

pub use self::{
    file::{Broken, Problem},
    language::{Direction, Language},
    own::{OwnFile, Unreadable, own_files, template_problem},
    reader::Reader,
    texts::{Arg, SayError, Texts, TextsError},
};
