//! Reads rows of either database as domain types. A value that does not parse is an error.

mod audit;
mod webhooks;

use std::str::FromStr;

use rekey_core::{
    clients::{ClientKind, ClientPermissions, RegisteredClient},
    customers::{
        Credentials,
        anonymization::DueAnonymization,
        email_change::{RecordedEmailChange, UndoState},
    },
    deliveries::{
        Attempt, AttemptOutcome, ClaimedDelivery, Expiry, MailName, Recipient, Reply, Status,
        log::{EventState, LoggedDelivery},
        reports::{LoggedReport, Recorded, Report, ReportKind},
        suppression::Suppression,
    },
    events::outbox::{ClaimedMessage, OutboxMessage},
    idempotency::Claimed,
    ids::ResetId,
    limits::Slot,
    organizations::Organization,
    passwords::{PasswordHash, SchemeName},
    resets::{Redeemed, RejectableReset, TokenHolder, TokenState},
    resources::{
        Kind, Resource,
        record::{Record, Value},
    },
    scope::{Mode, Scope},
    secrets::{ClientSecretDigest, SealedPayload, SealedSharedSecret, SealedToken},
    sessions::{
        LiveSession, StoredScheme,
        guesses::{GuessCharge, GuessCounter},
    },
};
use time::Duration;

pub use self::{
    audit::{chained_entry, link, stored_entry, unchained},
    webhooks::{claimed_callback, open_circuit, readable, recorded_event, replayed, settled, subscription},
};
pub use crate::columns::{Columns, Read, corrupt};

/// The organization of the columns `organization_…`.
pub fn organization(row: &impl Columns) -> Read<Organization> {
    Ok(Organization {
        id: parsed(row, "organization_id")?,
        slug: parsed(row, "organization_slug")?,
        name: required(row.text("organization_name")?, "organization_name")?,
        created_at: required(row.time("organization_created_at")?, "organization_created_at")?,
    })
}

/// A client.
pub fn registered_client(row: &impl Columns) -> Read<RegisteredClient> {
    let secret = row
        .bytes("secret_digest")?
        .map(|digest| ClientSecretDigest::from_bytes(&digest).ok_or_else(|| corrupt("secret_digest")));
    let origins = row.texts("allowed_origins")?;
    Ok(RegisteredClient {
        id: parsed(row, "id")?,
        client_id: required(row.text("client_id")?, "client_id")?,
        name: required(row.text("name")?, "name")?,
        scope: scope(row)?,
        organization: organization(row)?,
        kind: known(row, "kind", ClientKind::parse)?,
        secret: secret.transpose()?,
        permissions: ClientPermissions {
            self_service: required(row.boolean("self_service")?, "self_service")?,
            sign_in: required(row.boolean("sign_in")?, "sign_in")?,
            sign_up: required(row.boolean("sign_up")?, "sign_up")?,
        },
        allowed_origins: origins
            .iter()
            .map(|text| text.parse().map_err(|_| corrupt("allowed_origins")))
            .collect::<Read<_>>()?,
        revoked_at: row.time("revoked_at")?,
        created_at: required(row.time("created_at")?, "created_at")?,
    })
}

/// A record from the columns that its definition names.
pub fn record(row: &impl Columns, resource: &'static Resource) -> Read<Record> {
    let value = |kind, column| value(row, kind, column).map(|value| value.unwrap_or(Value::Null));
    Record::read(
        resource,
        parsed(row, "id")?,
        |attribute, column| value(attribute.kind, column),
        |column| optional(row, column),
    )
}

fn value(row: &impl Columns, kind: Kind, column: &'static str) -> Read<Option<Value>> {
    Ok(match kind {
        Kind::Id | Kind::Email | Kind::Text | Kind::Locale | Kind::Password => {
            row.text(column)?.map(Value::Text)
        }
        Kind::Time => row.time(column)?.map(Value::Time),
        Kind::Object => row.object(column)?.map(Value::Object),
        Kind::Boolean => row.boolean(column)?.map(Value::Boolean),
        Kind::Integer => row.integer(column)?.map(Value::Integer),
        Kind::Texts => Some(Value::Texts(row.texts(column)?)),
        Kind::Token => row.bytes(column)?.map(SealedToken::from_bytes).map(Value::Token),
        Kind::SharedSecret => row.bytes(column)?.map(SealedSharedSecret::from_bytes).map(Value::SharedSecret),
        Kind::Payload => row.bytes(column)?.map(SealedPayload::from_bytes).map(Value::Payload),
    })
}

/// A customer's credentials.
pub fn credentials(row: &impl Columns) -> Read<Credentials> {
    Ok(Credentials {
        customer: parsed(row, "id")?,
        password: row.text("hash")?.map(PasswordHash::from_phc),
        scheme: optional_known(row, "scheme", SchemeName::from_key)?,
    })
}

/// A request for anonymization.
pub fn due_anonymization(row: &impl Columns) -> Read<DueAnonymization> {
    Ok(DueAnonymization {
        scope: scope(row)?,
        customer: parsed(row, "customer_id")?,
        requester: parsed(row, "requester_id")?,
    })
}

/// A scheme of password hashes, with one of them.
pub fn stored_scheme(row: &impl Columns) -> Read<StoredScheme> {
    let name = required(optional_known(row, "scheme", SchemeName::from_key)?, "scheme")?;
    Ok(StoredScheme { name, sample: PasswordHash::from_phc(required(row.text("hash")?, "hash")?) })
}

/// Whether a guess was charged, and to which counter.
pub fn guess_charge(row: &impl Columns) -> Read<GuessCharge> {
    let is = |column| Ok::<_, sqlx::Error>(row.boolean(column)?.unwrap_or(false));
    if is("is_charged")? {
        let is_known = is("is_known")?;
        let counter = if is_known { GuessCounter::KnownNetwork } else { GuessCounter::Others };
        return Ok(GuessCharge::Charged(counter));
    }
    if is("is_locked")? {
        return Ok(GuessCharge::Locked);
    }
    // Another guess may have been charged since the wait was read.
    let wait = Duration::microseconds(row.integer("wait")?.unwrap_or_default());
    Ok(GuessCharge::TooEarly(wait.max(Duration::SECOND)))
}

/// The holder of a token of that reset.
pub fn token_holder(row: &impl Columns, reset: ResetId) -> Read<TokenHolder> {
    Ok(TokenHolder {
        scope: scope(row)?,
        organization: organization(row)?,
        reset,
        customer: parsed(row, "customer_id")?,
        email: parsed(row, "email")?,
    })
}

/// That reset, with the state of its token.
pub fn rejectable(row: &impl Columns, reset: ResetId) -> Read<RejectableReset> {
    Ok(RejectableReset {
        scope: scope(row)?,
        organization: organization(row)?,
        reset,
        email: parsed(row, "email")?,
        state: known(row, "state", |state| match state {
            "pending" => Some(TokenState::Pending),
            "used" => Some(TokenState::Used),
            "dead" => Some(TokenState::Dead),
            _ => None,
        })?,
    })
}

/// A change of an address, with the state of its token.
pub fn email_change(row: &impl Columns) -> Read<RecordedEmailChange> {
    Ok(RecordedEmailChange {
        id: parsed(row, "id")?,
        scope: scope(row)?,
        organization: organization(row)?,
        customer: parsed(row, "customer_id")?,
        old: parsed(row, "old_email")?,
        current: parsed(row, "email")?,
        state: known(row, "state", |state| match state {
            "pending" => Some(UndoState::Pending),
            "undone" => Some(UndoState::Undone),
            "dead" => Some(UndoState::Dead),
            _ => None,
        })?,
    })
}

/// The reset that a code is of.
pub fn redeemed(row: &impl Columns) -> Read<Redeemed> {
    let sealed_token = required(row.bytes("sealed_token")?, "sealed_token")?;
    Ok(Redeemed {
        reset: parsed(row, "id")?,
        scope: scope(row)?,
        sealed_token: SealedToken::from_bytes(sealed_token),
    })
}

/// A suppressed address.
pub fn suppression(row: &impl Columns) -> Read<Suppression> {
    let code = row.integer("smtp_code")?.map(u16::try_from);
    Ok(Suppression {
        organization: parsed(row, "slug")?,
        mode: known(row, "mode", Mode::parse)?,
        email: parsed(row, "email")?,
        reason: required(row.text("reason")?, "reason")?,
        smtp_code: code.transpose().map_err(|_| corrupt("smtp_code"))?,
        delivery: parsed(row, "event_id")?,
        created_at: required(row.time("created_at")?, "created_at")?,
    })
}

/// A delivery as operators see it.
pub fn logged_delivery(row: &impl Columns) -> Read<LoggedDelivery> {
    let is = |column| Ok::<_, sqlx::Error>(row.boolean(column)?.unwrap_or(false));
    let event = EventState {
        published_at: row.time("published_at")?,
        is_repeated: is("is_repeated")?,
        dead_reason: row.text("dead_reason")?,
        has_payload: is("has_payload")?,
    };
    Ok(LoggedDelivery {
        id: parsed(row, "id")?,
        scope: scope(row)?,
        organization: parsed(row, "slug")?,
        mail: parsed(row, "mail")?,
        customer: optional(row, "customer_id")?,
        reset: optional(row, "reset_id")?,
        link: optional(row, "link")?,
        status: known(row, "status", Status::parse)?,
        attempts: count(row, "attempts")?,
        in_doubt: count(row, "in_doubt")?,
        reply: reply(row)?,
        detail: row.text("detail")?,
        relay: row.text("relay")?,
        created_at: required(row.time("created_at")?, "created_at")?,
        updated_at: required(row.time("updated_at")?, "updated_at")?,
        sent_at: row.time("sent_at")?,
        next_attempt_at: row.time("next_attempt_at")?,
        claimed_at: row.time("claimed_at")?,
        leased_until: row.time("lease_until")?,
        event: is("has_event")?.then_some(event),
        read_at: required(row.time("read_at")?, "read_at")?,
    })
}

/// An attempt at a mail.
pub fn attempt(row: &impl Columns) -> Read<Attempt> {
    Ok(Attempt {
        claim: count(row, "claim")?,
        started_at: row.time("started_at")?,
        ended_at: required(row.time("ended_at")?, "ended_at")?,
        outcome: known(row, "outcome", AttemptOutcome::parse)?,
        relay: row.text("relay")?,
        reply: reply(row)?,
        detail: row.text("detail")?,
    })
}

/// A report on a mail.
pub fn logged_report(row: &impl Columns) -> Read<LoggedReport> {
    let report = Report {
        kind: known(row, "kind", ReportKind::parse)?,
        reporter: row.text("reporter")?,
        reply: reply(row)?,
        detail: row.text("detail")?,
    };
    Ok(LoggedReport { report, received_at: required(row.time("received_at")?, "received_at")? })
}

/// Whether a report on this delivery was recorded, and if not, why.
pub fn recorded_report(row: &impl Columns) -> Read<Recorded> {
    let is = |column| required(row.boolean(column)?, column);
    Ok(if is("is_new")? {
        Recorded::New { mail: parsed::<MailName>(row, "mail")?, mode: known(row, "mode", Mode::parse)? }
    } else if is("is_claimed")? {
        Recorded::Unsettled
    } else {
        match known(row, "status", Status::parse)? {
            Status::Sent | Status::Bounced => Recorded::Repeated,
            _ => Recorded::Unknown,
        }
    })
}

/// A mail server's reply.
fn reply(row: &impl Columns) -> Read<Option<Reply>> {
    let Some(code) = row.integer("smtp_code")? else { return Ok(None) };
    let code = u16::try_from(code).map_err(|_| corrupt("smtp_code"))?;
    Ok(Some(Reply { code, enhanced: row.text("smtp_enhanced_code")? }))
}

/// A session whose refresh token was used; `ttl` is in whole seconds.
pub fn live_session(row: &impl Columns) -> Read<LiveSession> {
    Ok(LiveSession {
        id: parsed(row, "id")?,
        customer: parsed(row, "customer_id")?,
        token_scope: parsed(row, "token_scope")?,
        // A token that expires at once would be no answer.
        ttl: Duration::seconds(required(row.integer("ttl")?, "ttl")?.max(1)),
    })
}

/// A message that was claimed from the outbox.
pub fn claimed_message(row: &impl Columns) -> Read<ClaimedMessage> {
    Ok(ClaimedMessage {
        message: OutboxMessage {
            id: parsed(row, "id")?,
            name: parsed(row, "name")?,
            payload: required(row.bytes("payload")?, "payload")?,
        },
        attempt: count(row, "attempts")?,
    })
}

/// An idempotency key that was claimed.
pub fn claimed_key(row: &impl Columns) -> Read<Claimed> {
    Ok(Claimed::Granted { record: parsed(row, "record_id")?, attempt: count(row, "attempts")? })
}

/// A mail that was claimed: `subject` is what it is about, `claim` has the counts.
pub fn claimed_delivery(subject: &impl Columns, claim: &impl Columns) -> Read<ClaimedDelivery> {
    let recipient = match optional(subject, "email")? {
        Some(email) => Recipient::Customer { email, locale: optional(subject, "locale")? },
        None => Recipient::Unknown,
    };
    let expiry = match subject.time("expires_at")? {
        Some(at) => Some(Expiry { at, remaining: microseconds(subject, "remaining")? }),
        None => None,
    };
    Ok(ClaimedDelivery {
        recipient,
        organization: organization(subject)?,
        expiry,
        age: microseconds(claim, "age")?,
        has_code: required(subject.boolean("has_code")?, "has_code")?,
        claim: count(claim, "claims")?,
        attempt: count(claim, "attempts")?,
        in_doubt: count(claim, "in_doubt")? > 0,
    })
}

fn microseconds(row: &impl Columns, column: &'static str) -> Read<Duration> {
    Ok(Duration::microseconds(required(row.integer(column)?, column)?))
}

/// The hits of a slot.
pub fn slot(row: &impl Columns) -> Read<Slot> {
    Ok(Slot {
        started_at: required(row.time("started_at")?, "started_at")?,
        hits: required(row.integer("hits")?, "hits")?,
    })
}

/// The scope of a row.
pub fn scope(row: &impl Columns) -> Read<Scope> {
    Ok(Scope { organization: parsed(row, "organization_id")?, mode: known(row, "mode", Mode::parse)? })
}

/// A text column as one of the domain's types.
pub fn parsed<T: FromStr>(row: &impl Columns, column: &'static str) -> Read<T> {
    required(optional(row, column)?, column)
}

/// The same for a column that may be null.
pub fn optional<T: FromStr>(row: &impl Columns, column: &'static str) -> Read<Option<T>> {
    optional_known(row, column, |text| text.parse().ok())
}

/// A text column that has one of some known values, or null.
pub fn optional_known<T>(
    row: &impl Columns,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Read<Option<T>> {
    row.text(column)?.map(|text| parse(&text).ok_or_else(|| corrupt(column))).transpose()
}

pub fn known<T>(row: &impl Columns, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    required(optional_known(row, column, parse)?, column)
}

fn count(row: &impl Columns, column: &'static str) -> Read<u32> {
    let count = row.integer(column)?.and_then(|count| u32::try_from(count).ok());
    required(count, column)
}

fn required<T>(value: Option<T>, column: &'static str) -> Read<T> {
    value.ok_or_else(|| corrupt(column))
}
