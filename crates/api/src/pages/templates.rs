//! The templates: those of the program, and an organization's instead of them.

use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior};
use rekey_texts::{ReadError, custom_files, template_problem};

/// What is wrong with an organization's templates.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// No page has a template of this name.
    #[error("{} is no template of a page; these are: {}", .0.display(), names())]
    Unknown(PathBuf),
    /// It is no template, or asks for what there isn't.
    #[error("{0}")]
    Wrong(String),
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/hosted/", $name)))),+]
    };
}

/// Name and source of every template. `layout.html` is around all of them, and `errors.html` is the errors of a field.
const BUILT_IN: [(&str, &str); 16] = built_in![
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
    "foreign.html",
    "busy.html",
    "too_many.html",
    "not_found.html",
    "failed.html",
];

/// Compiles them. Of the folder, `templates/pages/*.html` replace those of their names.
pub fn compile(folder: Option<&Path>) -> Result<Environment<'static>, TemplateError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for (name, source) in BUILT_IN {
        templates.add_template(name, source).map_err(|error| TemplateError::of(&error))?;
    }
    if let Some(folder) = folder {
        for (name, source) in own(&folder.join("templates").join("pages"))? {
            templates.add_template_owned(name, source).map_err(|error| TemplateError::of(&error))?;
        }
    }
    Ok(templates)
}

/// An organization's own, in a folder that may be missing.
fn own(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
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
    /// What the template engine says.
    pub fn of(error: &minijinja::Error) -> Self {
        Self::Wrong(template_problem(error))
    }
}
