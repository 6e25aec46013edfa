use super::{
    Attribute, CREATED_AT, EVENT_STORES_OF, ID, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, Resource,
    UPDATED_AT, Write,
};

/// What happened, as published to the broker.
pub static EVENTS: Resource = Resource {
    name: "events",
    singular: "event",
    about: "Something that happened to a record, as published to the broker.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new(
            "name",
            Kind::Text,
            "The event's topic, and its routing key on the broker.",
            r#""customers.create""#,
        )
        .never_null()
        .filterable()
        .sortable(),
        CREATED_AT,
        UPDATED_AT,
        none(REFERENCE, "null"),
        none(REFERENCE_ORIGIN, "null"),
        none(METADATA, "{}"),
    ],
    relationships: &[EVENT_STORES_OF],
};

/// Makes an attribute constant that the vendor's events have, and that can't be set on ours.
pub(super) const fn none(attribute: Attribute, json: &'static str) -> Attribute {
    Attribute { create: Write::Ignored, update: false, filter: false, sort: false, ..attribute }
        .constant(json)
}
