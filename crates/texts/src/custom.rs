//! The texts and templates in an organization's folder, which replace those of the program.

use std::{
    error::Error,
    fs, io, iter,
    path::{Path, PathBuf},
};

/// A file in an organization's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomFile {
    pub path: PathBuf,
    /// The last part of the path.
    pub name: String,
}

/// A file or folder that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be read: {cause}", path.display())]
pub struct ReadError {
    path: PathBuf,
    cause: io::Error,
}

/// Lists the files in a folder, sorted by name; none if the folder doesn't exist. Hidden ones, which editors and mounted volumes
/// create, are ignored.
pub fn custom_files(folder: &Path) -> Result<Vec<CustomFile>, ReadError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_broken_link(folder) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(ReadError { path: folder.to_owned(), cause }),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(|cause| ReadError { path: folder.to_owned(), cause })?;
    let file = |path: PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        (!name.starts_with('.')).then_some(CustomFile { path, name })
    };
    let mut files: Vec<_> = paths.into_iter().filter_map(file).collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// Whether a part of the path is a link without a target. That is an error: what the operator put there would be ignored silently.
fn is_broken_link(path: &Path) -> bool {
    path.ancestors().any(|part| part.is_symlink() && !part.exists())
}

impl CustomFile {
    /// Reads the file, without the byte order mark (U+FEFF) that some editors write.
    pub fn read(&self) -> Result<String, ReadError> {
        let error = |cause| ReadError { path: self.path.clone(), cause };
        let content = fs::read_to_string(&self.path).map_err(error)?;
        Ok(content.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(content))
    }
}

/// Describes a template's error and its place in one line; the place is in the included or extended template if the error is there.
/// The detail can contain the template's values, so this is for samples only.
#[must_use]
pub fn template_problem(error: &minijinja::Error) -> String {
    let sources = iter::successors(error.source(), |error| (**error).source());
    let deepest =
        sources.filter_map(|source| source.downcast_ref::<minijinja::Error>()).last().unwrap_or(error);
    let detail = deepest.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let place = match (deepest.name(), deepest.line()) {
        (Some(name), Some(line)) => format!("{name}:{line}: "),
        (Some(_) | None, _) => String::new(),
    };
    format!("{place}{}{detail}", deepest.kind()).replace('\n', " ")
}
