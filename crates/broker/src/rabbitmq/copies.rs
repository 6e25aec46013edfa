//! The copy of a delivered message for another queue: to be delivered again later, or as a dead letter.

use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::{
    confirms::OutgoingMessage,
    topology::{long_string, short_string},
};

/// The number of this attempt at handling the message, from 1; without the header it is the first.
const ATTEMPT: &str = "x-rekey-attempt";
/// Why the message is delivered again or became a dead letter.
pub(super) const REASON: &str = "x-rekey-reason";
/// The routing key that the message was published with: its own is the name of the queue it last waited in.
const ROUTING_KEY: &str = "x-rekey-routing-key";
/// W3C trace context, which a publisher may have set.
const TRACEPARENT: &str = "traceparent";
/// Characters kept of a reason: all headers must fit one frame, of which only 4 KiB are guaranteed.
const MAX_REASON: usize = 500;

/// Returns the number of this attempt at handling the message, from 1.
pub(super) fn attempt(delivery: &Delivery) -> u32 {
    let attempt = match header(delivery, ATTEMPT) {
        Some(AMQPValue::LongLongInt(attempt)) => u32::try_from(*attempt).ok(),
        Some(AMQPValue::LongInt(attempt)) => u32::try_from(*attempt).ok(),
        _ => None,
    };
    attempt.unwrap_or(1).max(1)
}

/// Makes a copy for `queue`, as attempt `attempt`. Only the properties and headers that we use are kept: others may be the
/// broker's own about the old message, or anybody's.
pub(super) fn copy(delivery: &Delivery, queue: &str, attempt: u32, reason: &str) -> OutgoingMessage {
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(attempt.into()));
    headers.insert(REASON.into(), long_string(&reason.chars().take(MAX_REASON).collect::<String>()));
    let first_key = header(delivery, ROUTING_KEY).cloned();
    headers
        .insert(ROUTING_KEY.into(), first_key.unwrap_or_else(|| long_string(delivery.routing_key.as_str())));
    if let Some(traceparent) = header(delivery, TRACEPARENT) {
        headers.insert(TRACEPARENT.into(), traceparent.clone());
    }
    OutgoingMessage {
        exchange: ShortString::default(),
        routing_key: short_string(queue),
        properties: kept(&delivery.properties).with_headers(headers),
        payload: delivery.data.clone(),
    }
}

fn kept(original: &BasicProperties) -> BasicProperties {
    let mut properties = BasicProperties::default();
    if let Some(value) = original.content_type() {
        properties = properties.with_content_type(value.clone());
    }
    if let Some(value) = original.message_id() {
        properties = properties.with_message_id(value.clone());
    }
    if let Some(value) = original.kind() {
        properties = properties.with_type(value.clone());
    }
    if let Some(value) = original.timestamp() {
        properties = properties.with_timestamp(*value);
    }
    properties
}

pub(super) fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a AMQPValue> {
    delivery.properties.headers().as_ref()?.inner().get(name)
}
