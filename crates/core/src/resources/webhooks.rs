//! The resource `webhooks`.

use strum::VariantNames;

use super::{
    Attribute, CREATED_AT, EVENT_CALLBACKS, EVENT_STORES_OF, ID, Kind, Link, METADATA, REFERENCE,
    REFERENCE_ORIGIN, Relationship, Resource, TIME, UPDATED_AT,
};
use crate::events::EventName;

/// The receivers that are sent events.
pub static WEBHOOKS: Resource = Resource {
    name: "webhooks",
    singular: "webhook",
    about: "A receiver of the shop that is sent the events of a topic, each as a signed POST.",
    listed: true,
    attributes: &[
        ID,
        NAME,
        TOPIC,
        CALLBACK_URL,
        INCLUDE_RESOURCES,
        Attribute::new(
            "circuit_state",
            Kind::Text,
            "`closed`, or `open` after 30 failed attempts in a row: events are recorded as callbacks and wait until `_reset_circuit`.",
            r#""closed""#,
        )
        .one_of(&["closed", "open"])
        .never_null()
        .filterable()
        .sortable(),
        Attribute::new("circuit_failure_count", Kind::Integer, "How many attempts in a row have failed.", "0")
            .never_null()
            .filterable()
            .sortable(),
        Attribute::new(
            "shared_secret",
            Kind::SharedSecret,
            "The secret that signs what is sent: base64 of 32 bytes. Behind `whsec_` it is a secret of Standard Webhooks.",
            r#""MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=""#,
        ),
        Attribute::new("disabled_at", Kind::Time, "Since when it is sent nothing.", TIME).filterable().sortable(),
        DISABLE,
        ENABLE,
        RESET_CIRCUIT,
        REGENERATE_SECRET,
        CREATED_AT,
        UPDATED_AT,
        REFERENCE,
        REFERENCE_ORIGIN,
        METADATA,
    ],
    relationships: &[
        Relationship {
            name: "last_event_callbacks",
            about: "What it was sent in the last 30 days.",
            target: &EVENT_CALLBACKS,
            link: Link::Many("webhook_id"),
            filter: true,
        },
        EVENT_STORES_OF,
    ],
};

/// The name.
pub const NAME: Attribute = Attribute::new(
    "name",
    Kind::Text,
    "The webhook's name, unique in the shop; `Webhook {id}` by default.",
    r#""Password resets""#,
)
.creatable()
.updatable()
.filterable();

/// The topic.
pub const TOPIC: Attribute = Attribute::new(
    "topic",
    Kind::Text,
    "The events that it is sent: the name of one, such as `customers.create`.",
    r#""customer_password_resets.create""#,
)
.one_of(EventName::VARIANTS)
.required()
.updatable()
.filterable();

/// The address of the receiver.
pub const CALLBACK_URL: Attribute = Attribute::new(
    "callback_url",
    Kind::Text,
    "Where it receives: an https URL (http only to this machine) of at most 2,048 characters, without credentials.",
    r#""https://shop.example.com/hooks""#,
)
.required()
.updatable();

/// The relationships that are included.
pub const INCLUDE_RESOURCES: Attribute = Attribute::new(
    "include_resources",
    Kind::Texts,
    "The relationships of the topic's resource that are included, as in `include`.",
    r#"["customer"]"#,
)
.never_null()
.creatable()
.updatable();

/// Disables it.
pub const DISABLE: Attribute = trigger("_disable", "`true` disables it: it is sent nothing.").creatable();

/// Enables it.
pub const ENABLE: Attribute =
    trigger("_enable", "`true` enables it again. What was recorded before is sent then.").creatable();

/// Closes its circuit.
pub const RESET_CIRCUIT: Attribute =
    trigger("_reset_circuit", "`true` closes its circuit, and what waits is sent.");

/// Replaces its secret.
pub const REGENERATE_SECRET: Attribute = trigger(
    "_regenerate_shared_secret",
    "`true` replaces its secret. The former one signs along for 24 hours.",
);

const fn trigger(name: &'static str, about: &'static str) -> Attribute {
    // Tools fill bodies with the examples.
    Attribute::new(name, Kind::Boolean, about, "false").write_only().updatable()
}
