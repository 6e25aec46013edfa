use serde_json::json;

use super::*;
use crate::chaos::rows::{Delivery, StoredReset};

const ANNA: &str = "anna@example.com";

/// A reset of Anna's, whose mail is in this state.
fn reset(id: &str, status: &str, in_doubt: u64) -> Value {
    json!({"id": id, "address": ANNA, "reference": format!("key-{id}"), "is_superseded": false, "has_successor": true, "event": format!("event-{id}"),
        "status": status, "in_doubt": in_doubt, "mail": "reset_requested", "reset": id})
}

fn mail(reset: &str, event: &str, recipient: &str) -> Mail {
    let raw = format!("Message-ID: <{event}@shop.example>\r\n\r\nhttp://localhost/?id={reset}&token=t\r\n");
    let recipients = vec![recipient.to_owned()];
    Mail { sender: String::new(), recipients, raw: raw.into_bytes(), received_at: OffsetDateTime::UNIX_EPOCH }
}

/// A request that was acknowledged with this reset, or not at all.
fn asked(key: &str, kind: Kind, reset: Option<&str>) -> Asked {
    let started_at = OffsetDateTime::UNIX_EPOCH;
    let acknowledged = reset.map(|id| (started_at, Reset { id: id.to_owned(), token: Some("t".to_owned()) }));
    Asked { kind, address: ANNA.to_owned(), key: key.to_owned(), started_at, acknowledged }
}

fn judged(rows: &[Value], mails: &[Mail], requests: &[Asked]) -> Verdict {
    let resets = resets(rows);
    let deliveries = rows.iter().map(|row| Delivery::from_row(row.clone())).collect();
    let mut verdict = Verdict::default();
    verdict.judge_mails(&deliveries, mails, requests);
    verdict.judge_requests(&resets, requests);
    verdict.judge_resets(&resets, requests);
    verdict
}

fn resets(rows: &[Value]) -> Resets {
    rows.iter().map(|row| StoredReset::from_row(row.clone())).collect()
}

#[test]
fn a_reset_without_a_mail_is_lost_unless_a_later_one_superseded_it() {
    let mut superseded = reset("b", "expired", 0);
    superseded["is_superseded"] = json!(true);
    let mut decoy = reset("d", "discarded", 0);
    decoy["address"] = Value::Null;
    let rows = [reset("a", "sent", 0), superseded, reset("c", "bounced", 0), decoy];
    let requests = [
        asked("key-a", Kind::Integration, Some("a")),
        asked("key-b", Kind::Visitor, Some("b")),
        asked("key-c", Kind::Integration, Some("c")),
        asked("key-d", Kind::Stranger, Some("d")),
        asked("key-e", Kind::Integration, Some("e")),
    ];
    let verdict = judged(&rows, &[mail("a", "event-a", ANNA)], &requests);
    assert_eq!((verdict.acknowledged, verdict.ok, verdict.superseded, verdict.decoys), (5, 1, 1, 1));
    let mut alone = rows[1].clone();
    alone["has_successor"] = json!(false);
    assert_eq!(judged(&[alone], &[], &requests[1..2]).lost.len(), 1, "no other reset superseded it");
    let lost: Vec<_> = verdict.lost.iter().map(|line| &line[..5]).collect();
    assert_eq!(lost, ["key-c", "key-e"]);
    // "sent" in the ledger is not enough.
    assert_eq!(judged(&rows, &[], &requests).lost.len(), 3);
}

#[test]
fn copies_are_explained_by_the_ledgers_doubts_only() {
    let requests = [asked("key-a", Kind::Integration, Some("a"))];
    let copies = [(); 2].map(|()| mail("a", "event-a", ANNA));
    for (status, in_doubt, unexplained) in
        [("sent", 0, 1), ("sent", 1, 0), ("expired", 1, 1), ("failed", 2, 0)]
    {
        let verdict = judged(&[reset("a", status, in_doubt)], &copies, &requests);
        assert_eq!((verdict.ok, verdict.duplicated), (1, 1));
        assert_eq!(verdict.unexplained.len(), unexplained, "{status}, {in_doubt} in doubt");
    }
}

#[test]
fn mails_and_resets_that_nobody_asked_for_are_unexpected() {
    let (rows, mails) = ([reset("a", "sent", 0)], [mail("a", "event-a", ANNA)]);
    let requests = [asked("key-a", Kind::Integration, Some("a"))];
    assert_eq!(judged(&rows, &mails, &requests).unexpected.len(), 0);
    let foreign =
        [mail("a", "event-a", "eve@example.com"), mail("a", "event-b", ANNA), mail("x", "event-x", ANNA)];
    for mail in foreign {
        let verdict = judged(&rows, &[mails[0].clone(), mail.clone()], &requests);
        assert_eq!(verdict.unexpected.len(), 1, "{:?}, {}", mail.recipients, mail.header("Message-ID"));
    }
    // One that came to Eve only is lost, too.
    assert_eq!(judged(&rows, &[mail("a", "event-a", "eve@example.com")], &requests).lost.len(), 1);
    // A second reset of the same key.
    let mut second = reset("b", "sent", 0);
    second["reference"] = json!("key-a");
    let verdict = judged(&[rows[0].clone(), second], &mails, &requests);
    assert!(verdict.unexpected[0].starts_with("reset b"), "{:?}", verdict.unexpected);
}

#[test]
fn a_request_that_was_not_acknowledged_may_have_made_one_reset() {
    let (rows, mails) = ([reset("a", "sent", 0)], [mail("a", "event-a", ANNA)]);
    let verdict = judged(&rows, &mails, &[asked("key-a", Kind::Impatient, None)]);
    assert_eq!((verdict.recovered, verdict.unexpected.len()), (1, 0));
    assert_eq!(judged(&rows, &mails, &[]).unexpected.len(), 1);
}

#[test]
fn a_reset_is_received_as_often_as_it_was_sent_and_a_decoy_never() {
    let sent = |id: &str, attempts: u64| {
        let mut row = reset(id, "sent", 0);
        row["callback_attempts"] = json!(attempts);
        row
    };
    let mut decoy = sent("d", 1);
    decoy["address"] = Value::Null;
    let received = |id: &str, event: &str| Received {
        at: Instant::now(),
        line: String::new(),
        headers: [("webhook-id".to_owned(), event.to_owned())].into(),
        body: json!({"data": {"id": id}}).to_string(),
    };
    let resets = resets(&[sent("a", 2), sent("b", 1), decoy]);
    let judged = |requests: &[(&str, &str)]| {
        let requests: Vec<_> = requests.iter().map(|(id, event)| received(id, event)).collect();
        let mut verdict = Verdict::default();
        verdict.judge_callbacks(&resets, &requests);
        let Verdict { received, received_again, never_received, wrongly_received, .. } = verdict;
        [received, received_again, never_received.len(), wrongly_received.len()]
    };
    let (a, b) = (("a", "event-a"), ("b", "event-b"));
    assert_eq!(judged(&[a, a, b]), [2, 1, 0, 0]);
    assert_eq!(judged(&[a]), [1, 0, 1, 0]);
    assert_eq!(judged(&[a, b, b]), [2, 1, 0, 1], "more often than it was sent");
    assert_eq!(judged(&[("a", "event-b"), b]), [1, 0, 1, 1], "with another event's id");
    assert_eq!(judged(&[a, b, ("d", "event-d"), ("x", "event-x")]), [2, 0, 0, 2], "a decoy, and no reset");
}

#[test]
fn a_mail_has_the_token_that_the_request_was_answered_with() {
    let (rows, mails) = ([reset("a", "sent", 0)], [mail("a", "event-a", ANNA)]);
    let mut request = asked("key-a", Kind::Integration, Some("a"));
    request.acknowledged.as_mut().unwrap().1.token = Some("u".to_owned());
    let verdict = judged(&rows, &mails, &[request]);
    assert_eq!((verdict.ok, verdict.unexpected.len()), (0, 1));
}

/// Returns the completed, the lost and the unexpected of a run in which resets set new passwords, the clients saw as many of them, and notices were
/// mailed or over the customer's budget.
fn passwords(changes: usize, seen: usize, mailed: usize, over_budget: usize) -> [usize; 3] {
    let id = |number: usize| format!("reset-{number}");
    let completed = |number| {
        let mut row = reset(&id(number), "sent", 0);
        row["is_completed"] = json!(true);
        row
    };
    let notice = |number: usize| {
        let mut row = reset(&id(number), if number < mailed { "sent" } else { "suppressed" }, 0);
        row["mail"] = json!("password_changed");
        Delivery::from_row(row)
    };
    let resets = resets(&(0..changes).map(completed).collect::<Vec<_>>());
    let deliveries = (0..mailed + over_budget).map(notice).collect();
    let mails: Vec<_> =
        (0..mailed).map(|number| mail(&id(number), &format!("event-{}", id(number)), ANNA)).collect();
    let seen: Vec<_> = (0..seen).map(id).collect();
    let mut verdict = Verdict::default();
    verdict.judge_mails(&deliveries, &mails, &[]);
    verdict.judge_passwords(&resets, &deliveries, &seen);
    [verdict.completed, verdict.lost.len(), verdict.unexpected.len()]
}

#[test]
fn a_new_password_was_seen_by_its_customer_and_is_mailed_within_the_budget() {
    assert_eq!(passwords(2, 2, 2, 0), [2, 0, 0]);
    assert_eq!(passwords(2, 2, 1, 0), [0, 1, 0], "no mail");
    assert_eq!(passwords(2, 2, 1, 1), [0, 1, 0], "the budget is larger");
    assert_eq!(passwords(8, 8, 5, 3), [8, 0, 0], "beyond the budget");
    assert_eq!(passwords(1, 1, 2, 0), [0, 0, 1], "one mail too many");
    assert_eq!(passwords(2, 1, 2, 0), [2, 0, 1], "nobody did it");
    assert_eq!(passwords(1, 2, 1, 0), [1, 1, 0], "it was undone");
}
