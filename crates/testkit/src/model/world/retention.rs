//! The deletion of old records.

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

    pub(super) async fn assert_existing(&self) -> TestCaseResult {
        let backdoor = self.fixture.backdoor();
        let expected = self.reference.existing();
        for (table, expected) in ["password_resets", "deliveries", "events"].into_iter().zip(expected) {
            prop_assert_eq!(backdoor.count(table, "true").await, expected, "{}", table);
        }
        Ok(())
    }
}
