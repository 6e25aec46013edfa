//! The templates: those of the program, and an organization's instead of them.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    io, iter,
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};
use mrml::prelude::render::RenderOptions;
use rekey_texts::Language;

use super::{
    Context, NoAccount, PasswordChanged, RenderError, ResetRequested,
    filters::{escape_url, wrap},
};

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// No mail has a template of this name.
    #[error("{} is no template of a mail; these are: {}", .0.display(), names())]
    Unknown(PathBuf),
    /// It is not MJML.
    #[error("{name}: {problem}")]
    Mjml { name: String, problem: String },
    /// It is no template, or asks for what there isn't.
    #[error("{0}")]
    Template(String),
}

/// The layout of every mail in HTML.
const LAYOUT: &str = "layout.mjml";
/// Where a mail's own part goes in it. It is put there as text: mrml would render what it includes as one cell, without the
/// attributes of each element's own.
const CONTENT: &str = r#"<mj-include path="content.mjml" />"#;

const MAILS: [&str; 3] = [ResetRequested::NAME, PasswordChanged::NAME, NoAccount::NAME];

/// Name and source of every template.
const BUILT_IN: [(&str, &str); 8] = [
    (LAYOUT, include_str!("../../templates/layout.mjml")),
    ("footer.txt", include_str!("../../templates/footer.txt")),
    ("reset_requested.mjml", include_str!("../../templates/reset_requested.mjml")),
    ("reset_requested.txt", include_str!("../../templates/reset_requested.txt")),
    ("password_changed.mjml", include_str!("../../templates/password_changed.mjml")),
    ("password_changed.txt", include_str!("../../templates/password_changed.txt")),
    ("no_account.mjml", include_str!("../../templates/no_account.mjml")),
    ("no_account.txt", include_str!("../../templates/no_account.txt")),
];

/// Compiles everything: MJML once, here; what it becomes is filled for each mail.
pub fn compile(folder: Option<&Path>) -> Result<Environment<'static>, TemplateError> {
    let mut sources: BTreeMap<String, String> =
        BUILT_IN.map(|(name, source)| (name.to_owned(), source.to_owned())).into();
    if let Some(folder) = folder {
        sources.extend(own(&folder.join("templates"))?);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A tag on a line of its own leaves no line behind.
    environment.set_syntax(
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default(),
    );
    environment.add_filter("url", escape_url);
    environment.add_filter("wrap", wrap);
    let source = |name: &str| sources.get(name).cloned().unwrap_or_default();
    for mail in MAILS {
        let name = format!("{mail}.mjml");
        let html = html(&source(LAYOUT), &source(&name))
            .map_err(|problem| TemplateError::Mjml { name: format!("{LAYOUT} with {name}"), problem })?;
        add(&mut environment, format!("{mail}.html"), html)?;
    }
    for (name, source) in &sources {
        if has_extension(name, "txt") {
            add(&mut environment, name.clone(), source.clone())?;
        }
    }
    Ok(environment)
}

/// The HTML that a layout and a mail's part make together. It loads nothing: no fonts are known by name, and what
/// the samples load is looked for in the tests.
fn html(layout: &str, content: &str) -> Result<String, String> {
    if !layout.contains(CONTENT) {
        return Err(format!("there is no {CONTENT}"));
    }
    let parsed = mrml::parse(layout.replace(CONTENT, content)).map_err(|error| error.to_string())?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(warning.to_string());
    }
    let options = RenderOptions { fonts: HashMap::new(), ..RenderOptions::default() };
    parsed.element.render(&options).map_err(|error| error.to_string())
}

fn add(environment: &mut Environment<'_>, name: String, source: String) -> Result<(), TemplateError> {
    environment.add_template_owned(name, source).map_err(|error| TemplateError::Template(told(&error)))
}

/// An organization's own: all `.mjml` and `.txt` files of the folder, which may be missing. Other files are not of mails.
fn own(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |path: &Path, source| TemplateError::Unreadable { path: path.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !has_extension(&name, "mjml") && !has_extension(&name, "txt") || name.starts_with('.') {
            continue;
        }
        if BUILT_IN.iter().all(|(known, _)| *known != name) {
            return Err(TemplateError::Unknown(path));
        }
        let source = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.push((name, source));
    }
    Ok(files)
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == extension)
}

fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

/// Where and what a template's error is: that of the included one, if it is there.
fn told(error: &minijinja::Error) -> String {
    let sources = iter::successors(error.source(), |error| (**error).source());
    let deepest =
        sources.filter_map(|source| source.downcast_ref::<minijinja::Error>()).last().unwrap_or(error);
    let detail = deepest.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    match (deepest.name(), deepest.line()) {
        (Some(name), Some(line)) => format!("{name}:{line}: {}{detail}", deepest.kind()),
        _ => format!("{}{detail}", deepest.kind()),
    }
}

impl TemplateError {
    /// What went wrong with a sample.
    pub(super) fn sample(language: Language, error: &RenderError) -> Self {
        match error {
            RenderError::Template(error) => Self::Template(format!("{} (in `{language}`)", told(error))),
            RenderError::Text(error) => Self::Template(format!("{error} (in `{language}`)")),
        }
    }
}
