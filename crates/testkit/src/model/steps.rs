//! The steps of a case.

use proptest::{prelude::*, sample::select, strategy::Union};
use rekey_core::{
    cleanup::PurgeKind,
    deliveries::reports::ReportKind::{self, Bounced, Complained, Delayed},
    events::EventName,
    webhooks::queue::Next,
};
use time::Duration;

/// Idempotency keys that clients use.
pub(super) const KEYS: usize = 4;
/// Customers.
pub(super) const CUSTOMERS: usize = 2;

/// What webhooks are for.
pub(super) const TOPICS: [EventName; 3] =
    [EventName::ResetCreate, EventName::ResetPassword, EventName::ResetDestroy];
/// What attempts at callbacks lead to.
const NEXT: [Next; 5] = [
    Next::Delivered,
    Next::Retry(Duration::minutes(10)),
    Next::Postponed(Duration::minutes(1)),
    Next::GivenUp,
    Next::Disable,
];

/// Something that happens. Numbers without a meaning of their own choose one of what there is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A client requests a reset, or repeats its request with the same key. The process makes this many of its three calls.
    Request { key: usize, calls: usize },
    /// A relay claims messages, publishes them, and settles them, if it makes both calls. Some are not confirmed.
    Relay { max: u32, confirmed: bool, calls: usize },
    /// A mailer gets a message, claims the mail, sends it, and settles it: this many of these three.
    Mail { message: usize, reply: Reply, calls: usize },
    /// A process that stopped in the middle goes on: it was only slow.
    Resume { process: usize },
    /// The broker loses its messages.
    Purge,
    /// A mailer looks for overdue mails.
    Republish,
    /// Minutes pass.
    Wait { minutes: i64 },
    /// A customer uses a link.
    Use { reset: usize },
    /// A back office deletes a reset.
    Delete { reset: usize },
    /// A provider reports on a mail.
    Report { mail: usize, kind: ReportKind, is_named: bool },
    /// An operator lifts a suppression.
    Lift { customer: usize },
    /// Old records are deleted.
    Retain { kind: PurgeKind },
    /// A shop creates a webhook.
    CreateWebhook { topic: usize },
    /// A shop disables a webhook, or enables it.
    SwitchWebhook { webhook: usize, is_disabled: bool },
    /// A shop deletes a webhook.
    DeleteWebhook { webhook: usize },
    /// A process gets an event for the webhooks.
    FanOut { event: usize },
    /// A process claims callbacks, which lead to this.
    ClaimCallbacks { next: Next },
    /// A process chains audit entries.
    Chain { max: u32 },
    /// Old audit entries are deleted.
    PurgeAudit { max: u32 },
}

/// What an SMTP server makes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Accepted,
    /// It accepts the mail, but its reply gets lost.
    AcceptedUnseen,
    /// The connection breaks before it has the mail, which looks the same.
    Broken,
    /// It wants the mail later.
    Deferred,
    /// The address does not exist.
    Refused,
    /// It can't be reached.
    Unreachable,
}

/// Any step.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let reply = Union::new_weighted(vec![
        (4, Just(Reply::Accepted)),
        (1, Just(Reply::AcceptedUnseen)),
        (1, Just(Reply::Broken)),
        (1, Just(Reply::Deferred)),
        (1, Just(Reply::Refused)),
        (1, Just(Reply::Unreachable)),
    ]);
    prop_oneof![
        6 => (0..KEYS, 1..=3_usize).prop_map(|(key, calls)| Step::Request { key, calls }),
        6 => (1..4_u32, prop::bool::weighted(0.8), 1..=2_usize)
            .prop_map(|(max, confirmed, calls)| Step::Relay { max, confirmed, calls }),
        6 => (any::<usize>(), reply, 1..=3_usize)
            .prop_map(|(message, reply, calls)| Step::Mail { message, reply, calls }),
        3 => any::<usize>().prop_map(|process| Step::Resume { process }),
        1 => Just(Step::Purge),
        2 => Just(Step::Republish),
        // Around the leases, the time after which events are published again, and the life of a token.
        5 => select(vec![4, 12, 16, 40, 400]).prop_map(|minutes| Step::Wait { minutes }),
        2 => any::<usize>().prop_map(|reset| Step::Use { reset }),
        1 => any::<usize>().prop_map(|reset| Step::Delete { reset }),
        2 => (any::<usize>(), select(vec![Bounced, Delayed, Complained]), any::<bool>())
            .prop_map(|(mail, kind, is_named)| Step::Report { mail, kind, is_named }),
        1 => (0..CUSTOMERS).prop_map(|customer| Step::Lift { customer }),
        1 => select(vec![PurgeKind::Resets, PurgeKind::Deliveries, PurgeKind::Events])
            .prop_map(|kind| Step::Retain { kind }),
        2 => (0..TOPICS.len()).prop_map(|topic| Step::CreateWebhook { topic }),
        1 => (0..3_usize, any::<bool>())
            .prop_map(|(webhook, is_disabled)| Step::SwitchWebhook { webhook, is_disabled }),
        1 => (0..3_usize).prop_map(|webhook| Step::DeleteWebhook { webhook }),
        4 => any::<usize>().prop_map(|event| Step::FanOut { event }),
        3 => select(NEXT.to_vec()).prop_map(|next| Step::ClaimCallbacks { next }),
        2 => (1..6_u32).prop_map(|max| Step::Chain { max }),
        1 => (1..6_u32).prop_map(|max| Step::PurgeAudit { max }),
    ]
}
