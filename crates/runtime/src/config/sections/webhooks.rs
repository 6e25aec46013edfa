//! `[webhooks]`: where webhooks may be sent to, and how many at once.

use ipnet::IpNet;
use serde::Deserialize;

use super::server::networks;
use crate::config::fields::Within;

/// The limits of what is sent to webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Networks with special addresses that may be reached all the same.
    #[serde(deserialize_with = "networks")]
    pub allowed_networks: Vec<IpNet>,
    /// How many a process sends at once.
    #[serde(deserialize_with = "Within::<1, 1000>::integer")]
    pub concurrency: u32,
    /// How many all processes send to one webhook at once.
    #[serde(deserialize_with = "Within::<1, 100>::integer")]
    pub webhook_concurrency: u32,
    /// How many all processes send for one organization at once.
    #[serde(deserialize_with = "Within::<1, 1000>::integer")]
    pub organization_concurrency: u32,
}
