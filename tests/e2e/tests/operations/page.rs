//! The operator's pages, and the commands in them.

use std::{fmt::Write as _, fs};

use rekey_e2e::process::project;

/// The page that the others follow.
pub const OPERATIONS: &str = "docs/operations.md";
/// The guide for those who come from Commerce Layer, on a deployment that the first page has made.
const MIGRATION: &str = "docs/migrate-from-commerce-layer.md";

/// What a page has its reader do.
pub enum Step {
    Run(String),
    /// Lines for `.env`.
    Environment(String),
    /// The organization's settings.
    Organization(String),
}

/// Reads the blocks of a page, and the commands in its sentences.
pub fn steps(page: &str) -> Vec<Step> {
    let (mut steps, mut open) = (Vec::new(), None);
    for line in page.lines() {
        match (&mut open, line.trim().strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (None, None) => {
                let spans = line.split('`').skip(1).step_by(2).filter(|span| is_command(span));
                steps.extend(spans.map(|span| Step::Run(span.to_owned())));
            }
            (Some((_, text)), None) => writeln!(text, "{line}").unwrap(),
            (Some(_), Some(_)) => {
                let (language, text) = open.take().unwrap();
                match language.as_str() {
                    "sh" => steps.extend(commands(&text).map(Step::Run)),
                    "dotenv" => steps.push(Step::Environment(text)),
                    "toml" => steps.push(Step::Organization(text)),
                    "yaml" => {}
                    other => assert!(!text.contains("docker "), "{other}: commands are in blocks of sh"),
                }
            }
        }
    }
    steps
}

/// Returns the commands of a block: its lines, of which one that ends with && goes on in the next one.
fn commands(block: &str) -> impl Iterator<Item = String> {
    let mut open = String::new();
    let lines: Vec<_> = block.lines().map(without_comment).filter(|line| !line.is_empty()).collect();
    lines.into_iter().filter_map(move |line| {
        open.push_str(&line);
        if line.ends_with("&&") {
            open.push(' ');
            return None;
        }
        Some(std::mem::take(&mut open))
    })
}

/// Whether code in a sentence is a command with arguments, after its variables.
fn is_command(code: &str) -> bool {
    let mut words = code.split(' ').skip_while(|word| word.contains('='));
    let program = words.next().unwrap_or_default();
    let is_known = ["curl", "docker", "git", "journalctl", "kubectl", "openssl", "sudo"].contains(&program);
    (is_known || program.starts_with("deploy/")) && words.next().is_some()
}

fn without_comment(line: &str) -> String {
    line.split("  #").next().unwrap().trim().to_owned()
}

/// Returns the operator's pages, by their paths.
pub fn pages() -> Vec<String> {
    let runbooks = fs::read_dir(project().join("docs/runbooks")).unwrap();
    let names = runbooks.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> = names.map(|name| format!("docs/runbooks/{name}")).collect();
    pages.sort();
    [OPERATIONS, MIGRATION].map(str::to_owned).into_iter().chain(pages).collect()
}

pub fn read(page: &str) -> String {
    fs::read_to_string(project().join(page)).unwrap()
}
