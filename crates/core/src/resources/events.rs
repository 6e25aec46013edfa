//! The resource `events`.

use strum::VariantNames;

use super::{
    Attribute, CREATED_AT, EVENT_CALLBACKS, EVENT_STORES_OF, ID, Kind, Link, METADATA, REFERENCE,
    REFERENCE_ORIGIN, Relationship, Resource, UPDATED_AT, WEBHOOKS, Write,
};
use crate::events::EventName;

/// What happened, as published to the broker.
pub static EVENTS: Resource = Resource {
    name: "events",
    singular: "event",
    about: "Something that happened to a record, as published to the broker.",
    listed: true,
    attributes: &[
        ID,
        Attribute::new(
            "name",
            Kind::Text,
            "The event's topic, and its routing key on the broker.",
            r#""customers.create""#,
        )
        .one_of(EventName::VARIANTS)
        .never_null()
        .filterable()
        .sortable(),
        TRIGGER,
        CREATED_AT,
        UPDATED_AT,
        none(REFERENCE, "null"),
        none(REFERENCE_ORIGIN, "null"),
        none(METADATA, "{}"),
    ],
    relationships: &[
        Relationship {
            name: "webhooks",
            about: "The webhooks of its topic.",
            target: &WEBHOOKS,
            link: Link::Same { own: "name", other: "topic" },
            filter: false,
        },
        Relationship {
            name: "last_event_callbacks",
            about: "What webhooks were sent of it in the last 30 days.",
            target: &EVENT_CALLBACKS,
            link: Link::Many("event_id"),
            filter: true,
        },
        EVENT_STORES_OF,
    ],
};

/// Sends the event to its webhooks again.
pub const TRIGGER: Attribute = Attribute::new(
    "_trigger",
    Kind::Boolean,
    "`true` sends the event to the webhooks of its topic again, with the record as it is now.",
    // Tools fill bodies with the examples.
    "false",
)
.write_only()
.updatable();

/// Makes an attribute constant that the vendor's events have, and that can't be set on ours.
pub(super) const fn none(attribute: Attribute, json: &'static str) -> Attribute {
    Attribute { create: Write::Ignored, update: false, filter: false, sort: false, ..attribute }
        .constant(json)
}
