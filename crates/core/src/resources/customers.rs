//! The resource `customers`.

use strum::VariantNames;

use super::{
    Attribute, CREATED_AT, CUSTOMER_GROUPS, CUSTOMER_PASSWORD_RESETS, DELIVERIES, EVENT_STORES_OF, EVENTS_OF,
    ID, Kind, Link, METADATA, REFERENCE, REFERENCE_ORIGIN, Relationship, Resource, TAGS, UPDATED_AT,
};
use crate::customers::anonymization::AnonymizationStatus;

/// Customers. The vendor's attributes about orders, payments and taxes have the values of a customer without any.
pub static CUSTOMERS: Resource = Resource {
    name: "customers",
    singular: "customer",
    about: "A person with an account at the shop.",
    listed: true,
    attributes: &[
        ID,
        EMAIL,
        PASSWORD,
        Attribute::new("status", Kind::Text, "Always `prospect`: there are no orders here.", r#""prospect""#)
            .constant(r#""prospect""#)
            .never_null(),
        Attribute::new(
            "has_password",
            Kind::Boolean,
            "Whether the customer has a password to log in with.",
            "true",
        )
        .never_null()
        .filterable(),
        LOCALE,
        Attribute::new("total_orders_count", Kind::Integer, "Always 0: there are no orders here.", "0")
            .constant("0"),
        Attribute::new("shopper_reference", Kind::Text, "Always null: there are no payments here.", "null")
            .constant("null"),
        Attribute::new("profile_id", Kind::Text, "Always null: there are no external profiles here.", "null")
            .constant("null"),
        Attribute::new("tax_exemption_code", Kind::Text, "Always null: there are no taxes here.", "null")
            .constant("null"),
        Attribute::new(
            "jwt_custom_claim",
            Kind::Object,
            "Always null: tokens have no custom claims here.",
            "null",
        )
        .constant("null"),
        REQUEST_ANONYMIZATION,
        CANCEL_ANONYMIZATION,
        Attribute::new(
            "anonymization_info",
            Kind::Object,
            "The last request to anonymize the customer: its status, its times, and the ids of the API clients that made and cancelled it.",
            r#"{"status":"requested","requested_at":"2025-03-15 11:39:21 UTC","requester":{"id":"fdgtSJhhAb"}}"#,
        )
        .for_back_office(),
        ANONYMIZATION_STATUS,
        ADD_TAGS,
        REMOVE_TAGS,
        CREATED_AT,
        UPDATED_AT,
        REFERENCE,
        REFERENCE_ORIGIN,
        METADATA,
    ],
    relationships: &[
        Relationship {
            name: "customer_password_resets",
            about: "The customer's password resets.",
            target: &CUSTOMER_PASSWORD_RESETS,
            link: Link::Many("customer_id"),
            filter: true,
        },
        Relationship {
            name: "deliveries",
            about: "The mails to the customer, and what became of them.",
            target: &DELIVERIES,
            link: Link::Many("customer_id"),
            filter: true,
        },
        Relationship {
            name: "customer_group",
            about: "Always empty: there are no groups of customers here.",
            target: &CUSTOMER_GROUPS,
            link: Link::EmptyOne,
            filter: false,
        },
        Relationship {
            name: "tags",
            about: "Always empty: there are no tags here.",
            target: &TAGS,
            link: Link::EmptyMany,
            filter: false,
        },
        EVENTS_OF,
        EVENT_STORES_OF,
    ],
};

/// The address.
pub const EMAIL: Attribute = Attribute::new(
    "email",
    Kind::Email,
    "The customer's e-mail address, unique in the shop. Blanks around it are dropped, letters become lower case, and a domain \
     in Unicode becomes its A-labels (`xn--…`).",
    r#""john@example.com""#,
)
.required()
.updatable()
.filterable()
.sortable();

/// The password, which is only written.
pub const PASSWORD: Attribute = Attribute::new(
    "password",
    Kind::Password,
    "The customer's password. Setting it ends the customer's sessions and pending resets.",
    r#""a new and secret password""#,
)
.write_only()
.creatable()
.updatable();

/// Requests the anonymization of the customer.
pub const REQUEST_ANONYMIZATION: Attribute = Attribute::new(
    "_request_anonymization",
    Kind::Boolean,
    "`true` requests the anonymization of the customer, which can be cancelled until it is carried out, a day later by default. Only for \
     integrations; from others it has no effect.",
    // Tools fill bodies with the examples.
    "false",
)
.write_only()
.updatable();

/// The status of the last request for it.
pub const ANONYMIZATION_STATUS: Attribute = Attribute::new(
    "anonymization_status",
    Kind::Text,
    "The status of the last request to anonymize the customer: `requested`, `completed` or `cancelled`. Null: there was none.",
    r#""requested""#,
)
.one_of(AnonymizationStatus::VARIANTS)
.filterable()
.sortable();

/// Cancels a request for it.
pub const CANCEL_ANONYMIZATION: Attribute = Attribute::new(
    "_cancel_anonymization",
    Kind::Boolean,
    "`true` cancels a request to anonymize the customer that is not carried out yet. Only for integrations; from others it has no effect.",
    // Tools fill bodies with the examples.
    "false",
)
.write_only()
.updatable();

/// Adds tags at the vendor.
pub const ADD_TAGS: Attribute = Attribute::new(
    "_add_tags",
    Kind::Text,
    "Names of tags, separated by commas. Has no effect: there are no tags here, and the vendor discards names that do not exist.",
    r#""vip,wholesale""#,
)
.write_only()
.creatable()
.updatable();

/// Removes tags at the vendor.
pub const REMOVE_TAGS: Attribute = Attribute::new(
    "_remove_tags",
    Kind::Text,
    "Names of tags, separated by commas. Has no effect: there are no tags here.",
    r#""vip,wholesale""#,
)
.write_only()
.creatable()
.updatable();

/// The language that the customer reads.
pub const LOCALE: Attribute = Attribute::new(
            "locale",
            Kind::Locale,
            "The language that the customer reads, as a BCP 47 tag such as `de` or `pt-BR`: mails are in it, or, where there are no \
             texts in it, in the first language of the request's `Accept-Language` that there is, or the shop's own. Null: not known. \
             It is never guessed from a request.",
            r#""pt-BR""#,
        )
        .creatable()
        .updatable()
        .filterable();
