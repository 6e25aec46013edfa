//! The data directory, with keys that the first start creates, readable by their owner only.

use std::{
    fs::{File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use rekey_core::random::{OsRandom, RandomSource};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use zeroize::Zeroizing;

/// The directory in which `rekey dev` keeps all data.
pub struct DataDir {
    path: PathBuf,
    /// Locked until the process ends, however it ends.
    _lock: File,
}

/// The length of the RSA key in bits: the least that NIST SP 800-57 accepts until 2030, and quick to generate.
const RSA_BITS: usize = 2048;

impl DataDir {
    /// Opens the directory for this process alone, and creates it (0700) if it doesn't exist.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let created = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        created.with_context(|| format!("the data directory {} can't be created", path.display()))?;
        let opened = File::options().create(true).append(true).mode(0o600).open(path.join("lock"));
        let lock = opened.with_context(|| format!("{} can't be written", path.join("lock").display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "another `rekey dev` uses the data directory {}: stop it, or choose another with `--data-dir`",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} can't be locked", path.join("lock").display()))
            }
        }
    }

    /// Returns the path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the PEM of the key that signs access tokens.
    pub fn signing_key(&self) -> anyhow::Result<Zeroizing<String>> {
        self.read_or_create("signing-key.pem", || {
            // The rsa crate needs a generator of an older rand_core, which it exports.
            let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)?;
            Ok(key.to_pkcs8_pem(LineEnding::LF)?)
        })
    }

    /// Returns the key ring that seals reset tokens and signs events, in the configuration's form.
    pub fn sealing_keys(&self) -> anyhow::Result<Zeroizing<String>> {
        self.read_or_create("sealing-keys", || {
            let mut key = Zeroizing::new([0; 32]);
            OsRandom.fill(key.as_mut_slice());
            Ok(Zeroizing::new(format!("dev:{}", STANDARD.encode(key.as_slice()))))
        })
    }

    /// Returns the content of a secret file (0600), which is created with what `make` returns if it doesn't exist.
    pub fn read_or_create(
        &self,
        name: &str,
        make: impl FnOnce() -> anyhow::Result<Zeroizing<String>>,
    ) -> anyhow::Result<Zeroizing<String>> {
        let path = self.path(name);
        match std::fs::read_to_string(&path) {
            Ok(content) => return Ok(Zeroizing::new(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
        }
        let content = make()?;
        write_secret(&path, &content).with_context(|| format!("{} can't be written", path.display()))?;
        Ok(content)
    }
}

/// Writes a new file (0600), completely or not at all.
fn write_secret(path: &Path, content: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests;
