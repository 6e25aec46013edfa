//! Writing `/api/webhooks`. Reading is in [`super::reading`].

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    ids::WebhookId,
    resources::{
        WEBHOOKS,
        webhooks::{
            CALLBACK_URL, DISABLE, ENABLE, INCLUDE_RESOURCES, NAME, REGENERATE_SECRET, RESET_CIRCUIT, TOPIC,
        },
    },
    webhooks::{
        CallbackUrl, MAX_WEBHOOKS,
        service::{WebhookAttributes, WebhookError, WebhookService},
        store::WriteWebhookError,
    },
};

use super::path::PathId;
use crate::{
    auth::principal::{IsIntegration, Permitted},
    jsonapi::{
        body::{Attributes, Body},
        document::Documents,
        error::{Problem, ValidationError},
        query::Query,
    },
};

/// `POST`: with a new secret.
pub async fn create(
    principal: Permitted<IsIntegration>,
    webhooks: Data<WebhookService>,
    documents: Data<Documents>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&WEBHOOKS, principal.audience())?;
    let mut input = body.read(&WEBHOOKS, None).await?;
    let topic = input.required_or(&TOPIC, ValidationError::UnknownTopic);
    let callback_url = input.required::<CallbackUrl>(&CALLBACK_URL);
    // `webhooks:create` of the vendor's cli-plugin-webhooks 4.3 sends one for a name that was not given.
    input.ignore_blank(&NAME);
    let attributes = read_attributes(&mut input);
    let (topic, callback_url) = input.finish(topic.zip(callback_url))?;
    let id = webhooks.create(principal.scope(), &principal.caller, topic, callback_url, attributes).await?;
    let responder = principal.responder(&documents);
    responder.created(&responder.find(&WEBHOOKS, id).await?, &view).await
}

/// `PATCH …/{id}`.
pub async fn update(
    principal: Permitted<IsIntegration>,
    webhooks: Data<WebhookService>,
    documents: Data<Documents>,
    PathId(id): PathId<WebhookId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&WEBHOOKS, principal.audience())?;
    let mut input = body.read(&WEBHOOKS, Some(id.as_str())).await?;
    let topic = input.has(&TOPIC).then(|| input.required_or(&TOPIC, ValidationError::UnknownTopic)).flatten();
    let callback_url = input.optional(&CALLBACK_URL);
    let attributes = WebhookAttributes {
        topic,
        callback_url,
        resets_circuit: input.trigger(&RESET_CIRCUIT),
        regenerates_secret: input.trigger(&REGENERATE_SECRET),
        ..read_attributes(&mut input)
    };
    let attributes = input.finish(Some(attributes))?;
    if !webhooks.update(principal.scope(), &principal.caller, id, attributes).await? {
        return Err(Problem::NotFound);
    }
    let responder = principal.responder(&documents);
    responder.ok(&responder.find(&WEBHOOKS, id).await?, &view).await
}

/// `DELETE …/{id}`.
pub async fn delete(
    principal: Permitted<IsIntegration>,
    webhooks: Data<WebhookService>,
    PathId(id): PathId<WebhookId>,
) -> Result<HttpResponse, Problem> {
    let was_deleted = webhooks.delete(principal.scope(), &principal.caller, id).await?;
    was_deleted.then(|| HttpResponse::NoContent().finish()).ok_or(Problem::NotFound)
}

/// The attributes that new and existing webhooks have in common.
fn read_attributes(input: &mut Attributes) -> WebhookAttributes {
    WebhookAttributes {
        name: input.name(&NAME),
        include_resources: input.texts(&INCLUDE_RESOURCES),
        is_disabled: input.either(&DISABLE, &ENABLE),
        common: input.common(),
        ..WebhookAttributes::default()
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Includes => Self::attribute(INCLUDE_RESOURCES.name, ValidationError::NotIncludable),
            WebhookError::Write(WriteWebhookError::Taken) => {
                Self::attribute(NAME.name, ValidationError::Taken)
            }
            WebhookError::Write(WriteWebhookError::TooMany) => {
                Self::attribute(NAME.name, ValidationError::TooManyWebhooks(MAX_WEBHOOKS))
            }
            WebhookError::Write(WriteWebhookError::Store(error)) => error.into(),
        }
    }
}
