//! Webhooks, and what they are sent.

use std::sync::Arc;

use proptest::{prop_assert_eq, test_runner::TestCaseResult};
use rekey_core::{
    events::audit::Action,
    random::OsRandom,
    webhooks::{
        WebhookChange,
        fan_out::{FanOut, Occasion},
        queue::{AttemptResult, ClaimLimits, Next},
        store::RecordedEvent,
    },
};

use super::{RemainingWork, World};
use crate::{
    conformance::stores::StoreUnderTest,
    model::{reference::LEASE, steps::TOPICS},
    seed,
    store::prelude::*,
};

/// More than any case has.
const PLENTY: ClaimLimits = ClaimLimits { total: 1_000, per_webhook: 1_000, per_organization: 1_000 };

impl<F: StoreUnderTest> World<'_, F> {
    pub(super) async fn create_webhook(&mut self, topic: usize) -> TestCaseResult {
        let new = seed::new_webhook(self.scope, TOPICS[topic]);
        self.store().create_webhook(self.scope, &new, &seed::audit(Action::Create)).await.unwrap();
        self.reference.create_webhook(new.id, new.topic);
        Ok(())
    }

    /// Disables a webhook, or enables it again.
    pub(super) async fn switch_webhook(&mut self, webhook: usize, is_disabled: bool) -> TestCaseResult {
        let Some(id) = self.reference.webhooks.keys().nth(webhook).copied() else { return Ok(()) };
        let change = WebhookChange { is_disabled: Some(is_disabled), ..WebhookChange::default() };
        let audit = seed::audit(Action::Update);
        let changed = self.store().update_webhook(self.scope, id, &change, &audit).await.unwrap();
        prop_assert_eq!(changed, self.reference.switch_webhook(id, is_disabled));
        Ok(())
    }

    pub(super) async fn delete_webhook(&mut self, webhook: usize) -> TestCaseResult {
        let Some(id) = self.reference.webhooks.keys().nth(webhook).copied() else { return Ok(()) };
        let deleted =
            self.store().delete_webhook(self.scope, id, &seed::audit(Action::Destroy)).await.unwrap();
        prop_assert_eq!(deleted, self.reference.delete_webhook(id));
        Ok(())
    }

    /// A process gets an event, which may come several times, and records what webhooks are sent.
    pub(super) async fn fan_out(&mut self, event: usize) -> TestCaseResult {
        let events: Vec<_> =
            self.reference.events.iter().map(|(id, event)| (*id, event.name, event.reset)).collect();
        let Some(&(id, name, reset)) = events.get(event % events.len().max(1)) else { return Ok(()) };
        let (store, random) = (Arc::new(self.store().clone()), Arc::new(OsRandom));
        let fan_out = FanOut::new(store.clone(), store, seed::keys(), random);
        let event = RecordedEvent { id, name, record: reset.into() };
        let occasion = Occasion { traceparent: None, trigger: None };
        let added = fan_out.fan_out(self.scope, event, occasion).await.unwrap();
        prop_assert_eq!(added, self.reference.fan_out(id));
        Ok(())
    }

    /// A worker claims all callbacks that are due, and stops before it has settled them.
    pub(super) async fn claim_callbacks(&mut self, next: Next) -> TestCaseResult {
        let claimed = self.store().claim_callbacks(LEASE, PLENTY).await.unwrap();
        let mut found: Vec<_> = claimed.iter().map(|one| (one.webhook, one.event, one.attempt)).collect();
        found.sort_unstable();
        prop_assert_eq!(found, self.reference.claim_callbacks());
        self.stopped.extend(
            claimed.into_iter().map(|claimed| RemainingWork::Callback { claimed: Box::new(claimed), next }),
        );
        Ok(())
    }

    pub(super) async fn settle_callback(
        &mut self,
        claimed: &rekey_core::webhooks::queue::ClaimedCallback,
        next: Next,
    ) -> TestCaseResult {
        let result = AttemptResult { response_code: None, response_message: String::new(), next };
        let settled = self.store().settle_callback(claimed.id, claimed.attempt, &result).await.unwrap();
        let key = (claimed.webhook, claimed.event);
        prop_assert_eq!(settled.was_recorded, self.reference.settle_callback(key, claimed.attempt, next));
        Ok(())
    }
}
