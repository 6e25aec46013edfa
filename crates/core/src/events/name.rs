use strum::{EnumIter, EnumString, IntoStaticStr, VariantNames};

use crate::resources::{CUSTOMER_PASSWORD_RESETS, CUSTOMERS, Resource};

/// The vendor's topic of an event: the events resource's name for it and the broker's routing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr, VariantNames)]
#[expect(missing_docs, reason = "each topic says what happened")]
pub enum EventName {
    #[strum(serialize = "customer_password_resets.create")]
    ResetCreate,
    #[strum(serialize = "customer_password_resets.reset_password")]
    ResetPassword,
    #[strum(serialize = "customer_password_resets.destroy")]
    ResetDestroy,
    /// Ours, the vendor has none.
    #[strum(serialize = "customer_password_resets.disavow")]
    ResetReject,
    #[strum(serialize = "customers.create")]
    CustomerCreate,
    #[strum(serialize = "customers.create_password")]
    CustomerCreatePassword,
    /// Not an event of the vendor, and neither is the next one.
    #[strum(serialize = "customers.change_email")]
    CustomerChangeEmail,
    #[strum(serialize = "customers.restore_email")]
    CustomerRestoreEmail,
    #[strum(serialize = "customers.anonymization_started")]
    CustomerAnonymizationStart,
    #[strum(serialize = "customers.anonymization_completed")]
    CustomerAnonymizationComplete,
    #[strum(serialize = "customers.anonymization_cancelled")]
    CustomerAnonymizationCancel,
    #[strum(serialize = "customers.destroy")]
    CustomerDestroy,
}

impl EventName {
    /// The topic.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The resource of the record that the event is about.
    #[must_use]
    pub fn resource(self) -> &'static Resource {
        match self {
            Self::ResetCreate | Self::ResetPassword | Self::ResetDestroy | Self::ResetReject => {
                &CUSTOMER_PASSWORD_RESETS
            }
            Self::CustomerCreate
            | Self::CustomerCreatePassword
            | Self::CustomerChangeEmail
            | Self::CustomerRestoreEmail
            | Self::CustomerAnonymizationStart
            | Self::CustomerAnonymizationComplete
            | Self::CustomerAnonymizationCancel
            | Self::CustomerDestroy => &CUSTOMERS,
        }
    }

    /// Whether the record is gone.
    #[must_use]
    pub fn is_destroy(self) -> bool {
        matches!(self, Self::ResetDestroy | Self::CustomerDestroy)
    }
}
