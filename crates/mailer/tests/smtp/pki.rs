//! Certificates for the servers of these tests.

use std::{path::Path, process::Command};

use tempfile::TempDir;

/// A private certificate authority with one certificate, as paths of PEM files.
pub struct Pki {
    pub authority: String,
    pub certificate: String,
    pub key: String,
    _folder: TempDir,
}

impl Pki {
    pub fn make(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (authority, authority_key, certificate, key) =
            (file("ca.pem"), file("ca.key"), file("one.pem"), file("one.key"));
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(
            &format!("{new} -subj /CN=authority -keyout {authority_key} -out {authority}"),
            folder.path(),
        );
        let subject =
            format!("-subj /CN={name} -addext subjectAltName=DNS:{name} -addext basicConstraints=CA:FALSE");
        let signer = format!("-CA {authority} -CAkey {authority_key}");
        openssl(&format!("{new} {subject} {signer} -keyout {key} -out {certificate}"), folder.path());
        Self { authority, certificate, key, _folder: folder }
    }
}

/// Runs openssl in that folder, and returns what it prints.
pub fn openssl(arguments: &str, folder: &Path) -> String {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
