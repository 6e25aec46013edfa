//! What operators set up and repair: organizations, the API clients that belong to them, and addresses that no mail is sent to.

use std::sync::Arc;

use crate::{
    clients::{
        ClientChange, ClientKind, ClientPermissions, ClientStore, RegisteredClient, origin::AllowedOrigin,
    },
    clock::Clock,
    deliveries::suppression::{Suppression, SuppressionFilter, SuppressionStore},
    email::EmailAddress,
    error::{CreateError, StoreError},
    events::audit::{Action, AuditEntry},
    ids::{ApplicationId, OrganizationId},
    name::DisplayName,
    organizations::{NewOrganization, Organization, OrganizationStore, Slug},
    random::{RandomSource, fill_alphanumeric},
    scope::{Mode, Scope},
    secrets::ClientSecret,
};

/// The database ports that the operator's use cases need.
pub trait AdministrationStore: OrganizationStore + ClientStore + SuppressionStore {}

impl<T: OrganizationStore + ClientStore + SuppressionStore> AdministrationStore for T {}

/// The operator's use cases. Cheap to clone.
#[derive(Clone)]
pub struct Administration {
    /// Where organizations and clients are kept.
    pub store: Arc<dyn AdministrationStore>,
    /// Dates new records.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub random: Arc<dyn RandomSource>,
}

/// An API client to register.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its organization's slug.
    pub organization: Slug,
    /// Test or live.
    pub mode: Mode,
    /// Its name, for operators.
    pub name: DisplayName,
    /// An integration gets a secret, a sales channel gets none.
    pub kind: ClientKind,
    /// What it may do, unless that is the default: [`ClientPermissions::for_new`]. An integration has no permissions.
    pub permissions: Option<ClientPermissions>,
    /// The web origins whose scripts may read its answers.
    pub allowed_origins: Vec<AllowedOrigin>,
}

/// Why a client is not registered.
#[derive(Debug, thiserror::Error)]
pub enum NewClientError {
    /// There is no such organization.
    #[error("no organization has the slug {0}")]
    UnknownOrganization(Slug),
    /// Only a storefront has visitors.
    #[error("permissions are for sales channels only")]
    Permissions,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] CreateError),
}

/// Why a client is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ClientChangeError {
    /// There is no such client.
    #[error("no client has the id {0}")]
    UnknownClient(String),
    /// Only a storefront has visitors.
    #[error("permissions are for sales channels only")]
    Permissions,
    /// A sales channel has no secret.
    #[error("only integrations have a secret")]
    NoSecret,
    /// It gets no tokens any more.
    #[error("the client is revoked: register a new one")]
    Revoked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something of an organization can't be shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such organization.
    #[error("no organization has the slug {0}")]
    UnknownOrganization(Slug),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Characters of a client id: as many as a secret has, so that ids are never guessed either.
const CLIENT_ID: usize = 43;

impl Administration {
    /// Creates an organization.
    ///
    /// # Errors
    /// `Taken` when another has the slug.
    pub async fn create_organization(
        &self,
        slug: Slug,
        name: DisplayName,
    ) -> Result<Organization, CreateError> {
        let id = OrganizationId::generate(&*self.random);
        let new = NewOrganization { id, slug, name: name.to_string() };
        let audit = AuditEntry::by_operator(Action::Create, vec!["slug", "name"], &*self.random);
        self.store.create_organization(&new, &audit).await
    }

    /// Returns all organizations, by slug.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        self.store.organizations().await
    }

    /// Changes an organization's name, and returns it. The name is in mails from then on.
    ///
    /// # Errors
    /// See [`OrganizationError`].
    pub async fn rename_organization(
        &self,
        slug: &Slug,
        name: &DisplayName,
    ) -> Result<Organization, OrganizationError> {
        let organization = self.known(slug).await?;
        if organization.name != name.as_str() {
            let audit = AuditEntry::by_operator(Action::Update, vec!["name"], &*self.random);
            self.store.rename_organization(organization.id, name, &audit).await?;
        }
        self.known(slug).await
    }

    /// Registers a client. Its secret is in the answer and nowhere else: it can't be read again.
    ///
    /// # Errors
    /// See [`NewClientError`].
    pub async fn create_client(
        &self,
        new: NewClient,
    ) -> Result<(RegisteredClient, Option<ClientSecret>), NewClientError> {
        let permissions = new.permissions.unwrap_or_else(|| ClientPermissions::for_new(new.kind));
        if !may_have(new.kind, permissions) {
            return Err(NewClientError::Permissions);
        }
        let organization = self.organization(&new.organization).await.map_err(CreateError::Store)?;
        let Some(organization) = organization else {
            return Err(NewClientError::UnknownOrganization(new.organization));
        };
        let secret = (new.kind == ClientKind::Integration).then(|| ClientSecret::generate(&*self.random));
        let client = RegisteredClient {
            id: ApplicationId::generate(&*self.random),
            client_id: self.client_id(),
            name: new.name.to_string(),
            scope: Scope { organization: organization.id, mode: new.mode },
            organization,
            kind: new.kind,
            secret: secret.as_ref().map(ClientSecret::digest),
            permissions,
            allowed_origins: new.allowed_origins,
            revoked_at: None,
            created_at: self.clock.now(),
        };
        let attributes = vec!["name", "kind", "permissions", "allowed_origins"];
        let audit = AuditEntry::by_operator(Action::Create, attributes, &*self.random);
        Ok((self.store.create_api_client(&client, &audit).await?, secret))
    }

    /// Returns all clients with their organizations, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clients(&self) -> Result<Vec<RegisteredClient>, StoreError> {
        self.store.api_clients().await
    }

    /// Changes a client's permissions and origins, and returns it. The API knows within 5 seconds.
    ///
    /// # Errors
    /// See [`ClientChangeError`].
    pub async fn update_client(
        &self,
        client_id: &str,
        change: ClientChange,
    ) -> Result<RegisteredClient, ClientChangeError> {
        let unknown = || ClientChangeError::UnknownClient(client_id.to_owned());
        let client = self.store.find_api_client(client_id).await?.ok_or_else(unknown)?;
        if change.permissions.is_some_and(|permissions| !may_have(client.kind, permissions)) {
            return Err(ClientChangeError::Permissions);
        }
        let change = change.without_current(&client);
        let names = change.names();
        if names.is_empty() {
            return Ok(client);
        }
        let audit = AuditEntry::by_operator(Action::Update, names, &*self.random);
        self.store.update_api_client(client.scope, client.id, &change, &audit).await?;
        self.store.find_api_client(client_id).await?.ok_or_else(unknown)
    }

    /// Gives an integration a new secret, and returns it: it can't be read again. The old one is invalid within 5 seconds; tokens that the client
    /// has stay valid until they expire.
    ///
    /// # Errors
    /// See [`ClientChangeError`].
    pub async fn rotate_client_secret(&self, client_id: &str) -> Result<ClientSecret, ClientChangeError> {
        let unknown = || ClientChangeError::UnknownClient(client_id.to_owned());
        let client = self.store.find_api_client(client_id).await?.ok_or_else(unknown)?;
        if client.revoked_at.is_some() {
            return Err(ClientChangeError::Revoked);
        }
        if client.secret.is_none() {
            return Err(ClientChangeError::NoSecret);
        }
        let secret = ClientSecret::generate(&*self.random);
        let change = ClientChange { secret: Some(secret.digest()), ..ClientChange::default() };
        let audit = AuditEntry::by_operator(Action::Update, change.names(), &*self.random);
        self.store.update_api_client(client.scope, client.id, &change, &audit).await?;
        Ok(secret)
    }

    /// Revokes a client: it gets no more tokens, and those that it has become invalid. False when there is no such client.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revoke_client(&self, client_id: &str) -> Result<bool, StoreError> {
        let Some(client) = self.store.find_api_client(client_id).await? else { return Ok(false) };
        let audit = AuditEntry::by_operator(Action::Revoke, Vec::new(), &*self.random);
        self.store.revoke_api_client(client.scope, client.id, &audit).await?;
        Ok(true)
    }

    /// Returns the suppressed addresses, of that organization and in that mode if they are given.
    ///
    /// # Errors
    /// See [`OrganizationError`].
    pub async fn suppressions(
        &self,
        organization: Option<&Slug>,
        mode: Option<Mode>,
    ) -> Result<Vec<Suppression>, OrganizationError> {
        let organization = match organization {
            Some(slug) => Some(self.known(slug).await?.id),
            None => None,
        };
        Ok(self.store.suppressions(SuppressionFilter { organization, mode }).await?)
    }

    /// Lets mails go to an address again; false when it was not suppressed.
    ///
    /// # Errors
    /// See [`OrganizationError`].
    pub async fn lift_suppression(
        &self,
        organization: &Slug,
        mode: Mode,
        email: &EmailAddress,
    ) -> Result<bool, OrganizationError> {
        let scope = Scope { organization: self.known(organization).await?.id, mode };
        let audit = AuditEntry::by_operator(Action::LiftSuppression, Vec::new(), &*self.random);
        Ok(self.store.lift_suppression(scope, email, &audit).await?)
    }

    async fn known(&self, slug: &Slug) -> Result<Organization, OrganizationError> {
        let organization = self.organization(slug).await?;
        organization.ok_or_else(|| OrganizationError::UnknownOrganization(slug.clone()))
    }

    async fn organization(&self, slug: &Slug) -> Result<Option<Organization>, StoreError> {
        let organizations = self.store.organizations().await?;
        Ok(organizations.into_iter().find(|organization| organization.slug == *slug))
    }

    fn client_id(&self) -> String {
        let mut id = [0; CLIENT_ID];
        fill_alphanumeric(&*self.random, &mut id);
        id.iter().map(|&byte| char::from(byte)).collect()
    }
}

/// Whether a client of that kind may have those permissions.
fn may_have(kind: ClientKind, permissions: ClientPermissions) -> bool {
    kind == ClientKind::SalesChannel || permissions == ClientPermissions::default()
}
