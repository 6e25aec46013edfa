//! The API clients that operators register (the vendor's "applications").

pub mod origin;

use async_trait::async_trait;
use time::OffsetDateTime;

use self::origin::AllowedOrigin;
use crate::{
    attributes::set_names,
    error::{CreateError, StoreError},
    events::audit::AuditEntry,
    ids::ApplicationId,
    name::DisplayName,
    organizations::Organization,
    scope::Scope,
    secrets::ClientSecretDigest,
};

/// What an API client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ClientKind {
    /// A trusted back end with a secret, which may do everything in its scope.
    Integration,
    /// A storefront, without a secret: acts for guests and logged-in customers.
    SalesChannel,
}

impl ClientKind {
    /// Returns `integration` or `sales_channel`, the name on the wire and in the stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Parses [`ClientKind::as_str`]'s form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// What a sales channel may do, as an operator chose; the default is nothing. Integrations need none of these permissions, and have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientPermissions {
    /// Its guests may ask for resets by e-mail address.
    pub self_service: bool,
    /// Customers may sign in, and refresh their sessions.
    pub sign_in: bool,
    /// Its guests may create customers. The answer to an address that is taken shows who has an account.
    pub sign_up: bool,
}

impl ClientPermissions {
    /// The permissions of a new client, unless an operator chooses others.
    #[must_use]
    pub fn for_new(kind: ClientKind) -> Self {
        Self { sign_in: kind == ClientKind::SalesChannel, ..Self::default() }
    }

    /// Returns the names of those that are granted, as operators write them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        set_names([("self-service", self.self_service), ("sign-in", self.sign_in), ("sign-up", self.sign_up)])
    }
}

/// A change of a client. `None` leaves an attribute as it is.
#[derive(Debug, Clone, Default)]
pub struct ClientChange {
    /// All its permissions from now on.
    pub permissions: Option<ClientPermissions>,
    /// All its origins from now on.
    pub allowed_origins: Option<Vec<AllowedOrigin>>,
    /// Its new name.
    pub name: Option<DisplayName>,
    /// Its new secret's digest: the old secret is invalid from now on.
    pub secret: Option<ClientSecretDigest>,
}

impl ClientChange {
    /// Removes what the client has already.
    #[must_use]
    pub fn without_current(self, client: &RegisteredClient) -> Self {
        Self {
            permissions: self.permissions.filter(|permissions| *permissions != client.permissions),
            allowed_origins: self.allowed_origins.filter(|origins| *origins != client.allowed_origins),
            name: self.name.filter(|name| name.as_str() != client.name),
            secret: self.secret,
        }
    }

    /// Returns the names of the attributes that change.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let Self { permissions, allowed_origins, name, secret } = self;
        set_names([
            ("name", name.is_some()),
            ("secret", secret.is_some()),
            ("permissions", permissions.is_some()),
            ("allowed_origins", allowed_origins.is_some()),
        ])
        .collect()
    }
}

/// A registered API client (the vendor's "application").
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// Its id, as in a token's `application.id`.
    pub id: ApplicationId,
    /// Its public OAuth identifier: 43 letters and digits.
    pub client_id: String,
    /// Its name, for operators.
    pub name: String,
    /// What it can access.
    pub scope: Scope,
    /// The organization of its scope.
    pub organization: Organization,
    /// What it is for.
    pub kind: ClientKind,
    /// Its secret's digest; an integration has one, a sales channel has none.
    pub secret: Option<ClientSecretDigest>,
    /// What it may do, if it is a sales channel.
    pub permissions: ClientPermissions,
    /// The web origins whose scripts may read the client's responses; none unless an operator names them.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// When it was revoked. A revoked client gets no tokens, and those that it has are invalid.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// The port to the database for API clients.
#[async_trait]
pub trait ClientStore: Send + Sync + 'static {
    /// Registers an API client, with its audit entry; `created_at` and `revoked_at` of the argument are ignored. `Taken`: its id or client
    /// id.
    async fn create_api_client(
        &self,
        client: &RegisteredClient,
        audit: &AuditEntry,
    ) -> Result<RegisteredClient, CreateError>;

    /// All API clients with their organizations, oldest first: for the operator's tool only.
    async fn api_clients(&self) -> Result<Vec<RegisteredClient>, StoreError>;

    /// The client with that OAuth `client_id`, revoked or not.
    async fn find_api_client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError>;

    /// Changes a client, with the audit entry; false when there is none.
    async fn update_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        change: &ClientChange,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Revokes a client, with the audit entry; false when there is none, or it was revoked before.
    async fn revoke_api_client(
        &self,
        scope: Scope,
        id: ApplicationId,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OrganizationId, random::OsRandom, scope::Mode, secrets::ClientSecret};

    #[test]
    fn what_a_client_has_already_is_no_change() {
        let organization = Organization {
            id: OrganizationId::generate(&OsRandom),
            slug: "shop".parse().unwrap(),
            name: "Shop".to_owned(),
            created_at: OffsetDateTime::UNIX_EPOCH,
        };
        let client = RegisteredClient {
            id: ApplicationId::generate(&OsRandom),
            client_id: "client".to_owned(),
            name: "Storefront".to_owned(),
            scope: Scope { organization: organization.id, mode: Mode::Live },
            organization,
            kind: ClientKind::SalesChannel,
            secret: None,
            permissions: ClientPermissions::for_new(ClientKind::SalesChannel),
            allowed_origins: vec!["https://shop.example".parse().unwrap()],
            revoked_at: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
        };
        let changed = |change: ClientChange| change.without_current(&client).names();
        let current = ClientChange {
            permissions: Some(client.permissions),
            allowed_origins: Some(client.allowed_origins.clone()),
            name: Some("Storefront".parse().unwrap()),
            secret: None,
        };
        assert!(changed(current).is_empty());
        let other = ClientChange {
            permissions: Some(ClientPermissions::default()),
            allowed_origins: Some(Vec::new()),
            name: Some("Shop front".parse().unwrap()),
            secret: Some(ClientSecret::generate(&OsRandom).digest()),
        };
        assert_eq!(changed(other), ["name", "secret", "permissions", "allowed_origins"]);
    }

    #[test]
    fn permissions_have_the_names_that_operators_write() {
        let names = |permissions: ClientPermissions| permissions.names().collect::<Vec<_>>();
        assert_eq!(
            names(ClientPermissions { self_service: true, sign_in: false, sign_up: true }),
            ["self-service", "sign-up"]
        );
        assert_eq!(names(ClientPermissions { sign_in: true, ..ClientPermissions::default() }), ["sign-in"]);
    }
}
