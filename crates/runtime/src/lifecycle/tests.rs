//! Tests of tasks within one process.

use std::{
    convert::Infallible,
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;

use super::*;

/// Far more than any task here needs.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_stop_lets_every_task_finish_its_work() {
    let mut tasks = Tasks::new();
    let done = Arc::new(AtomicUsize::new(0));
    for name in ["api", "relay", "mailer"] {
        let (token, done) = (tasks.token(), done.clone());
        tasks.spawn(name, async move {
            token.cancelled().await;
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            done.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(())
        });
    }
    tasks.drain(LONG).await.unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_first_failure_stops_the_rest_and_is_returned() {
    let mut tasks = Tasks::new();
    let token = tasks.token();
    tasks.spawn("second", async move {
        token.cancelled().await;
        Err(io::Error::other("because of the first"))
    });
    tasks.spawn("first", async { Err(io::Error::other("out of disk")) });
    let error = timeout(LONG, tasks.run_until_signal(Signals::listen().unwrap(), LONG))
        .await
        .expect("a stop")
        .unwrap_err();
    let StopError::Failed { name: "first", source } = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "out of disk");
    assert!(tasks.token().is_cancelled());
}

#[tokio::test]
async fn a_failure_during_the_stop_is_a_failure() {
    let mut tasks = Tasks::new();
    let token = tasks.token();
    tasks.spawn("mailer", async move {
        token.cancelled().await;
        Err(io::Error::other("half sent"))
    });
    assert!(matches!(tasks.drain(LONG).await, Err(StopError::Failed { name: "mailer", .. })));
}

#[tokio::test]
async fn the_tasks_still_running_are_named() {
    let mut tasks = Tasks::new();
    tasks.spawn("relay", pending::<Result<(), Infallible>>());
    let error = tasks.drain(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "still running at the end of the time to stop: relay");
}
