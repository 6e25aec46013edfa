//! `rekey key list`.

use rekey_core::{error::StoreError, key_rotation::KeyKind};
use rekey_store_postgres::{KnownKeys, PostgresStore, SealedCount};
use serde::Serialize;

use super::{Kind, material::KeySettings};
use crate::output::{Output, Row, note, or_dash, timestamp};

/// What the database knows about keys.
pub struct Usage {
    /// Those that the API was started with last.
    pub known: Vec<KnownKeys>,
    /// What each sealing key is needed for.
    pub sealed: Vec<SealedCount>,
}

/// Reads it.
pub async fn usage(store: &PostgresStore) -> Result<Usage, StoreError> {
    Ok(Usage { known: store.known_key_lists().await?, sealed: store.sealed_counts().await? })
}

/// A key as it is printed.
#[derive(Serialize)]
struct KeyRow {
    kind: &'static str,
    id: String,
    state: &'static str,
    /// Since when the API has been started with it.
    since: Option<String>,
    /// How many of each need it, if it is a sealing key.
    resets: Option<u64>,
    events: Option<u64>,
    answers: Option<u64>,
    webhooks: Option<u64>,
}

impl Row for KeyRow {
    const COLUMNS: &'static [&'static str] =
        &["KIND", "ID", "STATE", "API SINCE", "RESETS", "EVENTS", "ANSWERS", "WEBHOOKS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.to_owned(),
            self.id.clone(),
            self.state.to_owned(),
            or_dash(self.since.as_ref()),
            or_dash(self.resets),
            or_dash(self.events),
            or_dash(self.answers),
            or_dash(self.webhooks),
        ]
    }
}

/// Prints a line for each key.
pub async fn print(settings: &KeySettings, store: &PostgresStore, output: Output) -> anyhow::Result<()> {
    let Usage { known, sealed } = usage(store).await?;
    let mut rows = Vec::new();
    for (kind, key_kind, name) in
        [(Kind::Signing, KeyKind::SigningKeys, "signing"), (Kind::Sealing, KeyKind::SealingKeys, "sealing")]
    {
        let configured = settings.keys(kind).map(|keys| keys.ids());
        if let Err(error) = &configured {
            note(&error.to_string());
        }
        let configured = configured.unwrap_or_default();
        let known = known.iter().find(|known| known.kind == key_kind);
        let known_ids = known.map(|known| known.ids.clone()).unwrap_or_default();
        let needed = sealed.iter().filter(|_| kind == Kind::Sealing).map(|needs| needs.key_id.clone());
        let mut ids = configured.clone();
        for id in known_ids.iter().cloned().chain(needed) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        for id in ids {
            let state =
                match (configured.contains(&id) || configured.is_empty(), known_ids.first() == Some(&id)) {
                    (true, true) => "in use",
                    (true, false) if known_ids.contains(&id) => "accepted",
                    (true, false) => "not started yet",
                    (false, _) => "not configured",
                };
            let since = known.filter(|known| known.ids.contains(&id)).map(|known| timestamp(known.since));
            let needs = sealed.iter().find(|needs| needs.key_id == id);
            let count = |of: fn(&SealedCount) -> u64| (kind == Kind::Sealing).then(|| needs.map_or(0, of));
            rows.push(KeyRow {
                kind: name,
                state,
                since,
                resets: count(|needs| needs.resets),
                events: count(|needs| needs.events),
                answers: count(|needs| needs.answers),
                webhooks: count(|needs| needs.webhooks),
                id,
            });
        }
    }
    output.list(&rows)
}
