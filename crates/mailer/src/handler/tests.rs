use rekey_core::{deliveries::MailName, scope::Scope, secrets::SealedToken};
use rekey_testkit::seed;
use time::OffsetDateTime;

use super::*;

/// The stores write a delivery for these events, and the mailer claims it.
#[test]
fn an_event_leads_to_a_mail_where_its_delivery_is_written() {
    let (reset, customer) = ("RESETRESE1".parse().unwrap(), "CUSTOMERS1".parse().unwrap());
    let token = SealedToken::from_bytes(vec![1, 2, 3]);
    for body in [
        EventBody::ResetCreated(seed::created(reset, token)),
        EventBody::ResetUsed { reset, customer },
        EventBody::ResetDestroyed { reset },
        EventBody::ResetDisavowed { reset },
        EventBody::CustomerCreated { customer },
        EventBody::CustomerPasswordCreated { customer },
        EventBody::CustomerDestroyed { customer },
    ] {
        let scope = Scope { organization: "SHOPSHOP01".parse().unwrap(), mode: Mode::Live };
        let event = Event {
            id: "EVENTEVEN1".parse().unwrap(),
            scope,
            occurred_at: OffsetDateTime::UNIX_EPOCH,
            traceparent: None,
            locales: Vec::new(),
            body,
        };
        assert_eq!(job(&event).map(|(job, _)| job.kind.name()), MailName::of(event.name()), "{event:?}");
    }
}
