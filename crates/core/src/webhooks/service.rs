//! Creating, changing and deleting webhooks, and sending them an event again.

use std::sync::Arc;

use super::{
    CallbackUrl, NewWebhook, WebhookChange,
    fan_out::{FanOut, Occasion},
    store::{WebhookStore, WriteWebhookError},
};
use crate::{
    attributes::{CommonAttributes, set_names},
    caller::Caller,
    documents::View,
    error::StoreError,
    events::{
        EventName,
        audit::{Action, AuditEntry},
    },
    ids::{EventId, WebhookId},
    resources::{
        WEBHOOKS,
        events::TRIGGER,
        record::Value,
        webhooks::{
            CALLBACK_URL, DISABLE, ENABLE, INCLUDE_RESOURCES, NAME, REGENERATE_SECRET, RESET_CIRCUIT, TOPIC,
        },
    },
    scope::Scope,
    secrets::{SealedSharedSecret, SharedSecret},
};

/// The use cases of webhooks. Cheap to clone.
#[derive(Clone)]
pub struct WebhookService {
    /// Where webhooks are kept.
    pub store: Arc<dyn WebhookStore>,
    /// Records what they are sent.
    pub fan_out: FanOut,
}

/// The attributes of a webhook that a caller sets.
#[derive(Debug, Default)]
pub struct WebhookAttributes {
    /// Its name.
    pub name: Option<String>,
    /// The events that it is sent.
    pub topic: Option<EventName>,
    /// Where it receives.
    pub callback_url: Option<CallbackUrl>,
    /// The relationships that are included.
    pub include_resources: Option<Vec<String>>,
    /// Whether it is disabled or enabled.
    pub is_disabled: Option<bool>,
    /// Whether its circuit is closed; only of one that exists.
    pub resets_circuit: bool,
    /// Whether it gets a new secret; only one that exists.
    pub regenerates_secret: bool,
    /// The shop's own attributes.
    pub common: CommonAttributes,
}

/// Why a webhook is not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The records of these relationships can't be included with the topic's.
    #[error("these relationships can't be included")]
    Includes,
    /// It can't be written.
    #[error(transparent)]
    Write(#[from] WriteWebhookError),
}

impl From<StoreError> for WebhookError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl WebhookService {
    /// Creates a webhook with a new secret; returns its id.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn create(
        &self,
        scope: Scope,
        caller: &Caller,
        topic: EventName,
        callback_url: CallbackUrl,
        attributes: WebhookAttributes,
    ) -> Result<WebhookId, WebhookError> {
        let random = &*self.fan_out.random;
        let written = [TOPIC.name, CALLBACK_URL.name].into_iter().chain(attributes.written()).collect();
        let audit = AuditEntry::new(caller, Action::Create, written, random);
        let id = caller.record.map_or_else(|| WebhookId::generate(random), WebhookId::from);
        let include_resources = attributes.include_resources.unwrap_or_default();
        check_includes(topic, &include_resources)?;
        let webhook = NewWebhook {
            id,
            name: attributes.name,
            topic,
            callback_url,
            include_resources,
            secret: self.new_secret(scope, id),
            is_disabled: attributes.is_disabled.unwrap_or(false),
            common: attributes.common,
        };
        match self.store.create_webhook(scope, &webhook, &audit).await {
            // An earlier try of this call made it.
            Err(WriteWebhookError::Taken | WriteWebhookError::TooMany)
                if caller.record.is_some() && self.exists(scope, id).await? => {}
            created => created?,
        }
        Ok(id)
    }

    /// Changes a webhook; false when there is no such webhook.
    ///
    /// # Errors
    /// See [`WebhookError`].
    pub async fn update(
        &self,
        scope: Scope,
        caller: &Caller,
        id: WebhookId,
        attributes: WebhookAttributes,
    ) -> Result<bool, WebhookError> {
        let audit =
            AuditEntry::new(caller, Action::Update, attributes.written().collect(), &*self.fan_out.random);
        if attributes.topic.is_some() || attributes.include_resources.is_some() {
            let Some(record) = self.fan_out.documents.catalog.find(scope, &WEBHOOKS, id.into()).await? else {
                return Ok(false);
            };
            let stored = record.get(TOPIC.name).as_text().and_then(|topic| topic.parse().ok());
            let includes = match (&attributes.include_resources, record.get(INCLUDE_RESOURCES.name)) {
                (Some(includes), _) | (None, Value::Texts(includes)) => includes.as_slice(),
                _ => &[],
            };
            if let Some(topic) = attributes.topic.or(stored) {
                check_includes(topic, includes)?;
            }
        }
        let change = WebhookChange {
            name: attributes.name,
            topic: attributes.topic,
            callback_url: attributes.callback_url,
            include_resources: attributes.include_resources,
            is_disabled: attributes.is_disabled,
            resets_circuit: attributes.resets_circuit,
            secret: attributes.regenerates_secret.then(|| self.new_secret(scope, id)),
            common: attributes.common,
        };
        Ok(self.store.update_webhook(scope, id, &change, &audit).await?)
    }

    /// Deletes a webhook; false when there is no such webhook.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete(&self, scope: Scope, caller: &Caller, id: WebhookId) -> Result<bool, StoreError> {
        let audit = AuditEntry::new(caller, Action::Destroy, Vec::new(), &*self.fan_out.random);
        self.store.delete_webhook(scope, id, &audit).await
    }

    /// Sends an event to its webhooks again; `None` when there is no such event. Returns how many it is sent to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trigger(
        &self,
        scope: Scope,
        caller: &Caller,
        event: EventId,
    ) -> Result<Option<u64>, StoreError> {
        let audit = AuditEntry::new(caller, Action::Trigger, vec![TRIGGER.name], &*self.fan_out.random);
        let Some(event) = self.fan_out.store.find_event(scope, event).await? else { return Ok(None) };
        let occasion = Occasion { trigger: Some(&audit), traceparent: caller.traceparent.as_deref() };
        self.fan_out.fan_out(scope, event, occasion).await.map(Some)
    }

    fn new_secret(&self, scope: Scope, id: WebhookId) -> SealedSharedSecret {
        let FanOut { documents, random, .. } = &self.fan_out;
        SealedSharedSecret::seal(
            &SharedSecret::generate(&**random),
            scope.organization,
            id,
            &documents.keys,
            &**random,
        )
    }

    async fn exists(&self, scope: Scope, id: WebhookId) -> Result<bool, StoreError> {
        Ok(self.fan_out.documents.catalog.find(scope, &WEBHOOKS, id.into()).await?.is_some())
    }
}

impl WebhookAttributes {
    /// The names on the wire of the attributes that are set.
    fn written(&self) -> impl Iterator<Item = &'static str> + use<> {
        set_names([
            (NAME.name, self.name.is_some()),
            (TOPIC.name, self.topic.is_some()),
            (CALLBACK_URL.name, self.callback_url.is_some()),
            (INCLUDE_RESOURCES.name, self.include_resources.is_some()),
            (DISABLE.name, self.is_disabled == Some(true)),
            (ENABLE.name, self.is_disabled == Some(false)),
            (RESET_CIRCUIT.name, self.resets_circuit),
            (REGENERATE_SECRET.name, self.regenerates_secret),
        ])
        .chain(self.common.names().collect::<Vec<_>>())
    }
}

fn check_includes(topic: EventName, includes: &[String]) -> Result<(), WebhookError> {
    let view = View::for_webhook(topic.resource(), includes.iter().map(String::as_str));
    view.map(drop).ok_or(WebhookError::Includes)
}
