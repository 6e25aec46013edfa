//! A private broker is killed (SIGKILL).

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rekey_core::events::{bus::Verdict, outbox::Settlement};
use rekey_testkit::conformance::bus::{PATIENCE, Scripted, eventually};
use tokio::time::{sleep, timeout};

use crate::stage::{Stage, event, publish};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_the_broker_loses_nothing_that_was_published() {
    /// The least number of events published before the broker is killed, and after.
    const EVENTS: u32 = 50;
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker { folder: folder.path().to_owned() };
    let url = broker.start(&[]);
    let mut stage = Stage::connect(&url, &url).await;
    let bus = stage.bus().await;
    let relaying = tokio::spawn(async move {
        let (mut number, mut left): (u32, _) = (0, None);
        // Publishes until the crash was noticed, however fast that is, and then some more.
        while left != Some(0) {
            let (event, mut attempt) = (event(&number.to_be_bytes()), 1);
            while let Settlement::Later(_, pause) = publish(&bus, &event, attempt).await {
                left = Some(EVENTS);
                attempt += 1;
                sleep(pause.unsigned_abs()).await;
            }
            number += 1;
            left = left.map(|left| left - 1);
        }
        number
    });
    let mailer = stage.topology().queue();
    let started = async {
        while stage.count(&mailer).await < EVENTS {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, started).await.expect("events on their way");
    broker.kill();
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
    assert_eq!(broker.start(&[port]), url);
    let published = relaying.await.unwrap();

    let handler = Scripted::new(|_| Verdict::Done);
    stage.consumer(handler.clone(), 8).await;
    let distinct =
        || handler.seen().into_iter().map(|delivery| delivery.payload).collect::<HashSet<_>>().len();
    eventually(|| distinct() == usize::try_from(published).unwrap(), "every event").await;
    // The namespace goes with the broker, so there is nothing to delete.
}

/// A private RabbitMQ, stopped when dropped.
struct Broker {
    folder: PathBuf,
}

impl Broker {
    /// Starts it, waits until it answers, and returns its URL.
    fn start(&self, port: &[&str]) -> String {
        let output = self.script("start").args(port).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the broker did not start");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn kill(&self) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap();
        assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    }

    fn script(&self, command: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/rabbitmq.sh");
        let mut process = Command::new(script);
        process.arg(command).arg(&self.folder);
        process
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let stopped = self.script("stop").status();
        assert!(stopped.is_ok_and(|status| status.success()), "the broker could not be stopped");
    }
}
