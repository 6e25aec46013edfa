use strum::{EnumString, IntoStaticStr};

/// The vendor's topic of an event: the events resource's name for it and the broker's routing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
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
}
