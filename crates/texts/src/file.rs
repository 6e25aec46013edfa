//! A file of texts: its keys and their variables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};

/// A file that was read and checked.
pub struct File {
    pub resource: FluentResource,
    /// The keys of its texts.
    pub keys: BTreeMap<String, Key>,
}

/// The line and the variables of a text.
pub struct Key {
    pub line: usize,
    pub variables: BTreeSet<String>,
}

/// An error in a file of texts, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {kind}", file.display())]
pub struct FileError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The error.
    pub kind: FileErrorKind,
}

/// The kinds of errors in a file of texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileErrorKind {
    /// Fluent can't parse it; the key is the last one before the error.
    #[error("{}{problem}", prefix(key))]
    Syntax { key: String, problem: String },
    /// There is no built-in text with this key.
    #[error("there is no text `{0}`")]
    UnknownKey(String),
    /// The file has the key twice; the line is that of the second.
    #[error("`{0}` is defined twice")]
    Twice(String),
    /// The built-in text doesn't have this variable.
    #[error("`{key}` has no variable `${variable}`")]
    UnknownVariable { key: String, variable: String },
    /// The text uses terms, attributes, functions or references to other texts. Of Fluent's features only variables and
    /// selections by them are supported, so that a text that was read can't fail later.
    #[error("`{0}` uses more than variables and selections")]
    Unsupported(String),
}

impl File {
    /// Parses a file's content.
    pub fn read(path: &Path, source: String) -> Result<Self, FileError> {
        let error = |line, kind| FileError { file: path.to_owned(), line, kind };
        let resource = FluentResource::try_new(source).map_err(|(resource, errors)| {
            let first = errors.into_iter().next();
            let line = first.as_ref().map_or(1, |error| line_at(resource.source(), error.pos.start));
            let problem = first.map_or_else(String::new, |error| error.kind.to_string());
            error(line, FileErrorKind::Syntax { key: key_at(resource.source(), line), problem })
        })?;
        let mut keys = BTreeMap::new();
        for entry in resource.entries() {
            let (key, variables) = match entry {
                Entry::Message(message) => (message.id.name, variables(message)),
                Entry::Term(term) => (term.id.name, None),
                Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
                Entry::Junk { content } => (content.lines().next().unwrap_or_default(), None),
            };
            let line = line_of(resource.source(), key);
            let variables =
                variables.ok_or_else(|| error(line, FileErrorKind::Unsupported(key.to_owned())))?;
            if keys.insert(key.to_owned(), Key { line, variables }).is_some() {
                return Err(error(line, FileErrorKind::Twice(key.to_owned())));
            }
        }
        Ok(Self { resource, keys })
    }
}

/// The variables of a message; none if it uses other features of Fluent.
fn variables(message: &Message<&str>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let text = message.value.as_ref().filter(|_| message.attributes.is_empty())?;
    find_in_pattern(text, &mut found).then_some(found)
}

/// Adds the pattern's variables; false if it uses other features of Fluent.
fn find_in_pattern(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) -> bool {
    pattern.elements.iter().all(|element| match element {
        PatternElement::TextElement { .. } => true,
        PatternElement::Placeable { expression } => find_in_expression(expression, found),
    })
}

fn find_in_expression(expression: &Expression<&str>, found: &mut BTreeSet<String>) -> bool {
    match expression {
        Expression::Inline(inline) => find_in_inline(inline, found),
        Expression::Select { selector, variants } => {
            find_in_inline(selector, found)
                && variants.iter().all(|variant| find_in_pattern(&variant.value, found))
        }
    }
}

fn find_in_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) -> bool {
    match inline {
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => true,
        InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
            true
        }
        InlineExpression::Placeable { expression } => find_in_expression(expression, found),
        InlineExpression::FunctionReference { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => false,
    }
}

/// The start of a message about a key; empty before the first key.
fn prefix(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("`{key}`: ") }
}

fn line_at(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// The line of a slice of the source. Fluent's tree has no positions, but its names are such slices.
fn line_of(source: &str, slice: &str) -> usize {
    line_at(source, slice.as_ptr().addr().saturating_sub(source.as_ptr().addr()))
}

/// The key of the text that this line belongs to.
fn key_at(source: &str, line: usize) -> String {
    let starts = source.lines().take(line).filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    let last = starts.last().unwrap_or_default();
    last.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}
