//! Which layer wins, and what a layer may contain.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;

/// A file of this content, and the folder that holds it.
fn file(content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rekey.toml");
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn dev(source: &Source) -> DevSettings {
    Configuration::load(source).unwrap().settings().unwrap()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn each_layer_wins_over_the_weaker_ones() {
    let (_folder, path) = file("[relay]\nbatch = 3\n");
    let batch = |source: Source| dev(&source).outbox_relay.batch_size;
    let base = || environment(&REQUIRED);
    let variable = || with(&[("relay.batch", "4")]);
    assert_eq!(batch(base()), 256);
    assert_eq!(batch(base().preset("relay.batch", "2")), 2);
    assert_eq!(batch(base().preset("relay.batch", "2").file(Some(&path))), 3);
    assert_eq!(batch(variable().preset("relay.batch", "2").file(Some(&path))), 4);
    assert_eq!(
        batch(variable().preset("relay.batch", "2").file(Some(&path)).overriding("relay.batch", "5")),
        5
    );
}

#[test]
fn the_file_is_named_by_the_environment_unless_it_is_named_by_hand() {
    let (_one, by_variable) = file("[relay]\nbatch = 1\n");
    let (_two, by_hand) = file("[relay]\nbatch = 2\n");
    let pairs = REQUIRED.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
    let pairs: Vec<_> = pairs.chain([pair("REKEY_CONFIG", by_variable.to_str().unwrap())]).collect();
    let batch = |source: Source| dev(&source).outbox_relay.batch_size;
    assert_eq!(batch(Source::from_environment(pairs.clone()).file(None)), 1);
    assert_eq!(batch(Source::from_environment(pairs).file(Some(&by_hand))), 2);
}

#[test]
fn a_secret_comes_from_a_file_without_its_trailing_newline() {
    let (_folder, path) = file("postgres://u:p@h/from-file\r\n");
    let source = Source::from_environment([pair("REKEY__DATABASE__URL_FILE", path.to_str().unwrap())]);
    let url = Configuration::load(&source).unwrap().settings::<ToolSettings>().unwrap().database.url;
    assert_eq!(secrecy::ExposeSecret::expose_secret(&url), "postgres://u:p@h/from-file");
}

#[test]
fn a_key_whose_own_name_ends_in_file_is_read_as_itself() {
    let (_folder, path) = file("/etc/other.pem\n");
    let ca_file = |name: &str, value: &str| {
        let pairs = REQUIRED.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
        load(&Source::from_environment(pairs.chain([pair(name, value)]))).unwrap().1.smtp.ca_file
    };
    assert_eq!(ca_file("REKEY__SMTP__CA_FILE", "/etc/ca.pem"), Some("/etc/ca.pem".into()));
    assert_eq!(ca_file("REKEY__SMTP__CA_FILE_FILE", path.to_str().unwrap()), Some("/etc/other.pem".into()));
}

#[test]
fn a_key_given_directly_and_by_file_is_refused() {
    for names in [["URL", "URL_FILE"], ["URL_FILE", "URL"]] {
        let pairs = names.map(|name| pair(&format!("REKEY__DATABASE__{name}"), "/nowhere"));
        assert_eq!(
            error(&Source::from_environment(pairs)),
            "configuration: REKEY__DATABASE__URL and REKEY__DATABASE__URL_FILE are both set: keep one of them"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = "can't read /nowhere/at-all (";
    let line = error(&Source::from_environment([pair("REKEY__DATABASE__URL_FILE", "/nowhere/at-all")]));
    assert!(line.contains(missing) && line.contains("REKEY__DATABASE__URL_FILE"), "{line}");
    let line = error(&Source::from_environment([pair("REKEY_CONFIG", "/nowhere/at-all")]));
    assert!(line.contains(missing) && line.contains("the configuration file"), "{line}");
}

#[test]
fn unknown_keys_are_named_with_their_source() {
    for (content, key) in [
        ("[server]\nlisten_on = \"x\"\n", "server.listen_on"),
        ("[servers]\nlisten = \"x\"\n", "servers.listen"),
        ("[servers]\n", "servers"),
        ("listen = \"x\"\n", "listen"),
        ("[server.tls]\ncert = \"x\"\n", "server.tls"),
        ("[[server]]\nlisten = \"x\"\n", "server"),
    ] {
        let (_folder, path) = file(content);
        let line = error(&environment(&REQUIRED).file(Some(&path)));
        assert_eq!(line, format!("configuration: unknown key {key} (from {})", path.display()));
    }
    for (name, key) in [
        ("REKEY__SERVER__LISTENER", "server.listener"),
        ("REKEY__SERVER__LISTENER_FILE", "server.listener_file"),
        ("REKEY__SERVER", "server"),
        ("REKEY__SERVER__TLS__CERT", "server.tls__cert"),
        ("REKEY__server__listen", "server.listen"),
    ] {
        let line = error(&Source::from_environment([pair(name, "x")]));
        assert_eq!(line, format!("configuration: unknown key {key} (from {name})"));
    }
    assert_eq!(
        error(&environment(&[]).overriding("server.port", "1")),
        "configuration: unknown key server.port (from the command line)"
    );
}

#[test]
fn variables_of_others_are_left_alone() {
    let foreign =
        [pair("REKEY_HOME", "x"), pair("REKEYS__A__B", "x"), pair("PATH", "x"), pair("SERVER__LISTEN", "x")];
    let pairs = REQUIRED.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
    assert!(load(&Source::from_environment(pairs.chain(foreign))).is_ok());
}

#[test]
fn wrong_types_in_the_file_are_named() {
    for (content, key, found, expected) in [
        ("[server]\nlisten = 8080", "server.listen", "8080", "a text"),
        ("[relay]\nbatch = \"9\"", "relay.batch", "\"9\"", "an integer"),
        ("[relay]\nbatch = 1.5", "relay.batch", "1.5", "an integer"),
        ("[smtp]\nallow_unencrypted = \"yes\"", "smtp.allow_unencrypted", "\"yes\"", "true or false"),
        ("[server]\ntrusted_proxies = \"::1\"", "server.trusted_proxies", "\"::1\"", "a list of texts"),
        ("[server]\ntrusted_proxies = [1]", "server.trusted_proxies", "[1]", "a list of texts"),
    ] {
        let (_folder, path) = file(content);
        let line = error(&environment(&REQUIRED).file(Some(&path)));
        let origin = path.display();
        assert_eq!(line, format!("configuration: {key} is {found} (from {origin}), expected {expected}"));
    }
}

#[test]
fn numbers_flags_and_lists_are_parsed_from_the_environment() {
    let (api, mailer) = load(&with(&[
        ("relay.batch", " 7 "),
        ("smtp.relays", "smtp://relay.example.com?tls=none"),
        ("smtp.allow_unencrypted", "true"),
        ("server.trusted_proxies", "10.0.0.0/8, ::1,"),
    ]))
    .unwrap();
    assert_eq!((api.outbox_relay.batch_size, mailer.smtp.relays[0].tls), (7, SmtpTls::None));
    assert!(api.server.trusted_proxies.contains("::1".parse().unwrap()));
    for (key, value, expected) in [
        ("relay.batch", "", "an integer"),
        ("relay.batch", "many", "an integer"),
        ("relay.batch", "99999999999999999999", "an integer"),
        ("smtp.allow_unencrypted", "yes", "true or false"),
    ] {
        let origin = variable(key);
        let line = error(&with(&[(key, value)]));
        assert_eq!(line, format!("configuration: {key} is {value:?} (from {origin}), expected {expected}"));
    }
}

#[test]
fn a_file_that_is_not_toml_is_refused_by_its_line() {
    let (_folder, path) = file("[server]\nlisten = \"127.0.0.1:1\"\n[relay\n");
    let line = error(&environment(&REQUIRED).file(Some(&path)));
    assert!(line.starts_with(&format!("configuration: {}, line 3: ", path.display())), "{line}");
    let (_folder, path) = file("[relay]\nbatch = 99999999999999999999\n");
    let line = error(&environment(&REQUIRED).file(Some(&path)));
    assert_eq!(line, format!("configuration: {}, a number is out of range", path.display()));
}

#[test]
fn names_of_several_lines_make_an_error_of_one() {
    for (content, found) in [
        ("\"a\\nb\" = 1\n", r"unknown key a\nb "),
        ("[server]\n\"a\\nb\" = 1\n", r"unknown key server.a\nb "),
        ("[server.listen]\n\"a\\nb\" = 1\n", "server.listen is a section "),
    ] {
        let (_folder, path) = file(content);
        let line = error(&environment(&REQUIRED).file(Some(&path)));
        assert!(line.contains(found), "{line:?}");
    }
}
