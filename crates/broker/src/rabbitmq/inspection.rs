//! What `rekey doctor` sees of a broker. It declares nothing that is not there, and no message gets into a queue or out of one.

use std::{future::pending, time::Duration};

use futures_util::{Stream, StreamExt, pin_mut};
use lapin::{
    BasicProperties, Connection, ConnectionProperties, ErrorKind, Event,
    options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions},
    types::FieldTable,
};
use rekey_core::events::EventName;
use tokio::time::timeout;

use super::{
    Consumer, RabbitConfig, Topology,
    cause::{self, is_mismatch, is_missing_right, is_not_found},
    connection::{ConnectionError, close_channel},
    topology::{declare_queue, find_exchange, find_queue, long_string, short_string},
};

/// The time for a connection, and for each look.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time for the event of a refusal that has arrived.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
const CHECK_ADDRESS: &str =
    "check host and port in broker.url, the network between, and whether the port is the broker's for AMQP";
const CREATE: &str = "start rekey-api or rekey-mailer with a user that may configure, which declares it, or import deploy/rabbitmq/definitions.json";
const CREATE_WEBHOOKS: &str = "start rekey-webhooks, which declares it; if webhooks are switched off, delete the others: docs/operations.md";
const ALARM: &str = "rabbitmq-diagnostics alarms names it: docs/runbooks/broker-alarm.md";

/// A connection to one node, to look at the broker.
pub struct Inspector {
    connection: Connection,
    topology: Topology,
}

/// What is wrong with the broker, and what an operator can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub found: String,
    pub advice: String,
}

/// A queue that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    pub name: String,
    /// Those that are ready.
    pub message_count: u32,
    pub consumer_count: u32,
    /// Whether its arguments are those that we declare; `None` if the user may not compare them.
    pub is_as_declared: Option<bool>,
}

/// What the user of a program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Publish to the exchange of events: `rekey-api`.
    PublishEvents,
    /// Publish to queues, by the default exchange: the consumers, and `rekey dead-letter`.
    PublishToQueues,
    /// Read a consumer's queue: that program.
    ReadEvents(Consumer),
    /// Read the mailer's dead letters: `rekey dead-letter`.
    ReadDeadLetters,
}

impl Inspector {
    /// Connects to a node, by its place in `broker.url` from 0.
    ///
    /// # Errors
    /// What keeps a program from connecting.
    pub async fn connect(config: &RabbitConfig, node: usize) -> Result<Self, Problem> {
        let Some(uri) = config.nodes.get(node) else { return Err(no_answer()) };
        let name = format!("{}.doctor", config.topology.namespace());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = timeout(TIMEOUT, Connection::connect_uri(uri.clone(), properties)).await;
        let connection = connecting.map_err(|_| no_answer())?.map_err(ConnectionError::from)?;
        Ok(Self { connection, topology: config.topology.clone() })
    }

    /// Looks for the exchange.
    ///
    /// # Errors
    /// When it is missing or of another kind.
    pub async fn exchange(&self) -> Result<(), Problem> {
        let name = self.topology.exchange();
        self.in_time(async {
            let channel = self.connection.create_channel().await?;
            find_exchange(&channel, &name).await?;
            match self.topology.declare_exchange(&channel).await {
                Err(ConnectionError::Amqp(error)) if is_missing_right(&error) => Ok(()),
                declared => declared,
            }
        })
        .await
        .map_err(|error| missing(&format!("the exchange {name}"), error, CREATE))
    }

    /// Looks for the mailer's queues, in the order of [`Topology::queues`], and then for those of the webhooks, if their first one is there:
    /// a deployment need not have webhooks.
    pub async fn queues(&self) -> Vec<Result<QueueState, Problem>> {
        let mut queues = self.queues_of(Consumer::Mailer, CREATE).await;
        if self.has_webhooks().await {
            queues.extend(self.queues_of(Consumer::Webhooks, CREATE_WEBHOOKS).await);
        }
        queues
    }

    async fn queues_of(&self, consumer: Consumer, create: &str) -> Vec<Result<QueueState, Problem>> {
        let mut queues = Vec::new();
        for (name, arguments) in self.topology.clone().for_consumer(consumer).arguments() {
            let found = self.in_time(self.queue(&name, arguments)).await;
            queues.push(found.map_err(|error| missing(&format!("the queue {name}"), error, create)));
        }
        queues
    }

    /// Whether the webhooks' queue is there. Without an answer it may be: then that is reported.
    async fn has_webhooks(&self) -> bool {
        let name = self.topology.clone().for_consumer(Consumer::Webhooks).queue();
        let looked_up = self.in_time(async {
            let channel = self.connection.create_channel().await?;
            find_queue(&channel, &name).await?;
            close_channel(&channel).await;
            Ok(())
        });
        !matches!(looked_up.await, Err(ConnectionError::Amqp(error)) if is_not_found(&error))
    }

    /// A queue that is there stays as it is when it is declared, and only that compares its arguments.
    async fn queue(&self, name: &str, arguments: FieldTable) -> Result<QueueState, ConnectionError> {
        let channel = self.connection.create_channel().await?;
        let queue = find_queue(&channel, name).await?;
        let is_as_declared = match declare_queue(&channel, name.to_owned(), arguments).await {
            Ok(()) => Some(true),
            Err(ConnectionError::Declaration { .. }) => Some(false),
            Err(ConnectionError::Amqp(error)) if is_missing_right(&error) => None,
            Err(error) => return Err(error),
        };
        if is_as_declared == Some(true) {
            close_channel(&channel).await;
        }
        Ok(QueueState {
            name: name.to_owned(),
            message_count: queue.message_count(),
            consumer_count: queue.consumer_count(),
            is_as_declared,
        })
    }

    /// Looks whether the broker takes messages, by one of the rights to publish. During an alarm it reports that to a connection once it
    /// publishes.
    ///
    /// # Errors
    /// When it takes none. That the user has not the right is found by [`Inspector::has_right`].
    pub async fn alarms(&self, publishing: Right) -> Result<(), Problem> {
        let events = self.connection.events_listener();
        let blocked = |reason: &str| Problem {
            found: format!("the broker takes no messages because of an alarm ({reason})"),
            advice: ALARM.to_owned(),
        };
        tokio::select! {
            reason = block(events) => Err(blocked(&reason)),
            tried = self.use_right(publishing) => match tried {
                _ if self.connection.status().blocked() => Err(blocked("see its log")),
                Err(ConnectionError::Lost) => Err(no_answer()),
                _ => Ok(()),
            }
        }
    }

    /// Tries whether the user has a right.
    ///
    /// # Errors
    /// When it has not.
    pub async fn has_right(&self, right: Right) -> Result<(), Problem> {
        self.use_right(right).await.map_err(Problem::from)
    }

    /// Uses a right in a call that has no effect.
    async fn use_right(&self, right: Right) -> Result<(), ConnectionError> {
        let topology = &self.topology;
        self.in_time(async {
            match right {
                Right::PublishEvents => {
                    self.publish_nothing(topology.exchange(), EventName::ResetPassword.as_str()).await
                }
                Right::PublishToQueues => self.publish_nothing(String::new(), &topology.dead()).await,
                Right::ReadEvents(consumer) => {
                    self.consume_nothing(&topology.clone().for_consumer(consumer).queue()).await
                }
                Right::ReadDeadLetters => self.consume_nothing(&topology.dead()).await,
            }
        })
        .await
    }

    /// Publishes in a transaction that is rolled back: the broker checks the right, and no queue gets the message.
    async fn publish_nothing(&self, exchange: String, routing_key: &str) -> Result<(), ConnectionError> {
        let events = self.connection.events_listener();
        let channel = self.connection.create_channel().await?;
        channel.tx_select().await?;
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let (exchange, key) = (short_string(&exchange), short_string(routing_key));
        let tried = async {
            channel.basic_publish(exchange, key, options, b"", properties).await?.await?;
            channel.tx_rollback().await
        };
        match tried.await {
            Ok(()) => {
                close_channel(&channel).await;
                Ok(())
            }
            // The refusal of the message came between the two calls: only its event has the reason.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidChannelState(..)) => {
                let refusal = timeout(REFUSAL_TIMEOUT, refusal(events)).await;
                Err(refusal.unwrap_or(error).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Consumes with a priority that is no number: the broker checks the right first, then the priority, and delivers no message.
    async fn consume_nothing(&self, queue: &str) -> Result<(), ConnectionError> {
        let channel = self.connection.create_channel().await?;
        // One at most, should a broker accept that: it gets it back when the channel is closed.
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-priority".into(), long_string("none"));
        let (queue, tag) = (short_string(queue), short_string(""));
        match channel.basic_consume(queue, tag, BasicConsumeOptions::default(), arguments).await {
            Err(error) if is_mismatch(&error) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                close_channel(&channel).await;
                Ok(())
            }
        }
    }

    /// Closes the connection. A broker with an alarm does not answer that.
    pub async fn close(self) {
        // The connection ends with the process anyway.
        let _ = timeout(Duration::from_secs(1), self.connection.close(200, "bye".into())).await;
    }

    async fn in_time<T>(
        &self,
        look: impl Future<Output = Result<T, ConnectionError>>,
    ) -> Result<T, ConnectionError> {
        timeout(TIMEOUT, look).await.unwrap_or(Err(ConnectionError::Lost))
    }
}

/// Returns the error by which the broker closes a channel.
async fn refusal(events: impl Stream<Item = Event>) -> lapin::Error {
    pin_mut!(events);
    while let Some(event) = events.next().await {
        if let Event::Error(error) = event {
            return error;
        }
    }
    pending().await
}

/// Returns the reason when the broker blocks the connection.
async fn block(events: impl Stream<Item = Event>) -> String {
    pin_mut!(events);
    while let Some(event) = events.next().await {
        if let Event::ConnectionBlocked(reason) = event {
            return reason;
        }
    }
    pending().await
}

fn no_answer() -> Problem {
    let found = format!("no answer within {} seconds", TIMEOUT.as_secs());
    Problem { found, advice: CHECK_ADDRESS.to_owned() }
}

fn missing(name: &str, error: ConnectionError, create: &str) -> Problem {
    match error {
        ConnectionError::Amqp(error) if is_not_found(&error) => {
            Problem { found: format!("{name} does not exist"), advice: create.to_owned() }
        }
        error => {
            let problem = Problem::from(error);
            Problem { found: format!("{name}: {}", problem.found), ..problem }
        }
    }
}

impl From<ConnectionError> for Problem {
    fn from(error: ConnectionError) -> Self {
        match &error {
            ConnectionError::Amqp(error) => {
                let (found, advice) = cause::advice(error);
                Self { found, advice: advice.unwrap_or("the broker's log may say more").to_owned() }
            }
            ConnectionError::Declaration { reply, .. } => Self {
                found: format!("other arguments than we declare ({reply})"),
                advice:
                    "delete it, so that the programs declare it again, or choose another broker.namespace"
                        .to_owned(),
            },
            ConnectionError::Lost => no_answer(),
            error => Self { found: error.to_string(), advice: CHECK_ADDRESS.to_owned() },
        }
    }
}
