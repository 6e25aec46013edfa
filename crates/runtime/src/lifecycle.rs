//! The start of a program, its tasks, and its stop.

mod exit;
mod tasks;
#[cfg(test)]
mod tests;

pub use exit::{exit_code, run};
pub use tasks::{Signals, StopError, Tasks};
