//! `[retention]`: how long records are kept.

use rekey_core::cleanup;
use serde::{Deserialize, Deserializer, de::Error};
use time::Duration;

use crate::config::fields::Within;

/// How long records are kept, and customers that are to be anonymized.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    #[serde(rename = "resets_days", deserialize_with = "days")]
    resets: Option<Duration>,
    #[serde(rename = "deliveries_days", deserialize_with = "days")]
    deliveries: Option<Duration>,
    #[serde(rename = "events_days", deserialize_with = "days")]
    events: Option<Duration>,
    #[serde(rename = "audit_days", deserialize_with = "days")]
    audit: Option<Duration>,
    #[serde(rename = "anonymization_delay_hours", deserialize_with = "hours")]
    /// How long after its request a customer is anonymized.
    pub anonymization_delay: Duration,
}

impl From<Retention> for cleanup::Retention {
    fn from(Retention { resets, deliveries, events, audit, .. }: Retention) -> Self {
        Self { resets, deliveries, events, audit }
    }
}

/// Up to 30 days: the law gives a month to erase what a person asks to be erased (GDPR, article 12(3)).
fn hours<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    Within::<0, 720>::integer(value).map(Duration::hours)
}

/// Longer than any token, idempotency key or window lasts, each of which can be set to at most 7 days; up to 100 years.
fn days<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let days = Within::<0, 36_500>::integer(value);
    match days.map_err(|_: D::Error| ()) {
        Ok(0) => Ok(None),
        Ok(days @ 8..) => Ok(Some(Duration::days(days))),
        _ => Err(D::Error::custom("0 or an integer from 8 to 36500")),
    }
}
