//! The templates: the built-in ones, overridden by an organization's.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};
use mrml::prelude::render::RenderOptions;
use rekey_core::deliveries::MailName;
use rekey_texts::{ReadError, custom_files, template_problem};
use strum::VariantArray;

use super::{
    filters::{escape_url, wrap},
    mjml::{self, WrongTag},
};
use crate::mails::definition;

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file can't be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// No mail has a template of this name.
    #[error("{} is not a template of a mail; these are: {}; those of pages are in pages/", .0.display(), names())]
    Unknown(PathBuf),
    /// It is not valid MJML.
    #[error("{name}: {problem}")]
    Mjml { name: String, problem: String },
    /// The mail would be useless.
    #[error("{0} does not say the link: {{{{ link }}}}")]
    Linkless(String),
    /// It is not a template, or uses a name that is not defined.
    #[error("{0}")]
    Template(String),
}

/// The layout of every mail in HTML.
pub(super) const LAYOUT: &str = "layout.mjml";
/// Where a mail's own part goes in it. It is inserted as text: mrml would render an included part as one cell, without the
/// attributes of its elements.
const CONTENT: &str = r#"<mj-include path="content.mjml" />"#;

/// The folder of the pages' templates, next to those of mails.
const PAGES: &str = "pages";

/// Instructions that a template may execute, so that an endless loop ends: ours execute about 500.
const FUEL: u64 = 100_000;

/// Returns name and source of every built-in template.
fn built_in() -> Vec<(String, &'static str)> {
    let mut templates = vec![
        (LAYOUT.to_owned(), include_str!("../../templates/layout.mjml")),
        ("footer.txt".to_owned(), include_str!("../../templates/footer.txt")),
    ];
    for mail in MailName::VARIANTS {
        let definition = definition(*mail);
        templates.push((format!("{}.mjml", mail.as_str()), definition.mjml));
        templates.push((format!("{}.txt", mail.as_str()), definition.text));
    }
    templates
}

/// Compiles all templates: MJML to HTML once, here; the HTML's template is rendered for each mail.
pub fn compile(folder: Option<&Path>) -> Result<Environment<'static>, TemplateError> {
    let mut sources: BTreeMap<_, _> =
        built_in().into_iter().map(|(name, source)| (name, source.to_owned())).collect();
    if let Some(folder) = folder {
        sources.extend(own(&folder.join("templates"))?);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A tag on a line of its own leaves no empty line.
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
            mjml::check(source).map_err(wrong)?;
        }
        add(&mut environment, name.clone(), source.clone())?;
    }
    let source = |name: &str| sources.get(name).cloned().unwrap_or_default();
    for mail in MailName::VARIANTS {
        let mail = mail.as_str();
        let name = format!("{mail}.mjml");
        let html = html(&source(LAYOUT), &source(&name))
            .map_err(|problem| TemplateError::Mjml { name: format!("{LAYOUT} with {name}"), problem })?;
        add(&mut environment, format!("{mail}.html"), html)?;
    }
    Ok(environment)
}

/// Compiles a layout with a mail's part to HTML. The HTML loads nothing: no fonts are known by name, and a test checks that the
/// samples load nothing.
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

/// Reads an organization's own templates from the folder, which may be missing. Other files, such as notes, may be there too;
/// pages' templates have a folder of their own.
fn own(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let mut own = Vec::new();
    for file in custom_files(folder)? {
        let meant = ["mjml", "txt", "html"].iter().any(|extension| has_extension(&file.name, extension));
        if file.name == PAGES || !meant && !file.path.is_dir() {
            continue;
        }
        if built_in().iter().all(|(known, _)| *known != file.name) {
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
    built_in().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
