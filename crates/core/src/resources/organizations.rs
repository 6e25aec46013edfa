use super::{Attribute, CREATED_AT, ID, Kind, Resource, UPDATED_AT};

/// The caller's organization, as far as its storefront needs it: the vendor's branding attributes that can be set here, and our rules for
/// new passwords. It is read by itself, not in a list.
pub static ORGANIZATIONS: Resource = Resource {
    name: "organizations",
    singular: "organization",
    about: "The shop that the access token is for: its name and look, and what new passwords must be, so that a storefront can say so \
            before one is typed.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new("name", Kind::Text, "The shop's name, as customers read it.", r#""Acme Shop""#)
            .never_null(),
        Attribute::new("slug", Kind::Text, "The shop's unique short name.", r#""acme""#).never_null(),
        Attribute::new(
            "primary_color",
            Kind::Text,
            "The colour of the shop's mails and hosted pages.",
            r##""#1f5fbf""##,
        )
        .never_null(),
        Attribute::new(
            "support_email",
            Kind::Email,
            "Where customers get help, if that is an address.",
            r#""help@shop.example""#,
        ),
        Attribute::new(
            "password_min_length",
            Kind::Integer,
            "The minimum number of characters (Unicode code points, after normalization to Form C) of a new password. The maximum is 1024 bytes. \
             There are no other rules of composition, but common passwords, simple patterns, the customer's address and the shop's \
             name are refused.",
            "8",
        )
        .never_null(),
        Attribute::new(
            "password_rules",
            Kind::Text,
            "The same in sentences for whoever chooses a password, in the first language of `Accept-Language` that there is, or the \
             shop's own.",
            r#""At least 8 characters. Any characters will do, spaces too.""#,
        )
        .never_null(),
        CREATED_AT,
        UPDATED_AT,
    ],
    relationships: &[],
};
