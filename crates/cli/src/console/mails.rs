//! Mails: the search, the life of one, and sending one again.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use minijinja::context;
use rekey_core::{
    deliveries::{
        Status,
        log::{DeliveryFilter, DeliveryLog},
    },
    ids::EventId,
    organizations::{Organization, OrganizationStore, Slug},
    random::OsRandom,
};
use serde::Deserialize;
use strum::VariantArray;

use super::{
    Console,
    page::{self, Done, Notice, value},
    problem::Problem,
    request::{Act, Session},
    sign_in::Nothing,
};
use crate::delivery::{DeliveryRow, StepRow};

/// How many mails are listed.
const MAX_LISTED: u32 = 100;

/// The fields of the search. Empty ones are no condition.
#[derive(Deserialize)]
pub struct Search {
    /// A customer's address, or the id of a reset or of a mail.
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    organization: String,
}

/// `GET /mails`.
pub async fn list(
    console: Data<Console>,
    session: Session,
    Query(search): Query<Search>,
) -> Result<HttpResponse, Problem> {
    let store = &console.store;
    let q = search.q.trim();
    if let Ok(id) = q.parse::<EventId>()
        && store.delivery_life(id).await?.is_some()
    {
        return Ok(page::redirect(&format!("/mails/{id}"), None).finish());
    }
    let organizations = store.organizations().await?;
    let filter = search.filter(&organizations);
    let found = match &filter {
        Some(filter) => store.deliveries(filter, MAX_LISTED).await?,
        None => Vec::new(),
    };
    let rows: Vec<_> = found.iter().map(DeliveryRow::from).collect();
    let values = context! {
        q => q,
        status => search.status,
        organization => search.organization,
        statuses => value(Status::VARIANTS.iter().map(|status| status.as_str()).collect::<Vec<_>>()),
        organizations => value(organizations.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>()),
        is_understood => filter.is_some(),
        max_listed => MAX_LISTED,
        mails => value(&rows),
    };
    Ok(page::show("mails.html", &session, None, values))
}

impl Search {
    /// Returns the conditions; `None` if one of them can't be fulfilled.
    fn filter(&self, organizations: &[Organization]) -> Option<DeliveryFilter> {
        let mut filter = DeliveryFilter::default();
        match self.q.trim() {
            "" => {}
            q if q.contains('@') => filter.address = Some(q.parse().ok()?),
            q => filter.reset = Some(q.parse().ok()?),
        }
        if !self.status.is_empty() {
            filter.status = Some(Status::parse(&self.status)?);
        }
        if !self.organization.is_empty() {
            let slug: Slug = self.organization.parse().ok()?;
            filter.organization = Some(organizations.iter().find(|one| one.slug == slug)?.id);
        }
        Some(filter)
    }
}

/// `GET /mails/{id}`.
pub async fn show(
    console: Data<Console>,
    session: Session,
    id: Path<String>,
    Query(Notice { done }): Query<Notice>,
) -> Result<HttpResponse, Problem> {
    let life = console.store.delivery_life(parse(&id)?).await?.ok_or(Problem::NotFound)?;
    let delivery = &life.delivery;
    let is_waiting = matches!(delivery.status, Status::Queued | Status::Deferred);
    let advice = is_waiting.then(|| delivery.advice());
    let values = context! {
        mail => value(DeliveryRow::from(delivery)),
        why => advice.as_ref().map(|advice| advice.why.as_str()),
        action => advice.as_ref().map(|advice| advice.action),
        not_resendable => delivery.not_resendable().map(|reason| reason.to_string()),
        read_at => crate::output::timestamp(delivery.read_at),
        steps => value(life.timeline().into_iter().map(StepRow::from).collect::<Vec<_>>()),
    };
    Ok(page::show("mail.html", &session, done, values))
}

/// `POST /mails/{id}/resend`.
pub async fn resend(
    console: Data<Console>,
    id: Path<String>,
    form: Act<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (id, operator) = (parse(&id)?, form.session.operator.name);
    let log: &dyn DeliveryLog = &console.store;
    log.resend(id, Some(operator), &OsRandom).await?;
    tracing::info!(%operator, delivery = %id, "an operator had a mail sent again");
    Ok(page::redirect(&format!("/mails/{id}"), Some(Done::Resent)).finish())
}

fn parse(id: &str) -> Result<EventId, Problem> {
    id.parse().map_err(|_| Problem::NotFound)
}
