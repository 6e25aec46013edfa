//! The templates: those of the program, and an organization's instead of them.

use std::{
    io,
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior};

/// What is wrong with an organization's templates.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
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
const BUILT_IN: [(&str, &str); 15] = built_in![
    "layout.html",
    "errors.html",
    "forgot_password.html",
    "sent.html",
    "reset_password.html",
    "done.html",
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

/// An organization's own, in a folder that may be missing. Hidden files are none.
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
        if name.starts_with('.') {
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

fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

impl TemplateError {
    /// What the template engine says, with the file and line, on one line.
    pub fn of(error: &minijinja::Error) -> Self {
        let place = error.name().map(|name| format!("{name}:{}: ", error.line().unwrap_or_default()));
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        Self::Wrong(format!("{}{}{detail}", place.unwrap_or_default(), error.kind()).replace('\n', " "))
    }
}
