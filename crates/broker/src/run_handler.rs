//! Running a handler, whatever it does. Both buses use it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rekey_core::events::bus::{Delivery, Handler, RejectCause, Verdict};

/// Returns the handler's verdict, after it has recorded a rejection. A panic becomes a rejection with a fixed reason: the panic's own message goes to the panic hook
/// only, because it may hold what no dead letter should.
pub(crate) async fn run_handler(handler: &dyn Handler, delivery: Delivery) -> Verdict {
    let rejected = delivery.clone();
    // Only the handler is shared with a call that panicked, and its state is its own to keep sound.
    let verdict = AssertUnwindSafe(handler.handle(delivery))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Verdict::Reject { cause: RejectCause::Panicked, reason: "panicked".to_owned() });
    match verdict {
        Verdict::Reject { cause, reason } => handler.reject(&rejected, cause, reason).await,
        Verdict::Done | Verdict::Retry { .. } => verdict,
    }
}
