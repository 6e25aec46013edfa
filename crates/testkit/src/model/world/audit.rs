//! The chain of the audit log.

use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseResult};
use rekey_core::{
    cleanup::PurgeKind,
    events::audit::{chain::Chained, verify::verify},
};
use time::Duration;

use super::World;
use crate::{conformance::stores::StoreUnderTest, seed, store::prelude::*};

impl<F: StoreUnderTest> World<'_, F> {
    pub(super) async fn chain(&mut self, max: u32) -> TestCaseResult {
        let chained = self.store().chain_entries(self.scope, &seed::keys(), max).await.unwrap();
        prop_assert_eq!(chained, Chained::Done(self.reference.audit.chain(max)));
        self.verify().await
    }

    /// Deletes the oldest entries.
    pub(super) async fn purge_audit(&mut self, max: u32) -> TestCaseResult {
        let purged = self.store().purge(PurgeKind::Audit, Duration::ZERO, max).await.unwrap();
        prop_assert_eq!(purged, u64::from(self.reference.audit.purge(max)));
        self.verify().await
    }

    /// The chain is whole, and has each entry that is there or was purged.
    async fn verify(&self) -> TestCaseResult {
        let verified =
            verify(self.store(), self.scope, Some(&seed::keys()), Some(Duration::ZERO)).await.unwrap();
        let expected = &self.reference.audit;
        prop_assert!(verified.broken.is_none(), "{verified:?}");
        let found = [verified.checkpoint, verified.head].map(|link| link.map_or(0, |link| link.position));
        prop_assert_eq!(found, [expected.purged, expected.chained].map(i64::from));
        prop_assert_eq!(
            (verified.unchained.waiting, verified.unchained.lost),
            (u64::from(expected.written - expected.chained), 0)
        );
        Ok(())
    }
}
