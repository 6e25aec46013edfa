use super::{Attribute, CREATED_AT, ID, Kind, Resource, UPDATED_AT};

/// The caller's organization: the vendor's attributes, of which those for its storefront have a value and the others are null, and our
/// rules for new passwords. It is read by itself, not in a list.
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
        Attribute::new("domain", Kind::Text, "The shop's host name.", r#""acme.shop.example""#).never_null(),
        Attribute::new(
            "support_phone",
            Kind::Text,
            "The telephone number at which customers get help.",
            r#""+39 02 1234567""#,
        ),
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
        Attribute::new("logo_url", Kind::Text, "The URL of the shop's logo.", r#""https://shop.example/logo.svg""#),
        Attribute::new(
            "favicon_url",
            Kind::Text,
            "The URL of the shop's icon in browsers' tabs.",
            r#""https://shop.example/favicon.ico""#,
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
        unused("reference"),
        unused("reference_origin"),
        unused("metadata"),
        unused("gtm_id"),
        unused("gtm_id_test"),
        unused("config"),
        unused("api_auth_redirect"),
        unused("api_fragment_caching_enabled"),
        unused("api_rules_engine"),
        unused("api_rules_engine_max_conditions_size"),
        unused("api_rules_engine_max_rules_size"),
        unused("api_new_auth"),
        unused("api_purge_single_resource"),
        unused("api_max_regex_length"),
        unused("addresses_avs_check"),
        unused("addresses_phone_required"),
        unused("orders_sales_channel_guest_only"),
        unused("orders_min_rebuild_shipments_lapse"),
        unused("orders_min_refresh_lapse"),
        unused("orders_autorefresh_cutoff_test"),
        unused("orders_autorefresh_cutoff_live"),
        unused("orders_number_editable_test"),
        unused("orders_number_editable_live"),
        unused("orders_number_as_reference"),
        unused("orders_invalid_coupon_errors"),
        unused("orders_invalid_gift_card_errors"),
        unused("orders_validate_shipping_stock"),
        unused("bundles_max_items_count"),
        unused("coupons_min_code_length"),
        unused("coupons_max_code_length"),
        unused("gift_cards_exact_code_matching"),
        unused("gift_cards_min_code_length"),
        unused("gift_cards_max_code_length"),
        unused("cleanups_max_concurrent_count"),
        unused("exports_max_concurrent_count"),
        unused("imports_max_concurrent_count"),
        unused("imports_purge_cache"),
        unused("imports_skip_errors"),
        unused("inventory_models_max_stock_locations_cutoff"),
        unused("promotions_max_concurrent_count"),
        unused("promotions_max_conditions_size"),
        unused("promotions_max_rules_size"),
        unused("price_lists_max_conditions_size"),
        unused("price_lists_max_rules_size"),
        unused("imports_trigger_webhooks"),
        unused("discount_engines_enabled"),
        unused("discount_engines_errors"),
        unused("tags_max_name_length"),
        unused("tags_max_allowed_number"),
        unused("tax_calculators_errors"),
        unused("external_promotions_errors"),
        unused("external_prices_errors"),
        unused("skus_discovery"),
        unused("payment_gateways_transaction_on_event"),
    ],
    relationships: &[],
};

/// An attribute of the vendor's organizations, as SDK 6.58 and 7.12 list them, that means nothing here.
const fn unused(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Text, "The vendor's attribute, which has no meaning here.", "null")
        .constant("null")
}
