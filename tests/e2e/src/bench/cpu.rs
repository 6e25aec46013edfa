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
    let (name, ticks) = stat(pid)?;
    let program = if pid == process::id().to_string() {
        PROGRAMS.len() - 1
    } else {
        PROCESSES.iter().position(|process| *process == name)?
    };
    Some((program, ticks.iter().sum()))
}

/// Returns a process's name and its CPU time in ticks: its own by user and system, and by both of its children that ended. `None` if it has
/// ended.
pub(super) fn stat(pid: &str) -> Option<(String, [f64; 4])> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
    // The first of these fields is the third of the file: see proc(5).
    let fields: Vec<_> = fields.split(' ').collect();
    Some((name.to_owned(), std::array::from_fn(|index| fields[11 + index].parse().unwrap())))
}
