//! What operators do with dead letters.

use lapin::BasicProperties;
use rekey_broker::rabbitmq::{DeadLetters, DeadMessage};

use crate::stage::{Stage, eventually_async, header};

const COUNT: usize = 5;

#[tokio::test]
async fn dead_letters_that_were_looked_at_stay_in_their_order_however_it_ends() {
    let stage = stage_with_dead_letters().await;
    // More often than RabbitMQ 4 gives a message back.
    for round in 0..25 {
        let mut letters = DeadLetters::connect(&stage.config).await.unwrap();
        let mut seen = Vec::new();
        while let Some(message) = letters.next().await.unwrap() {
            seen.push(id(&message));
            letters.keep(&message).await.unwrap();
        }
        assert_eq!(seen, ids(), "round {round}");
        // As when its process is killed.
        if round % 2 == 0 {
            drop(letters);
        } else {
            letters.close().await;
        }
        let all_are_back = async || stage.count(&stage.topology().dead()).await as usize == COUNT;
        eventually_async(all_are_back, "the dead letters to be back").await;
    }
    stage.strike().await;
}

#[tokio::test]
async fn a_dead_letter_is_replayed_as_a_first_attempt_or_removed_and_the_others_stay() {
    let stage = stage_with_dead_letters().await;
    let mut letters = DeadLetters::connect(&stage.config).await.unwrap();
    let first = letters.next().await.unwrap().unwrap();
    assert_eq!((first.reason().as_str(), first.attempt(), first.payload()), ("unknown", 1, &b"letter"[..]));
    letters.replay(&first).await.unwrap();
    let second = letters.next().await.unwrap().unwrap();
    letters.remove(&second).await.unwrap();
    letters.next().await.unwrap().unwrap();
    letters.close().await;

    let replayed = stage.next(&stage.topology().queue()).await;
    assert_eq!(replayed.properties.message_id().as_ref().unwrap().as_str(), ids()[0]);
    assert_eq!((replayed.data.as_slice(), replayed.properties.delivery_mode()), (&b"letter"[..], &Some(2)));
    assert_eq!(header(&replayed, "x-rekey-attempt"), "1");
    let dead = stage.topology().dead();
    for expected in &ids()[2..] {
        let left = stage.next(&dead).await;
        assert_eq!(left.properties.message_id().as_ref().unwrap().as_str(), expected);
    }
    assert!(stage.take(&dead).await.is_none());
    stage.strike().await;
}

/// Makes a stage with dead letters. A consumer, which has ended, declared its queues.
async fn stage_with_dead_letters() -> Stage {
    let mut stage = Stage::new().await;
    stage.bus().await;
    stage.stop_last().await;
    for id in ids() {
        let properties = BasicProperties::default().with_message_id(id.into()).with_delivery_mode(2);
        stage.put_into(&stage.topology().dead(), b"letter", properties).await;
    }
    stage
}

fn ids() -> Vec<String> {
    (0..COUNT).map(|number| format!("LETTER000{number}")).collect()
}

fn id(message: &DeadMessage) -> String {
    message.id().unwrap().to_owned()
}
