//! One file of texts: what it says under which keys, with which variables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};

/// A file, read and known to be whole.
pub struct File {
    pub resource: FluentResource,
    /// Each key's line and the variables in its text.
    pub keys: BTreeMap<String, Key>,
}

/// Where a text stands and what it needs.
pub struct Key {
    pub line: usize,
    pub variables: BTreeSet<String>,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {problem}", file.display())]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong in a file of texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Fluent can't read it; the key is the last that begins before.
    #[error("{}{problem}", of_key(key))]
    Syntax { key: String, problem: String },
    /// Rekey says nothing under this key.
    #[error("there is no text `{0}`")]
    UnknownKey(String),
    /// The same key again.
    #[error("`{0}` stands here for the second time")]
    Twice(String),
    /// Nobody gives the text this variable.
    #[error("`{key}` has no variable `${variable}`")]
    UnknownVariable { key: String, variable: String },
    /// Of Fluent's features texts have variables and choices by them. Terms, attributes, functions and references to other
    /// texts are left out, so that a text that was read can't fail later.
    #[error("`{0}` uses more than variables and choices")]
    Unsupported(String),
}

impl File {
    /// Reads a file's content.
    pub fn read(path: &Path, source: String) -> Result<Self, Broken> {
        let broken = |line, problem| Broken { file: path.to_owned(), line, problem };
        let resource = FluentResource::try_new(source).map_err(|(resource, errors)| {
            let first = errors.into_iter().next();
            let line = first.as_ref().map_or(1, |error| line_at(resource.source(), error.pos.start));
            let problem = first.map_or_else(String::new, |error| error.kind.to_string());
            broken(line, Problem::Syntax { key: key_at(resource.source(), line), problem })
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
            let variables = variables.ok_or_else(|| broken(line, Problem::Unsupported(key.to_owned())))?;
            if keys.insert(key.to_owned(), Key { line, variables }).is_some() {
                let line = last_line_of(resource.source(), key);
                return Err(broken(line, Problem::Twice(key.to_owned())));
            }
        }
        Ok(Self { resource, keys })
    }
}

/// The variables of a message's text; none if it is more than a text.
fn variables(message: &Message<&str>) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let text = message.value.as_ref().filter(|_| message.attributes.is_empty())?;
    of_pattern(text, &mut found).then_some(found)
}

/// Adds the pattern's variables; false if it is made of more than these.
fn of_pattern(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) -> bool {
    pattern.elements.iter().all(|element| match element {
        PatternElement::TextElement { .. } => true,
        PatternElement::Placeable { expression } => of_expression(expression, found),
    })
}

fn of_expression(expression: &Expression<&str>, found: &mut BTreeSet<String>) -> bool {
    match expression {
        Expression::Inline(inline) => of_inline(inline, found),
        Expression::Select { selector, variants } => {
            of_inline(selector, found) && variants.iter().all(|variant| of_pattern(&variant.value, found))
        }
    }
}

fn of_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) -> bool {
    match inline {
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => true,
        InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
            true
        }
        InlineExpression::Placeable { expression } => of_expression(expression, found),
        InlineExpression::FunctionReference { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => false,
    }
}

/// The beginning of what is said of a key; nothing where none has begun.
fn of_key(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("`{key}`: ") }
}

fn line_at(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// The key of the text that this line belongs to.
fn key_at(source: &str, line: usize) -> String {
    let begun = source.lines().take(line).filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    let last = begun.last().unwrap_or_default();
    last.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

/// The line where the key begins a text; Fluent's tree does not tell.
fn line_of(source: &str, key: &str) -> usize {
    lines_of(source, key).next().unwrap_or(1)
}

fn last_line_of(source: &str, key: &str) -> usize {
    lines_of(source, key).last().unwrap_or(1)
}

fn lines_of(source: &str, key: &str) -> impl Iterator<Item = usize> {
    let begins = move |line: &str| {
        let line = line.strip_prefix('-').unwrap_or(line);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    source.lines().zip(1..).filter(move |(line, _)| begins(line)).map(|(_, number)| number)
}
