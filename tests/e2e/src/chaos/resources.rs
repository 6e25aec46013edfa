//! What the programs use: a leak shows in a process that runs for a while.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::process::resident_megabytes;

/// The least pause between two samples.
const INTERVAL: Duration = Duration::from_secs(1);
/// A process has its pools and its threads after that time. Only those that ran twice as long show growth.
const WARM_UP: Duration = Duration::from_secs(30);
/// How many descriptors a program has open without its clients' connections: 16 connections to PostgreSQL and 16 to SMTP at most, a few to RabbitMQ,
/// listeners and files. One that stayed open after each request would soon be more.
const MOST_DESCRIPTORS: u64 = 96;
/// How much the lowest value may grow from the first half of a process's life to the second: each thread that hashes keeps 19 MiB.
const MOST_MORE_MEGABYTES: u64 = 64;

/// What each process used, by its name and process id.
#[derive(Debug, Default)]
pub struct Resources {
    processes: BTreeMap<(String, u32), Vec<Usage>>,
    sampled_at: Option<Instant>,
}

/// What a process uses at one time.
#[derive(Debug, Clone, Copy)]
struct Usage {
    at: Instant,
    megabytes: u64,
    descriptors: u64,
}

/// How much more a process used in the second half of its life.
#[derive(Debug, Serialize)]
pub struct Growth {
    pub name: String,
    pub seconds: u64,
    /// The lowest values of each half.
    pub megabytes: [u64; 2],
    pub descriptors: [u64; 2],
}

impl Resources {
    /// Records what processes use now, by their names and process ids, unless the last sample is not a second old.
    pub fn sample<'a>(&mut self, processes: impl Iterator<Item = (&'a String, u32)>) {
        let at = Instant::now();
        if self.sampled_at.is_some_and(|before| at - before < INTERVAL) {
            return;
        }
        self.sampled_at = Some(at);
        for (name, pid) in processes {
            if let Some((megabytes, descriptors)) = usage(pid) {
                let usage = Usage { at, megabytes, descriptors };
                self.processes.entry((name.clone(), pid)).or_default().push(usage);
            }
        }
    }

    /// Returns the growth of each process that ran long enough to show it.
    #[must_use]
    pub fn growth(&self) -> Vec<Growth> {
        self.processes.iter().filter_map(|((name, _), usages)| Growth::from_usages(name, usages)).collect()
    }
}

impl Growth {
    fn from_usages(name: &str, usages: &[Usage]) -> Option<Self> {
        let (first, last) = (usages.first()?.at, usages.last()?.at);
        let warm: Vec<_> = usages.iter().filter(|usage| usage.at - first >= WARM_UP).collect();
        if last - first < 2 * WARM_UP {
            return None;
        }
        let (early, late) = warm.split_at(warm.len() / 2);
        let lowest = |value: fn(&Usage) -> u64| {
            [early, late].map(|half| half.iter().map(|usage| value(usage)).min().unwrap_or_default())
        };
        Some(Self {
            name: name.to_owned(),
            seconds: (last - first).as_secs(),
            megabytes: lowest(|usage| usage.megabytes),
            descriptors: lowest(|usage| usage.descriptors),
        })
    }

    /// Whether it has more than pools, threads and that many connections of clients explain.
    #[must_use]
    pub fn is_leak(&self, connections: u64) -> bool {
        let [early, late] = self.megabytes;
        let accepts_clients = self.name.starts_with("api");
        let most_descriptors = MOST_DESCRIPTORS + if accepts_clients { connections } else { 0 };
        late.saturating_sub(early) > MOST_MORE_MEGABYTES || self.descriptors[1] > most_descriptors
    }
}

/// Returns the resident megabytes and the open descriptors of a process, if it still runs.
fn usage(pid: u32) -> Option<(u64, u64)> {
    let megabytes = resident_megabytes(pid)?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    Some((megabytes.into(), u64::try_from(descriptors).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process of two minutes with that many descriptors after each second.
    fn growth(descriptors: impl Fn(u64) -> u64) -> Growth {
        let start = Instant::now();
        let usages: Vec<_> = (0..120)
            .map(|second| Usage {
                at: start + Duration::from_secs(second),
                megabytes: 40,
                descriptors: descriptors(second),
            })
            .collect();
        Growth::from_usages("api 1", &usages).unwrap()
    }

    #[test]
    fn a_leak_is_growth_that_stays() {
        assert!(!growth(|second| second.min(30)).is_leak(0), "the pools fill");
        assert!(!growth(|second| if second == 100 { 500 } else { 20 }).is_leak(0), "a peak");
        assert!(growth(|second| 20 + 2 * second).is_leak(0));
        assert!(!growth(|second| 20 + 2 * second).is_leak(240), "clients connect");
        let mailer = Growth { name: "mailer 1".to_owned(), ..growth(|second| 20 + 2 * second) };
        assert!(mailer.is_leak(240), "it has no clients");
        assert!(!Growth { megabytes: [40, 80], ..growth(|_| 20) }.is_leak(0), "two threads hash");
        assert!(Growth { megabytes: [40, 120], ..growth(|_| 20) }.is_leak(0));
    }

    #[test]
    fn a_short_life_shows_nothing() {
        let usage = Usage { at: Instant::now(), megabytes: 1, descriptors: 1 };
        assert!(Growth::from_usages("api 1", &[usage]).is_none());
        assert!(Growth::from_usages("api 1", &[]).is_none());
    }
}
