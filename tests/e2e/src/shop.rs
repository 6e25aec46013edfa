//! A shop on a [`Stack`]: its clients and a customer.

use crate::stack::{Registered, Stack};

/// The customer's address.
pub const ANNA: &str = "anna@example.com";
/// The customer's first password.
pub const OLD_PASSWORD: &str = "the first of all passwords";

/// A stack with an organization, its back office and a storefront.
pub struct Shop {
    pub stack: Stack,
    /// The integration.
    pub back_office: Registered,
    /// The sales channel, with self-service.
    pub storefront: Registered,
}

impl Shop {
    /// Sets up the organization and its clients, in live mode.
    pub async fn open(stack: Stack) -> Self {
        stack.organization("shop").await;
        let back_office = stack.client("shop", &["integration"]).await;
        let storefront = stack.client("shop", &["sales-channel", "--self-service"]).await;
        Self { stack, back_office, storefront }
    }

    /// Creates Anna, and returns a token of the back office.
    pub async fn register_anna(&self) -> String {
        let token = self.back_office.token(&self.stack.api).await;
        self.stack.api.create_customer(&token, ANNA, OLD_PASSWORD).await;
        token
    }
}
