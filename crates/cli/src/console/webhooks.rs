//! Webhooks: the list, what one was sent with its receiver's answers, sending that again, and closing a circuit.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use minijinja::context;
use rekey_core::{
    events::audit::{Action, AuditEntry},
    ids::{CallbackId, WebhookId},
    organizations::OrganizationStore,
    random::OsRandom,
    resources::webhooks::RESET_CIRCUIT,
    webhooks::{
        KEEP_CALLBACKS,
        replay::{CallbackReplay, CallbackState, MAX_REPLAYED, Replay, Since},
    },
};
use rekey_store_postgres::{CallbackFilter, LoggedWebhook};
use serde::{Deserialize, Serialize};
use time::{PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    Console,
    page::{self, Done, value},
    problem::Problem,
    request::{Act, Session},
    sign_in::Nothing,
};
use crate::{output::timestamp, webhook::CallbackRow};

/// How many webhooks, and callbacks of one, are listed.
const MAX_LISTED: u32 = 100;
/// How a browser writes a time without a zone (HTML, "local date and time string"), to the minute.
const LOCAL_TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// The fields of the search.
#[derive(Deserialize)]
pub struct Search {
    #[serde(default)]
    organization: String,
}

/// The query of a webhook's page.
#[derive(Deserialize)]
pub struct View {
    /// Only callbacks in this state, one of [`CallbackState::LISTED`].
    #[serde(default)]
    state: String,
    done: Option<Done>,
}

/// The form that replays what failed.
#[derive(Deserialize)]
pub struct ReplayFailed {
    /// From this time on, in UTC.
    since: String,
}

/// A webhook as templates read it.
#[derive(Serialize)]
struct WebhookValue<'a> {
    id: &'a str,
    organization: &'a str,
    mode: &'static str,
    name: &'a str,
    topic: &'a str,
    callback_url: &'a str,
    /// `closed`, `open` or `disabled`.
    state: &'static str,
    failures: u64,
    circuit_opened_at: Option<String>,
    disabled_at: Option<String>,
}

impl<'a> From<&'a LoggedWebhook> for WebhookValue<'a> {
    fn from(webhook: &'a LoggedWebhook) -> Self {
        Self {
            id: webhook.id.as_str(),
            organization: webhook.organization.as_str(),
            mode: webhook.scope.mode.as_str(),
            name: &webhook.name,
            topic: &webhook.topic,
            callback_url: &webhook.callback_url,
            state: match (webhook.disabled_at, webhook.circuit_opened_at) {
                (Some(_), _) => "disabled",
                (None, Some(_)) => "open",
                (None, None) => "closed",
            },
            failures: webhook.failures,
            circuit_opened_at: webhook.circuit_opened_at.map(timestamp),
            disabled_at: webhook.disabled_at.map(timestamp),
        }
    }
}

/// `GET /webhooks`.
pub async fn list(
    console: Data<Console>,
    session: Session,
    Query(Search { organization }): Query<Search>,
) -> Result<HttpResponse, Problem> {
    let organizations = console.store.organizations().await?;
    let chosen = organizations.iter().find(|one| one.slug.as_str() == organization).map(|one| one.id);
    let found = match (organization.as_str(), chosen) {
        ("", _) | (_, Some(_)) => console.store.logged_webhooks(chosen, MAX_LISTED).await?,
        _ => Vec::new(),
    };
    let values = context! {
        organization => organization,
        organizations => value(organizations.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>()),
        webhooks => value(found.iter().map(WebhookValue::from).collect::<Vec<_>>()),
        max_listed => MAX_LISTED,
    };
    Ok(page::show("webhooks.html", &session, None, values))
}

/// `GET /webhooks/{id}`.
pub async fn show(
    console: Data<Console>,
    session: Session,
    id: Path<String>,
    Query(View { state, done }): Query<View>,
) -> Result<HttpResponse, Problem> {
    let webhook = find(&console, &id).await?;
    let chosen = CallbackState::LISTED.into_iter().find(|one| one.as_str() == state);
    if chosen.is_none() && !state.is_empty() {
        return Err(Problem::BadRequest);
    }
    let filter = CallbackFilter { webhook: Some(webhook.id), state: chosen, since: Since::default() };
    let callbacks = console.store.logged_callbacks(webhook.scope, &filter, MAX_LISTED).await?;
    let failed = Replay { is_dry_run: true, ..select_failed(&webhook, Since::default()) };
    let failed =
        console.store.replay_callbacks(webhook.scope, &failed, &audit(&session, Action::Replay)).await?;
    let values = context! {
        webhook => value(WebhookValue::from(&webhook)),
        state => state,
        states => value(CallbackState::LISTED.iter().map(|state| state.as_str()).collect::<Vec<_>>()),
        callbacks => value(callbacks.iter().map(CallbackRow::from).collect::<Vec<_>>()),
        max_listed => MAX_LISTED,
        failed => failed.count,
        are_more => failed.next.is_some(),
        kept_since => (webhook.read_at - KEEP_CALLBACKS).format(LOCAL_TIME).unwrap_or_default(),
        kept_days => KEEP_CALLBACKS.whole_days(),
    };
    Ok(page::show("webhook.html", &session, done, values))
}

/// `POST /webhooks/{id}/callbacks/{callback}/replay`.
pub async fn replay_one(
    console: Data<Console>,
    path: Path<(String, String)>,
    form: Act<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (webhook, callback) = path.into_inner();
    let webhook = find(&console, &webhook).await?;
    let callback: CallbackId = callback.parse().map_err(|_| Problem::NotFound)?;
    let audit = audit(&form.session, Action::Replay);
    console.store.replay_callback(webhook.scope, callback, &audit).await?;
    let operator = form.session.operator.name;
    tracing::info!(%operator, %callback, "an operator replayed a callback");
    Ok(back(&webhook, Done::CallbackReplayed))
}

/// `POST /webhooks/{id}/replay`.
pub async fn replay_failed(
    console: Data<Console>,
    id: Path<String>,
    form: Act<ReplayFailed>,
) -> Result<HttpResponse, Problem> {
    let webhook = find(&console, &id).await?;
    let since = form.fields.since.trim();
    let since = PrimitiveDateTime::parse(since, LOCAL_TIME).map(PrimitiveDateTime::assume_utc);
    let since = since.map_err(|_| {
        Problem::Refused("the time is not understood: write one such as 2026-11-29T03:00".to_owned())
    })?;
    let replay = select_failed(&webhook, Since::At(since));
    let audit = audit(&form.session, Action::Replay);
    let replayed = console.store.replay_callbacks(webhook.scope, &replay, &audit).await?;
    if replayed.count == 0 {
        return Err(Problem::Refused("no callback has failed since then".to_owned()));
    }
    let (operator, webhook_id) = (form.session.operator.name, webhook.id);
    tracing::info!(%operator, webhook = %webhook_id, count = replayed.count, "an operator replayed callbacks");
    let done = if replayed.next.is_some() { Done::SomeReplayed } else { Done::AllReplayed };
    Ok(back(&webhook, done))
}

/// `POST /webhooks/{id}/reset-circuit`.
pub async fn reset_circuit(
    console: Data<Console>,
    id: Path<String>,
    form: Act<Nothing>,
) -> Result<HttpResponse, Problem> {
    let webhook = find(&console, &id).await?;
    let audit = AuditEntry { attributes: vec![RESET_CIRCUIT.name], ..audit(&form.session, Action::Update) };
    if !console.store.reset_circuit(webhook.scope, webhook.id, &audit).await? {
        return Err(Problem::NotFound);
    }
    let (operator, webhook_id) = (form.session.operator.name, webhook.id);
    tracing::info!(%operator, webhook = %webhook_id, "an operator closed a webhook’s circuit");
    Ok(back(&webhook, Done::CircuitClosed))
}

async fn find(console: &Console, id: &str) -> Result<LoggedWebhook, Problem> {
    let id: WebhookId = id.parse().map_err(|_| Problem::NotFound)?;
    console.store.logged_webhook(id).await?.ok_or(Problem::NotFound)
}

fn select_failed(webhook: &LoggedWebhook, since: Since) -> Replay {
    Replay { webhook: Some(webhook.id), since, with_delivered: false, max: MAX_REPLAYED, is_dry_run: false }
}

fn audit(session: &Session, action: Action) -> AuditEntry {
    AuditEntry::by_named_operator(Some(session.operator.name), action, &OsRandom)
}

fn back(webhook: &LoggedWebhook, done: Done) -> HttpResponse {
    page::redirect(&format!("/webhooks/{}", webhook.id), Some(done)).finish()
}
