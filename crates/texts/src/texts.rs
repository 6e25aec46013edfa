//! All texts of one organization.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rekey_core::{locale::Locale, time_zone::TimeZone};
use time::OffsetDateTime;
use unic_langid::LanguageIdentifier;

use crate::{
    builtin,
    file::{Broken, File, Key, Problem},
    isolate::isolated,
    language::Language,
    moment::{Moment, Moments},
    own::{Unreadable, own_files},
    reader::Reader,
};

type Bundle = FluentBundle<Arc<FluentResource>>;

/// All texts of one organization, in every language. Cheap to clone, and never changed after it was read.
#[derive(Clone)]
pub struct Texts {
    books: Arc<BTreeMap<Language, Arc<Book>>>,
    default: Language,
    zone: TimeZone,
}

/// All texts in one language.
struct Book {
    bundle: Bundle,
    /// Where each built-in text stands, and its variables.
    keys: BTreeMap<String, Key>,
    moments: Moments,
}

/// What a text's variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// Words; isolated where they run against the text's direction.
    Text(&'a str),
    /// A number, which texts can choose by.
    Number(i64),
}

/// Why the texts can't be had.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// An organization's default is a language that there is not.
    #[error("languages.default{}: there are no texts in `{locale}`, but in {}", of_folder(folder.as_deref()), tags())]
    NoDefault { locale: Locale, folder: Option<PathBuf> },
    /// A file is not named after a language.
    #[error("{} is not named after a language that there is: {}", .0.display(), tags())]
    UnknownLanguage(PathBuf),
    /// A file says something wrong.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A language has no form for dates in this program.
    #[error("there is no form of dates for `{0}`")]
    NoDates(Language),
}

/// Why a text can't be said: a mistake of whoever asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// There is no such text.
    #[error("there is no text `{0}`")]
    UnknownKey(String),
    /// One of its variables was not given.
    #[error("the text `{0}` lacks a variable")]
    MissingVariable(String),
}

impl Texts {
    /// The texts of the program.
    pub fn built_in(default: Language) -> Result<Self, TextsError> {
        let books = Language::ALL.map(|language| Ok((language, Arc::new(Book::built_in(language)?))));
        let books: Result<_, TextsError> = books.into_iter().collect();
        Ok(Self { books: Arc::new(books?), default, zone: TimeZone::UTC })
    }

    /// These texts, with those of an organization's folder laid over them: `<folder>/texts/<language>.ftl` replaces any texts
    /// of that language, key by key. The folder may lack `texts`; languages without a file are shared, not copied.
    ///
    /// # Errors
    /// For a file that is not named after a language, for a key or variable that there isn't, and for syntax; with file, line
    /// and key.
    pub fn overlaid(
        &self,
        folder: Option<&Path>,
        default: &Locale,
        zone: &TimeZone,
    ) -> Result<Self, TextsError> {
        let default = Language::matching(default).ok_or_else(|| TextsError::NoDefault {
            locale: default.clone(),
            folder: folder.map(Path::to_owned),
        })?;
        let Some(folder) = folder else {
            return Ok(Self { books: Arc::clone(&self.books), default, zone: zone.clone() });
        };
        let mut books = BTreeMap::clone(&self.books);
        for file in own_files(&folder.join("texts"))? {
            let Some(language) = file.name.strip_suffix(".ftl").and_then(Language::of_tag) else {
                return Err(TextsError::UnknownLanguage(file.path));
            };
            books.insert(language, Arc::new(Book::overlaid(language, &file.path, file.read()?)?));
        }
        Ok(Self { books: Arc::new(books), default, zone: zone.clone() })
    }

    /// The language for somebody who wishes for these locales, the dearest first: the customer's, then those of the request
    /// ([`accepted`](rekey_core::locale::accepted)). Where there is none of them, the organization's.
    pub fn choose<'a>(&self, wishes: impl IntoIterator<Item = &'a Locale>) -> Language {
        wishes.into_iter().find_map(Language::matching).unwrap_or(self.default)
    }

    /// These texts for somebody who reads that language.
    #[must_use]
    pub fn reader(&self, language: Language) -> Reader {
        Reader { texts: self.clone(), language }
    }

    /// The text with that key.
    pub fn say(&self, language: Language, key: &str, args: &[(&str, Arg<'_>)]) -> Result<String, SayError> {
        let unknown = || SayError::UnknownKey(key.to_owned());
        let bundle = &self.books.get(&language).ok_or_else(unknown)?.bundle;
        let text = bundle.get_message(key).and_then(|message| message.value()).ok_or_else(unknown)?;
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, arg) in args {
            values.set(
                *name,
                match arg {
                    Arg::Text(text) => FluentValue::String(isolated(text, language.direction())),
                    Arg::Number(number) => FluentValue::from(*number),
                },
            );
        }
        let mut errors = Vec::new();
        let said = bundle.format_pattern(text, Some(&values), &mut errors);
        if errors.is_empty() { Ok(said.into_owned()) } else { Err(SayError::MissingVariable(key.to_owned())) }
    }

    /// The keys of all texts.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.books.values().next().into_iter().flat_map(|book| book.keys.keys()).map(String::as_str)
    }

    /// The moment by the clocks of the organization's zone.
    pub(crate) fn moment(&self, language: Language, at: OffsetDateTime) -> Option<Moment> {
        self.books.get(&language).and_then(|book| book.moments.write(at, &self.zone))
    }
}

impl Book {
    fn built_in(language: Language) -> Result<Self, TextsError> {
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = Bundle::new_concurrent(vec![tag]);
        // `isolated` does it, where it is needed.
        bundle.set_use_isolating(false);
        let mut keys = BTreeMap::new();
        for (part, source) in builtin::files(language) {
            let file = File::read(&PathBuf::from(format!("{language}/{part}.ftl")), source.to_owned())?;
            bundle.add_resource_overriding(Arc::new(file.resource));
            keys.extend(file.keys);
        }
        let moments = Moments::new(language).ok_or(TextsError::NoDates(language))?;
        Ok(Self { bundle, keys, moments })
    }

    fn overlaid(language: Language, path: &Path, source: String) -> Result<Self, TextsError> {
        let mut book = Self::built_in(language)?;
        let file = File::read(path, source)?;
        for (key, own) in &file.keys {
            let broken = |problem| Broken { file: path.to_owned(), line: own.line, problem };
            let known = book.keys.get(key).ok_or_else(|| broken(Problem::UnknownKey(key.clone())))?;
            if let Some(variable) = own.variables.difference(&known.variables).next().cloned() {
                return Err(broken(Problem::UnknownVariable { key: key.clone(), variable }).into());
            }
        }
        book.bundle.add_resource_overriding(Arc::new(file.resource));
        Ok(book)
    }
}

/// Whose setting it is, if an organization has a folder.
fn of_folder(folder: Option<&Path>) -> String {
    folder.map_or_else(String::new, |folder| format!(" of {}", folder.display()))
}

fn tags() -> String {
    Language::ALL.map(Language::tag).join(", ")
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests;
