use strum::VariantNames;

use super::{
    Attribute, CREATED_AT, CUSTOMER_PASSWORD_RESETS, CUSTOMERS, EVENT_STORES_OF, ID, Kind, Link,
    Relationship, Resource, TIME, UPDATED_AT,
};
use crate::deliveries::MailName;

/// The mails to customers.
pub static DELIVERIES: Resource = Resource {
    name: "deliveries",
    singular: "delivery",
    about: "A mail to a customer, and what became of it. Its id is that of the event that led to it.",
    listed: true,
    attributes: &[
        ID,
        Attribute::new(
            "mail",
            Kind::Text,
            "Which mail, by the name of its template: `reset_requested` is the one with the link.",
            r#""reset_requested""#,
        )
        .one_of(MailName::VARIANTS)
        .never_null()
        .filterable(),
        Attribute::new("status", Kind::Text, STATUS, r#""sent""#).one_of(&STATUSES).never_null().filterable(),
        Attribute::new(
            "attempts",
            Kind::Integer,
            "The number of attempts that were made. None is counted while no relay can be used.",
            "1",
        )
        .never_null(),
        Attribute::new(
            "in_doubt",
            Kind::Integer,
            "How many attempts ended without a result: each of them may have handed the mail over.",
            "0",
        )
        .never_null(),
        Attribute::new(
            "smtp_code",
            Kind::Integer,
            "The last reply code of a mail server, 200 to 599 (RFC 5321).",
            "250",
        )
        .filterable(),
        Attribute::new(
            "smtp_enhanced_code",
            Kind::Text,
            "The enhanced status code of that reply (RFC 3463).",
            r#""2.0.0""#,
        ),
        Attribute::new(
            "detail",
            Kind::Text,
            "What the mail server said, or why the mail was not sent. It holds no address.",
            r#""250 2.0.0 Ok: queued""#,
        ),
        Attribute::new("relay", Kind::Text, "Which mail server took it.", r#""smtp.example.com:587""#),
        Attribute::new("sent_at", Kind::Time, "When a mail server took it.", TIME),
        Attribute::new(
            "next_attempt_at",
            Kind::Time,
            "When the next attempt is due, while the mail is deferred.",
            "null",
        ),
        CREATED_AT,
        Attribute {
            about: "When its status was last changed: what to ask and to sort by for what has changed since.",
            ..UPDATED_AT
        },
    ],
    relationships: &[
        Relationship {
            name: "customer",
            about: "The customer who gets the mail.",
            target: &CUSTOMERS,
            link: Link::One("customer_id"),
            filter: true,
        },
        Relationship {
            name: "customer_password_reset",
            about: "The reset that led to the mail, if it was one.",
            target: &CUSTOMER_PASSWORD_RESETS,
            link: Link::One("reset_id"),
            filter: true,
        },
        EVENT_STORES_OF,
    ],
};

/// All that API clients see: none sees the mail of a decoy.
const STATUSES: [&str; 7] = ["queued", "sent", "deferred", "bounced", "suppressed", "expired", "failed"];

const STATUS: &str = "\
How far it has come: `queued` (not sent yet), `sent` (a mail server took it), `deferred` (not taken, another attempt \
follows), `bounced` (refused for good, also later by the server of the recipient), `suppressed` (the address refused a mail \
before, so none is sent to it until an operator lifts that), `expired` (the reset was used, superseded, deleted or expired before the mail was sent, or the mail is \
too old) or `failed` (it can't be sent, for a reason of the service's own).";
