use rekey_core::deliveries::MailName;
use strum::VariantArray;
use tempfile::TempDir;

use super::*;

fn preview(root: &Path, output: &Path, locales: Vec<Language>) -> anyhow::Result<()> {
    let directory = root.to_str().unwrap().to_owned();
    let source = Source::from_environment([("REKEY__ORGANIZATIONS__DIRECTORY".to_owned(), directory)]);
    let preview = Preview {
        organization: "acme".parse().unwrap(),
        name: Some("Acme & Söhne".parse().unwrap()),
        output: output.to_owned(),
        locales,
    };
    preview.run(source, Output { is_json: false })
}

#[test]
fn every_mail_of_an_organization_is_rendered_from_its_folder_alone() {
    let (root, output) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let own = root.path().join("acme");
    fs::create_dir_all(own.join("texts")).unwrap();
    fs::write(
        own.join("organization.toml"),
        "[brand]\ncolor = \"#804000\"\n[mail]\nfrom = \"post@acme.example\"\n",
    )
    .unwrap();
    fs::write(own.join("texts/de.ftl"), "mail-reset-title = Neues Losungswort\n").unwrap();
    preview(root.path(), output.path(), Vec::new()).unwrap();

    let read = |name: &str| fs::read_to_string(output.path().join(name)).unwrap();
    for language in Language::ALL {
        for mail in MailName::VARIANTS.iter().map(|mail| mail.as_str()) {
            let html = read(&format!("{language}/{mail}.html"));
            assert!(html.contains(&format!("lang=\"{language}\"")) && html.contains("#804000"));
            assert!(
                html.contains("Acme &amp; Söhne")
                    && read(&format!("{language}/{mail}.txt")).contains("Acme & Söhne")
            );
            let eml = read(&format!("{language}/{mail}.eml"));
            assert!(eml.contains(&format!("\r\nContent-Language: {language}\r\n")), "{eml}");
            assert!(eml.contains("From: post@acme.example\r\n"));
            assert!(read("index.html").contains(&format!("{language}/{mail}.eml")));
        }
    }
    assert!(read("de/reset_requested.txt").starts_with("Neues Losungswort\n"));
    assert!(read("index.html").contains("<title>Mails of Acme &amp; Söhne</title>"));
}

#[test]
fn only_the_languages_asked_for_are_rendered_and_unknown_ones_are_refused() {
    let (root, output) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    preview(root.path(), output.path(), vec![language("pt").unwrap()]).unwrap();
    let mut names: Vec<_> =
        fs::read_dir(output.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["index.html", "pt-BR"]);
    let known = "there are no texts in this language; there are in en, de, fr, es, it, pt-BR, nl, pl, ja, ar";
    assert_eq!(language("zh-TW").unwrap_err(), known);
    assert_eq!(language("../de").unwrap_err(), "not a language tag");
}

#[test]
fn an_error_in_the_folder_names_file_and_line() {
    let (root, output) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let texts = root.path().join("acme/texts");
    fs::create_dir_all(&texts).unwrap();
    fs::write(texts.join("en.ftl"), "mail-reset-titel = x\n").unwrap();
    let error = preview(root.path(), output.path(), Vec::new()).unwrap_err().to_string();
    assert!(error.ends_with("acme/texts/en.ftl:1: there is no text `mail-reset-titel`"), "{error}");
}
