//! `rekey client`.

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    administration::{ClientChangeError, NewClient},
    clients::{
        ClientChange, ClientKind, ClientPermissions, RegisteredClient,
        origin::{AllowedOrigin, InvalidOrigin},
    },
    name::DisplayName,
    organizations::Slug,
    scope::Mode,
    secrets::ClientSecret,
};
use rekey_runtime::config::Source;
use serde::Serialize;
use serde_json::json;

use super::{administration, mode};
use crate::output::{NothingFound, Output, Row, joined, timestamp};

/// The commands on API clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an API client. An integration's secret is printed once and can't be shown again.
    Create(CreateClient),
    /// Change what an API client may do, the origins of its scripts, or its name. A running API knows within seconds.
    Update(UpdateClient),
    /// Give an integration a new secret, which is printed once. The old one is refused within seconds; tokens that the client has
    /// stay valid until they expire.
    RotateSecret {
        /// The client's OAuth identifier.
        client_id: String,
    },
    /// Show one API client.
    Show {
        /// The client's OAuth identifier.
        client_id: String,
    },
    /// List all API clients.
    List,
    /// Revoke an API client: it gets no more tokens, and those it has expire within seconds.
    Revoke {
        /// The client's OAuth identifier.
        client_id: String,
    },
}

/// The arguments of `rekey client create`.
#[derive(Debug, Args)]
pub struct CreateClient {
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Its kind: a trusted back end with a secret, or a storefront without one.
    #[arg(long, value_parser = kind())]
    kind: ClientKind,
    /// Test or live data. Mails of test data go to the mailer's `mailbox.directory`, never to a relay.
    #[arg(long, default_value = "live", value_parser = mode())]
    mode: Mode,
    /// Its name, for operators.
    #[arg(long)]
    name: DisplayName,
    /// What a sales channel may do, separated by commas; sign-in unless you choose.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
    allow: Vec<Allowed>,
    /// The same as `--allow self-service,sign-in`.
    #[arg(long, conflicts_with = "allow")]
    self_service: bool,
    /// A web origin whose scripts may read this client's responses, such as `https://shop.example`; may be repeated. `*` is every
    /// origin.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<AllowedOrigin>,
}

/// The arguments of `rekey client update`. A value replaces all earlier ones of its option; an option that is missing changes nothing.
#[derive(Debug, Args)]
pub struct UpdateClient {
    /// The client's OAuth identifier.
    client_id: String,
    /// All that the sales channel may do from now on, separated by commas.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',', required_unless_present_any = ["origins", "name"])]
    allow: Vec<Allowed>,
    /// All web origins whose scripts may read this client's responses from now on; may be repeated. `*` is every origin, `none` is
    /// none.
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<Option<AllowedOrigin>>,
    /// Its new name, for operators.
    #[arg(long)]
    name: Option<DisplayName>,
}

/// A permission of a sales channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allowed {
    /// Guests ask for a reset by e-mail address.
    SelfService,
    /// Customers sign in.
    SignIn,
    /// Guests create customers, which shows whether an address has an account.
    SignUp,
    /// Nothing: alone, it only sets passwords by the links in mails.
    None,
}

/// Runs `rekey client`.
pub async fn client(command: ClientCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let administration = administration(source).await?;
    match command {
        ClientCommand::Create(create) => {
            let (client, secret) = administration.create_client(create.into()).await?;
            let secret = secret.as_ref().map(ClientSecret::expose);
            let secret_line = secret.map(|secret| format!("CLIENT_SECRET={secret}\n")).unwrap_or_default();
            let text = format!("CLIENT_ID={}\n{secret_line}", client.client_id);
            output.record(&Created { client: ClientRow::from(&client), client_secret: secret }, &text)
        }
        ClientCommand::Update(UpdateClient { client_id, allow, origins, name }) => {
            let change = ClientChange {
                permissions: permissions(&allow),
                allowed_origins: (!origins.is_empty()).then(|| origins.into_iter().flatten().collect()),
                name,
                secret: None,
            };
            let client = administration.update_client(&client_id, change).await.map_err(not_changed)?;
            let row = ClientRow::from(&client);
            let text = format!("Allowed: {}. Origins: {}.\n", row.allowed(), row.origins());
            output.record(&row, &text)
        }
        ClientCommand::RotateSecret { client_id } => {
            let secret = administration.rotate_client_secret(&client_id).await.map_err(not_changed)?;
            let secret = secret.expose();
            let json = json!({ "client_id": client_id, "client_secret": secret });
            output.record(&json, &format!("CLIENT_ID={client_id}\nCLIENT_SECRET={secret}\n"))
        }
        ClientCommand::Show { client_id } => {
            let clients = administration.clients().await?;
            let found = clients.iter().find(|client| client.client_id == client_id);
            let found = found.ok_or_else(|| NothingFound(format!("no client has the id {client_id}")))?;
            output.show(&ClientRow::from(found))
        }
        ClientCommand::List => {
            let clients = administration.clients().await?;
            output.list(&clients.iter().map(ClientRow::from).collect::<Vec<_>>())
        }
        ClientCommand::Revoke { client_id } => {
            if !administration.revoke_client(&client_id).await? {
                return Err(NothingFound(format!("no client has the id {client_id}")).into());
            }
            output.record(&json!({ "client_id": client_id, "state": "revoked" }), "Revoked.\n")
        }
    }
}

fn not_changed(error: ClientChangeError) -> anyhow::Error {
    match error {
        ClientChangeError::UnknownClient(_) => NothingFound(error.to_string()).into(),
        ClientChangeError::Permissions
        | ClientChangeError::NoSecret
        | ClientChangeError::Revoked
        | ClientChangeError::Store(_) => error.into(),
    }
}

/// A client that was created.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    client: ClientRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

/// A client as it is printed.
#[derive(Serialize)]
struct ClientRow<'a> {
    client_id: &'a str,
    organization: &'a str,
    kind: &'static str,
    mode: &'static str,
    /// What a sales channel may do; an integration may do all.
    allowed: Vec<&'static str>,
    state: &'static str,
    origins: Vec<&'a str>,
    created_at: String,
    revoked_at: Option<String>,
    name: &'a str,
}

impl ClientRow<'_> {
    fn allowed(&self) -> String {
        joined(self.allowed.iter().copied())
    }

    fn origins(&self) -> String {
        joined(self.origins.iter().copied())
    }
}

impl<'a> From<&'a RegisteredClient> for ClientRow<'a> {
    fn from(client: &'a RegisteredClient) -> Self {
        Self {
            client_id: &client.client_id,
            organization: client.organization.slug.as_str(),
            kind: client.kind.as_str(),
            mode: client.scope.mode.as_str(),
            allowed: match client.kind {
                ClientKind::Integration => vec!["all"],
                ClientKind::SalesChannel => client.permissions.names().collect(),
            },
            state: if client.revoked_at.is_some() { "revoked" } else { "active" },
            origins: client.allowed_origins.iter().map(AllowedOrigin::as_str).collect(),
            created_at: timestamp(client.created_at),
            revoked_at: client.revoked_at.map(timestamp),
            name: &client.name,
        }
    }
}

impl Row for ClientRow<'_> {
    const COLUMNS: &'static [&'static str] =
        &["CLIENT ID", "ORGANIZATION", "KIND", "MODE", "ALLOWED", "STATE", "ORIGINS", "NAME"];

    fn cells(&self) -> Vec<String> {
        let Self { client_id, organization, kind, mode, state, name, .. } = *self;
        let (allowed, origins) = (self.allowed(), self.origins());
        [client_id, organization, kind, mode, &allowed, state, &origins, name].map(str::to_owned).into()
    }
}

/// Returns the permissions of the option, if it was given.
fn permissions(allow: &[Allowed]) -> Option<ClientPermissions> {
    (!allow.is_empty()).then(|| ClientPermissions {
        self_service: allow.contains(&Allowed::SelfService),
        sign_in: allow.contains(&Allowed::SignIn),
        sign_up: allow.contains(&Allowed::SignUp),
    })
}

fn kind() -> impl TypedValueParser<Value = ClientKind> {
    PossibleValuesParser::new(["integration", "sales-channel"])
        .try_map(|kind| ClientKind::parse(&kind.replace('-', "_")).ok_or("unknown kind"))
}

/// Parses an origin, or `none`.
fn origin(text: &str) -> Result<Option<AllowedOrigin>, String> {
    match text {
        "none" => Ok(None),
        _ => text.parse().map(Some).map_err(|error: InvalidOrigin| error.to_string()),
    }
}

impl From<CreateClient> for NewClient {
    fn from(create: CreateClient) -> Self {
        let CreateClient { organization, kind, mode, name, allow, self_service, origins } = create;
        let allow = if self_service { vec![Allowed::SelfService, Allowed::SignIn] } else { allow };
        let permissions = permissions(&allow);
        Self { organization, mode, name, kind, permissions, allowed_origins: origins }
    }
}
