use super::{CustomerError, CustomerService};
use crate::{
    caller::Caller,
    customers::anonymization::AnonymizationRequest,
    events::{EventBody, outbox::NewEvent},
    ids::CustomerId,
    resources::{CUSTOMERS, customers::ANONYMIZATION_STATUS},
    scope::Scope,
};

impl CustomerService {
    /// Refuses what is not possible in the state of the customer's last request; false when there is no such customer.
    pub(super) async fn check_anonymization(
        &self,
        scope: Scope,
        id: CustomerId,
        asked: Option<AnonymizationRequest>,
    ) -> Result<bool, CustomerError> {
        let Some(asked) = asked else { return Ok(true) };
        let Some(customer) = self.store.find(scope, &CUSTOMERS, id.into()).await? else { return Ok(false) };
        if !asked.is_possible(customer.get(ANONYMIZATION_STATUS.name).as_text()) {
            return Err(CustomerError::Anonymization(asked));
        }
        Ok(true)
    }

    /// Returns the event of a cancelled request. The vendor has none for a new request.
    pub(super) fn anonymization_event(
        &self,
        scope: Scope,
        caller: &Caller,
        customer: CustomerId,
        asked: Option<AnonymizationRequest>,
    ) -> Option<NewEvent> {
        let body = EventBody::CustomerAnonymizationCancelled { customer };
        (asked == Some(AnonymizationRequest::Cancel)).then(|| self.recorder.new_event(scope, caller, body))
    }
}
