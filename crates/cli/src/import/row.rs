//! One line of what is imported: the same rules for every format.

use rekey_core::{
    customers::import::{ImportedCustomer, Reference},
    email::EmailAddress,
    locale::Locale,
    passwords::{HashRefusal, PasswordHash},
    resources::{Kind, record::holds_nul},
};
use serde_json::{Map, Value};

/// A line, read.
#[derive(Debug)]
pub struct Row {
    /// Where it begins, counted from 1.
    pub line: u64,
    pub content: Result<ImportedCustomer, Refusal>,
}

/// Why a line is refused. It quotes no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The column, unless the line as a whole can't be read.
    pub column: Option<Column>,
    pub reason: Reason,
}

/// The columns of CSV and the members of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Email,
    Reference,
    ReferenceOrigin,
    Metadata,
    Locale,
    PasswordHash,
}

/// What is wrong with a line. The texts are whole in the report, after line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("the line is longer than 64 KiB")]
    LineTooLong,
    #[error("the line is not UTF-8")]
    NotUtf8,
    #[error("the line has a NUL in it")]
    Nul,
    #[error("a quotation mark is opened and not closed")]
    OpenQuote,
    #[error("a field goes on behind its closing quotation mark")]
    TextAfterQuote,
    #[error("the line has a carriage return in it: lines end in LF or CRLF")]
    CarriageReturn,
    #[error("the line has not as many fields as the header")]
    FieldCount,
    #[error("the line is not a JSON object")]
    NotAnObject,
    #[error("the object has a member that is none of the columns")]
    UnknownMember,
    #[error("is there twice")]
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
    #[error("has a NUL in it")]
    NulWithin,
    #[error("is not a language tag such as de or pt-BR")]
    NotALocale,
    #[error("the hash {0}")]
    Hash(#[from] HashRefusal),
    #[error("an earlier line has the same address")]
    Duplicate,
}

/// The values of a line, before they are understood. An empty text is as good as none.
#[derive(Debug, Default)]
pub struct Values {
    pub texts: [Option<String>; Column::ALL.len()],
    /// Metadata that came as JSON.
    pub metadata: Option<Value>,
}

impl Column {
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Reference,
        Self::ReferenceOrigin,
        Self::Metadata,
        Self::Locale,
        Self::PasswordHash,
    ];

    /// Its name in the files and in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Reference => "reference",
            Self::ReferenceOrigin => "reference_origin",
            Self::Metadata => "metadata",
            Self::Locale => "locale",
            Self::PasswordHash => "password_hash",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.as_str() == name)
    }

    /// That this column's value has this fault.
    pub fn refuse(self, reason: Reason) -> Refusal {
        Refusal { column: Some(self), reason }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { column: None, reason }
    }
}

impl Values {
    /// Sets a text.
    pub fn set(&mut self, column: Column, text: String) {
        if let Some(slot) = self.texts.get_mut(column as usize) {
            *slot = Some(text);
        }
    }

    /// Understands them; the first fault is told.
    pub fn understand(mut self, line: u64) -> Result<ImportedCustomer, Refusal> {
        let email = self.take(Column::Email).ok_or_else(|| Column::Email.refuse(Reason::Missing))?;
        let email = email.parse::<EmailAddress>().map_err(|_| Column::Email.refuse(Reason::NotAnAddress))?;
        let reference = Reference {
            reference: self.short(Column::Reference)?,
            reference_origin: self.short(Column::ReferenceOrigin)?,
            metadata: self.metadata()?,
        };
        let locale = self.take(Column::Locale).map(|tag| tag.parse::<Locale>()).transpose();
        let locale = locale.map_err(|_| Column::Locale.refuse(Reason::NotALocale))?;
        let password = self.take(Column::PasswordHash).map(|hash| PasswordHash::import(&hash)).transpose();
        let password = password.map_err(|refusal| Column::PasswordHash.refuse(refusal.into()))?;
        Ok(ImportedCustomer { line, email, password, reference, locale })
    }

    fn take(&mut self, column: Column) -> Option<String> {
        self.texts.get_mut(column as usize)?.take().filter(|text| !text.is_empty())
    }

    fn short(&mut self, column: Column) -> Result<Option<String>, Refusal> {
        let text = self.take(column);
        match &text {
            Some(text) if text.chars().count() > Kind::MAX_TEXT => Err(column.refuse(Reason::TextTooLong)),
            Some(text) if text.contains('\0') => Err(column.refuse(Reason::NulWithin)),
            _ => Ok(text),
        }
    }

    fn metadata(&mut self) -> Result<Map<String, Value>, Refusal> {
        let refuse = |reason| Column::Metadata.refuse(reason);
        let metadata = match (self.metadata.take(), self.take(Column::Metadata)) {
            (Some(metadata), _) => metadata,
            (None, Some(text)) => {
                serde_json::from_str(&text).map_err(|_| refuse(Reason::MetadataNotAnObject))?
            }
            (None, None) => return Ok(Map::new()),
        };
        match metadata {
            // PostgreSQL can't keep one.
            metadata if holds_nul(&metadata) => Err(refuse(Reason::NulWithin)),
            Value::Object(object) => Ok(object),
            _ => Err(refuse(Reason::MetadataNotAnObject)),
        }
    }
}
