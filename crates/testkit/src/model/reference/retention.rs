use std::collections::BTreeSet;

use rekey_core::cleanup::PurgeKind;

use super::{Event, Mail, Reference};

impl Reference {
    /// Deletes what nothing needs any more, and returns how much there was.
    pub(in crate::model) fn purge(&mut self, kind: PurgeKind) -> u64 {
        let waits = |event: &Event| event.mail.as_ref().is_some_and(Mail::is_pending);
        let (now, mut count) = (self.now, 0);
        match kind {
            PurgeKind::Resets => {
                let waiting = self.events.values().filter(|event| waits(event));
                let needed: BTreeSet<_> = waiting.map(|event| event.mail.as_ref().unwrap().reset).collect();
                for (id, reset) in &mut self.resets {
                    let is_purged = !reset.is_deleted && reset.expires_at <= now && !needed.contains(id);
                    reset.is_deleted |= is_purged;
                    count += u64::from(is_purged);
                }
            }
            PurgeKind::Deliveries => {
                for (id, event) in &mut self.events {
                    let is_needed = waits(event) || self.suppressed.values().any(|by| by == id);
                    count += u64::from(!is_needed && event.mail.take().is_some());
                }
            }
            PurgeKind::Events => {
                for event in self.events.values_mut() {
                    let is_purged = !event.is_purged && event.published_at.is_some() && !waits(event);
                    event.is_purged |= is_purged;
                    count += u64::from(is_purged);
                }
            }
            other => unreachable!("no step purges {other:?}"),
        }
        count
    }

    /// Returns the resets, the mails with their states, and the events.
    pub(in crate::model) fn existing(&self) -> [BTreeSet<String>; 3] {
        let resets = self.resets.iter().filter(|(_, reset)| !reset.is_deleted);
        let mails = self.events.iter().filter_map(|(id, event)| Some((id, event.mail.as_ref()?.status)));
        let events = self.events.iter().filter(|(_, event)| !event.is_purged);
        [
            resets.map(|(id, _)| id.to_string()).collect(),
            mails.map(|(id, status)| format!("{id} {}", <&str>::from(status))).collect(),
            events.map(|(id, _)| id.to_string()).collect(),
        ]
    }
}
