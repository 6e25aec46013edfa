//! How a program starts, what it runs, and how it stops.

mod exit;
mod tasks;
#[cfg(test)]
mod tests;

pub use exit::{exit_code, run};
pub use tasks::{Signals, StopError, Tasks};
