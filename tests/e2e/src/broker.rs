//! RabbitMQ: a private one that a test may kill, and access to the queues of any.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
        QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};
use rekey_broker::rabbitmq::{Consumer, RabbitConfig, RabbitConsumer, Topology};
use rekey_core::{events::bus::Handler, random::OsRandom};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    process::{free_ports, project, signal},
    wait::eventually,
};

/// A private RabbitMQ, whose data survive a crash.
pub struct Broker {
    pub url: String,
    port: u16,
    folder: TempDir,
}

impl Broker {
    /// Starts the broker, which takes about ten seconds.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a broker that joins this one's cluster. It must be dropped first.
    #[must_use]
    pub fn start_another(&self) -> Self {
        Self::start_with(&[self.folder.path()])
    }

    fn start_with(arguments: &[&Path]) -> Self {
        let [port] = free_ports();
        let mut broker =
            Self { url: String::new(), port, folder: TempDir::with_prefix("rekey-rabbit.").unwrap() };
        broker.url = broker.run("start", arguments);
        broker
    }

    /// Sends a signal to the broker; KILL ends it as a crash would.
    pub fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.folder.path().join("pid")).unwrap();
        signal(pid.trim().parse().unwrap(), name);
    }

    /// Starts the broker again on the same data.
    pub fn restart(&self) {
        assert_eq!(self.run("start", &[]), self.url);
    }

    /// Runs `rabbitmqctl` on it, and returns what it prints.
    #[expect(clippy::must_use_candidate, reason = "most commands print nothing of interest")]
    pub fn ctl(&self, arguments: &[&str]) -> String {
        let mut script = Command::new(project().join("scripts/rabbitmq.sh"));
        script.arg("ctl").arg(self.folder.path()).args(arguments);
        let output = script.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the folder of its data, by which `scripts/rabbitmq.sh` finds it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the name of its node.
    #[must_use]
    pub fn node(&self) -> String {
        self.ctl(&["--silent", "eval", "node()."]).trim().trim_matches('\'').to_owned()
    }

    fn run(&self, command: &str, arguments: &[&Path]) -> String {
        let mut script = Command::new(project().join("scripts/rabbitmq.sh"));
        script.arg(command).arg(self.folder.path()).arg(self.port.to_string()).args(arguments);
        let output = script.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let stop =
            Command::new(project().join("scripts/rabbitmq.sh")).arg("stop").arg(self.folder.path()).status();
        // A failure to stop is ignored: the test is failing already.
        drop(stop);
    }
}

/// Returns every message of a queue with all its properties, concatenated. The messages stay in the queue.
pub async fn contents(amqp_url: &str, queue: &str) -> Vec<Vec<u8>> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut found = Vec::new();
    while let Some(message) = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap() {
        let mut bytes = message.delivery.data.clone();
        bytes.extend_from_slice(format!("{:?}", message.delivery.properties).as_bytes());
        found.push(bytes);
    }
    // Unacknowledged messages return to the queue when the channel closes.
    channel.close(200, "looked at".into()).await.unwrap();
    connection.close(200, "looked at".into()).await.unwrap();
    found
}

/// Deletes all messages of a queue, and returns how many there were.
pub async fn purge(amqp_url: &str, queue: &str) -> u32 {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let count = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
    channel.close(200, "purged".into()).await.unwrap();
    connection.close(200, "purged".into()).await.unwrap();
    count
}

/// Returns how many messages of a queue are ready, and how many consumers it has.
pub async fn waiting(amqp_url: &str, queue: &str) -> (u32, u32) {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    channel.close(200, "looked at".into()).await.unwrap();
    connection.close(200, "looked at".into()).await.unwrap();
    (queue.message_count(), queue.consumer_count())
}

/// Puts a message into a queue.
pub async fn publish(amqp_url: &str, queue: &str, payload: &[u8], properties: BasicProperties) {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions::default();
    let confirm = channel.basic_publish("".into(), queue.into(), options, payload, properties).await.unwrap();
    assert!(confirm.await.unwrap().is_ack());
    connection.close(200, "done".into()).await.unwrap();
}

/// A consumer of the webhooks' queue, as `rekey-webhooks` has it.
pub struct Webhooks {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Webhooks {
    /// Starts it, and returns once it is connected.
    pub async fn start(amqp_url: &str, namespace: &str, handler: Arc<dyn Handler>) -> Self {
        let config = RabbitConfig::new([amqp_url], namespace).unwrap().for_consumer(Consumer::Webhooks);
        let consumer = Arc::new(RabbitConsumer::new(config, Arc::new(OsRandom)));
        let (running, stop) = (Arc::clone(&consumer), CancellationToken::new());
        let token = stop.clone();
        let task = tokio::spawn(async move { running.run(handler, 1, token).await });
        eventually("the webhooks' connection", async || match consumer.problem() {
            None => Ok(()),
            Some(problem) => Err(problem),
        })
        .await;
        Self { stop, task }
    }

    /// Finishes what is in work, and closes the connection.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Moves all messages of a queue to another one.
pub async fn move_all(amqp_url: &str, from: &str, to: &str) {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    while let Some(message) = channel.basic_get(from.into(), BasicGetOptions::default()).await.unwrap() {
        let (data, properties) = (&message.delivery.data, message.delivery.properties.clone());
        let options = BasicPublishOptions::default();
        let confirm = channel.basic_publish("".into(), to.into(), options, data, properties).await.unwrap();
        assert!(confirm.await.unwrap().is_ack());
        message.delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

/// Deletes the queues and the exchange of a topology, if the broker is still running.
pub fn clear(amqp_url: String, topology: Topology) {
    // A drop can't wait on the test's runtime, so this gets a thread of its own.
    let cleared = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let deleted =
            async { tokio::time::timeout(Duration::from_secs(5), delete(&amqp_url, &topology)).await };
        runtime.block_on(deleted)
    });
    drop(cleared.join());
}

async fn delete(amqp_url: &str, topology: &Topology) -> Result<(), lapin::Error> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let webhooks = topology.clone().for_consumer(Consumer::Webhooks);
    for queue in [topology.queues(), webhooks.queues()].concat() {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
    }
    channel.exchange_delete(topology.exchange().into(), ExchangeDeleteOptions::default()).await?;
    channel.close(200, "done".into()).await?;
    connection.close(200, "done".into()).await
}
