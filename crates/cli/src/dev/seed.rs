//! The demo's records: an organization, clients of each kind, and a customer.

use anyhow::Context;
use rekey_core::{
    administration::{Administration, NewClient},
    caller::{Actor, Caller},
    clients::{ClientKind, ClientPermissions, RegisteredClient, origin::AllowedOrigin},
    customers::{
        CustomerAttributes,
        service::{CustomerError, CustomerService},
    },
    email::EmailAddress,
    organizations::{Organization, Slug},
    passwords::PlainPassword,
    scope::{Mode, Scope},
    sessions::Sessions,
};
use zeroize::Zeroizing;

use super::files::DataDir;

/// The demo customer's address and first password. It protects nothing: everybody can read the mailbox.
pub const CUSTOMER_EMAIL: &str = "john@example.com";
pub const CUSTOMER_PASSWORD: &str = "correct horse battery";
/// The demo organization's slug.
pub const SLUG: &str = "demo";
/// The demo organization's name.
pub const SHOP: &str = "Demo Shop";
const FILE: &str = "demo.env";

/// The client ids in `demo.env` that this process uses.
#[derive(Debug, PartialEq, Eq)]
struct DemoClients {
    integration: String,
    self_service: String,
}

/// What this process needs to know of the demo's records.
pub struct Demo {
    /// The client id of the storefront with self-service.
    pub storefront: String,
    /// The organization, and the mode of its clients.
    pub scope: Scope,
    /// The back office's API client, which creates the demo's records.
    pub back_office: Caller,
}

/// Creates what is missing.
pub async fn seed(
    data: &DataDir,
    administration: &Administration,
    customers: &CustomerService,
    sessions: &dyn Sessions,
) -> anyhow::Result<Demo> {
    let organization = organization(administration).await?;
    let file = data.path(FILE);
    if !file.exists() {
        let content = clients(administration, &organization.slug).await?;
        data.read_or_create(FILE, || Ok(content))?;
    }
    let clients = DemoClients::parse(
        &data.read_or_create(FILE, || anyhow::bail!("{} was removed", file.display()))?,
    )
    .with_context(|| format!("{} is incomplete: remove it to have it created again", file.display()))?;
    let integration = administration.store.find_api_client(&clients.integration).await?;
    let integration = integration.with_context(|| {
        format!(
            "{} names clients that are not in the database: remove it to have them created again",
            file.display()
        )
    })?;
    let back_office = Caller {
        actor: Actor::Client(integration.id),
        address: None,
        traceparent: None,
        locales: Vec::new(),
        record: None,
    };
    customer(customers, sessions, &integration, &back_office).await?;
    Ok(Demo { storefront: clients.self_service, scope: integration.scope, back_office })
}

async fn organization(administration: &Administration) -> anyhow::Result<Organization> {
    let known = administration.organizations().await?;
    if let Some(demo) = known.into_iter().find(|organization| organization.slug.as_str() == SLUG) {
        return Ok(demo);
    }
    Ok(administration.create_organization(SLUG.parse()?, SHOP.parse()?).await?)
}

/// Registers the clients and returns the content of `demo.env`.
async fn clients(administration: &Administration, organization: &Slug) -> anyhow::Result<Zeroizing<String>> {
    let any: AllowedOrigin = "*".parse()?;
    let create = async |name: &str, kind, permissions| -> anyhow::Result<_> {
        let client = NewClient {
            organization: organization.clone(),
            mode: Mode::Test,
            name: name.parse()?,
            kind,
            permissions,
            // A storefront under development runs on any port of any host, so any page may read these clients' responses.
            allowed_origins: if kind == ClientKind::SalesChannel { vec![any.clone()] } else { Vec::new() },
        };
        Ok(administration.create_client(client).await?)
    };
    let (integration, secret) = create("Back office", ClientKind::Integration, None).await?;
    let signs_up = ClientPermissions { self_service: false, sign_in: true, sign_up: true };
    let (sales, _) = create("Storefront", ClientKind::SalesChannel, Some(signs_up)).await?;
    // All that the demo storefront does.
    let resets = ClientPermissions { self_service: true, sign_in: true, sign_up: false };
    let (self_service, _) =
        create("Storefront with self-service", ClientKind::SalesChannel, Some(resets)).await?;
    let secret = secret.context("an integration has a secret")?;
    Ok(Zeroizing::new(format!(
        "CLIENT_ID={}\nCLIENT_SECRET={}\nSALES_CLIENT_ID={}\nSELF_SERVICE_CLIENT_ID={}\n",
        integration.client_id,
        secret.expose(),
        sales.client_id,
        self_service.client_id
    )))
}

async fn customer(
    customers: &CustomerService,
    sessions: &dyn Sessions,
    client: &RegisteredClient,
    caller: &Caller,
) -> anyhow::Result<()> {
    let email: EmailAddress = CUSTOMER_EMAIL.parse()?;
    if sessions.find_credentials(client.scope, &email).await?.is_some() {
        return Ok(());
    }
    let password = PlainPassword::parse(CUSTOMER_PASSWORD.to_owned())?;
    match customers.create(client, caller, email, Some(password), CustomerAttributes::default()).await {
        Ok(_) | Err(CustomerError::Taken) => Ok(()),
        Err(error) => Err(error).context("the demo customer can't be created"),
    }
}

impl DemoClients {
    /// Reads `demo.env`; `None` unless it has every key.
    fn parse(content: &str) -> Option<Self> {
        let value = |key: &str| content.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let others = ["CLIENT_SECRET", "SALES_CLIENT_ID"];
        others.into_iter().all(|key| value(key).is_some()).then_some(())?;
        let [integration, self_service] = ["CLIENT_ID", "SELF_SERVICE_CLIENT_ID"].map(value);
        Some(Self { integration: integration?.to_owned(), self_service: self_service?.to_owned() })
    }
}

#[cfg(test)]
mod tests;
