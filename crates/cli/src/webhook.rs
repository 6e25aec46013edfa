//! `rekey webhook`: the receivers that are sent events.

mod replay;
mod rows;

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use clap::{Args, Subcommand};
use rekey_core::{
    attributes::CommonAttributes,
    caller::{Actor, Caller},
    clock::{Clock, SystemClock},
    events::EventName,
    ids::{EventId, WebhookId},
    name::DisplayName,
    organizations::Slug,
    random::OsRandom,
    resources::{
        WEBHOOKS,
        catalog::Catalog,
        listing::{Listed, Listing, Page},
        record::{Record, Value},
    },
    scope::{Mode, Scope},
    secrets::{KeyRing, SealedSharedSecret, SharedSecret},
    webhooks::{
        CallbackUrl,
        fan_out::FanOut,
        replay::Since,
        service::{WebhookAttributes, WebhookError, WebhookService},
        store::WriteWebhookError,
    },
};
use rekey_runtime::config::{Configuration, Source, WebhookToolSettings, Webhooks};
use rekey_store_postgres::{CallbackFilter, PostgresStore};
use rekey_webhooks::{ClientOptions, Request, Secrets, WebhookClient};
use serde_json::json;
use url::Url;

pub use self::rows::CallbackRow;
use self::rows::WebhookRow;
use crate::{
    operator,
    output::{NothingFound, Output, printable},
};

/// The commands on webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// List an organization's webhooks, with the state of each.
    List {
        #[command(flatten)]
        scope: ScopeArguments,
    },
    /// Create a webhook; its secret is printed.
    Create(Create),
    /// Show what a webhook was sent last, and what its receiver answered.
    Show {
        /// The webhook's id.
        id: WebhookId,
        #[command(flatten)]
        scope: ScopeArguments,
    },
    /// Send a webhook a test, once, from this machine, and print what its receiver answers. Nothing is recorded. The body has no record, and
    /// `meta.test`.
    Test {
        /// The webhook's id.
        id: WebhookId,
        #[command(flatten)]
        scope: ScopeArguments,
    },
    /// Send an event to the webhooks of its topic again.
    Trigger {
        /// The event's id.
        event: EventId,
        #[command(flatten)]
        scope: ScopeArguments,
    },
    /// List what webhooks were sent, newest first, or what waits, with what their receivers answered last.
    Callbacks(replay::Callbacks),
    /// Send again what webhooks were sent, or were not, as it was: one callback, or up to 10,000 that have ended, the oldest first. What waits is
    /// left alone, and what was erased with its customer is gone.
    Replay(replay::ReplayArguments),
    /// Close a webhook's circuit: what waits is sent.
    ResetCircuit {
        /// The webhook's id.
        id: WebhookId,
        #[command(flatten)]
        scope: ScopeArguments,
    },
    /// Encrypt all webhooks' secrets with the first key of `keys.sealing`, so that `rekey key retire` can retire the others. The secrets stay the
    /// same.
    Reseal,
    /// Give a webhook a new secret, which is printed. The former one signs along for 24 hours.
    RotateSecret {
        /// The webhook's id.
        id: WebhookId,
        #[command(flatten)]
        scope: ScopeArguments,
    },
}

/// Which webhooks.
#[derive(Debug, Args)]
pub struct ScopeArguments {
    /// The organization's slug.
    #[arg(long)]
    organization: Slug,
    /// Test or live data.
    #[arg(long, default_value = "live", value_parser = operator::mode())]
    mode: Mode,
}

/// The arguments of `rekey webhook create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    scope: ScopeArguments,
    /// The events that it is sent, such as `customers.create`.
    #[arg(long)]
    topic: EventName,
    /// Where it receives: an https URL.
    #[arg(long)]
    url: CallbackUrl,
    /// Its name, unique in the organization and mode: up to 100 visible characters.
    #[arg(long)]
    name: Option<DisplayName>,
    /// The relationships of the topic's resource that are included, separated by commas.
    #[arg(long, value_name = "RELATIONSHIPS", value_delimiter = ',')]
    include: Vec<String>,
}

/// How many callbacks are shown.
const SHOWN: u32 = Page::MAX_SIZE;

/// Runs `rekey webhook`.
pub async fn run(command: WebhookCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let WebhookToolSettings { keys, webhooks } = Configuration::load(source)?.settings()?;
    let tool = Tool { store: Arc::new(operator::connect(source).await?), keys: keys.sealing };
    match command {
        WebhookCommand::List { scope } => tool.list(tool.scope(&scope).await?, output).await,
        WebhookCommand::Create(create) => tool.create(create, output).await,
        WebhookCommand::Show { id, scope } => tool.show(tool.scope(&scope).await?, id, output).await,
        WebhookCommand::Test { id, scope } => {
            tool.test(tool.scope(&scope).await?, id, webhooks, output).await
        }
        WebhookCommand::Trigger { event, scope } => {
            let sent = tool.service().trigger(tool.scope(&scope).await?, &operator(), event).await?;
            let count = sent.ok_or_else(|| NothingFound(format!("no event has the id {event}")))?;
            output.record(
                &json!({ "event": event.as_str(), "webhooks": count }),
                &format!("Sent to {count} webhooks.\n"),
            )
        }
        WebhookCommand::Callbacks(callbacks) => callbacks.run(&tool, output).await,
        WebhookCommand::Replay(replay) => replay.run(&tool, output).await,
        WebhookCommand::ResetCircuit { id, scope } => {
            let attributes = WebhookAttributes { resets_circuit: true, ..WebhookAttributes::default() };
            tool.update(tool.scope(&scope).await?, id, attributes).await?;
            output
                .record(&json!({ "id": id.as_str(), "circuit_state": "closed" }), "The circuit is closed.\n")
        }
        WebhookCommand::Reseal => tool.reseal(output).await,
        WebhookCommand::RotateSecret { id, scope } => {
            let attributes = WebhookAttributes { regenerates_secret: true, ..WebhookAttributes::default() };
            let scope = tool.scope(&scope).await?;
            tool.update(scope, id, attributes).await?;
            tool.print_secret(scope, id, output).await
        }
    }
}

/// The production database, and the keys of what is encrypted in it.
pub struct Tool {
    store: Arc<PostgresStore>,
    keys: KeyRing,
}

/// The caller of the operator's commands.
fn operator() -> Caller {
    Caller {
        actor: Actor::Operator(None),
        address: None,
        traceparent: None,
        locales: Vec::new(),
        record: None,
    }
}

impl Tool {
    fn service(&self) -> WebhookService {
        let fan_out =
            FanOut::new(self.store.clone(), self.store.clone(), self.keys.clone(), Arc::new(OsRandom));
        WebhookService { store: self.store.clone(), fan_out }
    }

    async fn scope(&self, arguments: &ScopeArguments) -> anyhow::Result<Scope> {
        let organization = operator::find_organization(&*self.store, &arguments.organization).await?;
        Ok(Scope { organization: organization.id, mode: arguments.mode })
    }

    /// Returns the scope, in which there must be that webhook.
    async fn find_scope(
        &self,
        arguments: &ScopeArguments,
        webhook: Option<WebhookId>,
    ) -> anyhow::Result<Scope> {
        let scope = self.scope(arguments).await?;
        if let Some(id) = webhook {
            self.find(scope, id).await?;
        }
        Ok(scope)
    }

    async fn find(&self, scope: Scope, id: WebhookId) -> anyhow::Result<Record> {
        let found = self.store.find(scope, &WEBHOOKS, id.into()).await?;
        Ok(found.ok_or_else(|| {
            NothingFound(format!("no webhook of this organization and mode has the id {id}"))
        })?)
    }

    async fn list(&self, scope: Scope, output: Output) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let page = Page::After { cursor, size: Page::MAX_SIZE };
            let listing = Listing { page, ..Listing::first_page(&WEBHOOKS) };
            let Listed { items, next, .. } = self.store.list(scope, &listing).await?;
            rows.extend(items.iter().map(WebhookRow::from));
            cursor = next;
            if cursor.is_none() {
                return output.list(&rows);
            }
        }
    }

    async fn create(&self, create: Create, output: Output) -> anyhow::Result<()> {
        let Create { scope, topic, url, name, include } = create;
        let scope = self.scope(&scope).await?;
        let attributes = WebhookAttributes {
            name: name.map(|name| name.to_string()),
            include_resources: Some(include),
            common: CommonAttributes::default(),
            ..WebhookAttributes::default()
        };
        let created = self.service().create(scope, &operator(), topic, url, attributes).await;
        self.print_secret(scope, created.map_err(in_words)?, output).await
    }

    async fn update(&self, scope: Scope, id: WebhookId, attributes: WebhookAttributes) -> anyhow::Result<()> {
        self.find(scope, id).await?;
        self.service().update(scope, &operator(), id, attributes).await.map_err(in_words)?;
        Ok(())
    }

    async fn show(&self, scope: Scope, id: WebhookId, output: Output) -> anyhow::Result<()> {
        let webhook = self.find(scope, id).await?;
        let filter = CallbackFilter { webhook: Some(id), state: None, since: Since::default() };
        let callbacks = self.store.logged_callbacks(scope, &filter, SHOWN).await?;
        output.show(&WebhookRow::from(&webhook))?;
        output.list(&callbacks.iter().map(CallbackRow::from).collect::<Vec<_>>())
    }

    async fn reseal(&self, output: Output) -> anyhow::Result<()> {
        let mut count = 0_u64;
        for secrets in self.store.webhook_secrets().await? {
            let (organization, webhook) = (secrets.scope.organization, secrets.webhook);
            let reseal = |sealed: &SealedSharedSecret| {
                let plain = sealed.unseal(organization, webhook, &self.keys);
                let plain =
                    plain.with_context(|| format!("keys.sealing lacks the key of a secret of {webhook}"))?;
                anyhow::Ok(SealedSharedSecret::seal(&plain, organization, webhook, &self.keys, &OsRandom))
            };
            let former = secrets.former.as_ref().map(reseal).transpose()?;
            let sealed = reseal(&secrets.sealed)?;
            count += u64::from(self.store.reseal_webhook(&secrets, &sealed, former.as_ref()).await?);
        }
        output.record(&json!({ "resealed": count }), &format!("Encrypted the secrets of {count} webhooks.\n"))
    }

    async fn print_secret(&self, scope: Scope, id: WebhookId, output: Output) -> anyhow::Result<()> {
        let secret = secret(scope, &self.find(scope, id).await?, &self.keys)?;
        let (plain, standard) = (secret.expose(), secret.to_whsec());
        let json = json!({ "id": id.as_str(), "shared_secret": plain, "whsec": &**standard });
        output.record(&json, &format!("WEBHOOK_ID={id}\nSHARED_SECRET={plain}\nWHSEC={}\n", *standard))
    }

    async fn test(
        &self,
        scope: Scope,
        id: WebhookId,
        settings: Webhooks,
        output: Output,
    ) -> anyhow::Result<()> {
        let webhook = self.find(scope, id).await?;
        let secrets = Secrets { current: secret(scope, &webhook, &self.keys)?, former: None };
        let text = |name| webhook.get(name).as_text().unwrap_or_default();
        let topic: EventName = text("topic").parse().context("the topic is none of this version")?;
        let meta = json!({
            "mode": scope.mode.as_str(), "organization_id": scope.organization.as_str(), "test": true
        });
        let event = EventId::generate(&OsRandom);
        let body = json!({ "data": { "type": topic.resource().name, "id": event.as_str(), "meta": meta } });
        let client = WebhookClient::new(ClientOptions {
            allowed_networks: settings.allowed_networks,
            ..ClientOptions::default()
        })?;
        let request = Request {
            url: &Url::parse(text("callback_url"))?,
            topic: topic.as_str(),
            id: event.as_str(),
            sent_at: SystemClock.now(),
            secrets: &secrets,
            traceparent: None,
            body: Bytes::from(body.to_string()),
        };
        let answer = client.send(request).await?;
        let line = format!("{} {}\n", answer.status, printable(&answer.body));
        output.record(&json!({ "status": answer.status, "body": answer.body }), &line)?;
        anyhow::ensure!((200..300).contains(&answer.status), "the receiver did not take it");
        Ok(())
    }
}

/// Decrypts a webhook's secret.
pub fn secret(scope: Scope, webhook: &Record, keys: &KeyRing) -> anyhow::Result<SharedSecret> {
    let Value::SharedSecret(sealed) = webhook.get("shared_secret") else {
        anyhow::bail!("the webhook has no secret")
    };
    sealed.unseal(scope.organization, webhook.id(), keys).context("keys.sealing lacks the key of its secret")
}

fn in_words(error: WebhookError) -> anyhow::Error {
    match error {
        WebhookError::Write(WriteWebhookError::Taken) => {
            anyhow::anyhow!("another webhook of this organization and mode has that name")
        }
        error => error.into(),
    }
}
