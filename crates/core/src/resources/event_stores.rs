use super::{
    Attribute, CREATED_AT, ID, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, Resource, UPDATED_AT,
    events::none,
};

/// The audit log.
pub static EVENT_STORES: Resource = Resource {
    name: "event_stores",
    singular: "event store",
    about: "An entry of the audit log: who changed what, when and from where; never a value.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new(
            "resource_type",
            Kind::Text,
            "The type of the record that was changed.",
            r#""customers""#,
        )
        .never_null()
        .filterable(),
        Attribute::new(
            "resource_id",
            Kind::Text,
            "The id of the record that was changed.",
            r#""PzdJhdLdYV""#,
        )
        .never_null()
        .filterable(),
        Attribute::new(
            "event",
            Kind::Text,
            "What was done: `create`, `update`, `destroy`, `reset_password` or `lift_suppression`.",
            r#""update""#,
        )
        .never_null()
        .filterable(),
        Attribute::new(
            "ip_address",
            Kind::Text,
            "The network address that it was done from, if known.",
            r#""2001:db8::7""#,
        ),
        Attribute::new(
            "payload",
            Kind::Object,
            "The names of the attributes that were written. Their values are not kept.",
            r#"{"attributes":["email"]}"#,
        )
        .never_null(),
        Attribute::new(
            "who",
            Kind::Object,
            "Who did it: the API client, and the customer who was logged in, if any.",
            r#"{"application":{"id":"DNOPYiZYpn"},"owner":{"id":"yQQrBhLBmQ","type":"Customer"}}"#,
        )
        .never_null(),
        CREATED_AT,
        UPDATED_AT,
        none(REFERENCE, "null"),
        none(REFERENCE_ORIGIN, "null"),
        none(METADATA, "{}"),
    ],
    relationships: &[],
};
