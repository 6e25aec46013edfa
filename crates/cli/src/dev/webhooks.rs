//! The demo's webhooks, and their receiver: what a back end of the demo shop is sent, for the shop's page to show.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, ServiceConfig},
};
use anyhow::Context;
use rekey_core::{
    caller::Caller,
    clock::{Clock, SystemClock},
    events::EventName,
    resources::{
        WEBHOOKS,
        listing::{Comparison, Filter, Listing, Path, Test},
        record::{Record, Value},
        webhooks::{CALLBACK_URL, NAME},
    },
    scope::Scope,
    secrets::SharedSecret,
    webhooks::{
        CallbackUrl,
        service::{WebhookAttributes, WebhookService},
    },
};
use rekey_webhooks::signature::is_genuine;
use serde::Serialize;
use time::{Duration, format_description::well_known::Rfc3339};

use super::seed::SHOP;
use crate::webhook;

/// The events that the demo shop leads to.
const TOPICS: [EventName; 2] = [EventName::ResetCreate, EventName::ResetPassword];
/// The path of the receiver.
const PATH: &str = "/dev/webhooks";
/// How many requests are kept, the newest.
const KEPT: usize = 20;
/// How far the time in a request may be from now: what the libraries of Standard Webhooks allow.
const TOLERANCE: Duration = Duration::minutes(5);

/// The receiver of the demo's webhooks.
pub struct Receiver {
    secrets: HashMap<&'static str, SharedSecret>,
    /// The requests since the start, the newest first.
    received: Mutex<VecDeque<Arrival>>,
}

/// A request that came.
#[derive(Clone, Serialize)]
struct Arrival {
    topic: String,
    event: String,
    verified: bool,
    received_at: String,
    body: String,
}

impl Receiver {
    /// Creates the demo's webhooks where they are missing, and returns their receiver on this server. `None` when `origin` is no address that
    /// webhooks may have: other than at a loopback address they need https.
    pub async fn create(
        service: &WebhookService,
        scope: Scope,
        caller: &Caller,
        origin: &str,
    ) -> anyhow::Result<Option<Arc<Self>>> {
        let Ok(url) = format!("{origin}{PATH}").parse() else { return Ok(None) };
        let mut secrets = HashMap::new();
        for topic in TOPICS {
            let secret = seed(service, scope, caller, topic, &url).await;
            secrets.insert(topic.as_str(), secret.context("the demo's webhooks can't be created")?);
        }
        Ok(Some(Arc::new(Self { secrets, received: Mutex::default() })))
    }

    /// Whether a request is signed with the webhook's secret, and of the last minutes, so that none can be replayed later.
    fn is_genuine(&self, request: &HttpRequest, body: &[u8]) -> bool {
        let header = |name| header(request, name);
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        let now = SystemClock.now().unix_timestamp();
        let is_recent = timestamp
            .parse::<i64>()
            .is_ok_and(|sent| now.abs_diff(sent) <= TOLERANCE.whole_seconds().unsigned_abs());
        let secret = self.secrets.get(header("x-commercelayer-topic"));
        is_recent
            && secret
                .is_some_and(|secret| is_genuine(secret, id, timestamp, header("webhook-signature"), body))
    }

    fn received(&self) -> MutexGuard<'_, VecDeque<Arrival>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the routes of the receiver, and of what came.
pub fn routes(receiver: Option<Arc<Receiver>>) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        if let Some(receiver) = &receiver {
            config.app_data(Data::from(receiver.clone()));
            config.route(PATH, web::post().to(receive));
            config.route("/dev/webhooks.json", web::get().to(json));
        }
    }
}

/// Takes a request, whether genuine or not, so that the page can show both; the answer says which.
async fn receive(receiver: Data<Receiver>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let verified = receiver.is_genuine(&request, &body);
    let newest = Arrival {
        topic: header(&request, "x-commercelayer-topic").to_owned(),
        event: header(&request, "webhook-id").to_owned(),
        verified,
        received_at: SystemClock.now().format(&Rfc3339).unwrap_or_default(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let mut all = receiver.received();
    all.push_front(newest);
    all.truncate(KEPT);
    if verified { HttpResponse::Ok().finish() } else { HttpResponse::Unauthorized().body("not genuine") }
}

async fn json(receiver: Data<Receiver>) -> HttpResponse {
    HttpResponse::Ok().json(&*receiver.received())
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Creates the webhook of that topic if it doesn't exist, or moves it to this address; returns its secret.
async fn seed(
    service: &WebhookService,
    scope: Scope,
    caller: &Caller,
    topic: EventName,
    url: &CallbackUrl,
) -> anyhow::Result<SharedSecret> {
    let documents = &service.fan_out.documents;
    let name = format!("{SHOP}: {}", topic.as_str());
    let find = || find(service, scope, &name);
    match find().await? {
        Some(found) if found.get(CALLBACK_URL.name).as_text() == Some(url.as_str()) => {}
        Some(found) => {
            let moved = WebhookAttributes { callback_url: Some(url.clone()), ..WebhookAttributes::default() };
            service.update(scope, caller, found.id().into(), moved).await?;
        }
        None => {
            let named = WebhookAttributes { name: Some(name.clone()), ..WebhookAttributes::default() };
            service.create(scope, caller, topic, url.clone(), named).await?;
        }
    }
    let webhook = find().await?.context("it was deleted meanwhile")?;
    webhook::secret(scope, &webhook, &documents.keys)
}

async fn find(service: &WebhookService, scope: Scope, name: &str) -> anyhow::Result<Option<Record>> {
    let is_named = Test::Compare(Comparison::Equal, Value::Text(name.to_owned()));
    let filter = Filter::Test(Path { via: None, attribute: &NAME }, is_named);
    let listing = Listing { filter, ..Listing::first_page(&WEBHOOKS) };
    Ok(service.fan_out.documents.catalog.list(scope, &listing).await?.items.pop())
}
