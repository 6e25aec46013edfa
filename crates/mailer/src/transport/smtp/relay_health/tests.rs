use super::*;

struct Always(u8);

impl RandomSource for Always {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

fn health(byte: u8) -> RelayHealth {
    RelayHealth::new(FIRST_PAUSE, Arc::new(Always(byte)))
}

#[tokio::test(start_paused = true)]
async fn each_pause_is_longer_up_to_a_quarter_of_an_hour_and_one_mail_tries_the_relay() {
    for (byte, fifths) in [(0, 5), (255, 4)] {
        let health = health(byte);
        assert_eq!(health.circuit(), Circuit::Closed);
        assert!(health.record_unusable());
        for minutes in [1, 2, 4, 8, 15, 15] {
            assert!(!health.record_unusable(), "the mails that were on their way prolong nothing");
            let whole = FIRST_PAUSE * minutes * fifths / 5;
            let instant = Duration::from_millis(1);
            tokio::time::advance(whole.checked_sub(instant).unwrap()).await;
            assert_eq!(health.circuit(), Circuit::Open, "{minutes} min");
            tokio::time::advance(instant).await;
            assert_eq!(
                (health.circuit(), health.circuit()),
                (Circuit::HalfOpen, Circuit::Open),
                "{minutes} min"
            );
        }
        assert!(health.record_success());
        assert_eq!((health.circuit(), health.record_success()), (Circuit::Closed, false));
    }
}

#[tokio::test(start_paused = true)]
async fn the_third_failure_in_a_row_starts_a_pause() {
    let health = health(0);
    assert!(!health.record_failure() && !health.record_failure());
    health.record_success();
    assert!(!health.record_failure() && !health.record_failure());
    assert_eq!(health.circuit(), Circuit::Closed);
    assert!(health.record_failure());
    assert_eq!(health.circuit(), Circuit::Open);
}
