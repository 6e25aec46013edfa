//! `[dkim]`: which key signs whose mails, and for which domain.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{organizations::directory, *};

const OWN: &str = "-----BEGIN RSA PRIVATE KEY-----\nb3duLW1hcmtlcg==\n-----END RSA PRIVATE KEY-----\n";

fn load_from(
    directory: &Path,
    more: &[(&str, &str)],
) -> Result<PerOrganization<OrganizationMailSettings>, ConfigError> {
    let pairs = [more, &[("organizations.directory", directory.to_str().unwrap())]].concat();
    organization_mail_settings(&with(&pairs))
}

/// The one line about these files of an organization, beside a key and a domain of the deployment.
fn complaint(files: &[(&str, &str)]) -> (String, String) {
    let directory = directory(files);
    let deployments = [("dkim.private_key", PEM), ("dkim.domain", "example.com")];
    let line = load_from(directory.path(), &deployments).unwrap_err().to_string();
    assert!(
        line.starts_with("configuration: ") && !line.contains('\n') && !line.contains("marker"),
        "{line}"
    );
    (line, directory.path().join("acme").display().to_string())
}

#[test]
fn an_organization_signs_with_its_own_key_or_the_deployments_under_its_own_names() {
    let own =
        "[mail]\nfrom = \"post@mail.acme.example\"\n[dkim]\ndomain = \"acme.example\"\nselector = \"s1\"\n";
    let directory = directory(&[
        ("acme/organization.toml", own),
        ("acme/dkim.pem", OWN),
        ("borrower/organization.toml", own),
        ("plain/dkim.pem", OWN),
    ]);
    let signing = |more: &[(&str, &str)], slug: &str| {
        let dkim = load_from(directory.path(), more).unwrap().get(&slug.parse().unwrap()).dkim.clone();
        let key = dkim.key.map(|key| (key.pem.expose_secret().to_owned(), key.origin));
        (key, format!("{}._domainkey.{}", dkim.selector, dkim.domain))
    };
    let file = |slug: &str| directory.path().join(slug).join("dkim.pem").display().to_string();
    let own = |slug| Some((OWN.to_owned(), file(slug)));
    let deployments = Some((PEM.to_owned(), "dkim.private_key".to_owned()));
    for (slug, key, name) in [
        ("acme", own("acme"), "s1._domainkey.acme.example"),
        ("borrower", deployments.clone(), "s1._domainkey.acme.example"),
        ("plain", own("plain"), "rekey._domainkey.example.com"),
        ("other", deployments, "rekey._domainkey.example.com"),
    ] {
        assert_eq!(signing(&[("dkim.private_key", PEM)], slug), (key, name.to_owned()), "{slug}");
    }
    assert_eq!((signing(&[], "borrower").0, signing(&[], "acme").0), (None, own("acme")));
}

#[test]
fn a_key_file_without_a_private_key_is_named() {
    for text in ["", "marker", "-----BEGIN PUBLIC KEY-----\nbWFya2Vy\n-----END PUBLIC KEY-----\n"] {
        let (line, folder) = complaint(&[("acme/dkim.pem", text)]);
        let start = format!(
            "configuration: dkim.private_key is not usable, and secret (from {folder}/dkim.pem), expected a private key in PEM"
        );
        assert!(line.starts_with(&start), "{line}");
    }
    let (line, folder) = complaint(&[("acme/dkim.pem/marker.txt", "")]);
    assert!(line.starts_with(&format!("configuration: can't read {folder}/dkim.pem (")), "{line}");
}

#[test]
fn a_domain_that_does_not_cover_the_sender_is_shown_with_the_files_of_both() {
    let wrong = "[dkim]\ndomain = \"ample.com\"\n";
    let (line, folder) = complaint(&[("acme/organization.toml", wrong)]);
    let expected =
        "expected \"example.com\", the domain of mail.from (from REKEY__MAIL__FROM), or one above it";
    let start = format!("configuration: dkim.domain is \"ample.com\" (from {folder}/organization.toml)");
    assert_eq!(line, format!("{start}, {expected}"));

    // Its sender is its own, and the domain is still the deployment's.
    let (line, folder) = complaint(&[
        ("acme/organization.toml", "[mail]\nfrom = \"post@acme.example\"\n"),
        ("acme/dkim.pem", OWN),
    ]);
    let expected = format!(
        "expected \"acme.example\", the domain of mail.from (from {folder}/organization.toml), or one above it"
    );
    assert_eq!(
        line,
        format!("configuration: dkim.domain is \"example.com\" (from REKEY__DKIM__DOMAIN), {expected}")
    );
}

#[test]
fn what_an_organization_may_not_set_of_its_signature_is_refused() {
    for (text, expected) in [
        ("[dkim]\nselector = \"a b\"\n", "dkim.selector is \"a b\" (from "),
        ("[dkim]\ndomain = \"Acme.example\"\n", "dkim.domain is \"Acme.example\" (from "),
        ("[dkim]\nprivate_key = \"marker\"\n", "dkim.private_key can't be set in "),
    ] {
        let (line, folder) = complaint(&[("acme/organization.toml", text)]);
        assert!(line.contains(expected) && line.contains(&format!("{folder}/organization.toml")), "{line}");
    }
}
