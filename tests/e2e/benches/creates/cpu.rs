//! CPU time by program.

use std::{collections::HashMap, fs, process};

/// The programs whose CPU time is measured, by the kernel's names: no other processes of these names may run. The last one is the
/// load generator, whichever it is.
pub const PROGRAMS: [&str; 4] = ["postgres", "rekey-api", "beam.smp", "load"];
/// Microseconds per tick in `/proc/PID/stat`: 100 a second on all architectures of today's Linux (`USER_HZ`).
const TICK: f64 = 1e4;

/// The CPU time that each process has used so far, with the index of its program.
pub struct CpuTimes(HashMap<u32, (usize, f64)>);

impl CpuTimes {
    pub fn now() -> Self {
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            // A process that has just ended has no file.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
            // The first of these fields is the file's third (proc(5)): utime and stime, then those of children that ended.
            let ticks: Vec<f64> =
                fields.split(' ').skip(11).take(4).map(|ticks| ticks.parse().unwrap()).collect();
            let [user, system, children_user, children_system] = ticks[..] else { return None };
            if pid == process::id() {
                return Some((pid, (PROGRAMS.len() - 1, (children_user + children_system) * TICK)));
            }
            let program = PROGRAMS.iter().position(|program| *program == name)?;
            Some((pid, (program, (user + system) * TICK)))
        });
        Self(processes.collect())
    }

    /// Returns the microseconds that each of [`PROGRAMS`] has used since then.
    pub fn microseconds(&self) -> [f64; PROGRAMS.len()] {
        let mut used = [0.0; PROGRAMS.len()];
        for (pid, (program, now)) in Self::now().0 {
            used[program] += now - self.0.get(&pid).map_or(0.0, |(_, before)| *before);
        }
        used
    }
}
