//! Deliveries as they are printed.

use rekey_core::deliveries::{
    Reply,
    log::{LoggedDelivery, Step},
};
use serde::Serialize;

use crate::output::{Row, or_dash, timestamp};

/// A delivery.
#[derive(Serialize)]
pub struct DeliveryRow<'a> {
    id: &'a str,
    organization: &'a str,
    mode: &'static str,
    mail: &'static str,
    status: &'static str,
    customer: Option<String>,
    reset: Option<String>,
    /// Whether its link can be used.
    link: Option<&'static str>,
    attempts: u32,
    in_doubt: u32,
    created_at: String,
    updated_at: String,
    sent_at: Option<String>,
    next_attempt_at: Option<String>,
    relay: Option<&'a str>,
    smtp_code: Option<u16>,
    smtp_enhanced_code: Option<&'a str>,
    detail: Option<&'a str>,
}

impl<'a> From<&'a LoggedDelivery> for DeliveryRow<'a> {
    fn from(delivery: &'a LoggedDelivery) -> Self {
        Self {
            id: delivery.id.as_str(),
            organization: delivery.organization.as_str(),
            mode: delivery.scope.mode.as_str(),
            mail: delivery.mail.as_str(),
            status: delivery.status.as_str(),
            customer: delivery.customer.map(|id| id.to_string()),
            reset: delivery.reset.map(|id| id.to_string()),
            link: delivery.link.map(Into::into),
            attempts: delivery.attempts,
            in_doubt: delivery.in_doubt,
            created_at: timestamp(delivery.created_at),
            updated_at: timestamp(delivery.updated_at),
            sent_at: delivery.sent_at.map(timestamp),
            next_attempt_at: delivery.next_attempt_at.map(timestamp),
            relay: delivery.relay.as_deref(),
            smtp_code: delivery.reply.as_ref().map(|reply| reply.code),
            smtp_enhanced_code: delivery.reply.as_ref().and_then(|reply| reply.enhanced.as_deref()),
            detail: delivery.detail.as_deref(),
        }
    }
}

impl Row for DeliveryRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "ORGANIZATION",
        "MODE",
        "MAIL",
        "STATUS",
        "CREATED",
        "UPDATED",
        "ATTEMPTS",
        "IN DOUBT",
        "CUSTOMER",
        "RESET",
        "LINK",
        "DETAIL",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_owned(),
            self.organization.to_owned(),
            self.mode.to_owned(),
            self.mail.to_owned(),
            self.status.to_owned(),
            self.created_at.clone(),
            self.updated_at.clone(),
            self.attempts.to_string(),
            self.in_doubt.to_string(),
            or_dash(self.customer.as_deref()),
            or_dash(self.reset.as_deref()),
            or_dash(self.link),
            or_dash(self.detail),
        ]
    }
}

/// The life of one mail.
#[derive(Serialize)]
pub(super) struct LifeRow<'a> {
    #[serde(flatten)]
    pub(super) delivery: DeliveryRow<'a>,
    pub(super) timeline: Vec<StepRow>,
}

/// Something that happened to a mail, or that is due.
#[derive(Serialize)]
pub struct StepRow {
    at: String,
    step: &'static str,
    claim: Option<u32>,
    relay: Option<String>,
    smtp_code: Option<u16>,
    smtp_enhanced_code: Option<String>,
    detail: Option<String>,
}

impl From<Step> for StepRow {
    fn from(step: Step) -> Self {
        let Step { at, name, claim, relay, reply, detail } = step;
        let (smtp_code, smtp_enhanced_code) =
            reply.map_or((None, None), |Reply { code, enhanced }| (Some(code), enhanced));
        Self { at: timestamp(at), step: name.as_str(), claim, relay, smtp_code, smtp_enhanced_code, detail }
    }
}

impl Row for StepRow {
    const COLUMNS: &'static [&'static str] = &["TIME", "STEP", "CLAIM", "RELAY", "DETAIL"];

    fn cells(&self) -> Vec<String> {
        let (claim, relay) = (or_dash(self.claim), or_dash(self.relay.as_deref()));
        vec![self.at.clone(), self.step.to_owned(), claim, relay, or_dash(self.detail.as_deref())]
    }
}

/// A mail that waits, why, and what to do.
#[derive(Serialize)]
pub struct StuckRow<'a> {
    id: &'a str,
    organization: &'a str,
    mode: &'static str,
    mail: &'static str,
    status: &'static str,
    created_at: String,
    waiting_seconds: i64,
    attempts: u32,
    next_attempt_at: Option<String>,
    why: String,
    action: &'static str,
}

impl<'a> From<&'a LoggedDelivery> for StuckRow<'a> {
    fn from(delivery: &'a LoggedDelivery) -> Self {
        let advice = delivery.advice();
        Self {
            id: delivery.id.as_str(),
            organization: delivery.organization.as_str(),
            mode: delivery.scope.mode.as_str(),
            mail: delivery.mail.as_str(),
            status: delivery.status.as_str(),
            created_at: timestamp(delivery.created_at),
            waiting_seconds: (delivery.read_at - delivery.created_at).whole_seconds(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(timestamp),
            why: advice.why,
            action: advice.action,
        }
    }
}

impl Row for StuckRow<'_> {
    const COLUMNS: &'static [&'static str] =
        &["ID", "ORGANIZATION", "MODE", "MAIL", "STATUS", "CREATED", "ATTEMPTS", "NEXT", "WHY", "WHAT TO DO"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_owned(),
            self.organization.to_owned(),
            self.mode.to_owned(),
            self.mail.to_owned(),
            self.status.to_owned(),
            self.created_at.clone(),
            self.attempts.to_string(),
            or_dash(self.next_attempt_at.as_deref()),
            self.why.clone(),
            self.action.to_owned(),
        ]
    }
}
