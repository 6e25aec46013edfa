//! The parts of the chaos suite: two of each program, faults, clients that retry, and a judge.

pub mod caller;
pub mod client;
pub mod cluster;
pub mod fault;
pub mod judge;
pub mod report;
pub mod resources;
pub mod rows;
pub mod schedule;
pub mod uses;

use rekey_core::clock::{Clock, SystemClock};
use time::OffsetDateTime;

/// Returns the current time; the SMTP server's log uses the same clock.
fn now() -> OffsetDateTime {
    SystemClock.now()
}
