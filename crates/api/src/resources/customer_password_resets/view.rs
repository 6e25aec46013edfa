//! What each kind of caller sees of a reset.

use rekey_core::{recovery::Receipt, reset::PasswordReset, secret::ResetToken};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    api::Api,
    auth::principal::Session,
    jsonapi::{
        document::{Resource, timestamp},
        error::Problem,
    },
};

/// The resource's type.
pub const TYPE: &str = "customer_password_resets";

/// For an integration client: all of it, with the token while that can be used.
pub fn full(api: &Api, session: &Session, reset: &PasswordReset) -> Result<Resource, Problem> {
    let token = api.recovery.reveal(session.scope(), reset)?;
    let attributes = json!({
        "customer_email": reset.customer_email.as_str(),
        "reset_password_token": token.as_ref().map(ResetToken::expose),
        "reset_password_at": reset.reset_password_at.map(timestamp),
        "created_at": timestamp(reset.created_at),
        "updated_at": timestamp(reset.updated_at),
        "reference": reset.reference.reference,
        "reference_origin": reset.reference.reference_origin,
        "metadata": reset.reference.metadata,
    });
    Ok(resource(api, session, reset.id.as_str(), attributes))
}

/// For a guest who asked for one: what it would see of any.
pub fn receipt(api: &Api, session: &Session, Receipt { id, created_at }: Receipt) -> Resource {
    resource(api, session, id.as_str(), blank(None, created_at, created_at))
}

/// For a storefront that used one.
pub fn used(api: &Api, session: &Session, reset: &PasswordReset) -> Resource {
    let attributes = blank(reset.reset_password_at, reset.created_at, reset.updated_at);
    resource(api, session, reset.id.as_str(), attributes)
}

/// All attributes, with no word about the token, the customer, and what the back office attached.
fn blank(used_at: Option<OffsetDateTime>, created_at: OffsetDateTime, updated_at: OffsetDateTime) -> Value {
    json!({
        "customer_email": null,
        "reset_password_token": null,
        "reset_password_at": used_at.map(timestamp),
        "created_at": timestamp(created_at),
        "updated_at": timestamp(updated_at),
        "reference": null,
        "reference_origin": null,
        "metadata": Map::new(),
    })
}

fn resource(api: &Api, session: &Session, id: &str, attributes: Value) -> Resource {
    Resource::new(
        &api.public_url,
        TYPE,
        id,
        session.scope(),
        attributes,
        &["customer", "events", "event_stores"],
    )
}
