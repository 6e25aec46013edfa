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
    custom::{ReadError, custom_files},
    file::{File, FileError, FileErrorKind, Key},
    isolate::isolated,
    language::Language,
    moment::{Moment, Moments},
};

type Bundle = FluentBundle<Arc<FluentResource>>;

/// All texts of one organization, in every language. Cheap to clone and immutable.
#[derive(Clone)]
pub struct Texts {
    translations: Arc<BTreeMap<Language, Arc<Translation>>>,
    default: Language,
    zone: TimeZone,
}

/// All texts in one language.
struct Translation {
    bundle: Bundle,
    /// The built-in texts' keys.
    keys: BTreeMap<String, Key>,
    moments: Moments,
}

/// The value of a text's variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg<'a> {
    /// A text; isolated where its direction differs from the text around it.
    Text(&'a str),
    /// A number, which texts can select by.
    Number(i64),
}

/// Why the texts can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// An organization's default language is not supported.
    #[error("languages.default{}: there are no texts in `{locale}`, only in {}", of_folder(folder.as_deref()), tags())]
    NoDefault { locale: Locale, folder: Option<PathBuf> },
    /// A file is not named after a language.
    #[error("{} is not named after a supported language: {}", .0.display(), tags())]
    UnknownLanguage(PathBuf),
    /// A file has an error.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program has no date format for a language.
    #[error("there is no date format for `{0}`")]
    NoDates(Language),
}

/// Why a text can't be formatted: an error of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    /// There is no such text.
    #[error("there is no text `{0}`")]
    UnknownKey(String),
    /// A variable is missing.
    #[error("a variable of the text `{0}` is missing")]
    MissingVariable(String),
}

impl Texts {
    /// Loads the built-in texts.
    pub fn built_in(default: Language) -> Result<Self, TextsError> {
        let translations =
            Language::ALL.map(|language| Ok((language, Arc::new(Translation::built_in(language)?))));
        let translations: Result<_, TextsError> = translations.into_iter().collect();
        Ok(Self { translations: Arc::new(translations?), default, zone: TimeZone::UTC })
    }

    /// Overrides these texts by those in an organization's folder: `<folder>/texts/<language>.ftl` replaces texts of that
    /// language, key by key. The folder may lack `texts`; languages without a file are shared, not copied.
    ///
    /// # Errors
    /// For a file that is not named after a language, for an unknown key or variable, and for syntax; with file, line and key.
    pub fn overlaid(
        &self,
        folder: Option<&Path>,
        default: &Locale,
        zone: &TimeZone,
    ) -> Result<Self, TextsError> {
        let default = Language::for_locale(default).ok_or_else(|| TextsError::NoDefault {
            locale: default.clone(),
            folder: folder.map(Path::to_owned),
        })?;
        let Some(folder) = folder else {
            return Ok(Self { translations: Arc::clone(&self.translations), default, zone: zone.clone() });
        };
        let mut translations = BTreeMap::clone(&self.translations);
        for file in custom_files(&folder.join("texts"))? {
            let Some(language) = file.name.strip_suffix(".ftl").and_then(Language::from_tag) else {
                return Err(TextsError::UnknownLanguage(file.path));
            };
            translations
                .insert(language, Arc::new(Translation::overlaid(language, &file.path, file.read()?)?));
        }
        Ok(Self { translations: Arc::new(translations), default, zone: zone.clone() })
    }

    /// Chooses the language by these locales, in order of preference: the customer's, then those of the request
    /// ([`accepted`](rekey_core::locale::accepted)). If none is supported, the organization's default.
    pub fn choose<'a>(&self, preferences: impl IntoIterator<Item = &'a Locale>) -> Language {
        preferences.into_iter().find_map(Language::for_locale).unwrap_or(self.default)
    }

    /// Formats the text with that key.
    pub fn say(&self, language: Language, key: &str, args: &[(&str, Arg<'_>)]) -> Result<String, SayError> {
        let unknown = || SayError::UnknownKey(key.to_owned());
        let bundle = &self.translations.get(&language).ok_or_else(unknown)?.bundle;
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
        let formatted = bundle.format_pattern(text, Some(&values), &mut errors);
        if errors.is_empty() {
            Ok(formatted.into_owned())
        } else {
            Err(SayError::MissingVariable(key.to_owned()))
        }
    }

    /// The keys of all texts.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.translations
            .values()
            .next()
            .into_iter()
            .flat_map(|translation| translation.keys.keys())
            .map(String::as_str)
    }

    /// Formats a moment in the organization's time zone.
    pub(crate) fn moment(&self, language: Language, at: OffsetDateTime) -> Option<Moment> {
        self.translations.get(&language).and_then(|translation| translation.moments.write(at, &self.zone))
    }
}

impl Translation {
    fn built_in(language: Language) -> Result<Self, TextsError> {
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = Bundle::new_concurrent(vec![tag]);
        // `isolated` does this where it is needed.
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
        let mut translation = Self::built_in(language)?;
        let file = File::read(path, source)?;
        for (key, custom) in &file.keys {
            let error = |kind| FileError { file: path.to_owned(), line: custom.line, kind };
            let built_in =
                translation.keys.get(key).ok_or_else(|| error(FileErrorKind::UnknownKey(key.clone())))?;
            if let Some(variable) = custom.variables.difference(&built_in.variables).next().cloned() {
                return Err(error(FileErrorKind::UnknownVariable { key: key.clone(), variable }).into());
            }
        }
        translation.bundle.add_resource_overriding(Arc::new(file.resource));
        Ok(translation)
    }
}

/// The folder of the organization whose setting it is, if it has one.
fn of_folder(folder: Option<&Path>) -> String {
    folder.map_or_else(String::new, |folder| format!(" of {}", folder.display()))
}

fn tags() -> String {
    Language::ALL.map(Language::tag).join(", ")
}

impl<'a, S: AsRef<str> + ?Sized> From<&'a S> for Arg<'a> {
    fn from(text: &'a S) -> Self {
        Self::Text(text.as_ref())
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests;
