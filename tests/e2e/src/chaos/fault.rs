//! The faults.

use std::time::Duration;

use rekey_testkit::proxy::{Connections, Direction, Toxic};
use time::OffsetDateTime;
use tokio::task::block_in_place;

use super::{cluster::Cluster, now, schedule::Scheduled};
use crate::process::signal;

/// What is done to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// SIGKILL; at its end it is started again.
    Kill,
    /// SIGSTOP, and SIGCONT at its end.
    Stop,
    /// All sessions are ended, and new ones are read-only, as after a failover. Sessions that are opened meanwhile stay so.
    ReadOnly,
    /// Too little space is left on a node's disk: the cluster accepts no messages.
    DiskAlarm,
    /// A node uses too much memory: the cluster accepts no messages.
    MemoryAlarm,
    /// The proxy refuses connections.
    Down,
    /// The proxy resets the open connections.
    Reset,
    /// The proxy has a toxic.
    Poison(Poison),
    /// The SMTP server has a fault: its name, and the script's words for it.
    Smtp(&'static str, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    Silence,
    Latency,
    Bandwidth,
    Slicing,
}

/// What a fault is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The index of a program.
    Node(usize),
    /// The index of a link.
    Link(usize),
    Postgres,
    /// The index of a node of RabbitMQ.
    Broker(usize),
    /// All nodes of RabbitMQ.
    Brokers,
    Smtp,
}

/// A fault of the schedule.
#[derive(Debug, Clone)]
pub struct Fault {
    pub action: Action,
    pub target: Target,
    /// Such as "silence api 1 -> PostgreSQL".
    pub name: String,
    pub toxic: Option<SetToxic>,
}

/// A toxic, and for what it is set.
#[derive(Debug, Clone, Copy)]
pub struct SetToxic {
    pub toxic: Toxic,
    pub directions: &'static [Direction],
    pub connections: Connections,
}

/// A fault that is over.
#[derive(Debug)]
pub struct PastFault {
    pub name: String,
    pub from: OffsetDateTime,
    pub until: OffsetDateTime,
}

/// Runs a schedule. Returns the faults in the order in which they ended.
pub async fn run(cluster: &mut Cluster, schedule: &[Scheduled]) -> Vec<PastFault> {
    let mut steps: Vec<_> = (0..schedule.len())
        .flat_map(|index| [(schedule[index].from, index, true), (schedule[index].until, index, false)])
        .collect();
    steps.sort();
    let mut done = Duration::ZERO;
    let mut began = vec![OffsetDateTime::UNIX_EPOCH; schedule.len()];
    let mut past = Vec::new();
    for (at, index, is_begin) in steps {
        // A server that takes long to start delays what follows.
        cluster.wait(at.saturating_sub(done)).await;
        done = at;
        let fault = &schedule[index].fault;
        if is_begin {
            began[index] = now();
            fault.begin(cluster).await;
        } else {
            fault.end(cluster).await;
            past.push(PastFault { name: fault.name.clone(), from: began[index], until: now() });
        }
    }
    past
}

impl Target {
    /// Whether two faults of these can't happen at the same time. Of three nodes of RabbitMQ, two must run for its commands.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        let is_broker = |target: &Self| matches!(target, Self::Broker(_) | Self::Brokers);
        self == other || is_broker(self) && is_broker(other)
    }
}

impl Fault {
    async fn begin(&self, cluster: &mut Cluster) {
        match (self.action, self.target) {
            (Action::Kill, Target::Node(node)) => cluster.kill(node),
            (Action::Kill, _) => self.signal(cluster, "KILL"),
            (Action::Stop, _) => self.signal(cluster, "STOP"),
            (Action::ReadOnly, _) => {
                let name = cluster.shop.stack.database.name();
                let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
                cluster.postgres.execute(&set).await;
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
                cluster.postgres.execute(&format!("{end} '{name}'")).await;
            }
            (Action::DiskAlarm, _) => self.limit(cluster, &["set_disk_free_limit", "10000GB"]),
            (Action::MemoryAlarm, _) => {
                self.limit(cluster, &["set_vm_memory_high_watermark", "absolute", "1MB"]);
            }
            (Action::Down, Target::Link(link)) => cluster.links[link].proxy.down().await,
            (Action::Reset, Target::Link(link)) => cluster.links[link].proxy.reset(),
            (Action::Poison(_), Target::Link(link)) => {
                let SetToxic { toxic, directions, connections } = self.toxic.unwrap();
                cluster.links[link].proxy.set(toxic, directions, connections);
            }
            (Action::Smtp(_, words), _) => cluster.shop.stack.smtp.set_fault(Some(words)),
            (action, target) => panic!("{action:?} of {target:?}"),
        }
    }

    async fn end(&self, cluster: &mut Cluster) {
        match (self.action, self.target) {
            (Action::Kill, Target::Node(node)) => cluster.restart(node),
            (Action::Kill, Target::Postgres) => block_in_place(|| cluster.postgres.restart()),
            (Action::Kill, _) => block_in_place(|| cluster.restart_brokers(self.brokers())),
            (Action::Stop, _) => self.signal(cluster, "CONT"),
            (Action::ReadOnly, _) => {
                let name = cluster.shop.stack.database.name();
                let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
                cluster.postgres.execute(&reset).await;
            }
            // The limits that scripts/rabbitmq.sh sets.
            (Action::DiskAlarm, _) => self.limit(cluster, &["set_disk_free_limit", "100MB"]),
            (Action::MemoryAlarm, _) => self.limit(cluster, &["set_vm_memory_high_watermark", "0.3"]),
            (Action::Down, Target::Link(link)) => cluster.links[link].proxy.up().await,
            (_, Target::Link(link)) => cluster.links[link].proxy.heal(),
            (Action::Smtp(..), _) => cluster.shop.stack.smtp.set_fault(None),
            (action, target) => panic!("{action:?} of {target:?}"),
        }
    }

    fn signal(&self, cluster: &Cluster, name: &str) {
        match self.target {
            Target::Postgres => cluster.postgres.signal(name),
            Target::Broker(_) | Target::Brokers => {
                for number in self.brokers() {
                    cluster.brokers[*number].signal(name);
                }
            }
            Target::Node(node) => signal(cluster.pid(node).unwrap(), name),
            target => panic!("SIG{name} to {target:?}"),
        }
    }

    /// Returns the indices of the nodes of RabbitMQ that it is done to.
    fn brokers(&self) -> &[usize] {
        const ALL: [usize; 3] = [0, 1, 2];
        match self.target {
            Target::Broker(number) => &ALL[number..=number],
            Target::Brokers => &ALL,
            target => panic!("{target:?} is no node of RabbitMQ"),
        }
    }

    /// Changes a limit of a node of RabbitMQ by its command.
    fn limit(&self, cluster: &Cluster, command: &[&str]) {
        for number in self.brokers() {
            block_in_place(|| cluster.brokers[*number].ctl(command));
        }
    }
}
