//! CPU time by program.

use std::{fs, process};

/// The programs that are measured, as figures call them. The last one is this process with the load generators that it has started.
pub const PROGRAMS: [&str; 4] = ["PostgreSQL", "rekey-api", "RabbitMQ", "the clients"];
/// The kernel's names of the first ones: no other processes of these names may run.
const PROCESSES: [&str; PROGRAMS.len() - 1] = ["postgres", "rekey-api", "beam.smp"];
/// Microseconds per tick in `/proc/PID/stat`: 100 a second on all architectures of today's Linux (`USER_HZ`).
pub(super) const TICK: f64 = 1e4;

/// Returns the CPU time in microseconds that each of [`PROGRAMS`] has used so far.
#[must_use]
pub fn times() -> [f64; PROGRAMS.len()] {
    let mut used = [0.0; PROGRAMS.len()];
    for entry in fs::read_dir("/proc").unwrap() {
        let Some((program, ticks)) = ticks(entry.unwrap().file_name().to_str().unwrap()) else { continue };
        used[program] += ticks * TICK;
    }
    used
}

/// Returns the program of a process, and its CPU time with that of its children that ended.
fn ticks(pid: &str) -> Option<(usize, f64)> {
    // A process that has just ended has no file.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
    let program = if pid == process::id().to_string() {
        PROGRAMS.len() - 1
    } else {
        PROCESSES.iter().position(|process| *process == name)?
    };
    // The first of these fields is the third of the file: see proc(5).
    let times = fields.split(' ').skip(11).take(4).map(|ticks| ticks.parse::<f64>().unwrap());
    Some((program, times.sum()))
}
