//! A look at the relays, for `rekey doctor`.

use std::time::Duration;

use super::SmtpTransport;

/// A relay that accepted a connection and, if one is configured, the log-in.
#[derive(Debug, Clone, PartialEq)]
pub struct UsableRelay {
    /// How long its certificate is still valid, if the connection is encrypted.
    pub certificate_ttl: Option<Duration>,
}

/// Why a relay can't be used, and what an operator can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayProblem {
    pub reason: String,
    pub advice: &'static str,
}

impl SmtpTransport {
    /// Opens a connection to each relay as for a mail, within that time, and closes it.
    pub async fn probe(&self, limit: Duration) -> Vec<Result<UsableRelay, RelayProblem>> {
        let mut found = Vec::new();
        for relay in &self.relays {
            let probed = relay.probe(limit).await.map(|()| {
                let mut certificate_ttl = None;
                relay.certificate_expiry().with(|seconds| {
                    certificate_ttl = Duration::try_from_secs_f64(seconds).ok();
                });
                UsableRelay { certificate_ttl }
            });
            found.push(probed.map_err(|unusable| RelayProblem {
                advice: unusable.cause.advice(),
                reason: unusable.reason,
            }));
        }
        found
    }
}
