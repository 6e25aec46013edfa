//! The templates: those of the program, and an organization's instead of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};
use mrml::prelude::render::RenderOptions;
use rekey_texts::{Language, ReadError, custom_files, template_problem};

use super::{
    Context, NoAccount, PasswordChanged, RenderError, ResetRequested,
    filters::{escape_url, wrap},
    markup::{self, WrongTag},
};

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// No mail has a template of this name.
    #[error("{} is no template of a mail; these are: {}; those of pages stand in pages/", .0.display(), names())]
    Unknown(PathBuf),
    /// It is not MJML.
    #[error("{name}: {problem}")]
    Mjml { name: String, problem: String },
    /// The mail would be of no use.
    #[error("{0} does not say the link: {{{{ link }}}}")]
    Linkless(String),
    /// It is no template, or asks for what there isn't.
    #[error("{0}")]
    Template(String),
}

/// The layout of every mail in HTML.
pub(super) const LAYOUT: &str = "layout.mjml";
/// Where a mail's own part goes in it. It is put there as text: mrml would render what it includes as one cell, without the
/// attributes of each element's own.
const CONTENT: &str = r#"<mj-include path="content.mjml" />"#;

/// Where pages' templates stand, beside those of mails.
const PAGES: &str = "pages";

/// Instructions that a template may take, so that a loop without an end has one: ours take about 500.
const FUEL: u64 = 100_000;

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
    environment.set_fuel(Some(FUEL));
    for (name, source) in &sources {
        if has_extension(name, "mjml") {
            let wrong =
                |WrongTag { line, problem }| TemplateError::Mjml { name: format!("{name}:{line}"), problem };
            markup::check(source).map_err(wrong)?;
        }
        add(&mut environment, name.clone(), source.clone())?;
    }
    let source = |name: &str| sources.get(name).cloned().unwrap_or_default();
    for mail in MAILS {
        let name = format!("{mail}.mjml");
        let html = html(&source(LAYOUT), &source(&name))
            .map_err(|problem| TemplateError::Mjml { name: format!("{LAYOUT} with {name}"), problem })?;
        add(&mut environment, format!("{mail}.html"), html)?;
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
    environment
        .add_template_owned(name, source)
        .map_err(|error| TemplateError::Template(template_problem(&error)))
}

/// An organization's own, of the folder, which may be missing. Files that cannot be meant for templates, such as notes, may lie
/// there; pages' templates have a folder of their own.
fn own(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let mut own = Vec::new();
    for file in custom_files(folder)? {
        let meant = ["mjml", "txt", "html"].iter().any(|extension| has_extension(&file.name, extension));
        if file.name == PAGES || !meant && !file.path.is_dir() {
            continue;
        }
        if BUILT_IN.iter().all(|(known, _)| *known != file.name) {
            return Err(TemplateError::Unknown(file.path));
        }
        let source = file.read()?;
        own.push((file.name, source));
    }
    Ok(own)
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == extension)
}

fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

impl TemplateError {
    /// What went wrong with a sample.
    pub(super) fn sample(language: Language, error: &RenderError) -> Self {
        match error {
            RenderError::Template(error) => {
                Self::Template(format!("{} (in `{language}`)", template_problem(error)))
            }
            RenderError::Text(error) => Self::Template(format!("{error} (in `{language}`)")),
        }
    }
}
