//! "It wasn't me": the reader of a reset's mail, who did not ask for it, says so.

use super::Recovery;
use crate::{
    access::Caller,
    audit::Action,
    event::EventBody,
    ids::ResetId,
    reset::{Disavowable, TokenState},
    secret::DisavowalProof,
    store::{Disavowal, StoreError},
};

impl Recovery {
    /// The reset that this proof is for, and what has become of it; `None` when the proof is for no reset of a customer. Looking
    /// changes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn disavowable(
        &self,
        reset: ResetId,
        proof: &DisavowalProof,
    ) -> Result<Option<Disavowable>, StoreError> {
        if !proof.is_for(reset, &self.journal.keys) {
            return Ok(None);
        }
        self.store.find_disavowable(reset).await
    }

    /// Kills the reset's token, if it can still be used, and holds up the next self-service reset of its account. What is
    /// returned tells in `state` what had become of the token before; `None` as in [`Recovery::disavowable`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn disavow(
        &self,
        caller: &Caller,
        reset: ResetId,
        proof: &DisavowalProof,
    ) -> Result<Option<Disavowable>, StoreError> {
        let Some(found) = self.disavowable(reset, proof).await? else { return Ok(None) };
        if found.state != TokenState::Pending {
            return Ok(Some(found));
        }
        let rules = self.rules.of(&found.organization.slug);
        let event = self.journal.event(found.scope, caller, EventBody::ResetDisavowed { reset });
        let audit = self.journal.audit(caller, Action::Disavow, Vec::new());
        let disavowal = Disavowal {
            of: &found,
            cooldown: rules.disavowal_cooldown,
            allowance: rules.allowance,
            event: &event,
            audit: &audit,
        };
        if self.store.disavow_reset(&disavowal).await? {
            self.journal.committed();
            return Ok(Some(found));
        }
        // Meanwhile it was used, or died.
        self.store.find_disavowable(reset).await
    }
}
