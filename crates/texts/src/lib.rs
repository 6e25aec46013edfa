//! The texts of mails and pages, in every language.
//!
//! [`Texts`] holds all texts of one organization in every [`Language`]: the built-in ones (`locales/<language>/*.ftl`,
//! [Fluent](https://projectfluent.org)) overridden by the organization's. A [`Reader`] is these texts in one language; templates
//! get it as the function `t` ([`Reader::function`]).
//!
//! # Directions
//! A shop's name whose direction differs from the text around it would move the adjacent punctuation. Fluent would put isolating
//! marks (FSI and PDI, Unicode UAX #9) around every value; here only values get them that contain a letter or digit of the other
//! direction. So a Latin address inside Arabic has them and "6 hours" in English never does, and the same texts serve subjects,
//! plain text and HTML. Links must not be values of a text: in plain text they are on lines of their own.

mod builtin;
mod custom;
mod file;
mod isolate;
mod language;
mod moment;
mod policy;
mod reader;
mod texts;

pub use self::{
    custom::{CustomFile, ReadError, custom_files, template_problem},
    file::{FileError, FileErrorKind},
    language::{Direction, Language},
    reader::Reader,
    texts::{Arg, SayError, Texts, TextsError},
};
