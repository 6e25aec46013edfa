use super::{Attribute, CREATED_AT, ID, Kind, METADATA, REFERENCE, REFERENCE_ORIGIN, Resource, UPDATED_AT};

/// The vendor's groups of customers, which give access to markets.
pub static CUSTOMER_GROUPS: Resource = Resource {
    name: "customer_groups",
    singular: "customer group",
    about: "A group of customers. There are none here: customers answer as those who are in none.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new("name", Kind::Text, "The group's name.", r#""First tier""#).never_null(),
        Attribute::new("code", Kind::Text, "The group's own identifier.", r#""europe1""#),
        CREATED_AT,
        UPDATED_AT,
        REFERENCE,
        REFERENCE_ORIGIN,
        METADATA,
    ],
    relationships: &[],
};

/// The vendor's tags.
pub static TAGS: Resource = Resource {
    name: "tags",
    singular: "tag",
    about: "A tag of records. There are none here: customers answer as those who have none.",
    listed: false,
    attributes: &[
        ID,
        Attribute::new("name", Kind::Text, "The tag's unique name.", r#""new_campaign""#)
            .never_null()
            .filterable()
            .sortable(),
        CREATED_AT,
        UPDATED_AT,
        REFERENCE,
        REFERENCE_ORIGIN,
        METADATA,
    ],
    relationships: &[],
};
