//! Panics, logged without their message.

use std::{panic, thread};

/// Logs every panic from now on, as one error event with its place in the code. Its message is left out, because it can hold the
/// data in use: a token, a password, an address.
pub(super) fn report() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = thread::current();
        tracing::error!(location, thread = thread.name().unwrap_or("unnamed"), "panicked");
    }));
}
