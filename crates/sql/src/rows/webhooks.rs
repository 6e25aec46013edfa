//! Webhooks and what they are sent.

use rekey_core::{
    ids::CallbackId,
    secrets::{SealedPayload, SealedSharedSecret},
    webhooks::{
        circuit_mails::OpenCircuit,
        queue::{ClaimedCallback, Settled},
        replay::ReplayError,
        store::{RecordedEvent, Subscription},
    },
};
use time::Duration;

use super::{Columns, Read, count, parsed, required, scope};

/// Returns the rows that can be read, and logs the others: one that another version wrote holds up no other.
pub fn readable<T>(rows: impl Iterator<Item = Read<T>>) -> Vec<T> {
    let logged =
        rows.map(|row| row.inspect_err(|error| tracing::error!(%error, "a webhook's row can't be read")));
    logged.filter_map(Result::ok).collect()
}

/// A webhook that is sent an event.
pub fn subscription(row: &impl Columns) -> Read<Subscription> {
    Ok(Subscription {
        webhook: parsed(row, "id")?,
        callback_url: parsed(row, "callback_url")?,
        include_resources: row.texts("include_resources")?,
    })
}

/// An event.
pub fn recorded_event(row: &impl Columns) -> Read<RecordedEvent> {
    Ok(RecordedEvent {
        id: parsed(row, "id")?,
        name: parsed(row, "name")?,
        record: parsed(row, "resource_id")?,
    })
}

/// A callback that was claimed.
pub fn claimed_callback(row: &impl Columns) -> Read<ClaimedCallback> {
    let secret = |column| Ok::<_, sqlx::Error>(row.bytes(column)?.map(SealedSharedSecret::from_bytes));
    let current = required(secret("sealed_secret")?, "sealed_secret")?;
    let payload = required(row.bytes("sealed_payload")?, "sealed_payload")?;
    Ok(ClaimedCallback {
        id: parsed(row, "id")?,
        attempt: count(row, "attempts")?,
        webhook: parsed(row, "webhook_id")?,
        scope: scope(row)?,
        event: parsed(row, "event_id")?,
        topic: parsed(row, "topic")?,
        callback_url: parsed(row, "callback_url")?,
        secrets: [current].into_iter().chain(secret("former_secret")?).collect(),
        payload: SealedPayload::from_bytes(payload),
        traceparent: row.text("traceparent")?,
        age: Duration::microseconds(row.integer("age")?.unwrap_or_default()),
    })
}

/// A webhook with an open circuit.
pub fn open_circuit(row: &impl Columns) -> Read<OpenCircuit> {
    Ok(OpenCircuit {
        webhook: parsed(row, "id")?,
        scope: scope(row)?,
        slug: parsed(row, "slug")?,
        name: required(row.text("name")?, "name")?,
        topic: parsed(row, "topic")?,
        callback_url: parsed(row, "callback_url")?,
        failure_count: count(row, "circuit_failure_count")?,
        opened_at: required(row.time("circuit_opened_at")?, "circuit_opened_at")?,
        cause: row.text("circuit_cause")?.unwrap_or_default(),
    })
}

/// What an attempt did.
pub fn settled(row: &impl Columns) -> Read<Settled> {
    let is = |column| required(row.boolean(column)?, column);
    Ok(Settled { was_recorded: is("was_recorded")?, opened_circuit: is("opened_circuit")? })
}

/// Whether that callback was replayed, or can be.
pub fn replayed(row: &impl Columns, id: CallbackId) -> Read<Result<(), ReplayError>> {
    let is = |column| required(row.boolean(column)?, column);
    let (state, has_webhook) = (parsed(row, "state")?, is("has_webhook")?);
    Ok(if is("is_replayed")? { Ok(()) } else { Err(ReplayError::new(id, state, has_webhook)) })
}
