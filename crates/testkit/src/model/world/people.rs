//! What clients and customers do to resets.

use proptest::{prop_assert_eq, test_runner::TestCaseResult};
use rekey_core::{
    attributes::CommonAttributes,
    error::CreateError,
    events::{EventBody, audit::Action},
    ids::ResetId,
    random::OsRandom,
    resets::{
        NewReset, ResetOrigin,
        store::{Completion, ResetRecord},
    },
    secrets::{AddressDigest, SealedToken},
};

use super::World;
use crate::{conformance::stores::StoreUnderTest, model::steps::CUSTOMERS, seed, store::prelude::*};

impl<F: StoreUnderTest> World<'_, F> {
    pub(super) async fn create(&mut self, key: usize, id: ResetId) -> TestCaseResult {
        let customer = key % CUSTOMERS;
        let (new, token) = seed::new_reset(self.scope, &self.customers[customer].1, ResetOrigin::Integration);
        let sealed_token = SealedToken::seal(&token, self.scope.organization, id, &seed::keys(), &OsRandom);
        let reset = NewReset { id, sealed_token, ..new };
        let event = seed::reset_created(self.scope, &reset);
        let record = ResetRecord { reset: &reset, event: &event, audit: &seed::audit(Action::Create) };
        let created = match self.store().create_reset(self.scope, &record).await {
            Ok(created) => created.is_some(),
            Err(CreateError::Taken) => false,
            Err(error) => panic!("{error:?}"),
        };
        prop_assert_eq!(created, self.reference.create(id, customer, event.message.id));
        if created {
            self.tokens.insert(id, token);
        }
        Ok(())
    }

    pub(super) async fn use_link(&mut self, reset: usize) -> TestCaseResult {
        let Some((id, token)) = self.tokens.iter().nth(reset % self.tokens.len().max(1)) else {
            return Ok(());
        };
        let (id, digest) = (*id, token.digest());
        let event =
            |customer| seed::event(self.scope, EventBody::ResetUsed { reset: id, customer, address: None });
        let holder = self.store().find_token_holder(id, &digest).await.unwrap();
        prop_assert_eq!(holder.is_some(), self.reference.can_be_used(id));
        let Some(holder) = holder else { return Ok(()) };
        let (password, changes) = (seed::hash("new"), CommonAttributes::default());
        let (event, audit) = (event(holder.customer), seed::audit(Action::ResetPassword));
        let completion = Completion {
            address_digest: AddressDigest::new(holder.scope, &holder.email, &seed::keys()),
            holder: &holder,
            token: &digest,
            password: &password,
            changes: &changes,
            event: &event,
            audit: &audit,
        };
        let used = self.store().complete_reset(&completion).await.unwrap();
        prop_assert_eq!(used, self.reference.complete(id, event.message.id));
        Ok(())
    }

    pub(super) async fn delete(&mut self, reset: usize) -> TestCaseResult {
        let count = self.reference.resets.len();
        let Some(id) = self.reference.resets.keys().nth(reset % count.max(1)).copied() else { return Ok(()) };
        let event = seed::event(self.scope, EventBody::ResetDestroyed { reset: id });
        let audit = seed::audit(Action::Destroy);
        let deleted = self.store().delete_reset(self.scope, id, &event, &audit).await.unwrap();
        prop_assert_eq!(deleted, self.reference.delete(id, event.message.id));
        Ok(())
    }
}
