//! Tests that every text exists in every language and is used.
#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use fluent_syntax::{ast::Entry, parser};
use rekey_texts::{Language, Texts};

/// The names of the files, with which their keys start.
const PARTS: [&str; 4] = ["mail", "pages", "policy", "time"];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The keys of a built-in file, with their variables.
fn keys(language: Language, part: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = crates().join(format!("texts/locales/{language}/{part}.ftl"));
    let source = std::fs::read_to_string(path).unwrap();
    let mut keys = BTreeMap::new();
    for entry in parser::parse(source.as_str()).unwrap().body {
        let Entry::Message(message) = entry else { continue };
        let serialized = serialized(&message);
        let variables = serialized.split('$').skip(1).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
        });
        assert!(
            keys.insert(message.id.name.to_owned(), variables.collect()).is_none(),
            "twice: {serialized}"
        );
    }
    keys
}

fn serialized(message: &fluent_syntax::ast::Message<&str>) -> String {
    let body = vec![Entry::Message(message.clone())];
    fluent_syntax::serializer::serialize(&fluent_syntax::ast::Resource { body })
}

#[test]
fn every_text_exists_in_every_language_with_the_same_variables() {
    for part in PARTS {
        let english = keys(Language::English, part);
        for language in Language::ALL {
            let theirs = keys(language, part);
            let missing: Vec<_> = english.keys().filter(|key| !theirs.contains_key(*key)).collect();
            assert_eq!(missing, Vec::<&String>::new(), "{language} lacks these of {part}.ftl");
            for (key, variables) in &theirs {
                assert_eq!(
                    english.get(key),
                    Some(variables),
                    "{language}'s {key} has other variables than en's"
                );
                assert!(key.starts_with(&format!("{part}-")), "{key} does not start with its file's name");
            }
        }
    }
}

#[test]
fn french_signs_are_kept_on_the_line_of_their_words() {
    for part in PARTS {
        let path = crates().join(format!("texts/locales/fr/{part}.ftl"));
        let source = std::fs::read_to_string(path).unwrap();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let loose = [" :", " ;", " ?", " !", " »", "« "].into_iter().find(|sign| line.contains(sign));
            assert_eq!(loose, None, "has a plain space in {line}");
        }
    }
}

#[test]
fn every_text_is_used_and_every_used_one_exists() {
    let there: BTreeSet<String> =
        Texts::built_in(Language::English).unwrap().keys().map(str::to_owned).collect();
    let used = used();
    let unused: Vec<_> = there.difference(&used).collect();
    assert_eq!(unused, Vec::<&String>::new(), "no template and no code uses these");
    let missing: Vec<_> = used.difference(&there).collect();
    assert_eq!(missing, Vec::<&String>::new(), "no file has these");
}

/// Every key in quotes in templates and code, without tests, which ask for wrong ones.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ["src", "templates"]
        .into_iter()
        .flat_map(|folder| ["api", "cli", "mailer", "texts"].map(|name| crates().join(name).join(folder)))
        .filter(|folder| folder.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "snapshots" {
                folders.push(path);
            } else if path.is_file() && name != "tests.rs" {
                let source = std::fs::read_to_string(&path).unwrap();
                let source = source.split("#[cfg(test)]").next().unwrap();
                used.extend(source.split(['"', '\'']).filter(|text| is_key(text)).map(str::to_owned));
            }
        }
    }
    used
}

fn is_key(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let (part, rest) = text.split_once('-').unwrap_or_default();
    PARTS.contains(&part) && !rest.is_empty() && rest.chars().all(fits)
}
