//! "It wasn't me": the recipient of a reset's mail rejects a reset that somebody else requested.

use super::ResetService;
use crate::{
    caller::Caller,
    error::StoreError,
    events::{EventBody, audit::Action},
    ids::ResetId,
    metrics::{self, ResetEvent},
    resets::{RejectableReset, TokenState, store::ResetRejection},
    secrets::{AddressDigest, RejectionProof},
};

impl ResetService {
    /// Returns the reset that this proof is for, with the state of its token; `None` when the proof is for no reset of a customer.
    /// Changes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rejectable(
        &self,
        reset: ResetId,
        proof: &RejectionProof,
    ) -> Result<Option<RejectableReset>, StoreError> {
        if !proof.is_for(reset, &self.recorder.keys) {
            return Ok(None);
        }
        self.store.find_rejectable(reset).await
    }

    /// Ends the reset's token, if it can still be used, and delays the next self-service reset of its account. Returns the reset
    /// with the state that its token had before; `None` as in [`ResetService::rejectable`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reject(
        &self,
        caller: &Caller,
        reset: ResetId,
        proof: &RejectionProof,
    ) -> Result<Option<RejectableReset>, StoreError> {
        let Some(found) = self.rejectable(reset, proof).await? else { return Ok(None) };
        if found.state != TokenState::Pending {
            return Ok(Some(found));
        }
        let rules = *self.rules.load().get(&found.organization.slug);
        let event = self.recorder.new_event(found.scope, caller, EventBody::ResetRejected { reset });
        let audit = self.recorder.new_audit_entry(caller, Action::Reject, Vec::new());
        let rejection = ResetRejection {
            reset: &found,
            address_digest: AddressDigest::new(found.scope, &found.email, &self.recorder.keys),
            delay: rules.rejection_cooldown - rules.quota.cooldown,
            event: &event,
            audit: &audit,
        };
        if self.store.reject_reset(&rejection).await? {
            self.recorder.publish(event);
            metrics::RESETS.add(ResetEvent::Rejected, 1);
            return Ok(Some(found));
        }
        // The token was used or ended meanwhile.
        self.store.find_rejectable(reset).await
    }
}
