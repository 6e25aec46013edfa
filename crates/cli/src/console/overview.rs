//! The first page: today's mails, what waits, and what the relays replied last.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use minijinja::context;
use rekey_core::{
    deliveries::{AttemptOutcome, Status, log::DeliveryLog},
    gauges::GaugeStore,
    scope::Mode,
};
use rekey_store_postgres::{MailCount, RECENT_MAILS, RelayReply};
use serde::Serialize;
use strum::VariantArray;
use time::Duration;

use super::{
    Console,
    page::{self, Notice, value},
    problem::Problem,
    request::Session,
};
use crate::{delivery::StuckRow, output::timestamp};

/// `GET /`.
pub async fn show(
    console: Data<Console>,
    session: Session,
    Query(Notice { done }): Query<Notice>,
) -> Result<HttpResponse, Problem> {
    let store = &console.store;
    let (today, replies, oldest, unsent, outbox) = tokio::try_join!(
        store.mails_today(),
        store.relay_replies(),
        store.waiting_deliveries(Duration::ZERO, 1),
        store.unsent_mails(),
        store.outbox_backlog(),
    )?;
    let dead = console.letters.count().await;
    let values = context! {
        today => value(statuses(&today)),
        oldest => value(oldest.first().map(StuckRow::from)),
        queued => unsent.queued,
        deferred => unsent.deferred,
        outbox => outbox.waiting,
        dead => dead.as_ref().ok(),
        dead_error => dead.as_ref().err(),
        relays => value(relays(&replies)),
        recent_mails => RECENT_MAILS,
    };
    Ok(page::show("overview.html", &session, done, values))
}

/// How many mails of today are in a status.
#[derive(Serialize)]
struct StatusRow {
    status: &'static str,
    live: u64,
    test: u64,
}

fn statuses(counts: &[MailCount]) -> Vec<StatusRow> {
    let count = |status, mode| {
        let of_both = counts.iter().find(|count| count.status == status && count.mode == mode);
        of_both.map_or(0, |count| count.count)
    };
    let row = |&status: &Status| StatusRow {
        status: status.as_str(),
        live: count(status, Mode::Live),
        test: count(status, Mode::Test),
    };
    Status::VARIANTS.iter().map(row).collect()
}

/// What a relay replied last.
#[derive(Serialize, Default)]
struct RelayRow<'a> {
    success: Option<ReplyRow<'a>>,
    failure: Option<ReplyRow<'a>>,
}

#[derive(Serialize)]
struct ReplyRow<'a> {
    at: String,
    delivery: &'a str,
    outcome: &'static str,
    detail: Option<&'a str>,
}

fn relays(replies: &[RelayReply]) -> BTreeMap<&str, RelayRow<'_>> {
    let mut relays = BTreeMap::<_, RelayRow<'_>>::new();
    for reply in replies {
        let relay = relays.entry(reply.relay.as_str()).or_default();
        let row = ReplyRow {
            at: timestamp(reply.at),
            delivery: reply.delivery.as_str(),
            outcome: reply.outcome.as_str(),
            detail: reply.detail.as_deref(),
        };
        match reply.outcome {
            AttemptOutcome::Sent => relay.success = Some(row),
            _ => relay.failure = Some(row),
        }
    }
    relays
}
