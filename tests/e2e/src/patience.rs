//! Waiting for what happens in other processes.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// Far more than anything here takes on an idle machine; tests share theirs with others.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Asks again and again until the answer is there.
///
/// # Panics
/// After [`PATIENCE`], with what was waited for and the last answer.
pub async fn eventually<T, E: Debug>(what: &str, ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    within(PATIENCE, what, ask).await
}

/// [`eventually`], with a patience of its own.
///
/// # Panics
/// After `patience`, with what was waited for and the last answer.
pub async fn within<T, E: Debug>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let begin = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(last) if begin.elapsed() > patience => {
                panic!("waited {patience:?} for {what}; last: {last:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}
