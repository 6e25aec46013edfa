//! A case: the processes, the broker, the SMTP server and the people around one database.

mod audit;
mod people;
mod reports;
mod retention;
mod webhooks;

use std::collections::BTreeMap;

use proptest::{
    prop_assert, prop_assert_eq,
    test_runner::{TestCaseError, TestCaseResult},
};
use rekey_core::{
    cleanup::PurgeKind,
    deliveries::{ClaimedDelivery, MailJob, MailName, Outcome, ledger::Claim},
    events::outbox::{ClaimedMessage, OutboxMessage, Settlement},
    idempotency::{Claimed, KeyClaim, Owner},
    ids::{ApplicationId, CustomerId, EventId, RecordId, ResetId},
    random::OsRandom,
    scope::Scope,
    secrets::{Fingerprint, KeyDigest, ResetToken, SealedAnswer},
    webhooks::queue::{ClaimedCallback, Next},
};
use time::Duration;

use super::{
    reference::{KeyAnswer, LEASE, MailAnswer, Reference},
    steps::{CUSTOMERS, KEYS, Reply, Step},
};
use crate::{conformance::stores::StoreUnderTest, seed, store::prelude::*};

/// How long a key is kept: longer than any case lasts.
const TTL: Duration = Duration::days(300);
/// The time that passes with each call in the reference, where what is later must be later.
const TICK: Duration = Duration::MILLISECOND;
/// Rounds of work without faults after which everything is settled.
const ROUNDS: usize = 60;

pub(super) struct World<'a, F> {
    fixture: &'a F,
    scope: Scope,
    reference: Reference,
    keys: [KeyDigest; KEYS],
    customers: Vec<(CustomerId, String)>,
    tokens: BTreeMap<ResetId, ResetToken>,
    /// The reset that each key has led to.
    records: BTreeMap<usize, ResetId>,
    /// Requests that got their answer.
    acknowledged: Vec<usize>,
    /// The messages in the broker's queue.
    queue: Vec<OutboxMessage>,
    /// The events of the mails that reached their readers.
    mailed: Vec<EventId>,
    /// What processes were about to do when they stopped.
    stopped: Vec<RemainingWork>,
}

/// What a process has still to do.
enum RemainingWork {
    /// Creates the reset and settles the key.
    Create { key: usize, attempt: u32, reset: ResetId },
    /// Settles the key.
    Answer { key: usize, attempt: u32 },
    /// Publishes the messages and settles them.
    Publish { claimed: Vec<ClaimedMessage>, confirmed: bool },
    /// Sends the mail and settles it.
    Send { event: EventId, claim: u32, reply: Reply },
    /// Settles the mail; again, if the reply was lost.
    Settle { event: EventId, claim: u32, outcome: Outcome, is_repeated: bool },
    /// Records what became of an attempt at a callback.
    Callback { claimed: Box<ClaimedCallback>, next: Next },
}

impl<'a, F: StoreUnderTest> World<'a, F> {
    pub(super) async fn new(fixture: &'a F, scope: Scope) -> Self {
        fixture
            .backdoor()
            .script(
                "DELETE FROM event_callbacks; DELETE FROM webhooks; DELETE FROM suppressions; DELETE FROM deliveries; DELETE FROM events; DELETE FROM idempotency_keys;
                 DELETE FROM password_resets; DELETE FROM audit_entries; DELETE FROM audit_personal_data; DELETE FROM audit_chain;
                 DELETE FROM audit_queue; DELETE FROM customers",
            )
            .await;
        let mut customers = Vec::new();
        for _ in 0..CUSTOMERS {
            let address = format!("{}@example.com", EventId::generate(&OsRandom)).to_ascii_lowercase();
            customers.push((seed::customer(fixture.store(), scope, &address, None).await.id, address));
        }
        // The customers' own events are none of the case's.
        fixture.backdoor().script("DELETE FROM events").await;
        let owner = Owner { scope, application: ApplicationId::generate(&OsRandom), customer: None };
        let keys = std::array::from_fn(|n| owner.digest(&format!("key-{n}").parse().unwrap()));
        Self {
            fixture,
            scope,
            reference: Reference::with_customers(CUSTOMERS),
            keys,
            customers,
            tokens: BTreeMap::new(),
            records: BTreeMap::new(),
            acknowledged: Vec::new(),
            queue: Vec::new(),
            mailed: Vec::new(),
            stopped: Vec::new(),
        }
    }

    fn store(&self) -> &'a F::Store {
        self.fixture.store()
    }

    pub(super) async fn take(&mut self, step: Step) -> TestCaseResult {
        self.reference.pass(TICK);
        match step {
            Step::Request { key, calls } => self.request(key, calls).await?,
            Step::Relay { max, confirmed, calls } => self.relay(max, confirmed, calls).await?,
            Step::Mail { message, reply, calls } => self.mail(message, reply, calls).await?,
            Step::Resume { process } => self.resume(process).await?,
            Step::Purge => self.queue.clear(),
            Step::Republish => {
                let count = self.store().republish_overdue(1000).await.unwrap();
                prop_assert_eq!(count, self.reference.republish_overdue());
            }
            Step::Wait { minutes } => self.wait(Duration::minutes(minutes)).await,
            Step::Use { reset } => self.use_link(reset).await?,
            Step::Delete { reset } => self.delete(reset).await?,
            Step::Report { mail, kind, is_named } => self.report(mail, kind, is_named).await?,
            Step::Lift { customer } => self.lift(customer).await?,
            Step::Retain { kind } => self.retain(kind).await?,
            Step::CreateWebhook { topic } => self.create_webhook(topic).await?,
            Step::SwitchWebhook { webhook, is_disabled } => self.switch_webhook(webhook, is_disabled).await?,
            Step::DeleteWebhook { webhook } => self.delete_webhook(webhook).await?,
            Step::FanOut { event } => self.fan_out(event).await?,
            Step::ClaimCallbacks { next } => self.claim_callbacks(next).await?,
            Step::Chain { max } => self.chain(max).await?,
            Step::PurgeAudit { max } => self.purge_audit(max).await?,
        }
        Ok(())
    }

    /// Lets everything that stopped be dead, and works without faults until nothing is left to do. Then each reset that was accepted must be
    /// mailed, or have a reason not to be.
    pub(super) async fn settle(mut self) -> TestCaseResult {
        self.stopped.clear();
        // Each event comes to the webhooks at last.
        for event in 0..self.reference.events.len() {
            self.take(Step::FanOut { event }).await?;
        }
        for _ in 0..ROUNDS {
            if self.reference.is_settled() {
                break;
            }
            self.take(Step::Republish).await?;
            self.take(Step::Relay { max: 1000, confirmed: true, calls: 2 }).await?;
            for _ in 0..self.queue.len() {
                self.take(Step::Mail { message: 0, reply: Reply::Accepted, calls: 3 }).await?;
            }
            self.take(Step::ClaimCallbacks { next: Next::Delivered }).await?;
            while !self.stopped.is_empty() {
                self.take(Step::Resume { process: 0 }).await?;
            }
            self.take(Step::Wait { minutes: 16 }).await?;
        }
        self.take(Step::Chain { max: 1000 }).await?;
        let backdoor = self.fixture.backdoor();
        prop_assert_eq!(
            backdoor.count("deliveries", "status IN ('queued', 'deferred')").await,
            0,
            "all is settled"
        );
        prop_assert_eq!(backdoor.count("events", "published_at IS NULL OR payload IS NOT NULL").await, 0);
        self.assert_existing().await?;
        for key in &self.acknowledged {
            let reset = self.records[key];
            // The store has it, too, unless it was deleted: they were compared just now.
            prop_assert!(self.reference.resets.contains_key(&reset), "an accepted request made its reset");
        }
        for (id, event) in &self.reference.events {
            let Some(mail) = &event.mail else { continue };
            let copies = self.mailed.iter().filter(|mailed| *mailed == id).count();
            let doubts = usize::try_from(mail.in_doubt).unwrap();
            prop_assert!(copies <= doubts + usize::from(mail.was_sent()), "{copies} copies: {mail:?}");
            prop_assert!(!mail.was_sent() || copies > 0, "sent, and none has it: {mail:?}");
        }
        let callbacks: u64 = self.reference.callbacks.len().try_into().unwrap();
        prop_assert_eq!(backdoor.count("event_callbacks", "true").await, callbacks);
        prop_assert!(!self.reference.owes_callbacks(), "all callbacks are made");
        for kind in [PurgeKind::Deliveries, PurgeKind::Resets, PurgeKind::Events] {
            self.take(Step::Retain { kind }).await?;
        }
        Ok(())
    }

    async fn request(&mut self, key: usize, calls: usize) -> TestCaseResult {
        let digest = self.keys[key];
        let fingerprints = Fingerprint::all(&[b"body"], &seed::keys());
        let record = RecordId::generate(&OsRandom);
        let claim = KeyClaim { key: &digest, fingerprints: &fingerprints, record, lease: LEASE, ttl: TTL };
        let claimed = self.store().claim_key(self.scope, &claim).await.unwrap();
        let expected = self.reference.claim_key(key);
        match claimed {
            Claimed::Granted { record, attempt } => {
                prop_assert_eq!(KeyAnswer::Granted(attempt), expected);
                let reset = record.as_str().parse().unwrap();
                let first = *self.records.entry(key).or_insert(reset);
                prop_assert_eq!(reset, first, "a key has one record");
                self.go_on(calls - 1, RemainingWork::Create { key, attempt, reset }).await?;
            }
            Claimed::Answered(_) => {
                prop_assert_eq!(KeyAnswer::Answered, expected);
                self.acknowledged.push(key);
            }
            Claimed::Running => prop_assert_eq!(KeyAnswer::Running, expected),
            Claimed::OtherRequest => return Err(TestCaseError::fail("it is the same request")),
        }
        Ok(())
    }

    async fn relay(&mut self, max: u32, confirmed: bool, calls: usize) -> TestCaseResult {
        let claimed = self.store().claim_messages(LEASE, max).await.unwrap();
        let ids: Vec<_> = claimed.iter().map(|claim| (claim.message.id, claim.attempt)).collect();
        prop_assert_eq!(ids, self.reference.claim_messages(max.try_into().unwrap()));
        self.go_on(calls - 1, RemainingWork::Publish { claimed, confirmed }).await
    }

    async fn mail(&mut self, message: usize, reply: Reply, calls: usize) -> TestCaseResult {
        if self.queue.is_empty() {
            return Ok(());
        }
        let message = self.queue.remove(message % self.queue.len());
        let event = message.id;
        let Some(mail) = &self.reference.events[&event].mail else { return Ok(()) };
        let customer = self.customers[self.reference.resets[&mail.reset].customer].0;
        let job = MailJob {
            mail: if mail.is_link { MailName::ResetRequested } else { MailName::PasswordChanged },
            customer: (!mail.is_link).then_some(customer),
            ..seed::reset_mail(self.scope, event, mail.reset)
        };
        let claim = self.store().claim(&job, LEASE).await.unwrap();
        let expected = self.reference.claim_mail(event);
        match claim {
            Claim::Granted(delivery) => {
                let ClaimedDelivery { claim, attempt, in_doubt, .. } = *delivery;
                prop_assert_eq!(MailAnswer::Granted { claim, attempt, in_doubt }, expected);
                // Until it is acknowledged, the broker delivers it again when its consumer dies.
                self.queue.push(message);
                self.go_on(calls - 1, RemainingWork::Send { event, claim, reply }).await?;
            }
            Claim::Busy(_) => {
                self.queue.push(message);
                prop_assert_eq!(MailAnswer::Busy, expected);
            }
            Claim::Settled => prop_assert_eq!(MailAnswer::Settled, expected),
            Claim::Discarded(reason) => prop_assert_eq!(MailAnswer::Discarded(reason), expected),
        }
        Ok(())
    }

    async fn resume(&mut self, process: usize) -> TestCaseResult {
        if self.stopped.is_empty() {
            return Ok(());
        }
        let work = self.stopped.remove(process % self.stopped.len());
        self.go_on(usize::MAX, work).await
    }

    /// Goes on with a process's work for that many calls, and keeps what is left.
    async fn go_on(&mut self, calls: usize, work: RemainingWork) -> TestCaseResult {
        let mut next = Some(work);
        for _ in 0..calls {
            let Some(work) = next else { break };
            self.reference.pass(TICK);
            next = self.call(work).await?;
        }
        self.stopped.extend(next);
        Ok(())
    }

    /// Makes the next call, and returns what is left to do.
    async fn call(&mut self, work: RemainingWork) -> Result<Option<RemainingWork>, TestCaseError> {
        match work {
            RemainingWork::Create { key, attempt, reset } => {
                self.create(key, reset).await?;
                return Ok(Some(RemainingWork::Answer { key, attempt }));
            }
            RemainingWork::Answer { key, attempt } => {
                let answer = SealedAnswer::from_bytes(vec![1]);
                let digest = self.keys[key];
                let settled =
                    self.store().settle_key(self.scope, &digest, attempt, Some(&answer)).await.unwrap();
                prop_assert_eq!(settled, self.reference.settle_key(key, attempt));
                self.acknowledged.push(key);
            }
            RemainingWork::Publish { claimed, confirmed } => {
                let mut settlements = Vec::new();
                for ClaimedMessage { message, .. } in claimed {
                    settlements.push(if confirmed {
                        Settlement::Published(message.id)
                    } else {
                        Settlement::Later(message.id, Duration::minutes(2))
                    });
                    // A message without a confirm may have arrived all the same.
                    self.queue.push(message);
                }
                self.store().settle_messages(&settlements).await.unwrap();
                self.reference.settle_messages(&settlements);
            }
            RemainingWork::Send { event, claim, reply } => {
                let outcome = self.send(event, reply);
                return Ok(Some(RemainingWork::Settle { event, claim, outcome, is_repeated: false }));
            }
            RemainingWork::Settle { event, claim, outcome, is_repeated } => {
                let settled = self.store().settle(event, claim, &outcome).await.unwrap();
                prop_assert_eq!(settled, self.reference.settle_mail(event, claim, &outcome));
                if !is_repeated {
                    self.stopped.push(RemainingWork::Settle { event, claim, outcome, is_repeated: true });
                }
            }
            RemainingWork::Callback { claimed, next } => self.settle_callback(&claimed, next).await?,
        }
        Ok(None)
    }

    fn send(&mut self, event: EventId, reply: Reply) -> Outcome {
        if matches!(reply, Reply::Accepted | Reply::AcceptedUnseen) {
            self.mailed.push(event);
        }
        let (reason, after) = (String::new(), Duration::minutes(10));
        match reply {
            Reply::Accepted => Outcome::Sent { response: reason, reply: None, relay: "relay".to_owned() },
            Reply::AcceptedUnseen | Reply::Broken => Outcome::InDoubt { reason, after },
            Reply::Deferred => Outcome::Deferred { reason, reply: None, after },
            Reply::Unreachable => Outcome::Held { reason, after },
            Reply::Refused => {
                let mail = self.reference.events[&event].mail.as_ref();
                let customer = mail.map_or(0, |mail| self.reference.resets[&mail.reset].customer);
                let address = &self.customers[customer].1;
                Outcome::Bounced { reason, reply: None, suppress: Some(seed::email(address)) }
            }
        }
    }

    async fn wait(&mut self, time: Duration) {
        self.reference.pass(time);
        let backdoor = self.fixture.backdoor();
        let moved = |columns: &[&str]| {
            let moved = columns.iter().map(|column| format!("{column} = {}", backdoor.earlier(column, time)));
            moved.collect::<Vec<_>>().join(", ")
        };
        let script = format!(
            "UPDATE event_callbacks SET {}; UPDATE events SET {}; UPDATE deliveries SET {}; UPDATE password_resets SET {}; UPDATE idempotency_keys SET {}",
            moved(&["due_at", "lease_until"]),
            moved(&["available_at", "published_at"]),
            moved(&["created_at", "next_attempt_at", "lease_until"]),
            moved(&["expires_at"]),
            moved(&["lease_until", "expires_at"]),
        );
        backdoor.script(&script).await;
    }
}
