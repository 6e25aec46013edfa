//! The keys: whether those of the configuration are the ones that the API was started with and that records need, and how old they are.

use rekey_core::{
    error::StoreError,
    gauges::{GaugeStore, KeyAges},
    key_rotation::KeyKind,
};
use rekey_runtime::config::Configuration;
use rekey_store_postgres::PostgresStore;
use time::Duration;

use super::{database::unreadable, finding::Finding, settings};
use crate::key::{KeySettings, Kind, Usage, usage};

/// The longest use of a key without a warning: as in the alert `RekeyKeyOld`.
const MAX_AGE: Duration = Duration::days(400);

/// Checks both lists of keys, as far as they are set.
pub async fn check(configuration: &Configuration, store: &PostgresStore) -> Vec<Finding> {
    let keys: KeySettings = match settings(configuration, "keys") {
        Ok(keys) => keys,
        Err(skipped) => return vec![skipped],
    };
    let (usage, ages) = match read(store).await {
        Ok(read) => read,
        Err(error) => return vec![unreadable("keys", &error)],
    };
    let kinds =
        [(Kind::Signing, "keys.signing", ages.signing), (Kind::Sealing, "keys.sealing", ages.sealing)];
    kinds.into_iter().flat_map(|(kind, check, age)| check_kind(&keys, kind, check, age, &usage)).collect()
}

async fn read(store: &PostgresStore) -> Result<(Usage, KeyAges), StoreError> {
    Ok((usage(store).await?, store.key_ages().await?))
}

fn check_kind(
    keys: &KeySettings,
    kind: Kind,
    check: &str,
    age: Option<Duration>,
    usage: &Usage,
) -> Vec<Finding> {
    if !keys.is_set(kind) {
        return vec![Finding::skipped(check, "they are not set here")];
    }
    let keys = match keys.keys(kind) {
        Ok(keys) => keys,
        Err(error) => {
            return vec![Finding::fail(check, format!("{error:#}"), "make one: deploy/make-secrets.sh")];
        }
    };
    let (ids, setting) = (keys.ids(), keys.setting());
    let mut findings = Vec::new();
    if kind == Kind::Sealing {
        for needs in usage.sealed.iter().filter(|needs| !ids.contains(&needs.key_id)) {
            let found = format!(
                "{setting} has no {}, which {} pending resets, {} events and {} stored answers need",
                needs.key_id, needs.resets, needs.events, needs.answers
            );
            let fix = "put it back into the list: docs/runbooks/lost-sealing-key.md";
            findings.push(Finding::fail(check, found, fix));
        }
    }
    let known = usage.known.iter().find(|known| known.kind == KeyKind::from(kind));
    let used = known.and_then(|known| known.ids.first());
    if let Some(used) = used.filter(|used| Some(*used) != ids.first()) {
        let found =
            format!("{setting} has {} in front, and rekey-api was started with {used}", ids.join(", "));
        let fix = "give all processes the same list, and replace them: `rekey key list` shows the state";
        findings.push(Finding::warn(check, found, fix));
    }
    match age {
        Some(age) if age > MAX_AGE => {
            let found = format!("the key in use is {} days old", age.whole_days());
            let fix = "rotate it: docs/operations.md, Rotate the signing key and Rotate the sealing key";
            findings.push(Finding::warn(check, found, fix));
        }
        Some(age) if findings.is_empty() => {
            findings.push(Finding::ok(check, format!("in use for {} days", age.whole_days())));
        }
        None if findings.is_empty() => findings.push(Finding::ok(check, "not used by rekey-api yet")),
        Some(_) | None => {}
    }
    findings
}
