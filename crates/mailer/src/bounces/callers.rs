//! Limits the requests of each caller, so that a flood from one address takes nothing from the others.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rekey_core::network::Network;
use tokio::time::Instant;

/// How many requests of an address are answered in a second; each costs a statement at most. Mail servers and providers send the others
/// again.
const MAX_PER_SECOND: u32 = 100;
/// How many requests of an address may be open, a quarter of the listener's connections: slow ones keep none of the others out.
const MAX_OPEN: u32 = 16;

/// The requests of the present second, and those that are open, by the networks of their callers.
pub(super) struct Callers(Mutex<Counts>);

struct Counts {
    second: Instant,
    by_network: HashMap<Network, Count>,
}

#[derive(Default)]
struct Count {
    in_second: u32,
    open: u32,
}

/// An admitted request, until it is dropped.
pub(super) struct OpenRequest<'a> {
    callers: &'a Callers,
    address: IpAddr,
}

impl Callers {
    pub fn new() -> Self {
        Self(Mutex::new(Counts { second: Instant::now(), by_network: HashMap::new() }))
    }

    /// Counts a request. `None` if its caller is over a limit; a refused request is not counted.
    pub fn admit(&self, address: IpAddr) -> Option<OpenRequest<'_>> {
        let mut counts = self.lock();
        counts.start_second();
        let is_full = |(network, factor): (Network, u32)| {
            let count = counts.by_network.get(&network);
            count.is_some_and(|count| count.in_second >= MAX_PER_SECOND * factor || count.open >= MAX_OPEN)
        };
        if Network::counted(address).any(is_full) {
            return None;
        }
        for (network, _) in Network::counted(address) {
            let count = counts.by_network.entry(network).or_default();
            count.in_second += 1;
            count.open += 1;
        }
        Some(OpenRequest { callers: self, address })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Forgets the requests of the last second, if it is over.
    fn start_second(&mut self) {
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.by_network.retain(|_, count| {
                count.in_second = 0;
                count.open > 0
            });
        }
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        let mut counts = self.callers.lock();
        for (network, _) in Network::counted(self.address) {
            if let Some(count) = counts.by_network.get_mut(&network) {
                count.open -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(callers: &Callers, address: &str) -> bool {
        callers.admit(address.parse().unwrap()).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_from_one_address_takes_nothing_from_another() {
        let callers = Callers::new();
        for _ in 0..2 {
            assert!((0..MAX_PER_SECOND).all(|_| admits(&callers, "192.0.2.1")));
            assert!(!admits(&callers, "192.0.2.1"));
            assert!(!admits(&callers, "::ffff:192.0.2.1"));
            assert!(admits(&callers, "192.0.2.2"));
            // Nor from all of a site's networks together.
            let of_site = (0..100).flat_map(|network| (0..MAX_PER_SECOND).map(move |_| network));
            let answered =
                of_site.filter(|network| admits(&callers, &format!("2001:db8:0:{network:x}00::1")));
            assert_eq!(answered.count(), 16 * MAX_PER_SECOND as usize);
            assert!(admits(&callers, "2001:db8:1::1"));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(admits(&callers, "192.0.2.3"));
        assert_eq!(callers.lock().by_network.len(), 1, "forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_requests_from_one_address_leave_room_for_others() {
        let callers = Callers::new();
        let mut open: Vec<_> =
            (0..MAX_OPEN).map(|_| callers.admit("192.0.2.1".parse().unwrap()).unwrap()).collect();
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!admits(&callers, "192.0.2.1"));
        assert!(admits(&callers, "192.0.2.2"));
        open.pop();
        assert!(admits(&callers, "192.0.2.1"));
    }
}
