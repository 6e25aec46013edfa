//! One row of an import: the same rules for every format.

use std::{collections::HashMap, fmt};

use rekey_core::{
    customers::import::{ImportedCustomer, Reference},
    email::EmailAddress,
    locale::Locale,
    passwords::{HashImportError, PasswordHash},
    resources::{Kind, record::holds_nul},
};
use serde_json::{Map, Value};

use super::names::{Column, UnknownName};

/// A row of the file.
#[derive(Debug)]
pub struct Row {
    /// The line that it starts in, counted from 1; of a JSON array, the number of the element.
    pub line: u64,
    pub content: Result<ImportedCustomer, ImportRowError>,
    /// Why the customer is imported without the password that the row has.
    pub warning: Option<ImportRowError>,
}

/// Why a row is refused. It quotes no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRowError {
    /// The column, unless the row as a whole can't be read.
    pub column: Option<Column>,
    pub reason: Reason,
}

/// What is wrong with a row. The report shows these texts after line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("it is longer than 64 KiB")]
    LineTooLong,
    #[error("it is not UTF-8: save the file as CSV UTF-8, or add --encoding, such as windows-1252")]
    NotUtf8,
    #[error("it has a character that is not in the file's encoding")]
    Undecodable,
    #[error("it contains a NUL")]
    Nul,
    #[error("a quotation mark is opened and not closed")]
    OpenQuote,
    #[error("text follows a field's closing quotation mark")]
    TextAfterQuote,
    #[error("the line contains a carriage return: lines end in LF or CRLF")]
    CarriageReturn,
    #[error("{found} fields, the header has {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("the file ends within a JSON array: it is incomplete")]
    OpenArray,
    #[error("text follows the JSON array; expected the end of the file, or another array")]
    AfterArray,
    #[error("the member type is {0}, expected \"customers\": export customers")]
    OtherType(String),
    #[error("the member {0}")]
    UnknownMember(#[from] UnknownName),
    #[error("appears twice")]
    Twice,
    #[error("is missing")]
    Missing,
    #[error("is not a text")]
    NotAText,
    #[error("is not an e-mail address")]
    NotAnAddress,
    #[error("is longer than 255 characters")]
    TextTooLong,
    #[error("is not a JSON object")]
    MetadataNotAnObject,
    #[error("contains a NUL")]
    NulWithin,
    #[error("is not a language tag such as de or pt-BR")]
    NotALocale,
    #[error("the hash {0}; imported without a password, which a reset sets")]
    Hash(#[from] HashImportError),
    #[error("an earlier line has the same address")]
    Duplicate,
}

/// The fields of a row before they are parsed. An empty text and null count as absent.
#[derive(Default)]
pub struct Fields(HashMap<Column, Value>);

rekey_core::redacted_debug!(Fields);

impl Column {
    /// Returns an error about this column.
    #[must_use]
    pub fn error(self, reason: Reason) -> ImportRowError {
        ImportRowError { column: Some(self), reason }
    }
}

impl fmt::Display for ImportRowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = self.column {
            write!(f, "{}: ", <&str>::from(column))?;
        }
        self.reason.fmt(f)
    }
}

impl From<Reason> for ImportRowError {
    fn from(reason: Reason) -> Self {
        Self { column: None, reason }
    }
}

impl Fields {
    /// Adds a field, unless the row has this column already.
    pub fn insert(&mut self, column: Column, value: Value) -> Result<(), ImportRowError> {
        self.0.insert(column, value).map_or(Ok(()), |_| Err(column.error(Reason::Twice)))
    }

    /// Parses the fields, and returns the first error. A hash that can't be used is no error but a warning: a reset lets the customer in,
    /// as long as there is one.
    pub fn into_customer(
        mut self,
        line: u64,
    ) -> Result<(ImportedCustomer, Option<ImportRowError>), ImportRowError> {
        let email = self.parse(Column::Email, |email| email.parse().map_err(|_| Reason::NotAnAddress))?;
        let email: EmailAddress = email.ok_or_else(|| Column::Email.error(Reason::Missing))?;
        let reference = Reference {
            reference: self.parse(Column::Reference, short_text)?,
            reference_origin: self.parse(Column::ReferenceOrigin, short_text)?,
            metadata: self.metadata()?,
        };
        let locale =
            self.parse(Column::Locale, |tag| tag.parse::<Locale>().map_err(|_| Reason::NotALocale))?;
        let password = self.parse(Column::PasswordHash, |hash| Ok(PasswordHash::import(hash.trim())?));
        let (password, warning) = match password {
            Err(error @ ImportRowError { reason: Reason::Hash(_), .. }) => (None, Some(error)),
            password => (password?, None),
        };
        Ok((ImportedCustomer { line, email, password, reference, locale }, warning))
    }

    fn parse<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Result<Option<T>, ImportRowError> {
        match self.0.remove(&column) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => parse(&text).map(Some).map_err(|reason| column.error(reason)),
            Some(_) => Err(column.error(Reason::NotAText)),
        }
    }

    fn metadata(&mut self) -> Result<Map<String, Value>, ImportRowError> {
        match self.0.remove(&Column::Metadata) {
            None | Some(Value::Null) => Ok(Map::new()),
            // PostgreSQL can't store one.
            Some(metadata) if holds_nul(&metadata) => Err(Column::Metadata.error(Reason::NulWithin)),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(Column::Metadata.error(Reason::MetadataNotAnObject)),
        }
    }
}

fn short_text(text: &str) -> Result<String, Reason> {
    if text.chars().count() > Kind::MAX_TEXT {
        return Err(Reason::TextTooLong);
    }
    if text.contains('\0') { Err(Reason::NulWithin) } else { Ok(text.to_owned()) }
}
