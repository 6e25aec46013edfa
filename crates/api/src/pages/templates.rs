//! The templates: the built-in ones, and those with which an organization replaces them.

use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior};
use rekey_texts::{ReadError, custom_files, template_problem};

/// Why an organization's templates can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// No template has this name.
    #[error("{} is no template of a page; these are: {}", .0.display(), names())]
    Unknown(PathBuf),
    /// It is malformed, or uses an unknown value.
    #[error("{0}")]
    Malformed(String),
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/hosted/", $name)))),+]
    };
}

/// The name and source of every template. `layout.html` wraps all of them, and `errors.html` shows the errors of a field.
const BUILT_IN: [(&str, &str); 19] = built_in![
    "layout.html",
    "errors.html",
    "forgot_password.html",
    "sent.html",
    "reset_password.html",
    "done.html",
    "lost.html",
    "dead.html",
    "not_me.html",
    "disavowed.html",
    "misused.html",
    "restore_email.html",
    "email_restored.html",
    "email_not_restorable.html",
    "foreign.html",
    "busy.html",
    "too_many.html",
    "not_found.html",
    "failed.html",
];

/// Compiles the templates. Files in the folder's `templates/pages` replace those of their names.
pub fn compile(folder: Option<&Path>) -> Result<Environment<'static>, TemplateError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for (name, source) in BUILT_IN {
        templates.add_template(name, source).map_err(|error| TemplateError::malformed(&error))?;
    }
    if let Some(folder) = folder {
        for (name, source) in read_own(&folder.join("templates").join("pages"))? {
            templates.add_template_owned(name, source).map_err(|error| TemplateError::malformed(&error))?;
        }
    }
    Ok(templates)
}

/// Reads an organization's own templates from a folder that may be missing.
fn read_own(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let mut own = Vec::new();
    for file in custom_files(folder)? {
        if BUILT_IN.iter().all(|(known, _)| *known != file.name) {
            return Err(TemplateError::Unknown(file.path));
        }
        let source = file.read()?;
        own.push((file.name, source));
    }
    Ok(own)
}

fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

impl TemplateError {
    /// Returns the template engine's error.
    pub fn malformed(error: &minijinja::Error) -> Self {
        Self::Malformed(template_problem(error))
    }
}
