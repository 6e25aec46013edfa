use strum::VariantNames;

use super::{
    Attribute, CREATED_AT, ID, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, Resource, UPDATED_AT,
    events::none,
};
use crate::events::audit::Action;

/// The audit log.
pub static EVENT_STORES: Resource = Resource {
    name: "event_stores",
    singular: "event store",
    about: "An entry of the audit log: who changed what, or logged in, when and from where; never a value.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new(
            "resource_type",
            Kind::Text,
            "The type of the record that it is about: that of a resource of this API, or `api_clients`, `organizations`, `signing_keys` or \
             `sealing_keys`.",
            r#""customers""#,
        )
        .never_null()
        .filterable(),
        Attribute::new(
            "resource_id",
            Kind::Text,
            "The id of the record that it is about; null once the entry's personal fields were erased. Of rotated keys, the id of the one \
             that is used now.",
            r#""PzdJhdLdYV""#,
        )
        .filterable(),
        Attribute::new(
            "event",
            Kind::Text,
            "What was done: `create`, `update`, `destroy`, `reset_password`, `disavow` (of a reset), `restore_email`, `sign_in`, \
             `sign_in_failed`, `sign_in_throttled`, `refresh_token_reused`, `email_change_throttled`, `anonymize` (of a customer), `code_throttled` \
             (of a reset), `lift_suppression` and `resend` (of a delivery), `replay_dead_letter`, `drop_dead_letter` and `trigger` (of an event), `replay` (of an event callback, a webhook or an organization), `revoke` (of an API client) or `rotate_keys`.",
            r#""update""#,
        )
        .one_of(Action::VARIANTS)
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
            "The names of the attributes that were written; their values are not kept. `occurrences`, where it was done more than once: \
             beyond ten log-ins of a customer with the same outcome in an hour, one entry has the others.",
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
