//! What the ports should answer, in memory: one caller at a time, no SQL.

mod audit;
mod reports;
mod retention;
mod webhooks;

use std::collections::BTreeMap;

use rekey_core::{
    deliveries::{Discarded, Outcome, Status, reports::ReportKind},
    events::{
        EventName,
        outbox::{REPUBLISH_AFTER, Settlement},
    },
    ids::{EventId, ResetId, WebhookId},
};
use time::Duration;

use self::{
    audit::Audit,
    webhooks::{Callback, Key as CallbackKey, Webhook},
};
use crate::seed::TOKEN_TTL;

/// How long every claim holds.
pub(super) const LEASE: Duration = Duration::minutes(10);

/// The state of a database.
#[derive(Debug, Default)]
pub(super) struct Reference {
    /// The time since the beginning. It passes a little with each call, so that what is later is later.
    now: Duration,
    pub(super) resets: BTreeMap<ResetId, Reset>,
    pub(super) events: BTreeMap<EventId, Event>,
    pub(super) audit: Audit,
    pub(super) webhooks: BTreeMap<WebhookId, Webhook>,
    pub(super) callbacks: BTreeMap<CallbackKey, Callback>,
    keys: BTreeMap<usize, Key>,
    /// Customers, each with the event of the mail that suppressed its address.
    pub(super) suppressed: BTreeMap<usize, EventId>,
}

#[derive(Debug)]
pub(super) struct Reset {
    /// Its number.
    pub(super) customer: usize,
    expires_at: Duration,
    is_used: bool,
    is_superseded: bool,
    is_deleted: bool,
}

#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: EventName,
    pub(super) reset: ResetId,
    pub(super) mail: Option<Mail>,
    available_at: Duration,
    attempts: u32,
    published_at: Option<Duration>,
    republish_after: Option<Duration>,
    is_purged: bool,
}

#[derive(Debug)]
pub(super) struct Mail {
    pub(super) reset: ResetId,
    /// Whether it is the link, which is wanted only while the reset can be used; otherwise the notice that the password was changed.
    pub(super) is_link: bool,
    pub(super) status: Status,
    pub(super) in_doubt: u32,
    attempts: u32,
    claims: u32,
    created_at: Duration,
    next_attempt_at: Option<Duration>,
    lease_until: Option<Duration>,
    reports: Vec<ReportKind>,
    /// After it was sent.
    bounced_later: bool,
}

#[derive(Debug)]
struct Key {
    attempts: u32,
    lease_until: Option<Duration>,
    is_answered: bool,
}

/// The answer to the claim of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyAnswer {
    Granted(u32),
    Answered,
    Running,
}

/// The answer to the claim of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MailAnswer {
    Granted { claim: u32, attempt: u32, in_doubt: bool },
    Settled,
    Busy,
    Discarded(Discarded),
}

impl Reference {
    /// A database with that many customers.
    pub(super) fn with_customers(count: usize) -> Self {
        let audit = Audit { written: count.try_into().unwrap(), ..Audit::default() };
        Self { audit, ..Self::default() }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    pub(super) fn claim_key(&mut self, name: usize) -> KeyAnswer {
        let lease_until = Some(self.now + LEASE);
        let Some(key) = self.keys.get_mut(&name) else {
            self.keys.insert(name, Key { attempts: 1, lease_until, is_answered: false });
            return KeyAnswer::Granted(1);
        };
        if key.is_answered {
            return KeyAnswer::Answered;
        }
        if key.lease_until.is_some_and(|until| self.now < until) {
            return KeyAnswer::Running;
        }
        (key.attempts, key.lease_until) = (key.attempts + 1, lease_until);
        KeyAnswer::Granted(key.attempts)
    }

    pub(super) fn settle_key(&mut self, name: usize, attempt: u32) -> bool {
        let key = self.keys.get_mut(&name).unwrap();
        let is_its_own = key.attempts == attempt && key.lease_until.is_some();
        if is_its_own {
            (key.is_answered, key.lease_until) = (true, None);
        }
        is_its_own
    }

    /// Creates a reset with its event; false if it exists. A repeated request that got no answer makes a deleted one anew.
    pub(super) fn create(&mut self, reset: ResetId, customer: usize, event: EventId) -> bool {
        if self.resets.get(&reset).is_some_and(|existing| !existing.is_deleted) {
            return false;
        }
        let expires_at = self.now + TOKEN_TTL;
        let new = Reset { customer, expires_at, is_used: false, is_superseded: false, is_deleted: false };
        self.resets.insert(reset, new);
        self.write(event, EventName::ResetCreate, reset, Some(true));
        true
    }

    /// Uses a link; false if it can't be used.
    pub(super) fn complete(&mut self, reset: ResetId, event: EventId) -> bool {
        if !self.can_be_used(reset) {
            return false;
        }
        let customer = self.resets[&reset].customer;
        for (id, other) in &mut self.resets {
            other.is_used |= *id == reset;
            other.is_superseded |= other.customer == customer && !other.is_used;
        }
        self.write(event, EventName::ResetPassword, reset, Some(false));
        true
    }

    pub(super) fn can_be_used(&self, reset: ResetId) -> bool {
        let reset = &self.resets[&reset];
        !(reset.is_used || reset.is_superseded || reset.is_deleted) && self.now < reset.expires_at
    }

    /// Whether every event is published, every mail settled, and every callback made.
    pub(super) fn is_settled(&self) -> bool {
        self.events.values().all(|event| {
            event.published_at.is_some() && event.mail.as_ref().is_none_or(|mail| !mail.is_pending())
        }) && !self.owes_callbacks()
    }

    /// Deletes a reset; false if there is none.
    pub(super) fn delete(&mut self, reset: ResetId, event: EventId) -> bool {
        if std::mem::replace(&mut self.resets.get_mut(&reset).unwrap().is_deleted, true) {
            return false;
        }
        self.write(event, EventName::ResetDestroy, reset, None);
        true
    }

    /// Writes an event that is not claimed, with its mail, if it leads to one (whether that is the link), and its audit entry.
    fn write(&mut self, id: EventId, name: EventName, reset: ResetId, mail: Option<bool>) {
        let mail = mail.map(|is_link| Mail {
            reset,
            is_link,
            status: Status::Queued,
            in_doubt: 0,
            attempts: 0,
            claims: 0,
            created_at: self.now,
            next_attempt_at: None,
            lease_until: None,
            reports: Vec::new(),
            bounced_later: false,
        });
        let new = Event {
            name,
            reset,
            mail,
            available_at: self.now,
            attempts: 0,
            published_at: None,
            republish_after: None,
            is_purged: false,
        };
        self.events.insert(id, new);
        self.audit.written += 1;
    }

    pub(super) fn claim_messages(&mut self, max: usize) -> Vec<(EventId, u32)> {
        let is_due = |event: &Event| event.published_at.is_none() && event.available_at <= self.now;
        let mut due: Vec<_> = self
            .events
            .iter()
            .filter(|(_, event)| is_due(event))
            .map(|(id, event)| (event.available_at, *id))
            .collect();
        due.sort_by(|a, b| (a.0, a.1.as_str()).cmp(&(b.0, b.1.as_str())));
        let claim = |(_, id)| {
            let event = self.events.get_mut(&id).unwrap();
            (event.available_at, event.attempts) = (self.now + LEASE, event.attempts + 1);
            (id, event.attempts)
        };
        due.into_iter().take(max).map(claim).collect()
    }

    pub(super) fn settle_messages(&mut self, settlements: &[Settlement]) {
        for settlement in settlements {
            match settlement {
                Settlement::Published(id) => {
                    let event = self.events.get_mut(id).unwrap();
                    if event.published_at.is_none() {
                        event.published_at = Some(self.now);
                        let again = event.republish_after.map_or(REPUBLISH_AFTER, |after| after * 2);
                        event.republish_after =
                            event.mail.as_ref().filter(|mail| mail.is_pending()).map(|_| again);
                    }
                }
                Settlement::Later(id, delay) => {
                    let event = self.events.get_mut(id).unwrap();
                    if event.published_at.is_none() {
                        event.available_at = self.now + *delay;
                    }
                }
                Settlement::Dead(..) => unreachable!("no step makes a dead letter"),
            }
        }
    }

    pub(super) fn republish_overdue(&mut self) -> u64 {
        let now = self.now;
        let mut count = 0;
        for event in self.events.values_mut() {
            let is_overdue = |mail: &Mail| mail.is_pending() && mail.due_at() + REPUBLISH_AFTER <= now;
            let is_lost =
                event.published_at.zip(event.republish_after).is_some_and(|(at, after)| at + after <= now);
            if is_lost && event.mail.as_ref().is_some_and(is_overdue) {
                (event.published_at, event.available_at) = (None, now);
                count += 1;
            }
        }
        count
    }

    pub(super) fn claim_mail(&mut self, id: EventId) -> MailAnswer {
        let (now, event) = (self.now, &self.events[&id]);
        let mail = event.mail.as_ref().unwrap();
        if !mail.is_pending() {
            return MailAnswer::Settled;
        }
        if mail.lease_until.is_some_and(|until| now < until) {
            return MailAnswer::Busy;
        }
        let discarded = self.discarded(mail);
        let event = self.events.get_mut(&id).unwrap();
        let mail = event.mail.as_mut().unwrap();
        mail.in_doubt += u32::from(mail.lease_until.is_some());
        mail.next_attempt_at = None;
        if let Some(reason) = discarded {
            (mail.status, mail.lease_until) = (reason.status(), None);
            event.republish_after = None;
            return MailAnswer::Discarded(reason);
        }
        (mail.attempts, mail.claims) = (mail.attempts + 1, mail.claims + 1);
        mail.lease_until = Some(now + LEASE);
        MailAnswer::Granted { claim: mail.claims, attempt: mail.attempts, in_doubt: mail.in_doubt > 0 }
    }

    fn discarded(&self, mail: &Mail) -> Option<Discarded> {
        let reset = &self.resets[&mail.reset];
        match reset {
            Reset { is_deleted: true, .. } if mail.is_link => Some(Discarded::ResetDeleted),
            Reset { is_used: true, .. } if mail.is_link => Some(Discarded::ResetUsed),
            Reset { is_superseded: true, .. } if mail.is_link => Some(Discarded::ResetSuperseded),
            Reset { expires_at, .. } if mail.is_link && *expires_at <= self.now => {
                Some(Discarded::ResetExpired)
            }
            Reset { customer, .. } => self.suppressed.contains_key(customer).then_some(Discarded::Suppressed),
        }
    }

    pub(super) fn settle_mail(&mut self, id: EventId, claim: u32, outcome: &Outcome) -> bool {
        let (now, settled) = (self.now, outcome.settled());
        let event = self.events.get_mut(&id).unwrap();
        let Some(mail) = event.mail.as_mut() else { return false };
        let is_sent = settled.status == Status::Sent && mail.claims >= claim && !mail.bounced_later;
        let is_held = mail.lease_until.is_some() && mail.claims == claim;
        if !is_sent && !is_held {
            return false;
        }
        (mail.status, mail.lease_until) = (settled.status, None);
        mail.next_attempt_at = settled.next.map(|next| now + next);
        mail.attempts -= u32::from(!settled.counts);
        mail.in_doubt += u32::from(settled.in_doubt);
        if settled.suppress.is_some() {
            self.suppressed.entry(self.resets[&mail.reset].customer).or_insert(id);
        }
        if !mail.is_pending() {
            event.republish_after = None;
        }
        true
    }
}

impl Mail {
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.status, Status::Queued | Status::Deferred)
    }

    /// Whether a relay has accepted it.
    pub(super) fn was_sent(&self) -> bool {
        self.status == Status::Sent || self.bounced_later
    }

    /// When its next attempt should begin.
    fn due_at(&self) -> Duration {
        [self.next_attempt_at, self.lease_until].into_iter().flatten().fold(self.created_at, Duration::max)
    }
}
