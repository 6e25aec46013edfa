use rekey_core::{
    events::EventName,
    ids::{EventId, ResetId, WebhookId},
    webhooks::queue::Next,
};
use time::Duration;

use super::{LEASE, Reference};

/// A webhook and an event: there is one callback of these.
pub(in crate::model) type Key = (WebhookId, EventId);

#[derive(Debug)]
pub(in crate::model) struct Webhook {
    topic: EventName,
    pub(in crate::model) is_disabled: bool,
}

#[derive(Debug)]
pub(in crate::model) struct Callback {
    reset: ResetId,
    created_at: Duration,
    attempts: u32,
    due_at: Option<Duration>,
    lease_until: Option<Duration>,
}

impl Reference {
    pub(in crate::model) fn create_webhook(&mut self, id: WebhookId, topic: EventName) {
        self.webhooks.insert(id, Webhook { topic, is_disabled: false });
        self.audit.written += 1;
    }

    pub(in crate::model) fn switch_webhook(&mut self, id: WebhookId, is_disabled: bool) -> bool {
        self.audit.written += 1;
        self.webhooks.get_mut(&id).map(|webhook| webhook.is_disabled = is_disabled).is_some()
    }

    pub(in crate::model) fn delete_webhook(&mut self, id: WebhookId) -> bool {
        self.audit.written += 1;
        self.webhooks.remove(&id).is_some()
    }

    /// Adds one callback for each webhook of the topic that is not disabled, unless the record is gone. Returns how many are new.
    pub(in crate::model) fn fan_out(&mut self, id: EventId) -> u64 {
        let event = &self.events[&id];
        if !event.name.is_destroy() && self.resets[&event.reset].is_deleted {
            return 0;
        }
        let subscribed =
            self.webhooks.iter().filter(|(_, webhook)| webhook.topic == event.name && !webhook.is_disabled);
        let mut count = 0;
        for (webhook, _) in subscribed {
            self.callbacks.entry((*webhook, id)).or_insert_with(|| {
                count += 1;
                let (reset, now) = (event.reset, self.now);
                Callback { reset, created_at: now, attempts: 0, due_at: Some(now), lease_until: None }
            });
        }
        count
    }

    /// Claims what is due, each webhook's callbacks about a record one after the other.
    pub(in crate::model) fn claim_callbacks(&mut self) -> Vec<(WebhookId, EventId, u32)> {
        let now = self.now;
        let is_due = |callback: &Callback| callback.due_at.is_some_and(|due| due <= now);
        let is_next = |(webhook, _): &Key, callback: &Callback| {
            self.callbacks.iter().all(|((other, _), before)| {
                other != webhook
                    || before.reset != callback.reset
                    || !is_due(before)
                    || before.created_at >= callback.created_at
            })
        };
        let is_enabled =
            |(webhook, _): &Key| self.webhooks.get(webhook).is_some_and(|webhook| !webhook.is_disabled);
        let is_free = |callback: &Callback| callback.lease_until.is_none_or(|until| until <= now);
        let candidates = self.callbacks.iter().filter(|(key, callback)| {
            is_enabled(key) && is_due(callback) && is_free(callback) && is_next(key, callback)
        });
        let keys: Vec<_> = candidates.map(|(key, _)| *key).collect();
        let mut claim = |key: Key| {
            let callback = self.callbacks.get_mut(&key).unwrap();
            (callback.attempts, callback.lease_until) = (callback.attempts + 1, Some(now + LEASE));
            (key.0, key.1, callback.attempts)
        };
        keys.into_iter().map(&mut claim).collect()
    }

    /// Whether an attempt at a callback follows.
    pub(in crate::model) fn owes_callbacks(&self) -> bool {
        let is_enabled = |id| self.webhooks.get(id).is_some_and(|webhook| !webhook.is_disabled);
        self.callbacks.iter().any(|((webhook, _), callback)| callback.due_at.is_some() && is_enabled(webhook))
    }

    pub(in crate::model) fn settle_callback(&mut self, key: Key, attempt: u32, next: Next) -> bool {
        let now = self.now;
        let callback = self.callbacks.get_mut(&key).unwrap();
        if callback.attempts != attempt || callback.lease_until.is_none() {
            return false;
        }
        callback.lease_until = None;
        callback.attempts -= u32::from(next.is_postponed());
        callback.due_at = match next {
            Next::Retry(wait) | Next::Postponed(wait) => Some(now + wait),
            Next::Delivered | Next::GivenUp | Next::Disable => None,
        };
        if let (Next::Disable, Some(webhook)) = (next, self.webhooks.get_mut(&key.0)) {
            webhook.is_disabled = true;
        }
        true
    }
}
