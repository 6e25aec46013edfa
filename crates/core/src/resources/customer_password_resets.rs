//! The resource `customer_password_resets`.

use super::{
    Attribute, CREATED_AT, CUSTOMERS, DELIVERIES, EVENT_STORES_OF, EVENTS_OF, ID, Kind, Link, METADATA,
    REFERENCE, REFERENCE_ORIGIN, Relationship, Resource, TIME, UPDATED_AT,
};

/// Password resets of customers.
pub static CUSTOMER_PASSWORD_RESETS: Resource = Resource {
    name: "customer_password_resets",
    singular: "customer password reset",
    about: "A request to set a new password, and the single-use token that allows it.",
    listed: true,
    attributes: &[
        ID,
        CUSTOMER_EMAIL,
        Attribute::new(
            "reset_password_token",
            Kind::Token,
            "The token to send as `_reset_password_token` with the new password. Shown to integration clients, for as \
             long as it can be used.",
            r#""xhFfkmfybsLxzaAP6xcsxhFfkmfybsLxzaAP6xcs123""#,
        )
        .filterable()
        .for_back_office(),
        Attribute::new(
            "reset_password_at",
            Kind::Time,
            "When the token was used to set a new password.",
            TIME,
        )
        .filterable(),
        CUSTOMER_PASSWORD,
        TOKEN,
        CREATED_AT,
        UPDATED_AT,
        REFERENCE.for_back_office(),
        REFERENCE_ORIGIN.for_back_office(),
        METADATA.for_back_office(),
    ],
    relationships: &[
        Relationship {
            name: "customer",
            about: "The customer whose password is to be reset.",
            target: &CUSTOMERS,
            link: Link::One("customer_id"),
            filter: true,
        },
        Relationship {
            name: "deliveries",
            about: "The mails that it led to, and what became of them.",
            target: &DELIVERIES,
            link: Link::Many("reset_id"),
            filter: true,
        },
        EVENTS_OF,
        EVENT_STORES_OF,
    ],
};

/// The address of the customer.
pub const CUSTOMER_EMAIL: Attribute = Attribute::new(
    "customer_email",
    Kind::Email,
    "The e-mail address of the customer whose password is to be reset. It is read as `customers.email` is.",
    r#""john@example.com""#,
)
.required()
.for_back_office();

/// The new password, which is only written.
pub const CUSTOMER_PASSWORD: Attribute = Attribute::new(
    "customer_password",
    Kind::Password,
    "The customer's new password. Accepted only together with a token that can still be used.",
    r#""a new and secret password""#,
)
.write_only()
.updatable();

/// The token or short code that is presented with the new password; only written.
pub const TOKEN: Attribute = Attribute::new(
            "_reset_password_token",
            Kind::Token,
            "The `reset_password_token` of this reset; or the short code of its mail, where the organization has them, in \
             any case, spaces and dashes ignored.",
            r#""xhFfkmfybsLxzaAP6xcsxhFfkmfybsLxzaAP6xcs123""#,
        )
        .write_only()
        .updatable();
