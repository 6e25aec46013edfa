//! "It wasn't me": the reader of a reset's mail, who did not ask for it, says so.

use super::ResetService;
use crate::{
    caller::Caller,
    error::StoreError,
    events::{EventBody, audit::Action},
    ids::ResetId,
    resets::{RejectableReset, TokenState, store::ResetRejection},
    secrets::RejectionProof,
};

impl ResetService {
    /// The reset that this proof is for, and what has become of it; `None` when the proof is for no reset of a customer. Looking
    /// changes nothing.
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

    /// Kills the reset's token, if it can still be used, and holds up the next self-service reset of its account. What is
    /// returned tells in `state` what had become of the token before; `None` as in [`ResetService::rejectable`].
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
        let rules = self.rules.get(&found.organization.slug);
        let event = self.recorder.event(found.scope, caller, EventBody::ResetDisavowed { reset });
        let audit = self.recorder.audit(caller, Action::Disavow, Vec::new());
        let rejection = ResetRejection {
            reset: &found,
            cooldown: rules.rejection_cooldown,
            quota: rules.quota,
            event: &event,
            audit: &audit,
        };
        if self.store.reject_reset(&rejection).await? {
            self.recorder.publish(event);
            return Ok(Some(found));
        }
        // Meanwhile it was used, or died.
        self.store.find_rejectable(reset).await
    }
}
