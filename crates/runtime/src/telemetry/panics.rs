//! Panics, told without their message.

use std::{panic, thread};

/// From now on, a panic is one error event with its place in the code. Its message is left out, because a message can
/// hold what was being worked on: a token, a password, an address.
pub(super) fn report() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current();
        tracing::error!(location, thread = thread.name().unwrap_or("unnamed"), "panicked");
    }));
}
