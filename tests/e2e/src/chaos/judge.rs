//! Compares what clients were answered, the ledger, and what the SMTP server and the webhook's receiver got, in the words of Jepsen's total-queue checker.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rekey_core::{deliveries::NOTICE_BUDGET, events::retry_ladder::RetryLadder};
use rekey_testkit::backdoor::PostgresBackdoor;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    client::{Asked, History, Kind, Reset},
    cluster::Cluster,
    rows::{Deliveries, Delivery, Resets, UNFINISHED, deliveries, resets},
};
use crate::{
    broker::{contents, move_all},
    mail::{Link, Mail},
    receiver::Received,
};

/// How long all mails may take after the last fault.
const TIMEOUT: Duration = Duration::from_mins(5);

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// Requests.
    pub attempted: usize,
    /// Requests that were answered by a 201.
    pub acknowledged: usize,
    /// Acknowledged and mailed.
    pub ok: usize,
    /// Acknowledged and not mailed, because a later reset of the address superseded it first, or its token was used first.
    pub superseded: usize,
    /// Acknowledged, for addresses that nobody has, and rightly not mailed.
    pub decoys: usize,
    /// Acknowledged and not mailed, without an explanation; and new passwords without the mail about them.
    pub lost: Vec<String>,
    /// Not acknowledged, and mailed all the same.
    pub recovered: usize,
    /// Mails that came once more.
    pub duplicated: usize,
    /// Mails that came more often than the ledger's `in_doubt` explains.
    pub unexplained: Vec<String>,
    /// Mails that nobody asked for, mails to somebody else or with another token, and resets that no request or a second one made.
    pub unexpected: Vec<String>,
    /// Deliveries that are not finished, and events that are not published.
    pub unfinished: Vec<String>,
    /// Messages among the dead letters.
    pub dead_letters: usize,
    /// Resets that set a new password, with a mail about it unless the customer had enough of them.
    pub completed: usize,
    /// The mails about new passwords that were not sent, because the customer had as many as an account gets.
    pub over_budget: usize,
    /// Resets of customers that the receiver of the webhook got.
    pub received: usize,
    /// Those that it got once more.
    pub received_again: usize,
    /// Resets of customers that it never got.
    pub never_received: Vec<String>,
    /// What it got more often than there were attempts, and what it should not have got.
    pub wrongly_received: Vec<String>,
    /// What `rekey audit verify` found.
    pub audit: Vec<String>,
    /// When each mailed reset's first mail came.
    #[serde(skip)]
    pub mailed_at: BTreeMap<String, OffsetDateTime>,
    /// How many mails about new passwords came to each address, copies aside.
    #[serde(skip)]
    notified: BTreeMap<String, usize>,
}

/// A callback that failed waits for minutes, and many failures in a row open the circuit: as if that time had passed, and an operator had
/// looked.
const MAKE_CALLBACKS_DUE: &str = "UPDATE webhooks SET circuit_failure_count = 0, circuit_opened_at = NULL;
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
        PostgresBackdoor::open(&stack.database.url()).run(MAKE_CALLBACKS_DUE).await.unwrap();
        for wait in RetryLadder::default().waits().iter().filter(|wait| **wait > TIMEOUT) {
            let topology = stack.topology();
            move_all(cluster.broker_url(), &topology.retry(*wait), &topology.queue()).await;
        }
    }
}

/// Judges a run that has settled.
pub async fn judge(cluster: &Cluster, history: &History) -> Verdict {
    let stack = &cluster.shop.stack;
    let (resets, deliveries) = (resets(stack).await, deliveries(stack).await);
    let dead = contents(cluster.broker_url(), &stack.topology().dead()).await;
    let mut unfinished = stack.texts(UNFINISHED).await;
    for line in &mut unfinished {
        let id = line.split(' ').nth(1).unwrap();
        if dead.iter().any(|letter| String::from_utf8_lossy(letter).contains(id)) {
            line.push_str(", among the dead letters");
        }
    }
    let asked = &history.asked;
    let mut verdict =
        Verdict { attempted: asked.len(), unfinished, dead_letters: dead.len(), ..Verdict::default() };
    verdict.judge_mails(&deliveries, &stack.smtp.mails(), asked);
    verdict.judge_callbacks(&resets, &cluster.receiver.received());
    verdict.judge_requests(&resets, asked);
    verdict.judge_resets(&resets, asked);
    verdict.judge_passwords(&resets, &deliveries, &history.completed);
    let audit = stack.tool(&["audit", "verify"]).await;
    if audit.code != Some(0) || audit.stdout.contains("not chained") {
        verdict.audit.push(format!("{}{}", audit.stdout, audit.stderr));
    }
    verdict
}

impl Verdict {
    /// Each mail belongs to a delivery, goes to its customer, and came as often as the ledger knows. The mail about a reset has the token that the
    /// request was answered with.
    fn judge_mails(&mut self, deliveries: &Deliveries, mails: &[Mail], asked: &[Asked]) {
        let acknowledged = asked.iter().filter_map(|request| Some(&request.acknowledged.as_ref()?.1));
        let tokens: BTreeMap<_, _> =
            acknowledged.filter_map(|reset| Some((&reset.id, reset.token.as_ref()?))).collect();
        let mut copies = BTreeMap::<_, Vec<&Mail>>::new();
        for mail in mails {
            copies.entry(mail.header("Message-ID")).or_default().push(mail);
        }
        for (message_id, mails) in copies {
            let event = message_id.trim_start_matches('<').split('@').next().unwrap();
            let found = deliveries.get(event).filter(|delivery| {
                let address = delivery.address.as_slice();
                mails.iter().all(|mail| mail.recipients == address)
            });
            let Some(delivery) = found else {
                self.unexpected.push(format!("{} mails {message_id}", mails.len()));
                continue;
            };
            if delivery.mail == "reset_requested" {
                let is_right = |mail: &&Mail| {
                    let Link { id, token, .. } = Link::find(&mail.text());
                    delivery.reset == id && tokens.get(&id).is_none_or(|answered| **answered == token)
                };
                if !mails.iter().all(is_right) {
                    self.unexpected.push(format!("another reset or token in the mail: {}", delivery.row));
                    continue;
                }
                let first = mails.iter().map(|mail| mail.received_at).min().unwrap();
                if self.mailed_at.insert(delivery.reset.clone(), first).is_some() {
                    self.unexpected.push(format!("two different mails about reset {}", delivery.reset));
                }
            } else {
                *self.notified.entry(delivery.address.clone().unwrap()).or_default() += 1;
            }
            self.duplicated += mails.len() - 1;
            let explained = delivery.in_doubt + usize::from(delivery.is_claimed || delivery.status == "sent");
            if mails.len() > explained {
                self.unexplained.push(format!("{} mails: {}", mails.len(), delivery.row));
            }
        }
    }

    /// Each reset of a customer is received, with its event's id, as often as there were attempts, or less. Decoys are not.
    fn judge_callbacks(&mut self, resets: &Resets, received: &[Received]) {
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

    fn judge_requests(&mut self, resets: &Resets, asked: &[Asked]) {
        let by_key: BTreeMap<_, _> =
            resets.iter().filter_map(|(id, reset)| Some((reset.reference.as_ref()?, id))).collect();
        for request in asked {
            let Some((_, Reset { id, .. })) = &request.acknowledged else {
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
                Some(reset)
                    if (reset.is_superseded && reset.has_successor || reset.is_completed)
                        && reset.status == "expired" =>
                {
                    self.superseded += 1;
                }
                _ => {
                    let row = reset.map_or(Value::Null, |reset| reset.row.clone());
                    self.lost
                        .push(format!("{}, reset {id}, asked at {}: {row}", request.key, request.started_at));
                }
            }
        }
    }

    /// One key makes one reset. An integration's reset has the key as its reference; a visitor's is known by its acknowledgement only.
    fn judge_resets(&mut self, resets: &Resets, asked: &[Asked]) {
        let acknowledged: BTreeSet<_> =
            asked.iter().filter_map(|request| Some(&request.acknowledged.as_ref()?.1.id)).collect();
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

    /// The resets that set a new password are those that the clients saw do so, and each led to a mail to its customer about it, unless the customer's
    /// budget was used up.
    fn judge_passwords(&mut self, resets: &Resets, deliveries: &Deliveries, completed: &[String]) {
        let seen: BTreeSet<_> = completed.iter().collect();
        let mut changes = BTreeMap::<&String, usize>::new();
        for (id, reset) in resets.iter().filter(|(_, reset)| reset.is_completed) {
            *changes.entry(reset.address.as_ref().unwrap()).or_default() += 1;
            if !seen.contains(id) {
                self.unexpected.push(format!("a new password by reset {id}: {}", reset.row));
            }
        }
        for id in seen {
            if resets.get(id).is_none_or(|reset| !reset.is_completed) {
                self.lost.push(format!("the new password by reset {id}"));
            }
        }
        for (address, changed) in changes {
            let mailed = self.notified.get(address).copied().unwrap_or_default();
            let is_over_budget = |delivery: &&Delivery| {
                let is_notice = delivery.mail == "password_changed" && delivery.status == "suppressed";
                is_notice && delivery.address.as_ref() == Some(address)
            };
            let over_budget = deliveries.values().filter(is_over_budget).count();
            let mails = format!(
                "{changed} new passwords, {mailed} mails about them to {address}, {over_budget} over its budget"
            );
            match (mailed + over_budget).cmp(&changed) {
                Ordering::Equal if over_budget == 0 || mailed >= NOTICE_BUDGET as usize => {
                    self.completed += changed;
                    self.over_budget += over_budget;
                }
                Ordering::Greater => self.unexpected.push(mails),
                _ => self.lost.push(mails),
            }
        }
    }
}

#[cfg(test)]
mod tests;
