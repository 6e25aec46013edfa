use std::future::pending;

use rekey_testkit::seed::Always;

use super::*;

fn health(byte: u8) -> RelayHealth {
    RelayHealth::new(watch::Sender::new(()), Arc::new(Always(byte)))
}

fn recover() -> JoinHandle<()> {
    tokio::spawn(pending())
}

/// B9: only where repeated attempts look like an attack do the pauses grow.
#[test]
fn pauses_grow_only_after_the_use_was_denied() {
    for (byte, fifths) in [(0, 5), (255, 4)] {
        let health = health(byte);
        for minutes in [1, 2, 4, 8, 15, 15] {
            assert_eq!(health.pause(Cause::Denied), Duration::from_secs(12) * minutes * fifths);
            assert_eq!(health.pause(Cause::Unreachable), Duration::from_secs(fifths.into()));
            assert_eq!(health.pause(Cause::Failing), Duration::from_secs(6) * fifths);
        }
        health.record_success();
        assert_eq!(health.pause(Cause::Denied), Duration::from_secs(12) * fifths);
    }
}

#[tokio::test]
async fn a_circuit_opens_once_is_half_open_for_one_mail_and_closes_by_a_success() {
    let health = health(0);
    assert_eq!(health.circuit(), Circuit::Closed);
    assert!(health.open(false, recover));
    assert!(!health.open(false, recover), "the mails that were on their way prolong nothing");
    health.half_open();
    assert_eq!(health.circuit(), Circuit::HalfOpen);
    assert!(health.open(false, recover));
    assert!(!health.open(false, recover), "another mail was first");
    assert!(health.open(true, recover), "the mail that tried the relay failed");
    assert!(health.record_success());
    assert!(!health.record_success());
    health.half_open();
    assert_eq!(health.circuit(), Circuit::Closed, "it is known to work");
}

#[test]
fn the_third_failure_in_a_row_counts() {
    let health = health(0);
    assert!(!health.record_failure() && !health.record_failure());
    health.record_success();
    assert!(!health.record_failure() && !health.record_failure());
    assert!(health.record_failure());
}

/// B3: neither a customer's server that refuses us nor a shop's sender that is not allowed stops the others.
#[test]
fn refusals_count_for_different_recipients_in_a_row_and_not_for_one_sender_of_several() {
    let address = |text: &str| text.parse::<Address>().unwrap();
    let (shop, other) = (address("shop@example.com"), address("shop@example.org"));
    let recipients = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"].map(address);
    let health = health(0);
    let counted = |sender| recipients.each_ref().map(|recipient| health.record_refusal(sender, recipient));
    assert!((0..9).all(|_| !health.record_refusal(&shop, &recipients[0])));
    assert!(!health.record_refusal(&shop, &recipients[1]));
    health.record_acceptance(&shop);
    assert_eq!(counted(&shop), [false, false, true, true], "the accepted mail starts the count again");
    health.record_acceptance(&shop);
    assert_eq!(counted(&other), [false; 4]);
    assert!(!health.record_refusal(&shop, &recipients[0]), "a single one of the sender that was accepted");
}

/// B3: the mails behind some recipients that are refused for reasons of their own are not held up by the pause.
#[tokio::test]
async fn while_a_relay_is_paused_for_refusals_others_may_try_it_up_to_a_number() {
    let address = |text: &str| text.parse::<Address>().unwrap();
    let (shop, good) = (address("shop@example.com"), address("good@example.com"));
    let health = health(0);
    for n in 1..=MAX_REFUSED {
        let recipient = address(&format!("r{n}@example.com"));
        assert_eq!(health.record_refusal(&shop, &recipient), n >= MAX_FAILURES, "{n}");
        if n == MAX_FAILURES {
            assert!(!health.accepts(&good), "it is not paused yet");
            assert!(health.open(false, recover));
        }
        let is_open_to_others = (MAX_FAILURES..MAX_REFUSED).contains(&n);
        assert_eq!(
            (health.accepts_others(), health.accepts(&good)),
            (is_open_to_others, is_open_to_others),
            "{n}"
        );
        assert!(!health.accepts(&recipient));
    }
    health.record_acceptance(&shop);
    assert_eq!((health.circuit(), health.accepts_others()), (Circuit::Closed, false));
}
