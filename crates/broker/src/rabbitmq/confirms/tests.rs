use lapin::{message::Delivery, types::FieldTable};

use super::*;

type Outcome = oneshot::Receiver<Result<(), NotConfirmed>>;

fn confirmed(number: i64, confirmation: Confirmation) -> (Confirmed, Outcome) {
    let (reply, outcome) = oneshot::channel();
    (Confirmed { number, reply, confirmation: Ok(confirmation) }, outcome)
}

fn returned(number: i64) -> BasicReturnMessage {
    let mut delivery = Delivery::mock(0, "".into(), "".into(), false, Vec::new());
    let mut headers = FieldTable::default();
    headers.insert(NUMBER.into(), AMQPValue::LongLongInt(number));
    delivery.properties = BasicProperties::default().with_headers(headers);
    BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
}

#[test]
fn unroutable_is_the_message_that_was_returned_not_the_confirm_that_brought_it() {
    let (mut unroutable, notify) = (HashSet::new(), Notify::new());
    let (first, mut first_outcome) = confirmed(1, Confirmation::Ack(Some(returned(3))));
    let (second, mut second_outcome) = confirmed(2, Confirmation::Nack(Some(returned(1))));
    report(vec![first, second], &mut unroutable, &notify).unwrap();
    assert_eq!(first_outcome.try_recv().unwrap(), Err(NotConfirmed::Unroutable));
    assert_eq!(second_outcome.try_recv().unwrap(), Err(NotConfirmed::Refused));
    // The return came early: it is remembered until its message's own confirm.
    let (third, mut third_outcome) = confirmed(3, Confirmation::Ack(None));
    let (fourth, mut fourth_outcome) = confirmed(4, Confirmation::Ack(None));
    report(vec![third, fourth], &mut unroutable, &notify).unwrap();
    assert_eq!(third_outcome.try_recv().unwrap(), Err(NotConfirmed::Unroutable));
    assert_eq!(fourth_outcome.try_recv().unwrap(), Ok(()));
    assert!(unroutable.is_empty());
}
