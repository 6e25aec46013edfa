//! Waiting for other processes.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// Far more than anything here takes on an idle machine, since tests run on busy ones.
pub const TIMEOUT: Duration = Duration::from_mins(3);

/// Polls until the result is `Ok`.
///
/// # Panics
/// After [`TIMEOUT`], with what was awaited and the last error.
pub async fn eventually<T, E: Debug>(what: &str, ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    within(TIMEOUT, what, ask).await
}

/// Like [`eventually`], with another timeout.
///
/// # Panics
/// After `timeout`, with what was awaited and the last error.
pub async fn within<T, E: Debug>(
    timeout: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(last) if start.elapsed() > timeout => {
                panic!("waited {timeout:?} for {what}; last: {last:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}
