//! Events in the form of the contract.

use rekey_events::{SCHEMA_VERSION, v1};

use super::{EmailChanged, Event, EventBody, ResetCreated};
use crate::{
    clock::{from_unix_microseconds, to_unix_microseconds},
    scope::{Mode, Scope},
    secrets::{SealedAddress, SealedCode, SealedToken, SealedUndoToken},
};

impl Event {
    pub(super) fn to_wire(&self) -> v1::Event {
        use v1::event::Body;
        let body = match &self.body {
            EventBody::ResetCreated(created) => {
                Body::CustomerPasswordResetCreated(v1::PasswordResetCreated {
                    reset_id: created.reset.to_string(),
                    sealed_token: created.token.as_bytes().to_vec(),
                    client_id: created.client_id.clone().unwrap_or_default(),
                    sealed_address: address_bytes(created.address.as_ref()),
                    sealed_code: created
                        .code
                        .as_ref()
                        .map(|code| code.as_bytes().to_vec())
                        .unwrap_or_default(),
                })
            }
            EventBody::ResetUsed { reset, customer, address } => {
                Body::CustomerPasswordResetUsed(v1::PasswordResetUsed {
                    reset_id: reset.to_string(),
                    customer_id: customer.to_string(),
                    sealed_address: address_bytes(address.as_ref()),
                })
            }
            EventBody::ResetDestroyed { reset } => {
                Body::CustomerPasswordResetDestroyed(v1::PasswordResetDestroyed {
                    reset_id: reset.to_string(),
                })
            }
            EventBody::ResetRejected { reset } => {
                Body::CustomerPasswordResetDisavowed(v1::PasswordResetDisavowed {
                    reset_id: reset.to_string(),
                })
            }
            EventBody::CustomerCreated { customer } => {
                Body::CustomerCreated(v1::CustomerCreated { customer_id: customer.to_string() })
            }
            EventBody::CustomerPasswordCreated { customer, address } => {
                Body::CustomerPasswordCreated(v1::CustomerPasswordCreated {
                    customer_id: customer.to_string(),
                    sealed_address: address_bytes(address.as_ref()),
                })
            }
            EventBody::CustomerEmailChanged(changed) => {
                Body::CustomerEmailChanged(v1::CustomerEmailChanged {
                    customer_id: changed.customer.to_string(),
                    email_change_id: changed.change.to_string(),
                    sealed_token: changed.token.as_bytes().to_vec(),
                    sealed_address: changed.address.as_bytes().to_vec(),
                })
            }
            EventBody::CustomerEmailRestored { customer } => {
                Body::CustomerEmailRestored(v1::CustomerEmailRestored { customer_id: customer.to_string() })
            }
            EventBody::CustomerAnonymizationStarted { customer } => {
                Body::CustomerAnonymizationStarted(v1::CustomerAnonymizationStarted {
                    customer_id: customer.to_string(),
                })
            }
            EventBody::CustomerAnonymizationCompleted { customer } => {
                Body::CustomerAnonymizationCompleted(v1::CustomerAnonymizationCompleted {
                    customer_id: customer.to_string(),
                })
            }
            EventBody::CustomerAnonymizationCancelled { customer } => {
                Body::CustomerAnonymizationCancelled(v1::CustomerAnonymizationCancelled {
                    customer_id: customer.to_string(),
                })
            }
            EventBody::CustomerDestroyed { customer } => {
                Body::CustomerDestroyed(v1::CustomerDestroyed { customer_id: customer.to_string() })
            }
        };
        let mode = match self.scope.mode {
            Mode::Test => v1::Mode::Test,
            Mode::Live => v1::Mode::Live,
        };
        v1::Event {
            schema_version: SCHEMA_VERSION,
            id: self.id.to_string(),
            organization_id: self.scope.organization.to_string(),
            mode: mode.into(),
            occurred_at: to_unix_microseconds(self.occurred_at),
            traceparent: self.traceparent.clone().unwrap_or_default(),
            locales: self.locales.iter().map(ToString::to_string).collect(),
            body: Some(body),
        }
    }

    pub(super) fn from_wire(wire: v1::Event) -> Option<Self> {
        use v1::event::Body;
        let mode = match wire.mode() {
            v1::Mode::Test => Mode::Test,
            v1::Mode::Live => Mode::Live,
            v1::Mode::Unspecified => return None,
        };
        let body = match wire.body? {
            Body::CustomerPasswordResetCreated(body) => EventBody::ResetCreated(ResetCreated {
                reset: body.reset_id.parse().ok()?,
                token: SealedToken::from_bytes(body.sealed_token),
                client_id: Some(body.client_id).filter(|id| !id.is_empty()),
                address: address(body.sealed_address),
                code: Some(body.sealed_code).filter(|sealed| !sealed.is_empty()).map(SealedCode::from_bytes),
            }),
            Body::CustomerPasswordResetUsed(body) => EventBody::ResetUsed {
                reset: body.reset_id.parse().ok()?,
                customer: body.customer_id.parse().ok()?,
                address: address(body.sealed_address),
            },
            Body::CustomerPasswordResetDestroyed(body) => {
                EventBody::ResetDestroyed { reset: body.reset_id.parse().ok()? }
            }
            Body::CustomerPasswordResetDisavowed(body) => {
                EventBody::ResetRejected { reset: body.reset_id.parse().ok()? }
            }
            Body::CustomerCreated(body) => {
                EventBody::CustomerCreated { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerPasswordCreated(body) => EventBody::CustomerPasswordCreated {
                customer: body.customer_id.parse().ok()?,
                address: address(body.sealed_address),
            },
            Body::CustomerEmailChanged(body) => EventBody::CustomerEmailChanged(EmailChanged {
                customer: body.customer_id.parse().ok()?,
                change: body.email_change_id.parse().ok()?,
                token: SealedUndoToken::from_bytes(body.sealed_token),
                address: address(body.sealed_address)?,
            }),
            Body::CustomerEmailRestored(body) => {
                EventBody::CustomerEmailRestored { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerAnonymizationStarted(body) => {
                EventBody::CustomerAnonymizationStarted { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerAnonymizationCompleted(body) => {
                EventBody::CustomerAnonymizationCompleted { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerAnonymizationCancelled(body) => {
                EventBody::CustomerAnonymizationCancelled { customer: body.customer_id.parse().ok()? }
            }
            Body::CustomerDestroyed(body) => {
                EventBody::CustomerDestroyed { customer: body.customer_id.parse().ok()? }
            }
        };
        Some(Self {
            id: wire.id.parse().ok()?,
            scope: Scope { organization: wire.organization_id.parse().ok()?, mode },
            occurred_at: from_unix_microseconds(wire.occurred_at)?,
            traceparent: Some(wire.traceparent).filter(|text| !text.is_empty()),
            locales: wire.locales.iter().filter_map(|tag| tag.parse().ok()).collect(),
            body,
        })
    }
}

/// Returns the bytes of an address; none where there is no address.
fn address_bytes(address: Option<&SealedAddress>) -> Vec<u8> {
    address.map(|address| address.as_bytes().to_vec()).unwrap_or_default()
}

/// Reverses [`address_bytes`].
fn address(bytes: Vec<u8>) -> Option<SealedAddress> {
    (!bytes.is_empty()).then(|| SealedAddress::from_bytes(bytes))
}
