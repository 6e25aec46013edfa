//! Organizations' own settings override the deployment's, and only those that may differ.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

/// A directory of organizations: the files in it, and what they hold.
pub(super) fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (path, content) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn load_from(
    directory: &Path,
    more: &[(&str, &str)],
) -> Result<PerOrganization<OrganizationSettings>, ConfigError> {
    let pairs = [more, &[("organizations.directory", directory.to_str().unwrap())]].concat();
    load(&with(&pairs))?;
    Configuration::load(&with(&pairs))?.organization_settings()
}

fn complaint(file: &str) -> String {
    let directory = directory(&[("acme/organization.toml", file)]);
    load_from(directory.path(), &[]).unwrap_err().to_string()
}

#[test]
fn an_organization_has_its_own_settings_above_all_others() {
    let own = "[brand]\ncolor = \"#AA0000\"\nsupport = \"help@acme.example\"\n[passwords]\nmin_length = 16\nprofile = \"single_factor\"\n\
               [resets]\ntoken_life_seconds = 600\n[languages]\ndefault = \"pt-br\"\n\
               time_zone = \"america/sao_paulo\"\n";
    let directory = directory(&[
        ("acme/organization.toml", own),
        ("plain/texts/de.ftl", ""),
        (".git/config", ""),
        ("README", "not a folder"),
    ]);
    let organizations = load_from(directory.path(), &[("resets.token_life_seconds", "900")]).unwrap();
    let of = |slug: &str| organizations.get(&slug.parse().unwrap());
    let acme = of("acme");
    assert_eq!(acme.brand.color, Color { red: 0xaa, green: 0, blue: 0 });
    assert_eq!(acme.brand.support, Some(Support::Email("help@acme.example".to_owned())));
    assert_eq!((acme.rules().policy.min_length, acme.rules().token_ttl.whole_seconds()), (16, 600));
    assert_eq!(acme.languages.default.as_str(), "pt-BR");
    assert_eq!(acme.languages.time_zone.name(), "America/Sao_Paulo");
    assert_eq!(of("other").languages.time_zone.name(), "UTC");
    assert_eq!(acme.folder.as_deref(), Some(directory.path().join("acme").as_path()));
    for (slug, folder) in [("plain", Some(directory.path().join("plain"))), ("other", None)] {
        let organization = of(slug);
        assert_eq!(
            (organization.rules().policy.min_length, organization.rules().token_ttl.whole_seconds()),
            (8, 900)
        );
        assert_eq!((organization.languages.default.as_str(), organization.folder.clone()), ("en", folder));
    }
}

#[test]
fn what_an_organization_may_not_set_is_refused_with_its_file() {
    let line = complaint("[passwords]\nargon2_iterations = 3\n");
    assert!(line.contains("passwords.argon2_iterations can't be set in "), "{line}");
    assert!(line.ends_with("acme/organization.toml: it holds for all organizations"), "{line}");
    let line = complaint("[brand]\ncolour = \"#000000\"\n");
    assert!(line.starts_with("configuration: unknown key brand.colour (from "), "{line}");
    let line = complaint("[brand]\ncolor = \"blue\"\n");
    assert!(
        line.contains("brand.color is \"blue\" (from ") && line.ends_with("such as \"#1f5fbf\""),
        "{line}"
    );
    assert!(complaint("[brand]\ncolor = \"#12345é\"\n").contains("brand.color"));
    assert!(complaint("[brand]\nlogo_text = \"\\u202Epohs\"\n").contains("brand.logo_text"));
    let line = complaint("[languages]\ntime_zone = \"Europe/Berlim\"\n");
    assert!(line.contains("languages.time_zone is \"Europe/Berlim\" (from "), "{line}");
    assert!(complaint("[brand]\nsupport = \"javascript:alert(1)\"\n").contains("brand.support"));
    assert!(complaint("[links]\nclients = [\"a=https://a.example/\"]\n").contains("links.clients"));
    assert!(
        complaint("[passwords]\nmin_length = 12\nprofile = \"single_factor\"\n")
            .contains("passwords.min_length is 12")
    );
    assert!(complaint("[mail]\nfrom = \"a@b.c, d@e.f\"\n").contains("mail.from"));
}

#[test]
fn a_folder_that_is_no_organizations_is_an_error() {
    let wrong = directory(&[("Acme Shop/organization.toml", "")]);
    let line = load_from(wrong.path(), &[]).unwrap_err().to_string();
    assert!(line.contains("Acme Shop is named after no organization: a slug is 1 to 63"), "{line}");
    let line = load_from(&wrong.path().join("nowhere"), &[]).unwrap_err().to_string();
    assert!(line.contains("can't read ") && line.contains("organizations.directory"), "{line}");
}

#[test]
fn what_an_organization_has_under_a_wrong_name_is_an_error() {
    for wrong in ["organisation.toml", "organization.toml.toml", "text/de.ftl", "template/layout.mjml"] {
        let directory = directory(&[("acme/organization.toml", ""), (&format!("acme/{wrong}"), "")]);
        let path = directory.path().join("acme").join(wrong.split('/').next().unwrap());
        let line = load_from(directory.path(), &[]).unwrap_err().to_string();
        assert!(line.starts_with(&format!("configuration: {} is not read: ", path.display())), "{line}");
    }
    let notes = ["README.md", "organization.toml~", "dkim-old.pem", ".git/config"];
    let files = notes.map(|name| (format!("acme/{name}"), ""));
    let directory = directory(&files.each_ref().map(|(path, content)| (path.as_str(), *content)));
    load_from(directory.path(), &[]).unwrap();
}

#[test]
fn a_broken_link_is_an_error() {
    for link in ["acme/organization.toml", "acme/dkim.pem", "beta"] {
        let directory = directory(&[("acme/texts/de.ftl", "")]);
        std::os::unix::fs::symlink("/nowhere", directory.path().join(link)).unwrap();
        let source = with(&[("organizations.directory", directory.path().to_str().unwrap())]);
        let start = format!("configuration: can't read {} (", directory.path().join(link).display());
        let line = error(&source);
        assert!(line.starts_with(&start), "{line}");
    }
}
