//! A delivered message's copy for another queue: to come again later, or to be parked.

use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

use super::{confirms::Outgoing, topology::short};

/// Which attempt at handling the message this is, from 1; without the header it is the first.
const ATTEMPT: &str = "x-rekey-attempt";
/// Why the message came back or was parked.
const REASON: &str = "x-rekey-reason";
/// What the message was published with: its own routing key is that of the last queue it waited in.
const ROUTING_KEY: &str = "x-rekey-routing-key";
/// W3C trace context, which a publisher may have set.
const TRACEPARENT: &str = "traceparent";
/// Characters of a reason that are kept: all headers have to fit one frame, of which 4 KiB are sure.
const MAX_REASON: usize = 500;

/// Which attempt at handling it this delivery is.
pub(super) fn attempt(delivery: &Delivery) -> u32 {
    let attempt = match header(delivery, ATTEMPT) {
        Some(AMQPValue::LongLongInt(attempt)) => u32::try_from(*attempt).ok(),
        Some(AMQPValue::LongInt(attempt)) => u32::try_from(*attempt).ok(),
        _ => None,
    };
    attempt.unwrap_or(1).max(1)
}

/// A copy for `queue`, as attempt `attempt`. Of the properties and headers only those are kept that mean something to us:
/// the others may be the broker's own, about the old message, or anybody's.
pub(super) fn copy(delivery: &Delivery, queue: &str, attempt: u32, reason: &str) -> Outgoing {
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(attempt.into()));
    headers.insert(REASON.into(), text(&reason.chars().take(MAX_REASON).collect::<String>()));
    let first_key = header(delivery, ROUTING_KEY).cloned();
    headers.insert(ROUTING_KEY.into(), first_key.unwrap_or_else(|| text(delivery.routing_key.as_str())));
    if let Some(traceparent) = header(delivery, TRACEPARENT) {
        headers.insert(TRACEPARENT.into(), traceparent.clone());
    }
    Outgoing {
        exchange: ShortString::default(),
        routing_key: short(queue),
        properties: kept(&delivery.properties),
        headers,
        payload: delivery.data.clone(),
    }
}

fn kept(of: &BasicProperties) -> BasicProperties {
    let mut properties = BasicProperties::default();
    if let Some(value) = of.content_type() {
        properties = properties.with_content_type(value.clone());
    }
    if let Some(value) = of.message_id() {
        properties = properties.with_message_id(value.clone());
    }
    if let Some(value) = of.kind() {
        properties = properties.with_type(value.clone());
    }
    if let Some(value) = of.timestamp() {
        properties = properties.with_timestamp(*value);
    }
    properties
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a AMQPValue> {
    delivery.properties.headers().as_ref()?.inner().get(name)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
