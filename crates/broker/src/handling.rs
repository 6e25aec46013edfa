//! What both buses do with a delivery: run the handler, whatever it does.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rekey_core::events::bus::{Delivery, Handler, Verdict};

/// The handler's verdict. A panic is a rejection, and the panic's message goes to the panic hook alone: it may hold what
/// no dead letter should.
pub(crate) async fn handle(handler: &dyn Handler, delivery: Delivery) -> Verdict {
    // Nothing is shared with a handler that panicked but the handler itself, whose state is its own to keep sound.
    AssertUnwindSafe(handler.handle(delivery))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Verdict::Reject { reason: "panicked".to_owned() })
}
