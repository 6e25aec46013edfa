//! The deletion of old records.

use std::collections::BTreeSet;

use proptest::{prop_assert_eq, test_runner::TestCaseResult};
use rekey_core::cleanup::PurgeKind;
use time::Duration;

use super::World;
use crate::{conformance::stores::StoreUnderTest, store::prelude::*};

impl<F: StoreUnderTest> World<'_, F> {
    /// Deletes all records of a kind that nothing needs, however young they are.
    pub(super) async fn retain(&mut self, kind: PurgeKind) -> TestCaseResult {
        let counted = self.store().count_purgeable(kind, Duration::ZERO).await.unwrap();
        let purged = self.store().purge(kind, Duration::ZERO, 1000).await.unwrap();
        let expected = self.reference.purge(kind);
        prop_assert_eq!([counted, purged], [expected; 2]);
        self.assert_existing().await
    }

    /// Asserts that the store has the same resets, mails with their states, events and suppressions as the reference.
    pub(super) async fn assert_existing(&self) -> TestCaseResult {
        let [resets, mails, events] = self.reference.existing();
        let suppressed = self.reference.suppressed.iter();
        let suppressed =
            suppressed.map(|(customer, event)| format!("{} {event}", self.customers[*customer].1));
        for (columns, table, expected) in [
            ("id", "password_resets", resets),
            ("event_id || ' ' || status", "deliveries", mails),
            ("id", "events", events),
            ("email || ' ' || event_id", "suppressions", suppressed.collect()),
        ] {
            let query = format!("SELECT string_agg({columns}, ',') FROM {table}");
            let found = self.fixture.backdoor().text(&query).await.unwrap_or_default();
            let found: BTreeSet<_> = found.split_terminator(',').map(str::to_owned).collect();
            prop_assert_eq!(found, expected, "{}", table);
        }
        Ok(())
    }
}
