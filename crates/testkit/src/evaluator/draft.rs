use std::convert::Infallible;

use proptest::{option, prelude::*, sample::select};
use rekey_core::{
    attributes::CommonAttributes,
    customers::CustomerAttributes,
    ids::RecordId,
    resources::{
        Attribute, EVENT_STORES, Resource,
        record::{Record, Value},
    },
};
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

use super::{object, text, time};
use crate::seed;

/// The values in which records differ from each other.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub reference: Option<String>,
    pub origin: Option<String>,
    pub locale: Option<&'static str>,
    /// The status of the customer's request for anonymization.
    pub anonymization: Option<&'static str>,
    pub metadata: Map<String, Json>,
    pub created_at: OffsetDateTime,
    /// The time of the last change; for an event the time when it was published, for an audit entry unused.
    pub updated_at: OffsetDateTime,
    /// The number of the reset's customer.
    pub of: usize,
    pub fate: Fate,
}

/// The state of a reset's token. For a customer, `Pending` means no password.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Pending,
    Used(OffsetDateTime),
    Superseded,
    Expired,
}

impl Fate {
    pub fn used_at(self) -> Option<OffsetDateTime> {
        match self {
            Self::Used(at) => Some(at),
            _ => None,
        }
    }
}

impl Draft {
    fn plain(&self, attribute: &str) -> Value {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, seed::text);
        match attribute {
            "reference" => text(&self.reference),
            "reference_origin" => text(&self.origin),
            "locale" => self.locale.map_or(Value::Null, seed::text),
            "metadata" => Value::Object(self.metadata.clone()),
            _ => Value::Null,
        }
    }

    pub fn common(&self) -> CommonAttributes {
        CommonAttributes {
            reference: self.reference.clone().into(),
            reference_origin: self.origin.clone().into(),
            metadata: Some(self.metadata.clone()),
        }
    }

    pub fn of_customer(&self) -> CustomerAttributes {
        CustomerAttributes {
            locale: self.locale.map(|tag| tag.parse().unwrap()).into(),
            common: self.common(),
        }
    }

    pub fn record(
        &self,
        resource: &'static Resource,
        id: RecordId,
        links: impl Fn(&str) -> Option<RecordId>,
        own: impl Fn(&str) -> Value,
    ) -> Record {
        let value = |attribute: &'static Attribute, _| {
            Ok::<_, Infallible>(match attribute.name {
                "created_at" => Value::Time(self.created_at),
                "updated_at" if resource == &EVENT_STORES => Value::Time(self.created_at),
                "updated_at" => Value::Time(self.updated_at),
                name => Some(own(name)).filter(|own| *own != Value::Null).unwrap_or_else(|| self.plain(name)),
            })
        };
        let Ok(record) = Record::read(resource, id, value, |column| Ok(links(column)));
        record
    }
}

/// Generates drafts of records for that many customers.
pub(super) fn draft(customers: usize) -> impl Strategy<Value = Draft> {
    let fate = prop_oneof![
        3 => Just(Fate::Pending),
        3 => time().prop_map(Fate::Used),
        1 => Just(Fate::Superseded),
        1 => Just(Fate::Expired),
    ];
    let locale = option::weighted(0.8, select(&["de", "de-AT", "pt-BR", "zh-Hant-TW", "sv"][..]));
    let anonymization = option::weighted(0.5, select(&["requested", "completed", "cancelled"][..]));
    let attributes =
        (option::weighted(0.8, text()), option::weighted(0.8, text()), locale, anonymization, object());
    (attributes, time(), time(), 0..customers, fate).prop_map(
        |((reference, origin, locale, anonymization, metadata), created_at, updated_at, of, fate)| Draft {
            reference,
            origin,
            locale,
            anonymization,
            metadata,
            created_at,
            updated_at,
            of,
            fate,
        },
    )
}
