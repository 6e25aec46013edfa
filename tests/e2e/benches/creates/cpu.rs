//! CPU time by program.

use std::{collections::HashMap, fs};

/// The programs whose CPU time is measured, by the kernel's names. The machine must run no other processes of these names.
pub const PROGRAMS: [&str; 4] = ["postgres", "rekey-api", "beam.smp", "generator"];
/// Both are load generators.
const GENERATORS: [&str; 2] = ["pgbench", "wrk"];
/// Microseconds per tick of `/proc/PID/stat`: `USER_HZ` is 100 on every architecture that Linux runs PostgreSQL on (proc(5)).
const TICK: f64 = 1e4;

/// The CPU time that each process has used so far, with the number of its program.
pub struct CpuTimes(HashMap<u32, (usize, f64)>);

impl CpuTimes {
    pub fn now() -> Self {
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            // One that ended meanwhile has no file any more.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
            let name = if GENERATORS.contains(&name) { "generator" } else { name };
            let program = PROGRAMS.iter().position(|program| *program == name)?;
            // utime and stime, of the process and of its children that ended; the first field here is the third of the file.
            let ticks: f64 =
                fields.split(' ').skip(11).take(4).map(|ticks| ticks.parse::<f64>().unwrap()).sum();
            Some((pid, (program, ticks * TICK)))
        });
        Self(processes.collect())
    }

    /// The time in microseconds that each of [`PROGRAMS`] has used since then.
    pub fn microseconds(&self) -> [f64; PROGRAMS.len()] {
        let mut used = [0.0; PROGRAMS.len()];
        for (pid, (program, now)) in Self::now().0 {
            used[program] += now - self.0.get(&pid).map_or(0.0, |(_, before)| *before);
        }
        used
    }
}
