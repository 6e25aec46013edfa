//! The folders of organizations: one for each that has settings of its own, named by its slug, with an `organization.toml` that
//! overrides the deployment's settings, and with texts and templates.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use rekey_core::organizations::{PerOrganization, Slug};

use serde::Deserialize;

use super::{
    configuration::Configuration,
    error::ConfigError,
    files::{DIRECTORY, exists, unreadable},
    sections::{OrganizationMailSettings, OrganizationSettings},
};

#[derive(Deserialize)]
pub(super) struct Sections {
    organizations: Section,
}

/// `[organizations]`: where their folders are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// The folder of folders; without one, all organizations have the same settings.
    directory: Option<PathBuf>,
}

/// The file with an organization's settings, in its folder.
const FILE: &str = "organization.toml";

/// The names of all that is read in a folder.
const READ: [&str; 4] = [FILE, "dkim.pem", "texts", "templates"];

/// The sections that an organization's file may set.
const SECTIONS: [&str; 6] = ["brand", "languages", "links", "mail", "pages", "resets"];
/// The keys of other sections that it may set.
const KEYS: [&str; 4] = ["dkim.domain", "dkim.selector", "passwords.min_length", "passwords.profile"];

/// An organization's settings, or what is wrong with them.
pub type Checked = Result<OrganizationMailSettings, ConfigError>;

impl Configuration {
    /// Returns the settings of all organizations.
    pub fn organization_settings(&self) -> Result<PerOrganization<OrganizationSettings>, ConfigError> {
        self.per_organization(OrganizationSettings::read)
    }

    /// Returns the settings of all organizations, with those of their mails.
    pub fn organization_mail_settings(
        &self,
    ) -> Result<PerOrganization<OrganizationMailSettings>, ConfigError> {
        self.per_organization(OrganizationMailSettings::read)
    }

    /// Returns the settings of each organization that has a folder, with those of its mails, or what is wrong with them.
    pub fn check_organizations(&self) -> Result<Vec<(Slug, Checked)>, ConfigError> {
        let read = |folder: &Path| OrganizationMailSettings::read(&self.of_folder(folder)?, Some(folder));
        Ok(self.folders()?.into_iter().map(|(slug, folder)| (slug, read(&folder))).collect())
    }

    /// Returns the configuration as it is for an organization: below its file, if it has one.
    pub fn for_organization(&self, slug: &Slug) -> Result<Self, ConfigError> {
        let folder = self.folders()?.into_iter().find(|(other, _)| other == slug);
        folder.map_or_else(|| Ok(self.clone()), |(_, folder)| self.of_folder(&folder))
    }

    /// Returns what `read` makes of the deployment's settings, and of those of each organization that has a folder, with its path.
    fn per_organization<T>(
        &self,
        read: impl Fn(&Self, Option<&Path>) -> Result<T, ConfigError>,
    ) -> Result<PerOrganization<T>, ConfigError> {
        let default = read(self, None)?;
        let mut own = HashMap::new();
        for (slug, folder) in self.folders()? {
            own.insert(slug, read(&self.of_folder(&folder)?, Some(&folder))?);
        }
        Ok(PerOrganization::new(default, own))
    }

    /// Returns the folders of organizations.
    fn folders(&self) -> Result<Vec<(Slug, PathBuf)>, ConfigError> {
        let Sections { organizations } = self.settings()?;
        organizations.directory.map_or_else(|| Ok(Vec::new()), |directory| folders(&directory))
    }

    /// Returns the configuration below the file in an organization's folder.
    fn of_folder(&self, folder: &Path) -> Result<Self, ConfigError> {
        reject_misnamed(folder)?;
        let file = folder.join(FILE);
        if exists(&file, DIRECTORY)? { self.overlaid(&file, may_set) } else { Ok(self.clone()) }
    }
}

/// Fails on settings and folders under a name that is not read, such as `organisation.toml` and `template/`: they would be ignored
/// without notice. Other files, such as notes and copies, are allowed.
fn reject_misnamed(folder: &Path) -> Result<(), ConfigError> {
    for path in entries(folder)? {
        let settings = path.extension().is_some_and(|extension| extension == "toml");
        if !READ.contains(&name_of(&path).as_str()) && (settings || is_folder(&path)?) {
            return Err(ConfigError::Misnamed { path });
        }
    }
    Ok(())
}

/// Whether an organization may set that key.
fn may_set(key: &str) -> bool {
    KEYS.contains(&key) || key.split_once('.').is_some_and(|(section, _)| SECTIONS.contains(&section))
}

/// The folders of organizations; files are ignored.
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

/// The entries of a folder, without hidden ones: editors, version control and mounted Kubernetes volumes create those.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = read().map_err(|cause| unreadable(folder, DIRECTORY, cause))?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn is_folder(path: &Path) -> Result<bool, ConfigError> {
    Ok(fs::metadata(path).map_err(|cause| unreadable(path, DIRECTORY, cause))?.is_dir())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
