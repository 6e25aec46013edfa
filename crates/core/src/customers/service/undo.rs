//! "It wasn't me": the holder of a changed address undoes the change, and takes the account back.

use super::CustomerService;
use crate::{
    attributes::CommonAttributes,
    caller::Caller,
    customers::email_change::{EmailUndo, RecordedEmailChange, UndoState},
    error::StoreError,
    events::{EventBody, audit::Action},
    ids::{EmailChangeId, ResetId},
    resets::{NewReset, ResetOrigin, store::ResetRecord},
    resources::{
        customer_password_resets::CUSTOMER_EMAIL,
        customers::{EMAIL, PASSWORD},
    },
    secrets::UndoToken,
};

/// How often an undo is tried while other calls change the address at the same moment.
const ATTEMPTS: usize = 3;

impl CustomerService {
    /// Returns the change that this token is for, with its state; `None` for a wrong token. Changes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_email_change(
        &self,
        id: EmailChangeId,
        token: &UndoToken,
    ) -> Result<Option<RecordedEmailChange>, StoreError> {
        self.store.find_email_change(id, &token.digest()).await
    }

    /// Restores the address from before the change, if the token can still be used: the password and all sessions end, and a link to
    /// set a new password is mailed to the restored address. Returns the change with the state that its token had before; `None` for a
    /// wrong token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn undo_email_change(
        &self,
        caller: &Caller,
        id: EmailChangeId,
        token: &UndoToken,
    ) -> Result<Option<RecordedEmailChange>, StoreError> {
        for _ in 0..ATTEMPTS {
            let found = self.find_email_change(id, token).await?;
            let Some(change) = found.filter(|change| change.state == UndoState::Pending) else { break };
            if self.try_undo(caller, &change, token).await? {
                return Ok(Some(change));
            }
        }
        match self.find_email_change(id, token).await? {
            Some(change) if change.state == UndoState::Pending => {
                Err(StoreError::Unavailable("the address is changed again and again".into()))
            }
            found => Ok(found),
        }
    }

    async fn try_undo(
        &self,
        caller: &Caller,
        change: &RecordedEmailChange,
        token: &UndoToken,
    ) -> Result<bool, StoreError> {
        let (scope, recorder) = (change.scope, &self.recorder);
        let rules = *self.rules.load().get(&change.organization.slug);
        let reset_id = ResetId::generate(&*recorder.random);
        let reset = NewReset::generate(
            recorder,
            &rules,
            scope,
            reset_id,
            change.old.clone(),
            ResetOrigin::Integration,
            CommonAttributes::default(),
        );
        let restored = EventBody::CustomerEmailRestored { customer: change.customer };
        let event = recorder.new_event(scope, caller, restored);
        let reset_event = recorder.new_event(scope, caller, reset.created(None, None));
        let undo = EmailUndo {
            change,
            token: &token.digest(),
            event: &event,
            audit: &recorder.new_audit_entry(caller, Action::RestoreEmail, vec![EMAIL.name, PASSWORD.name]),
            reset: ResetRecord {
                reset: &reset,
                event: &reset_event,
                audit: &recorder.new_audit_entry(caller, Action::Create, vec![CUSTOMER_EMAIL.name]),
            },
        };
        let is_undone = self.store.undo_email_change(&undo).await?;
        if is_undone {
            recorder.publish(event);
            recorder.publish(reset_event);
        }
        Ok(is_undone)
    }
}
