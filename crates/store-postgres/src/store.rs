use async_trait::async_trait;
use rekey_core::{
    clients::{ApiClient, RegisteredClient},
    customers::{Credentials, CustomerChange, NewCustomer},
    deliveries::{
        ledger::Ledger,
        suppression::{Suppression, SuppressionFilter},
    },
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::{audit::AuditEntry, outbox::OutboxMessage},
    ids::{CustomerId, ResetId},
    organizations::{NewOrganization, Organization},
    passwords::PasswordHash,
    resets::{CreatedReset, Redeemed, RejectableReset, TokenHolder},
    resources::{
        CUSTOMER_PASSWORD_RESETS,
        catalog::Catalog,
        record::{Changes, Record},
    },
    scope::Scope,
    secrets::{CodeDigest, TokenDigest},
    store::{Completion, ResetRecord, ResetRejection, Store},
};
use time::OffsetDateTime;

use crate::{
    PostgresStore, codes, customers, disavowals, error::fault, operator, resets, suppressions, tokens,
};

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        Ledger::ping(self).await
    }

    async fn create_organization(&self, organization: &NewOrganization) -> Result<Organization, CreateError> {
        operator::create_organization(&self.pool, organization).await
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        operator::organizations(&self.pool).await
    }

    async fn create_api_client(&self, client: &ApiClient) -> Result<ApiClient, CreateError> {
        operator::create_api_client(&self.pool, client).await
    }

    async fn api_clients(&self) -> Result<Vec<RegisteredClient>, StoreError> {
        operator::api_clients(&self.pool).await
    }

    async fn find_api_client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError> {
        operator::find_api_client(&self.pool, client_id).await
    }

    async fn revoke_api_client(&self, client_id: &str) -> Result<bool, StoreError> {
        operator::revoke_api_client(&self.pool, client_id).await
    }

    async fn suppressions(&self, filter: SuppressionFilter) -> Result<Vec<Suppression>, StoreError> {
        suppressions::list(&self.pool, filter).await
    }

    async fn lift_suppression(
        &self,
        scope: Scope,
        email: &EmailAddress,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        suppressions::lift(&self.pool, scope, email, audit).await
    }

    async fn create_customer(
        &self,
        scope: Scope,
        customer: &NewCustomer,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<Record, CreateError> {
        customers::create_customer(&self.pool, scope, customer, event, audit).await
    }

    async fn update_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        change: &CustomerChange,
        event: Option<&OutboxMessage>,
        audit: &AuditEntry,
    ) -> Result<Option<Record>, CreateError> {
        customers::update_customer(self, scope, id, change, event, audit).await
    }

    async fn delete_customer(
        &self,
        scope: Scope,
        id: CustomerId,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        customers::delete_customer(&self.pool, scope, id, event, audit).await
    }

    async fn find_credentials(
        &self,
        scope: Scope,
        email: &EmailAddress,
    ) -> Result<Option<Credentials>, StoreError> {
        customers::find_credentials(&self.pool, scope, email).await
    }

    async fn rehash_password(
        &self,
        scope: Scope,
        customer: CustomerId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        customers::rehash_password(&self.pool, scope, customer, old, new).await
    }

    async fn create_reset(
        &self,
        scope: Scope,
        record: &ResetRecord<'_>,
    ) -> Result<Option<CreatedReset>, CreateError> {
        resets::create_reset(&self.pool, scope, record).await
    }

    async fn update_reset(
        &self,
        scope: Scope,
        id: ResetId,
        changes: &Changes,
        audit: &AuditEntry,
    ) -> Result<Option<Record>, StoreError> {
        if changes.is_empty() {
            return self.find(scope, &CUSTOMER_PASSWORD_RESETS, id.into()).await;
        }
        resets::update_reset(&self.pool, scope, id, changes, audit).await
    }

    async fn delete_reset(
        &self,
        scope: Scope,
        id: ResetId,
        event: &OutboxMessage,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        resets::delete_reset(&self.pool, scope, id, event, audit).await
    }

    async fn find_token_holder(
        &self,
        reset: ResetId,
        token: &TokenDigest,
    ) -> Result<Option<TokenHolder>, StoreError> {
        tokens::find_token_holder(&self.pool, reset, token).await
    }

    async fn redeem_code(
        &self,
        scope: Option<Scope>,
        resets: &[ResetId],
        code: &[CodeDigest],
    ) -> Result<Option<Redeemed>, StoreError> {
        codes::redeem_code(&self.pool, scope, resets, code).await
    }

    async fn complete_reset(&self, completion: &Completion<'_>) -> Result<Option<Record>, StoreError> {
        tokens::complete_reset(&self.pool, completion).await
    }

    async fn find_rejectable(&self, reset: ResetId) -> Result<Option<RejectableReset>, StoreError> {
        disavowals::find_rejectable(&self.pool, reset).await
    }

    async fn reject_reset(&self, disavowal: &ResetRejection<'_>) -> Result<bool, StoreError> {
        disavowals::reject_reset(&self.pool, disavowal).await
    }

    async fn now(&self) -> Result<OffsetDateTime, StoreError> {
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.pool).await.map_err(fault)
    }
}
