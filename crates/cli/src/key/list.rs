//! `rekey key list`.

use rekey_core::key_rotation::KeyKind;
use rekey_store_postgres::{KnownKeys, PostgresStore, SealedCount};

use super::{Kind, material::KeySettings};
use crate::audit::shown;

/// What the database knows about keys.
pub struct Usage {
    /// Those that the API was started with last.
    pub known: Vec<KnownKeys>,
    /// What each sealing key is needed for.
    pub sealed: Vec<SealedCount>,
}

/// Reads it.
pub async fn usage(store: &PostgresStore) -> anyhow::Result<Usage> {
    Ok(Usage { known: store.known_key_lists().await?, sealed: store.sealed_counts().await? })
}

/// Prints a line for each key.
pub async fn print(settings: &KeySettings, store: &PostgresStore) -> anyhow::Result<()> {
    let Usage { known, sealed } = usage(store).await?;
    println!(
        "{:<9}{:<45}{:<16}{:<22}{:>8}{:>8}{:>9}",
        "KIND", "ID", "STATE", "API SINCE", "RESETS", "EVENTS", "ANSWERS"
    );
    for (kind, key_kind, name) in
        [(Kind::Signing, KeyKind::SigningKeys, "signing"), (Kind::Sealing, KeyKind::SealingKeys, "sealing")]
    {
        let configured = settings.keys(kind).map(|keys| keys.ids());
        if let Err(error) = &configured {
            eprintln!("{error}");
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
            let since = known
                .filter(|known| known.ids.contains(&id))
                .map_or("-".to_owned(), |known| shown(known.since));
            print!("{name:<9}{id:<45}{state:<16}{since:<22}");
            match sealed.iter().find(|needs| needs.key_id == id) {
                Some(needs) if kind == Kind::Sealing => {
                    println!("{:>8}{:>8}{:>9}", needs.resets, needs.events, needs.answers)
                }
                _ if kind == Kind::Sealing => println!("{:>8}{:>8}{:>9}", 0, 0, 0),
                _ => println!("{:>8}{:>8}{:>9}", "-", "-", "-"),
            }
        }
    }
    Ok(())
}
