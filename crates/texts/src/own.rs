//! What an organization has in its folder instead of what the program has: texts, and templates that say them.

use std::{
    error::Error,
    fs, io, iter,
    path::{Path, PathBuf},
};

/// A file of an organization's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    pub path: PathBuf,
    /// The last part of the path.
    pub name: String,
}

/// A file or folder that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be read: {cause}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    cause: io::Error,
}

/// The files in a folder, by name; none where there is no folder. Hidden ones, which editors and mounted volumes make, are passed
/// over.
pub fn own_files(folder: &Path) -> Result<Vec<OwnFile>, Unreadable> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !leads_nowhere(folder) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(Unreadable { path: folder.to_owned(), cause }),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(|cause| Unreadable { path: folder.to_owned(), cause })?;
    let file = |path: PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        (!name.starts_with('.')).then_some(OwnFile { path, name })
    };
    let mut files: Vec<_> = paths.into_iter().filter_map(file).collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// A link without its end is no absence: what was put there would be passed over unseen.
fn leads_nowhere(path: &Path) -> bool {
    path.ancestors().any(|part| part.is_symlink() && !part.exists())
}

impl OwnFile {
    /// What stands in it, without the mark that some editors begin a file with (U+FEFF).
    pub fn read(&self) -> Result<String, Unreadable> {
        let unreadable = |cause| Unreadable { path: self.path.clone(), cause };
        let content = fs::read_to_string(&self.path).map_err(unreadable)?;
        Ok(content.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(content))
    }
}

/// What is wrong with a template, and where, on one line: in the one that is included or extended, if it is there. Details can show
/// what the template was given, so it is for samples.
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
