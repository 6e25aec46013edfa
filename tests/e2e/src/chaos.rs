//! The parts of the chaos suite: two of each program, faults, clients that retry, and a judge.

pub mod client;
pub mod cluster;
pub mod fault;
pub mod judge;
pub mod report;

use rekey_core::clock::{Clock, SystemClock};
use time::OffsetDateTime;

/// Returns the current time; the SMTP server's log uses the same clock.
fn now() -> OffsetDateTime {
    SystemClock.now()
}
