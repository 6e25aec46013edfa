//! What is measured of RabbitMQ: OpenTelemetry's metrics of messaging, and the dead letters.

use std::{convert::Infallible, sync::LazyLock, time::Duration};

use lapin::{Connection, options::QueueDeclareOptions, types::FieldTable};
use opentelemetry::{KeyValue, metrics::Histogram};
use rekey_core::{
    events::bus::{DEAD_LETTERS, Verdict},
    metrics::{LONG, LastValue, REFRESH_INTERVAL, SHORT, gauge, seconds},
};
use tokio::time::{sleep, timeout};

use super::{confirms::NotConfirmed, connection::close_channel, topology::short_string};

/// How long the broker may take to say how many dead letters there are.
const COUNT_TIMEOUT: Duration = Duration::from_secs(5);

static PUBLISH: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let description = "Duration of a publication, until the broker has confirmed it.";
    seconds("messaging.client.operation.duration", description, SHORT)
});
static PROCESS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let description =
        "Duration of the handling of a message, for the mailer mostly that of a mail's hand-over.";
    seconds("messaging.process.duration", description, LONG)
});

/// Records a publication.
pub(super) fn record_publish(duration: Duration, outcome: Result<(), NotConfirmed>) {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "rabbitmq"),
        KeyValue::new("messaging.operation.name", "publish"),
    ];
    if let Err(error) = outcome {
        attributes.push(KeyValue::new("error.type", error.as_str()));
    }
    PUBLISH.record(duration.as_secs_f64(), &attributes);
}

/// Records that a message was handled.
pub(super) fn record_process(queue: &str, duration: Duration, verdict: &Verdict) {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "rabbitmq"),
        KeyValue::new("messaging.operation.name", "process"),
        KeyValue::new("messaging.destination.name", queue.to_owned()),
    ];
    match verdict {
        Verdict::Done => {}
        Verdict::Retry { .. } => attributes.push(KeyValue::new("error.type", "retry")),
        Verdict::Reject { cause, .. } => attributes.push(KeyValue::new("error.type", <&str>::from(cause))),
    }
    PROCESS.record(duration.as_secs_f64(), &attributes);
}

/// Makes the gauge of the dead letters of the process's own consumer, and returns its value, which is unknown as yet.
pub(super) fn dead_letters_gauge() -> LastValue<u32> {
    DEAD_LETTERS.start();
    let count = LastValue::<u32>::default();
    let value = count.clone();
    gauge("rekey.dead_letters.waiting", "Messages in the queue of dead letters.", move |gauge| {
        value.with(|count| gauge.observe(count.into(), &[]));
    });
    count
}

/// Counts the messages in the queue of dead letters every 15 seconds, until it is dropped.
pub(super) async fn count_dead_letters(
    connection: &Connection,
    queue: &str,
    count: &LastValue<u32>,
) -> Infallible {
    loop {
        let counted = timeout(COUNT_TIMEOUT, message_count(connection, queue)).await;
        count.set(counted.ok().and_then(Result::ok));
        sleep(REFRESH_INTERVAL).await;
    }
}

async fn message_count(connection: &Connection, queue: &str) -> lapin::Result<u32> {
    // A channel of its own: a queue that is not there closes the channel.
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(short_string(queue), options, FieldTable::default()).await?;
    close_channel(&channel).await;
    Ok(found.message_count())
}
