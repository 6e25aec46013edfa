use super::{
    Attribute, CREATED_AT, EVENT_STORES_OF, ID, Kind, Link, METADATA, REFERENCE, REFERENCE_ORIGIN,
    Relationship, Resource, UPDATED_AT, WEBHOOKS, events::none,
};

/// What webhooks are sent.
pub static EVENT_CALLBACKS: Resource = Resource {
    name: "event_callbacks",
    singular: "event callback",
    about: "An event that a webhook is sent, and what its receiver answered last. Kept for 30 days.",
    listed: true,
    attributes: &[
        ID,
        Attribute::new(
            "callback_url",
            Kind::Text,
            "Where the webhook received when the event was recorded.",
            r#""https://shop.example.com/hooks""#,
        )
        .never_null()
        .filterable(),
        Attribute::new(
            "payload",
            Kind::Payload,
            "What is sent: the same bytes in each attempt. Null once the customer that it is about was deleted.",
            r#"{"data":{"id":"PzdJhdLdYV","type":"customers"}}"#,
        ),
        Attribute::new(
            "response_code",
            Kind::Text,
            "The HTTP status of the last answer; null when there was none.",
            r#""200""#,
        )
        .filterable()
        .sortable(),
        Attribute::new(
            "response_message",
            Kind::Text,
            "The beginning of the last answer's body, or why there was none. Null before the first attempt.",
            r#""OK""#,
        )
        .filterable()
        .sortable(),
        CREATED_AT,
        UPDATED_AT,
        none(REFERENCE, "null"),
        none(REFERENCE_ORIGIN, "null"),
        none(METADATA, "{}"),
    ],
    relationships: &[
        Relationship {
            name: "webhook",
            about: "The webhook; null once it was deleted.",
            target: &WEBHOOKS,
            link: Link::One("webhook_id"),
            filter: true,
        },
        EVENT_STORES_OF,
    ],
};
