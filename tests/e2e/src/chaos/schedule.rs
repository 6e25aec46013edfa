//! A schedule of faults that follows from a seed.

use std::time::Duration;

use rekey_testkit::proxy::{BOTH, Connections, Direction, Toxic};

use super::{
    cluster::Cluster,
    fault::{Action, Fault, Poison, SetToxic, Target},
};
use crate::dice::Dice;

/// The pause before a fault, in milliseconds.
const PAUSE: std::ops::Range<u64> = 300..2_000;

const SMTP: [Action; 5] = [
    Action::Smtp("policy (554)", "rcpt 554 5.7.1 Relay access denied"),
    Action::Smtp("busy (450)", "rcpt 450 4.2.0 try again later"),
    // Longer than the mailer waits.
    Action::Smtp("slow", "slow 6"),
    Action::Smtp("drop", "drop"),
    Action::Smtp("keep-and-drop", "keep-and-drop"),
];

/// A fault and its time.
#[derive(Debug, Clone)]
pub struct Scheduled {
    pub fault: Fault,
    /// After the start.
    pub from: Duration,
    pub until: Duration,
}

/// Makes a schedule: a fault of each kind, with a random target of that kind, in random order. Two faults happen at a time, never two of the same
/// server. With `filters`, there are only faults with one of them in their names.
///
/// # Panics
/// If no fault has such a name.
#[must_use]
pub fn schedule(cluster: &Cluster, dice: &mut Dice, filters: &[String]) -> Vec<Scheduled> {
    let is_wanted =
        |fault: &Fault| filters.is_empty() || filters.iter().any(|filter| fault.name.contains(filter));
    let mut faults = Vec::new();
    for mut kind in kinds(cluster) {
        kind.retain(is_wanted);
        if !kind.is_empty() {
            faults.push(dice.choose(&kind).clone());
        }
    }
    assert!(!faults.is_empty(), "no fault's name contains any of {filters:?}");
    dice.shuffle(&mut faults);
    let mut schedule: Vec<Scheduled> = Vec::new();
    // Each fault goes to the lane that is free first.
    let mut lanes = [Duration::ZERO; 2];
    for fault in faults {
        let lane = usize::from(lanes[1] < lanes[0]);
        let busy = schedule.iter().filter(|other| other.fault.target.is_same_server(&fault.target));
        let free = busy.map(|other| other.until).max().unwrap_or_default();
        let from = lanes[lane].max(free) + dice.millis(PAUSE);
        let until = from + length(fault.action, dice);
        lanes[lane] = until;
        schedule.push(Scheduled { fault: fault.draw(dice), from, until });
    }
    schedule
}

/// Returns the faults that there are, by kind.
fn kinds(cluster: &Cluster) -> Vec<Vec<Fault>> {
    let fault = |action, target| {
        let what = match target {
            Target::Node(node) => cluster.nodes[node].name.clone(),
            Target::Link(link) => cluster.links[link].name.clone(),
            Target::Postgres => "PostgreSQL".to_owned(),
            Target::Broker(number) => format!("RabbitMQ {}", number + 1),
            Target::Brokers => "RabbitMQ".to_owned(),
            Target::Smtp => "SMTP".to_owned(),
        };
        let name = format!("{} {what}", verb(action));
        Fault { action, target, name, toxic: None }
    };
    let programs = ["api", "mailer", "webhooks"].map(|program| {
        let named = (0..cluster.nodes.len()).filter(|node| cluster.nodes[*node].name.starts_with(program));
        named.map(Target::Node).collect()
    });
    let brokers: Vec<_> = (0..cluster.brokers.len()).map(Target::Broker).collect();
    let servers = [vec![Target::Postgres], brokers.clone(), vec![Target::Brokers]];
    let processes: Vec<Vec<Target>> = programs.into_iter().chain(servers).collect();
    let links: Vec<_> = (0..cluster.links.len()).map(Target::Link).collect();
    let poisons = [Poison::Silence, Poison::Latency, Poison::Bandwidth, Poison::Slicing].map(Action::Poison);
    let mut kinds = vec![vec![fault(Action::ReadOnly, Target::Postgres)]];
    for action in [Action::Kill, Action::Stop] {
        kinds.extend(processes.iter().map(|targets| targets.iter().map(|at| fault(action, *at)).collect()));
    }
    for action in poisons.into_iter().chain([Action::Down, Action::Reset]) {
        kinds.push(links.iter().map(|link| fault(action, *link)).collect());
    }
    for alarm in [Action::DiskAlarm, Action::MemoryAlarm] {
        kinds.push(brokers.iter().map(|broker| fault(alarm, *broker)).collect());
    }
    kinds.extend(SMTP.map(|action| vec![fault(action, Target::Smtp)]));
    kinds
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Kill => "kill",
        Action::Stop => "stop",
        Action::ReadOnly => "read-only",
        Action::DiskAlarm => "disk alarm",
        Action::MemoryAlarm => "memory alarm",
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
    let range = match action {
        Action::Kill => 200..3_000,
        // At times longer than RabbitMQ and its clients wait for a silent peer: a minute.
        Action::Stop if dice.roll().is_multiple_of(8) => 30_000..75_000,
        // At times longer than a lease.
        Action::Stop => 5_000..12_000,
        Action::Reset => 0..500,
        _ => 3_000..8_000,
    };
    dice.millis(range)
}

impl Fault {
    /// Draws what exactly it is.
    fn draw(mut self, dice: &mut Dice) -> Self {
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
}

fn toxic(poison: Poison, dice: &mut Dice) -> Toxic {
    match poison {
        Poison::Silence => Toxic::Silence,
        Poison::Latency => Toxic::Latency { delay: dice.millis(200..800), jitter: dice.millis(0..300) },
        Poison::Bandwidth => Toxic::Bandwidth(4_000),
        Poison::Slicing => Toxic::Slicer { size: *dice.choose(&[1, 5, 50]), pause: Duration::from_millis(1) },
    }
}
