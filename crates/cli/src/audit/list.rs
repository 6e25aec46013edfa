//! `rekey audit list`.

use clap::Args;
use rekey_core::{
    events::audit::Action,
    resources::{
        EVENT_STORES,
        catalog::Catalog,
        listing::{Comparison, Filter, Listing, Page, Path, Test},
        record::{Record, Value},
    },
    scope::Scope,
};
use rekey_store_postgres::PostgresStore;
use serde_json::{Map, Value as Json, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Scopes, verify::shown};

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
    /// Only what this actor did: `operator`, `customer`, `token_holder`, or the id of an API client or a customer.
    #[arg(long)]
    actor: Option<String>,
    /// Only entries from this time on, in the form of 2026-01-31T12:00:00Z.
    #[arg(long, value_parser = time)]
    since: Option<OffsetDateTime>,
    /// Only entries before this time.
    #[arg(long, value_parser = time)]
    until: Option<OffsetDateTime>,
    /// The most entries to list.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print each entry as a line of JSON.
    #[arg(long)]
    json: bool,
}

/// An entry to print.
struct Line {
    at: OffsetDateTime,
    organization: String,
    mode: &'static str,
    record: Record,
}

impl List {
    pub async fn run(&self, store: &PostgresStore) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for (organization, scope) in self.scopes.read(store).await? {
            let records = self.read(store, scope).await?;
            lines.extend(records.into_iter().map(|record| Line {
                at: time_of(&record),
                organization: organization.slug.to_string(),
                mode: scope.mode.as_str(),
                record,
            }));
        }
        lines.sort_by_key(|line| std::cmp::Reverse(line.at));
        lines.truncate(self.limit as usize);
        print(&lines, self.json);
        Ok(())
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

fn print(lines: &[Line], json: bool) {
    if !json {
        println!(
            "{:<22}{:<20}{:<6}{:<25}{:<12}{:<20}{:<22}ATTRIBUTES",
            "TIME", "ORGANIZATION", "MODE", "TYPE", "RECORD", "ACTION", "ACTOR"
        );
    }
    for Line { at, organization, mode, record } in lines {
        let text = |name| match record.get(name) {
            Value::Text(text) => text.as_str(),
            _ => "-",
        };
        let object = |name| match record.get(name) {
            Value::Object(object) => object.clone(),
            _ => Map::new(),
        };
        let (who, payload) = (object("who"), object("payload"));
        if json {
            let line = json!({
                "id": record.id().as_str(), "created_at": at.format(&Rfc3339).ok(), "organization": organization, "mode": mode,
                "resource_type": text("resource_type"), "resource_id": optional(record.get("resource_id")),
                "event": text("event"), "ip_address": optional(record.get("ip_address")), "who": who, "payload": payload,
            });
            println!("{line}");
        } else {
            println!(
                "{:<22}{organization:<20}{mode:<6}{:<25}{:<12}{:<20}{:<22}{}",
                shown(*at),
                text("resource_type"),
                text("resource_id"),
                text("event"),
                name_of(&who),
                attributes(&payload),
            );
        }
    }
}

fn optional(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
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

fn time_of(record: &Record) -> OffsetDateTime {
    if let Value::Time(at) = record.get("created_at") { *at } else { OffsetDateTime::UNIX_EPOCH }
}

fn action(text: &str) -> Result<Action, String> {
    text.parse().map_err(|_| "not an action of the audit log".to_owned())
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    let parsed = parsed.map_err(|_| "expected a time such as 2026-01-31T12:00:00Z".to_owned())?;
    // The stores keep microseconds.
    Ok(parsed - Duration::nanoseconds(i64::from(parsed.nanosecond() % 1_000)))
}
