//! The hashing threads against the memory limit: a process that exceeds it is killed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
};

use rekey_core::passwords::HasherConfig;
use rekey_runtime::config::{Configuration, Passwords};
use serde::Deserialize;

use super::{finding::Finding, settings};

const CHECK: &str = "hashing.memory";
const MIB: u64 = 1 << 20;
/// What `rekey-api` needs in addition to its hashing threads: 64 MB, and 256 MiB for the thread of imported hashes.
const BASE: u64 = 320 * MIB;

#[derive(Deserialize)]
struct Sections {
    passwords: Passwords,
}

/// Compares the memory that the threads need with the limit in the file, or in the cgroup's.
pub fn check(configuration: &Configuration, file: Option<&Path>) -> Finding {
    let hasher = match settings(configuration, CHECK) {
        Ok(Sections { passwords }) => passwords.hasher,
        Err(skipped) => return skipped,
    };
    let limit = match file {
        Some(file) => read_limit(file).map_err(|error| format!("{}: {error}", file.display())),
        None => cgroup_limit(Path::new("/")).map_err(|error| format!("the cgroup's memory.max: {error}")),
    };
    match limit {
        Ok(limit) => judge(&hasher, limit),
        Err(error) => Finding::skipped(CHECK, format!("the memory limit can't be read: {error}")),
    }
}

fn judge(hasher: &HasherConfig, limit: Option<u64>) -> Finding {
    let threads = u64::try_from(hasher.threads.get()).unwrap_or(u64::MAX);
    let each = u64::from(hasher.memory_kib) * 1024;
    let need = threads.saturating_mul(each).saturating_add(BASE);
    let found = format!("{threads} hashing threads and the rest need {} MiB", need.div_ceil(MIB));
    match limit {
        Some(limit) if limit < need => {
            let most = limit.saturating_sub(BASE) / each;
            let fix = match most {
                0 => {
                    "raise the memory limit of rekey-api (REKEY_API_MEMORY in docker-compose.yml)".to_owned()
                }
                most => format!(
                    "set passwords.hashing_threads to at most {most}, or raise the memory limit of rekey-api"
                ),
            };
            Finding::fail(
                CHECK,
                format!("{found}, and the limit is {} MiB: the process would be killed", limit / MIB),
                fix,
            )
        }
        _ if hasher.threads > thread::available_parallelism().unwrap_or(hasher.threads) => Finding::warn(
            CHECK,
            format!("{found}, and there are fewer processors"),
            "lower passwords.hashing_threads: more gain nothing",
        ),
        Some(limit) => Finding::ok(CHECK, format!("{found}, and the limit is {} MiB", limit / MIB)),
        None => Finding::ok(CHECK, format!("{found}, and there is no limit")),
    }
}

/// Returns the lowest limit of this process's cgroup and those above it, below the file system's root `/`.
fn cgroup_limit(root: &Path) -> io::Result<Option<u64>> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup"))?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let path = path.ok_or_else(|| io::Error::other("there is no cgroup of version 2"))?;
    let mounted = root.join("sys/fs/cgroup");
    let mut lowest = None;
    for group in Path::new(path).ancestors() {
        let file: PathBuf = mounted.join(group).join("memory.max");
        match read_limit(&file) {
            Ok(limit) => lowest = lowest.into_iter().chain(limit).min(),
            // The root of all cgroups has no limit, and no such file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(lowest)
}

fn read_limit(file: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(file)?.trim() {
        "max" => Ok(None),
        bytes => bytes.parse().map(Some).map_err(|_| io::Error::other("expected a number of bytes, or max")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_of_the_cgroups_counts() {
        let root = tempfile::TempDir::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(cgroup_limit(root.path()).is_err());
        write("proc/self/cgroup", "1:name=systemd:/old\n0::/rekey.slice/api\n");
        assert_eq!(cgroup_limit(root.path()).unwrap(), None);
        write("sys/fs/cgroup/rekey.slice/api/memory.max", "max\n");
        assert_eq!(cgroup_limit(root.path()).unwrap(), None);
        write("sys/fs/cgroup/rekey.slice/memory.max", "536870912\n");
        assert_eq!(cgroup_limit(root.path()).unwrap(), Some(512 * MIB));
        write("sys/fs/cgroup/rekey.slice/api/memory.max", "268435456\n");
        assert_eq!(cgroup_limit(root.path()).unwrap(), Some(256 * MIB));
        write("sys/fs/cgroup/memory.max", "1048576\n");
        assert_eq!(cgroup_limit(root.path()).unwrap(), Some(MIB));
        write("sys/fs/cgroup/memory.max", "lots\n");
        assert!(cgroup_limit(root.path()).is_err());
    }
}
