//! Runs every check on the inputs of its corpus: typical ones, those that reach further into a parser, and those that failed once.

use std::{fs, path::Path};

use rekey_parsers::CHECKS;

#[test]
fn every_input_of_the_corpus_is_read_as_it_must_be() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, check) in CHECKS {
        let files = fs::read_dir(corpus.join(name)).unwrap();
        let paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        assert!(!paths.is_empty(), "{name} has no input");
        for path in paths {
            // Shown if it panics.
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
        }
    }
    assert_eq!(fs::read_dir(corpus).unwrap().count(), CHECKS.len(), "each folder is a parser's");
}
