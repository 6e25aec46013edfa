//! The fan-out: an event becomes a callback for each webhook that is sent it.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};

use super::store::{CallbackStore, NewCallback, NewCallbacks, RecordedEvent};
use crate::{
    documents::{DocumentError, Documents, View},
    error::StoreError,
    events::audit::AuditEntry,
    ids::{CallbackId, CustomerId},
    random::RandomSource,
    resources::{Audience, CUSTOMERS, Resource, catalog::Catalog, record::Record},
    scope::Scope,
    secrets::{KeyRing, Payload, SealedPayload},
};

/// The largest document with included records, in bytes: there is a copy of it for each webhook. One record alone is as large as the largest
/// request body.
const MAX_DOCUMENT: usize = 256 << 10;

/// Records what webhooks are sent. Cheap to clone.
#[derive(Clone)]
pub struct FanOut {
    /// Where callbacks are recorded.
    pub store: Arc<dyn CallbackStore>,
    /// Renders what they are sent. Its links are relative, as the vendor's.
    pub documents: Documents,
    /// Makes ids.
    pub random: Arc<dyn RandomSource>,
}

/// What belongs to a fan-out besides the event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Occasion<'a> {
    /// The entry of the audit log about the trigger; `None` is the event's own occurrence.
    pub trigger: Option<&'a AuditEntry>,
    /// W3C `traceparent` of the call that caused the event.
    pub traceparent: Option<&'a str>,
}

impl FanOut {
    /// Makes one that renders records of `catalog`.
    #[must_use]
    pub fn new(
        store: Arc<dyn CallbackStore>,
        catalog: Arc<dyn Catalog>,
        keys: KeyRing,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self { store, documents: Documents { catalog, keys, api_url: "/api".to_owned() }, random }
    }

    /// Renders the record that the event is about as it is now, once for each set of included relationships, and records a callback for each
    /// webhook of the event's topic. Returns how many were added: none again for an event that was fanned out before, and none for a decoy or
    /// a record that was deleted meanwhile, other than by this event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fan_out(
        &self,
        scope: Scope,
        event: RecordedEvent,
        occasion: Occasion<'_>,
    ) -> Result<u64, StoreError> {
        let subscriptions = self.store.subscriptions(scope, event.name).await?;
        if subscriptions.is_empty() && occasion.trigger.is_none() {
            return Ok(0);
        }
        let resource = event.name.resource();
        let record = self.documents.catalog.find(scope, resource, event.record).await?;
        let mut documents: HashMap<Vec<String>, Payload> = HashMap::new();
        let mut callbacks = Vec::new();
        for subscription in subscriptions {
            let includes = &subscription.include_resources;
            if !documents.contains_key(includes) {
                let Some(document) = self.document(scope, event, record.as_ref(), includes).await? else {
                    break;
                };
                documents.insert(includes.clone(), Payload::new(document.to_string()));
            }
            let Some(document) = documents.get(includes) else { continue };
            let id = CallbackId::generate(&*self.random);
            let payload =
                SealedPayload::seal(document, scope.organization, id, &self.documents.keys, &*self.random);
            callbacks.push(NewCallback { id, subscription, payload });
        }
        if callbacks.is_empty() && occasion.trigger.is_none() {
            return Ok(0);
        }
        let callbacks = NewCallbacks {
            event,
            trigger: occasion.trigger,
            customer: record.as_ref().and_then(customer_of),
            traceparent: occasion.traceparent,
            callbacks,
        };
        self.store.add_callbacks(scope, &callbacks).await
    }

    /// Returns the document that a receiver with these includes is sent; `None` if there is no such record.
    async fn document(
        &self,
        scope: Scope,
        event: RecordedEvent,
        record: Option<&Record>,
        includes: &[String],
    ) -> Result<Option<Value>, StoreError> {
        let resource = event.name.resource();
        if event.name.is_destroy() {
            return Ok(Some(destroyed(scope, resource, event)));
        }
        let Some(record) = record else { return Ok(None) };
        let reader = self.documents.reader(scope, Audience::BackOffice);
        if let Some(view) = View::for_webhook(resource, includes.iter().map(String::as_str)) {
            match reader.document(record, &view).await {
                Ok(document) if includes.is_empty() || document.to_string().len() <= MAX_DOCUMENT => {
                    return Ok(Some(document));
                }
                Ok(_) | Err(DocumentError::TooManyIncluded) => {}
                Err(DocumentError::Store(error)) => return Err(error),
            }
        }
        tracing::warn!(event = %event.id, ?includes, "a webhook's records can't be included or are too large, so it is sent without them");
        let view = View::for_webhook(resource, []).unwrap_or_default();
        reader.document(record, &view).await.map(Some).map_err(|error| match error {
            DocumentError::Store(error) => error,
            DocumentError::TooManyIncluded => StoreError::Internal(error.into()),
        })
    }
}

/// Returns what is left to say of a deleted record.
fn destroyed(scope: Scope, resource: &Resource, event: RecordedEvent) -> Value {
    json!({ "data": {
        "id": event.record.as_str(),
        "type": resource.name,
        "meta": { "mode": scope.mode.as_str(), "organization_id": scope.organization.as_str() },
    } })
}

/// Returns the customer that the record's personal data belong to.
fn customer_of(record: &Record) -> Option<CustomerId> {
    if *record.resource() == CUSTOMERS {
        return Some(record.id().into());
    }
    let relationship = record.resource().relationship("customer")?;
    record.linked(relationship).map(CustomerId::from)
}
