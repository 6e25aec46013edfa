//! The faults, and a schedule of them that follows from a seed.

use std::time::Duration;

use rekey_testkit::proxy::{BOTH, Connections, Direction, Toxic};
use time::OffsetDateTime;
use tokio::task::block_in_place;

use super::{cluster::Cluster, now};
use crate::{dice::Dice, process::signal};

/// The least number of faults, where only some kinds were asked for.
const MIN_FAULTS: usize = 6;

/// What is done to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// SIGKILL; at its end it is started again.
    Kill,
    /// SIGSTOP, and SIGCONT at its end.
    Stop,
    /// All sessions are ended, and new ones are read-only, as after a failover. Sessions that are opened meanwhile stay so.
    ReadOnly,
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
enum Poison {
    Silence,
    Latency,
    Bandwidth,
    Slicing,
}

/// What a fault is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The index of a program.
    Node(usize),
    /// The index of a link.
    Link(usize),
    Postgres,
    RabbitMq,
    Smtp,
}

/// A fault of the schedule.
#[derive(Debug, Clone)]
pub struct Fault {
    action: Action,
    target: Target,
    /// Such as "silence api 1 -> PostgreSQL".
    pub name: String,
    length: Duration,
    toxic: Option<SetToxic>,
}

/// A toxic, and for what it is set.
#[derive(Debug, Clone, Copy)]
struct SetToxic {
    toxic: Toxic,
    directions: &'static [Direction],
    connections: Connections,
}

/// A fault that is over.
#[derive(Debug)]
pub struct PastFault {
    pub name: String,
    pub from: OffsetDateTime,
    pub until: OffsetDateTime,
}

/// One fault, or two that overlap.
pub type Step = Vec<Fault>;

const SMTP: [Action; 5] = [
    Action::Smtp("policy (554)", "rcpt 554 5.7.1 Relay access denied"),
    Action::Smtp("busy (450)", "rcpt 450 4.2.0 try again later"),
    // Longer than the mailer waits.
    Action::Smtp("slow", "slow 6"),
    Action::Smtp("drop", "drop"),
    Action::Smtp("keep-and-drop", "keep-and-drop"),
];

/// Makes a schedule: a fault of each kind, with a random target of that kind, in random order. With `filters`, only faults
/// with one of them in their names; then kinds repeat, so that there are enough.
#[must_use]
pub fn schedule(cluster: &Cluster, dice: &mut Dice, filters: &[String]) -> Vec<Step> {
    let mut kinds = kinds(cluster);
    for kind in &mut kinds {
        kind.retain(|fault| filters.is_empty() || filters.iter().any(|filter| fault.name.contains(filter)));
    }
    kinds.retain(|kind| !kind.is_empty());
    assert!(!kinds.is_empty(), "no fault's name contains any of {filters:?}");
    let repeats = MIN_FAULTS.div_ceil(kinds.len());
    let mut faults = Vec::new();
    for kind in kinds.iter().cycle().take(repeats * kinds.len()) {
        faults.push(dice.choose(kind).clone().draw(dice));
    }
    dice.shuffle(&mut faults);
    let mut steps: Vec<Step> = Vec::new();
    for fault in faults {
        match steps.last_mut() {
            Some(step)
                if step.len() == 1 && step[0].target != fault.target && dice.roll().is_multiple_of(3) =>
            {
                step.push(fault);
            }
            _ => steps.push(vec![fault]),
        }
    }
    steps
}

/// Returns the faults that there are, by kind.
fn kinds(cluster: &Cluster) -> Vec<Vec<Fault>> {
    let fault = |action, target| {
        let what = match target {
            Target::Node(node) => &cluster.nodes[node].name,
            Target::Link(link) => &cluster.links[link].name,
            Target::Postgres => "PostgreSQL",
            Target::RabbitMq => "RabbitMQ",
            Target::Smtp => "SMTP",
        };
        let name = format!("{} {what}", verb(action));
        Fault { action, target, name, length: Duration::ZERO, toxic: None }
    };
    let programs = ["api", "mailer", "webhooks"].map(|program| {
        let named = (0..cluster.nodes.len()).filter(|node| cluster.nodes[*node].name.starts_with(program));
        named.map(Target::Node).collect()
    });
    let processes = programs.into_iter().chain([vec![Target::Postgres], vec![Target::RabbitMq]]);
    let processes: Vec<Vec<Target>> = processes.collect();
    let links: Vec<_> = (0..cluster.links.len()).map(Target::Link).collect();
    let poisons = [Poison::Silence, Poison::Latency, Poison::Bandwidth, Poison::Slicing].map(Action::Poison);
    let mut kinds = vec![vec![fault(Action::ReadOnly, Target::Postgres)]];
    for action in [Action::Kill, Action::Stop] {
        kinds.extend(processes.iter().map(|targets| targets.iter().map(|at| fault(action, *at)).collect()));
    }
    for action in poisons.into_iter().chain([Action::Down, Action::Reset]) {
        kinds.push(links.iter().map(|link| fault(action, *link)).collect());
    }
    kinds.extend(SMTP.map(|action| vec![fault(action, Target::Smtp)]));
    kinds
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Kill => "kill",
        Action::Stop => "stop",
        Action::ReadOnly => "read-only",
        Action::Down => "down",
        Action::Reset => "reset",
        Action::Poison(Poison::Silence) => "silence",
        Action::Poison(Poison::Latency) => "latency",
        Action::Poison(Poison::Bandwidth) => "bandwidth",
        Action::Poison(Poison::Slicing) => "slicing",
        Action::Smtp(name, _) => name,
    }
}

/// Draws how long a fault lasts.
fn length(action: Action, dice: &mut Dice) -> Duration {
    dice.millis(match action {
        Action::Kill => 200..3_000,
        // Longer than a lease, at times.
        Action::Stop => 3_000..12_000,
        Action::Reset => 0..500,
        _ => 3_000..8_000,
    })
}

/// Runs a schedule. Returns the faults in the order in which they ended.
pub async fn run(cluster: &mut Cluster, schedule: &[Step], dice: &mut Dice) -> Vec<PastFault> {
    let mut past = Vec::new();
    let mut end = async |cluster: &mut Cluster, fault: &Fault, from| {
        fault.end(cluster).await;
        past.push(PastFault { name: fault.name.clone(), from, until: now() });
    };
    for step in schedule {
        cluster.wait(dice.millis(300..2_000)).await;
        let first_at = now();
        step[0].begin(cluster).await;
        if let [first, second] = step.as_slice() {
            cluster.wait(first.length / 2).await;
            let second_at = now();
            second.begin(cluster).await;
            cluster.wait(first.length / 2).await;
            end(cluster, first, first_at).await;
            cluster.wait(second.length / 2).await;
            end(cluster, second, second_at).await;
        } else {
            cluster.wait(step[0].length).await;
            end(cluster, &step[0], first_at).await;
        }
    }
    past
}

impl Fault {
    /// Draws how long it lasts, and what exactly it is.
    fn draw(mut self, dice: &mut Dice) -> Self {
        self.length = length(self.action, dice);
        if let Action::Poison(poison) = self.action {
            let toxic = toxic(poison, dice);
            let directions = *dice.choose(&[&BOTH[..], &[Direction::Upstream], &[Direction::Downstream]]);
            let connections = *dice.choose(&[Connections::Open, Connections::All]);
            let way = if let [one] = directions { format!("{one:?}") } else { "both ways".to_owned() };
            self.name += &format!(", {connections:?}, {way}").to_ascii_lowercase();
            self.toxic = Some(SetToxic { toxic, directions, connections });
        }
        self
    }

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
            (Action::Kill, _) => block_in_place(|| cluster.broker.restart()),
            (Action::Stop, _) => self.signal(cluster, "CONT"),
            (Action::ReadOnly, _) => {
                let name = cluster.shop.stack.database.name();
                let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
                cluster.postgres.execute(&reset).await;
            }
            (Action::Down, Target::Link(link)) => cluster.links[link].proxy.up().await,
            (_, Target::Link(link)) => cluster.links[link].proxy.heal(),
            (Action::Smtp(..), _) => cluster.shop.stack.smtp.set_fault(None),
            (action, target) => panic!("{action:?} of {target:?}"),
        }
    }

    fn signal(&self, cluster: &Cluster, name: &str) {
        match self.target {
            Target::Postgres => cluster.postgres.signal(name),
            Target::RabbitMq => cluster.broker.signal(name),
            Target::Node(node) => signal(cluster.pid(node).unwrap(), name),
            target => panic!("SIG{name} to {target:?}"),
        }
    }
}

fn toxic(poison: Poison, dice: &mut Dice) -> Toxic {
    match poison {
        Poison::Silence => Toxic::Silence,
        Poison::Latency => Toxic::Latency { delay: dice.millis(200..800), jitter: dice.millis(0..300) },
        Poison::Bandwidth => Toxic::Bandwidth(4_000),
        Poison::Slicing => Toxic::Slicer { size: *dice.choose(&[1, 5, 50]), pause: Duration::from_millis(1) },
    }
}
