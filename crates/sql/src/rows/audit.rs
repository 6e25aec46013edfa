//! The audit log's chain.

use rekey_core::events::audit::chain::{ChainedEntry, Link, StoredEntry, Unchained};

use super::{Columns, Read, required};

/// A link of the audit log's chain.
pub fn link(row: &impl Columns) -> Read<Link> {
    Ok(Link {
        position: required(row.integer("position")?, "position")?,
        entry_id: required(row.text("entry_id")?, "entry_id")?,
        entry_digest: required(row.bytes("entry_digest")?, "entry_digest")?,
        entry_created_at: required(row.time("entry_created_at")?, "entry_created_at")?,
        digest: required(row.bytes("digest")?, "digest")?,
        key_id: required(row.text("key_id")?, "key_id")?,
        signature: required(row.bytes("signature")?, "signature")?,
        chained_at: required(row.time("chained_at")?, "chained_at")?,
    })
}

/// An audit entry, without its personal fields.
pub fn stored_entry(row: &impl Columns) -> Read<StoredEntry> {
    let text = |column| required(row.text(column)?, column);
    Ok(StoredEntry {
        id: text("id")?,
        organization: text("organization_id")?,
        mode: text("mode")?,
        resource_type: text("resource_type")?,
        action: text("action")?,
        actor: text("actor")?,
        application: row.text("application_id")?,
        attributes: row.texts("attributes")?,
        personal_digest: row.bytes("personal_digest")?,
        occurrences: required(row.integer("occurrences")?, "occurrences")?,
        created_at: required(row.time("created_at")?, "created_at")?,
    })
}

/// A link with its entry, if that is there.
pub fn chained_entry(row: &impl Columns) -> Read<ChainedEntry> {
    let entry = row.text("id")?.map(|_| stored_entry(row)).transpose()?;
    Ok(ChainedEntry { link: link(row)?, entry })
}

/// The counts of entries without a link.
pub fn unchained(row: &impl Columns) -> Read<Unchained> {
    let count = |column| row.integer(column).and_then(|count| required(count, column)).map(i64::unsigned_abs);
    Ok(Unchained {
        waiting: count("waiting")?,
        lost: count("lost")?,
        oldest: row.time("oldest")?,
        now: required(row.time("present")?, "present")?,
    })
}
