//! Suppressed addresses, and lifting a suppression.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use minijinja::context;
use rekey_core::{
    deliveries::suppression::SuppressionStore,
    email::EmailAddress,
    events::audit::{Action, AuditEntry},
    organizations::{OrganizationStore, Slug},
    random::OsRandom,
    scope::{Mode, Scope},
};
use serde::Deserialize;

use super::{
    Console,
    page::{self, Done, value},
    problem::Problem,
    request::{Act, Session},
};
use crate::suppression::SuppressionRow;

/// How many addresses are listed.
const MAX_LISTED: u32 = 100;

/// The fields of the search.
#[derive(Deserialize)]
pub struct Search {
    /// How the address begins.
    #[serde(default)]
    q: String,
    done: Option<Done>,
}

/// The form that lifts a suppression.
#[derive(Deserialize)]
pub struct Lift {
    organization: String,
    mode: String,
    address: String,
}

/// `GET /suppressions`.
pub async fn list(
    console: Data<Console>,
    session: Session,
    Query(Search { q, done }): Query<Search>,
) -> Result<HttpResponse, Problem> {
    // As addresses are stored; PostgreSQL takes no NUL.
    let start = q.trim().to_lowercase().replace('\0', "");
    let found = console.store.find_suppressions(&start, MAX_LISTED).await?;
    let rows: Vec<_> = found.iter().map(SuppressionRow::from).collect();
    let values = context! { q => start, suppressions => value(&rows), max_listed => MAX_LISTED };
    Ok(page::show("suppressions.html", &session, done, values))
}

/// `POST /suppressions/lift`.
pub async fn lift(console: Data<Console>, form: Act<Lift>) -> Result<HttpResponse, Problem> {
    let Lift { organization, mode, address } = form.fields;
    let slug: Slug = organization.parse().map_err(|_| Problem::NotFound)?;
    let address: EmailAddress = address.parse().map_err(|_| Problem::NotFound)?;
    let mode = Mode::parse(&mode).ok_or(Problem::NotFound)?;
    let organizations = console.store.organizations().await?;
    let organization = organizations.iter().find(|one| one.slug == slug).ok_or(Problem::NotFound)?.id;
    let operator = form.session.operator.name;
    let audit = AuditEntry::by_named_operator(Some(operator), Action::LiftSuppression, &OsRandom);
    let scope = Scope { organization, mode };
    if !console.store.lift_suppression(scope, &address, &audit).await? {
        return Err(Problem::Refused("the address is not suppressed any more".to_owned()));
    }
    tracing::info!(%operator, "an operator lifted a suppression");
    Ok(page::redirect("/suppressions", Some(Done::Lifted)).finish())
}
