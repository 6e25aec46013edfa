//! What each organization has of its own: a folder for each, named by its slug, with settings in `organization.toml` that lie over
//! the deployment's, and texts and templates beside it.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use rekey_core::organizations::{PerOrganization, Slug};

use super::{
    ConfigError,
    reader::{Reader, Section},
    values::Values,
};

/// `[organizations]`: where their folders are.
#[derive(Debug, Clone)]
pub struct Organizations {
    /// The folder of folders; without one, all organizations are alike.
    pub directory: Option<PathBuf>,
}

/// The settings of an organization, in its folder.
const FILE: &str = "organization.toml";

/// All that is read there.
const READ: [&str; 4] = [FILE, "dkim.pem", "texts", "templates"];

/// The sections that an organization's file may set.
const SECTIONS: [&str; 6] = ["brand", "languages", "links", "mail", "pages", "resets"];
/// The keys of other sections that it may set.
const KEYS: [&str; 4] = ["dkim.domain", "dkim.selector", "passwords.min_length", "passwords.profile"];

impl Section for Organizations {
    const NAME: &'static str = "organizations";

    fn read(reader: &Reader<'_>) -> Result<Self, ConfigError> {
        Ok(Self { directory: reader.optional("directory", "a path", |text| Some(PathBuf::from(text)))? })
    }
}

impl Values {
    /// What `read` makes of the deployment's settings, and of each organization's that has a folder, with the folder's path.
    pub(super) fn per_organization<T>(
        &self,
        read: impl Fn(&Self, Option<&Path>) -> Result<T, ConfigError>,
    ) -> Result<PerOrganization<T>, ConfigError> {
        let default = read(self, None)?;
        let Some(directory) = self.section::<Organizations>()?.directory else {
            return Ok(PerOrganization::same(default));
        };
        let mut own = HashMap::new();
        for (slug, folder) in folders(&directory)? {
            refuse_misnamed(&folder)?;
            let file = folder.join(FILE);
            let values = if is_there(&file)? { self.below(&file, is_own)? } else { self.clone() };
            own.insert(slug, read(&values, Some(&folder))?);
        }
        Ok(PerOrganization::new(default, own))
    }
}

/// Fails on settings and folders whose name is not the one that is read, which would be passed over unseen: `organisation.toml`,
/// `template/`. Other files, such as notes and copies, may lie there.
fn refuse_misnamed(folder: &Path) -> Result<(), ConfigError> {
    for path in entries(folder)? {
        let settings = path.extension().is_some_and(|extension| extension == "toml");
        if !READ.contains(&name_of(&path).as_str()) && (settings || is_folder(&path)?) {
            return Err(ConfigError::Misnamed { path });
        }
    }
    Ok(())
}

/// Whether an organization may set that key.
pub(super) fn is_own(key: &str) -> bool {
    KEYS.contains(&key) || key.split_once('.').is_some_and(|(section, _)| SECTIONS.contains(&section))
}

/// Whether an organization has that file. A link that leads nowhere and a folder that can't be looked into are no absence: what
/// was put there would be passed over unseen.
pub(super) fn is_there(file: &Path) -> Result<bool, ConfigError> {
    match fs::symlink_metadata(file) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(unreadable(file, cause)),
    }
}

/// The folders of organizations; files are passed over.
fn folders(directory: &Path) -> Result<Vec<(Slug, PathBuf)>, ConfigError> {
    let mut folders = Vec::new();
    for folder in entries(directory)? {
        if is_folder(&folder)? {
            let slug = name_of(&folder)
                .parse()
                .map_err(|cause| ConfigError::NotSlug { path: folder.clone(), cause })?;
            folders.push((slug, folder));
        }
    }
    Ok(folders)
}

/// What is in a folder. What is hidden is passed over: editors, version control and mounted Kubernetes volumes make it.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = read().map_err(|cause| unreadable(folder, cause))?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn is_folder(path: &Path) -> Result<bool, ConfigError> {
    Ok(fs::metadata(path).map_err(|cause| unreadable(path, cause))?.is_dir())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn unreadable(path: &Path, cause: io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), origin: "organizations.directory".to_owned(), cause }
}
