//! Compares what clients were answered, the ledger, and what the SMTP server and the webhook's receiver got, in the words of Jepsen's total-queue checker.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rekey_core::events::retry_ladder::RetryLadder;
use rekey_testkit::backdoor::PostgresBackdoor;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    client::{Asked, Kind},
    cluster::Cluster,
};
use crate::{
    broker::{contents, move_all},
    mail::{Link, Mail},
    receiver::Received,
};

/// How long all mails may take after the last fault.
const TIMEOUT: Duration = Duration::from_mins(5);

/// The result of a run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Requests.
    pub attempted: usize,
    /// Requests that were answered by a 201.
    pub acknowledged: usize,
    /// Acknowledged and mailed.
    pub ok: usize,
    /// Acknowledged and not mailed, because a later reset of the address superseded it first.
    pub superseded: usize,
    /// Acknowledged, for addresses that nobody has, and rightly not mailed.
    pub decoys: usize,
    /// Acknowledged and not mailed, without an explanation.
    pub lost: Vec<String>,
    /// Not acknowledged, and mailed all the same.
    pub recovered: usize,
    /// Mails that came once more.
    pub duplicated: usize,
    /// Mails that came more often than the ledger's `in_doubt` explains.
    pub unexplained: Vec<String>,
    /// Mails that nobody asked for, mails to somebody else, and resets that no request or a second one made.
    pub unexpected: Vec<String>,
    /// Deliveries that are not finished, and events that are not published.
    pub unfinished: Vec<String>,
    /// Messages among the dead letters.
    pub dead_letters: usize,
    /// Resets of customers that the receiver of the webhook got.
    pub received: usize,
    /// Those that it got once more.
    pub received_again: usize,
    /// Resets of customers that it never got.
    pub never_received: Vec<String>,
    /// What it got more often than there were attempts, and what it should not have got.
    pub wrongly_received: Vec<String>,
    /// When each mailed reset's first mail came.
    pub mailed_at: BTreeMap<String, OffsetDateTime>,
}

/// A reset with its mail in the ledger.
struct Reset {
    address: Option<String>,
    reference: Option<String>,
    is_superseded: bool,
    event: String,
    status: String,
    in_doubt: usize,
    /// Whether a claim has neither been settled nor taken over.
    is_claimed: bool,
    /// How often its webhook was called, or may have been.
    callback_attempts: usize,
    /// The row, for a report.
    row: Value,
}

const RESETS: &str = "SELECT row_to_json(found)::text FROM (
    SELECT r.id, c.email AS address, r.reference, r.superseded_at IS NOT NULL AS is_superseded, d.event_id AS event, d.status,
        d.attempts, d.in_doubt, d.lease_until IS NOT NULL AS is_claimed, d.detail, e.published_at IS NOT NULL AS is_published,
        w.attempts AS callback_attempts
    FROM password_resets r
    LEFT JOIN customers c ON c.id = r.customer_id
    LEFT JOIN deliveries d ON d.reset_id = r.id
    LEFT JOIN events e ON e.id = d.event_id
    LEFT JOIN event_callbacks w ON w.event_id = d.event_id
) found";

const UNFINISHED: &str = "SELECT 'event ' || id || ' is not published: attempts ' || attempts FROM events WHERE published_at IS NULL
    UNION ALL
    SELECT 'delivery ' || event_id || ' is ' || status || ': attempts ' || attempts || ', ' || COALESCE(detail, 'no detail')
    FROM deliveries WHERE status IN ('queued', 'deferred')
    UNION ALL
    SELECT 'event ' || e.id || ' keeps its payload: its mail is ' || d.status FROM events e JOIN deliveries d ON d.event_id = e.id
    WHERE e.payload IS NOT NULL AND d.status NOT IN ('queued', 'deferred', 'failed')
    UNION ALL
    SELECT 'callback ' || id || ' is due: attempts ' || attempts || ', ' || COALESCE(response_message, 'no answer')
    FROM event_callbacks WHERE due_at IS NOT NULL";

/// A callback that failed waits for minutes, and many failures in a row open the circuit: as if that time had passed, and an operator had
/// looked.
const HURRY: &str = "UPDATE webhooks SET circuit_failure_count = 0, circuit_opened_at = NULL;
    UPDATE event_callbacks SET due_at = now() WHERE due_at > now() AND lease_until IS NULL";

/// Waits until nothing is in flight, or for five minutes. Returns how long it took.
///
/// A mail that failed three times waits for longer than this test may take, so such messages are moved to the mailer's queue at once. So are
/// callbacks made due.
pub async fn settle(cluster: &mut Cluster) -> Duration {
    let start = Instant::now();
    loop {
        cluster.wait(Duration::from_millis(500)).await;
        let stack = &cluster.shop.stack;
        let unfinished = stack.texts(UNFINISHED).await;
        if unfinished.is_empty() || start.elapsed() > TIMEOUT {
            return start.elapsed();
        }
        PostgresBackdoor::open(&stack.database.url()).run(HURRY).await.unwrap();
        for wait in RetryLadder::default().waits().iter().filter(|wait| **wait > TIMEOUT) {
            let topology = stack.topology();
            move_all(&cluster.broker.url, &topology.retry(*wait), &topology.queue()).await;
        }
    }
}

/// Judges a run that has settled.
pub async fn judge(cluster: &Cluster, asked: &[Asked]) -> Verdict {
    let stack = &cluster.shop.stack;
    let rows = stack.texts(RESETS).await;
    let resets = rows.iter().map(|row| Reset::read(&serde_json::from_str(row).unwrap())).collect();
    let dead = contents(&cluster.broker.url, &stack.topology().dead()).await;
    let mut unfinished = stack.texts(UNFINISHED).await;
    for line in &mut unfinished {
        let id = line.split(' ').nth(1).unwrap();
        if dead.iter().any(|letter| String::from_utf8_lossy(letter).contains(id)) {
            line.push_str(", among the dead letters");
        }
    }
    let mut verdict =
        Verdict { attempted: asked.len(), unfinished, dead_letters: dead.len(), ..Verdict::default() };
    verdict.judge_mails(&resets, &stack.smtp.mails());
    verdict.judge_callbacks(&resets, &cluster.receiver.received());
    verdict.judge_requests(&resets, asked);
    verdict.judge_resets(&resets, asked);
    verdict
}

impl Verdict {
    fn judge_mails(&mut self, resets: &BTreeMap<String, Reset>, mails: &[Mail]) {
        let mut copies = BTreeMap::<_, Vec<&Mail>>::new();
        for mail in mails {
            copies.entry((Link::find(&mail.text()), mail.header("Message-ID"))).or_default().push(mail);
        }
        for ((link, message_id), mails) in copies {
            let found = resets.get(&link.id).filter(|reset| {
                let address = reset.address.as_slice();
                message_id.starts_with(&format!("<{}@", reset.event))
                    && mails.iter().all(|mail| mail.recipients == address)
            });
            let Some(reset) = found else {
                self.unexpected.push(format!("{} mails {message_id} about reset {}", mails.len(), link.id));
                continue;
            };
            let first = mails.iter().map(|mail| mail.received_at).min().unwrap();
            let before = self.mailed_at.insert(link.id.clone(), first);
            if before.is_some() {
                self.unexpected.push(format!("two different mails about reset {}", link.id));
            }
            self.duplicated += mails.len() - 1;
            let explained = reset.in_doubt + usize::from(reset.is_claimed || reset.status == "sent");
            if mails.len() > explained {
                self.unexplained.push(format!("{} mails: {}", mails.len(), reset.row));
            }
        }
    }

    /// Each reset of a customer is received, with its event's id, as often as there were attempts, or less. Decoys are not.
    fn judge_callbacks(&mut self, resets: &BTreeMap<String, Reset>, received: &[Received]) {
        let mut counts = BTreeMap::<String, usize>::new();
        for request in received {
            let document: Value = serde_json::from_str(&request.body).unwrap_or_default();
            let id = document["data"]["id"].as_str().unwrap_or_default();
            let event = request.headers.get("webhook-id");
            match resets.get(id) {
                Some(reset) if reset.address.is_some() && event == Some(&reset.event) => {
                    *counts.entry(id.to_owned()).or_default() += 1;
                }
                _ => self.wrongly_received.push(format!("{event:?}: {}", request.body)),
            }
        }
        for (id, reset) in resets.iter().filter(|(_, reset)| reset.address.is_some()) {
            match counts.get(id) {
                None => self.never_received.push(format!("reset {id}: {}", reset.row)),
                Some(count) => {
                    self.received += 1;
                    self.received_again += count - 1;
                    if *count > reset.callback_attempts {
                        self.wrongly_received.push(format!("{count} times: {}", reset.row));
                    }
                }
            }
        }
    }

    fn judge_requests(&mut self, resets: &BTreeMap<String, Reset>, asked: &[Asked]) {
        let by_key: BTreeMap<_, _> =
            resets.iter().filter_map(|(id, reset)| Some((reset.reference.as_ref()?, id))).collect();
        for request in asked {
            let Some((_, id)) = &request.acknowledged else {
                let is_mailed = by_key.get(&request.key).is_some_and(|id| self.mailed_at.contains_key(*id));
                self.recovered += usize::from(is_mailed);
                continue;
            };
            self.acknowledged += 1;
            let reset = resets.get(id);
            match reset {
                Some(_) if self.mailed_at.contains_key(id) => self.ok += 1,
                Some(reset)
                    if request.kind == Kind::Stranger
                        && ["discarded", "expired"].contains(&reset.status.as_str()) =>
                {
                    self.decoys += 1;
                }
                Some(reset) if reset.is_superseded && reset.status == "expired" => self.superseded += 1,
                _ => {
                    let row = reset.map_or(Value::Null, |reset| reset.row.clone());
                    self.lost
                        .push(format!("{}, reset {id}, asked at {}: {row}", request.key, request.started_at));
                }
            }
        }
    }

    /// One key makes one reset. An integration's reset has the key as its reference; a visitor's is known by its acknowledgement only.
    fn judge_resets(&mut self, resets: &BTreeMap<String, Reset>, asked: &[Asked]) {
        let acknowledged: BTreeSet<_> =
            asked.iter().filter_map(|request| Some(&request.acknowledged.as_ref()?.1)).collect();
        let mut unanswered: BTreeMap<&str, usize> = BTreeMap::new();
        for request in asked.iter().filter(|request| request.acknowledged.is_none()) {
            *unanswered.entry(&request.key).or_default() += 1;
            *unanswered.entry(&request.address).or_default() += 1;
        }
        for (id, reset) in resets.iter().filter(|(id, _)| !acknowledged.contains(id)) {
            let request = reset.reference.as_ref().or(reset.address.as_ref());
            match request.and_then(|request| unanswered.get_mut(request.as_str())) {
                Some(left) if *left > 0 => *left -= 1,
                _ => self.unexpected.push(format!("reset {id}, made by no request: {}", reset.row)),
            }
        }
    }
}

impl Reset {
    /// Reads a row of [`RESETS`], and returns it with the reset's id.
    fn read(row: &Value) -> (String, Self) {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let reset = Self {
            address: text("address"),
            reference: text("reference"),
            is_superseded: row["is_superseded"] == true,
            event: text("event").unwrap_or_default(),
            status: text("status").unwrap_or_default(),
            in_doubt: row["in_doubt"].as_u64().unwrap_or_default().try_into().unwrap(),
            is_claimed: row["is_claimed"] == true,
            callback_attempts: row["callback_attempts"].as_u64().unwrap_or_default().try_into().unwrap(),
            row: row.clone(),
        };
        (text("id").unwrap(), reset)
    }
}

#[cfg(test)]
mod tests;
