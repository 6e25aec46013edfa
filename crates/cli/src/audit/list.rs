//! `rekey audit list`.

use std::cmp::Reverse;

use clap::Args;
use rekey_core::{
    events::audit::Action,
    organizations::Organization,
    resources::{
        EVENT_STORES,
        catalog::Catalog,
        listing::{Comparison, Filter, Listing, Page, Path, Test},
        record::{Record, Value},
    },
    scope::Scope,
};
use rekey_store_postgres::PostgresStore;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use time::OffsetDateTime;

use super::Scopes;
use crate::{
    operator,
    output::{Output, Row, or_dash, timestamp},
};

/// The arguments of `rekey audit list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    scopes: Scopes,
    /// Only entries about records of this type, or about one record: `customers` or `customers/ID`.
    #[arg(long, value_name = "TYPE[/ID]")]
    resource: Option<String>,
    /// Only entries of this action, such as `reset_password` or `sign_in_failed`; may be repeated.
    #[arg(long = "action", value_parser = action)]
    actions: Vec<Action>,
    /// Only what this actor did: `operator`, `customer`, `token_holder`, the name of one who acted in the console,
    /// or the id of an API client or a customer.
    #[arg(long)]
    actor: Option<String>,
    /// Only entries from this time on, in the form of 2026-01-31T12:00:00Z.
    #[arg(long, value_parser = operator::parse_time)]
    since: Option<OffsetDateTime>,
    /// Only entries before this time.
    #[arg(long, value_parser = operator::parse_time)]
    until: Option<OffsetDateTime>,
    /// The most entries to list.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// An entry as it is printed.
#[derive(Serialize)]
struct Entry {
    id: String,
    #[serde(skip)]
    at: OffsetDateTime,
    created_at: String,
    organization: String,
    mode: &'static str,
    resource_type: Option<String>,
    resource_id: Option<String>,
    event: Option<String>,
    ip_address: Option<String>,
    who: Map<String, Json>,
    payload: Map<String, Json>,
}

impl Entry {
    fn new(organization: &Organization, scope: Scope, record: &Record) -> Self {
        let text = |name| match record.get(name) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let object = |name| match record.get(name) {
            Value::Object(object) => object.clone(),
            _ => Map::new(),
        };
        let at =
            if let Value::Time(at) = record.get("created_at") { *at } else { OffsetDateTime::UNIX_EPOCH };
        Self {
            id: record.id().as_str().to_owned(),
            at,
            created_at: timestamp(at),
            organization: organization.slug.to_string(),
            mode: scope.mode.as_str(),
            resource_type: text("resource_type"),
            resource_id: text("resource_id"),
            event: text("event"),
            ip_address: text("ip_address"),
            who: object("who"),
            payload: object("payload"),
        }
    }
}

impl Row for Entry {
    const COLUMNS: &'static [&'static str] =
        &["TIME", "ORGANIZATION", "MODE", "TYPE", "RECORD", "ACTION", "ACTOR", "ATTRIBUTES"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.created_at.clone(),
            self.organization.clone(),
            self.mode.to_owned(),
            or_dash(self.resource_type.as_ref()),
            or_dash(self.resource_id.as_ref()),
            or_dash(self.event.as_ref()),
            name_of(&self.who),
            attributes(&self.payload),
        ]
    }
}

impl List {
    pub async fn run(&self, store: &PostgresStore, output: Output) -> anyhow::Result<()> {
        let mut entries = Vec::new();
        for (organization, scope) in self.scopes.read(store).await? {
            let records = self.read(store, scope).await?;
            entries.extend(records.iter().map(|record| Entry::new(&organization, scope, record)));
        }
        entries.sort_by_key(|entry| Reverse(entry.at));
        entries.truncate(self.limit as usize);
        output.list(&entries)
    }

    /// Returns the newest entries of a scope, at most as many as are listed.
    async fn read(&self, store: &PostgresStore, scope: Scope) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut cursor = None;
        loop {
            let listing = Listing {
                filter: Filter::All(self.filters()),
                page: Page::After { cursor, size: Page::MAX_SIZE },
                ..Listing::first_page(&EVENT_STORES)
            };
            let listed = store.list(scope, &listing).await?;
            records.extend(listed.items);
            cursor = listed.next;
            if cursor.is_none() || records.len() >= self.limit as usize {
                return Ok(records);
            }
        }
    }

    fn filters(&self) -> Vec<Filter> {
        let test = |name, test| {
            let attribute = EVENT_STORES.attribute(name)?;
            Some(Filter::Test(Path { via: None, attribute }, test))
        };
        let compare = |name, comparison, value| test(name, Test::Compare(comparison, value));
        let is = |name, value: &str| compare(name, Comparison::Equal, Value::Text(value.to_owned()));
        let (kind, id) = match self.resource.as_deref().map(|text| text.split_once('/').unwrap_or((text, "")))
        {
            Some((kind, id)) => (Some(kind), Some(id).filter(|id| !id.is_empty())),
            None => (None, None),
        };
        let actions: Vec<_> =
            self.actions.iter().map(|action| Value::Text(action.as_str().to_owned())).collect();
        [
            kind.and_then(|kind| is("resource_type", kind)),
            id.and_then(|id| is("resource_id", id)),
            (!actions.is_empty()).then(|| test("event", Test::In(actions))).flatten(),
            self.actor.as_deref().and_then(|actor| test("who", is_actor(actor))),
            self.since.and_then(|at| compare("created_at", Comparison::GreaterOrEqual, Value::Time(at))),
            self.until.and_then(|at| compare("created_at", Comparison::Less, Value::Time(at))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Returns the test of an entry's `who`.
fn is_actor(actor: &str) -> Test {
    let contains = |json: Json| Test::Contains(json.as_object().cloned().unwrap_or_default());
    match actor {
        "operator" => contains(json!({ "owner": { "type": "Operator" } })),
        "customer" => contains(json!({ "owner": { "type": "Customer" } })),
        "token_holder" => contains(json!({ "owner": { "type": "TokenHolder" } })),
        id => Test::Any(vec![
            contains(json!({ "application": { "id": id } })),
            contains(json!({ "owner": { "id": id } })),
        ]),
    }
}

/// Returns a short name of who did it.
fn name_of(who: &Map<String, Json>) -> String {
    let at = |name: &str, field: &str| who.get(name)?.get(field)?.as_str().map(str::to_owned);
    let owner = at("owner", "type").map(|kind| match at("owner", "id") {
        Some(id) => format!("{kind} {id}"),
        None => kind,
    });
    owner.or_else(|| at("application", "id")).unwrap_or_else(|| "-".to_owned())
}

/// Returns the names of the attributes, and how often it was done, if more than once.
fn attributes(payload: &Map<String, Json>) -> String {
    let names = payload.get("attributes").and_then(Json::as_array).into_iter().flatten();
    let names = names.filter_map(Json::as_str).collect::<Vec<_>>().join(",");
    payload.get("occurrences").map_or(names, |count| format!("{count} times"))
}

fn action(text: &str) -> Result<Action, String> {
    text.parse().map_err(|_| "not an action of the audit log".to_owned())
}
