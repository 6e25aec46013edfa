//! A test that the commands in the guides are commands of this program. Those of the operator's pages run in `tests/e2e/tests/operations`.

use std::{fs, path::PathBuf};

use clap::Parser;

use super::Cli;

const PAGES: [&str; 5] = [
    "README.md",
    "docs/integration.md",
    "docs/look.md",
    "docs/storefront.md",
    "examples/storefront/README.md",
];

#[test]
fn every_command_of_the_guides_is_understood() {
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = 0;
    for page in PAGES {
        let text = fs::read_to_string(project.join(page)).unwrap();
        for block in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            for command in block.lines().filter_map(command) {
                let parsed = Cli::try_parse_from(&command);
                assert!(parsed.is_ok(), "{page}: {command:?}: {}", parsed.unwrap_err());
                count += 1;
            }
        }
    }
    assert!(count > 6, "{count} commands were found");
}

/// One of 64 ids of signing keys begins with a hyphen.
#[test]
fn an_id_that_begins_with_a_hyphen_is_no_option() {
    for id in ["-_x", "-0h", "-hVq"] {
        for arguments in [
            ["retire", "--leaked", id].as_slice(),
            &["retire", id, "--leaked"],
            &["rotate", "signing", "--activate", id],
        ] {
            let parsed = Cli::try_parse_from(["rekey", "key"].iter().chain(arguments));
            assert!(parsed.is_ok(), "{arguments:?}: {}", parsed.unwrap_err());
        }
    }
}

/// Returns the words of a line from `rekey` on, if it runs it, directly or as a service of compose.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.split(" #").next()?.split(" < ").next()?.split(" > ").next()?;
    let words = words(line);
    let begin = words.iter().rposition(|word| word == "rekey")?;
    let is_run = begin == 0 || words.iter().any(|word| word == "run");
    is_run.then(|| words.into_iter().skip(begin).collect())
}

/// Splits a line at spaces outside double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.trim().chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
