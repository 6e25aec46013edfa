//! `rekey mail dkim`, as an operator runs it.
#![expect(clippy::unwrap_used, reason = "a failed test panics")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// A deployment's configuration: a folder of organizations, where `acme` has its own key.
struct Deployment(TempDir);

impl Deployment {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let acme = root.path().join("acme");
        fs::create_dir(&acme).unwrap();
        fs::write(acme.join("organization.toml"), "[mail]\nfrom = \"post@acme.example\"\n").unwrap();
        fs::write(acme.join("dkim.pem"), openssl(&["genpkey", "-algorithm", "ed25519"])).unwrap();
        Self(root)
    }

    fn own_key(&self) -> String {
        self.0.path().join("acme/dkim.pem").display().to_string()
    }

    /// Runs `rekey mail dkim` for an organization, with these variables and the required one.
    fn run(&self, organization: &str, variables: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rekey"))
            .args(["mail", "dkim", "--organization", organization])
            .env_clear()
            .env("REKEY__ORGANIZATIONS__DIRECTORY", self.0.path())
            .env("REKEY__MAIL__FROM", "shop@mail.example.com")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    /// Runs it successfully and returns what it prints.
    fn printed(&self, organization: &str, variables: &[(&str, &str)]) -> String {
        let output = self.run(organization, variables);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it unsuccessfully and returns the exit code and the one line on standard error.
    fn refused(&self, organization: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = self.run(organization, variables);
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(output.stdout.is_empty() && line.lines().count() == 1, "{line}");
        (output.status.code(), line)
    }
}

/// Runs openssl and returns what it prints.
fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The public half of a key as openssl prints it: the base64 of its DER.
fn public_half(key: &Path) -> String {
    let pem = openssl(&["pkey", "-pubout", "-in", key.to_str().unwrap()]);
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

#[test]
fn the_record_of_an_organizations_own_key_is_printed_as_a_zone_file_has_it() {
    let deployment = Deployment::new();
    // The last 32 of 44 bytes: the first 12 identify Ed25519.
    let own = public_half(Path::new(&deployment.own_key())).split_off(16);
    let expected = format!(
        "; acme, signed with {}\nrekey._domainkey.acme.example. IN TXT ( \"v=DKIM1; k=ed25519; p={own}\" )\n",
        deployment.own_key()
    );
    assert_eq!(deployment.printed("acme", &[]), expected);
}

#[test]
fn the_deployments_key_signs_for_organizations_without_one_under_the_configured_domain_and_selector() {
    let deployment = Deployment::new();
    let file = deployment.0.path().join(".deployment.pem");
    fs::write(&file, openssl(&["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"])).unwrap();
    let variables = [("REKEY__DKIM__PRIVATE_KEY_FILE", file.to_str().unwrap())];
    let printed = deployment.printed("other", &variables);
    let record = "; other, signed with dkim.private_key\nrekey._domainkey.mail.example.com. IN TXT ( \"v=DKIM1; k=rsa; p=";
    assert!(printed.starts_with(record), "{printed}");
    let text: String = printed.split('"').skip(1).step_by(2).collect();
    assert_eq!(text.split_once("p=").unwrap().1, public_half(&file));

    fs::write(
        deployment.0.path().join("acme/organization.toml"),
        "[mail]\nfrom = \"post@acme.example\"\n[dkim]\nselector = \"s2026\"\ndomain = \"acme.example\"\n",
    )
    .unwrap();
    fs::remove_file(deployment.own_key()).unwrap();
    let above = [variables[0], ("REKEY__DKIM__DOMAIN", "example.com")];
    assert!(deployment.printed("other", &above).contains("\nrekey._domainkey.example.com. IN TXT "));
    assert!(deployment.printed("acme", &above).contains("\ns2026._domainkey.acme.example. IN TXT "));
}

#[test]
fn each_fault_is_reported_in_one_line() {
    let deployment = Deployment::new();
    let (code, line) = deployment.refused("other", &[]);
    assert_eq!(code, Some(1));
    let expected = "rekey: the mails of other are not signed: there is no dkim.pem in its folder, and no dkim.private_key\n";
    assert_eq!(line, expected);

    let short = openssl(&["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let other = openssl(&["genpkey", "-algorithm", "x25519"]);
    let reason = "expected a private key in PEM, not encrypted, RSA (PKCS#8 or PKCS#1) of 2048 to 4096 bits, or Ed25519";
    for pem in [short, other] {
        fs::write(deployment.own_key(), pem).unwrap();
        let (code, line) = deployment.refused("acme", &[]);
        let start = format!("rekey: {} is not usable: {reason}", deployment.own_key());
        assert!(code == Some(1) && line.starts_with(&start), "{line}");
    }
    fs::write(deployment.own_key(), "marker").unwrap();
    let (code, line) = deployment.refused("acme", &[]);
    assert!(code == Some(2) && line.contains(&deployment.own_key()) && !line.contains("marker"), "{line}");
    let (code, line) = deployment.refused("other", &[("REKEY__MAIL__FROM", "")]);
    assert!(code == Some(2) && line.contains("mail.from is missing"), "{line}");
}
