//! Dead letters: why they are there, and giving them back to the mailer.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use minijinja::context;
use rekey_core::ids::EventId;
use serde::Deserialize;

use super::{
    Console,
    page::{self, Done, Notice, value},
    problem::Problem,
    request::{Act, Session},
};

/// How many dead letters are listed.
const MAX_LISTED: u32 = 100;

/// The form of a replay. The id is in a field and not in the path: whoever may publish can write it, so it may be any text.
#[derive(Deserialize)]
pub struct Replay {
    id: String,
}

/// `GET /dead-letters`.
pub async fn list(
    console: Data<Console>,
    session: Session,
    Query(Notice { done }): Query<Notice>,
) -> Result<HttpResponse, Problem> {
    let read = console.letters.list(MAX_LISTED).await;
    let (letters, error) = read.map_or_else(|error| (Vec::new(), Some(error)), |letters| (letters, None));
    let ids: Vec<_> = letters
        .iter()
        .filter_map(|letter| letter.id.as_deref())
        // Whoever may publish has written them.
        .filter(|id| id.parse::<EventId>().is_ok())
        .collect();
    let mails = console.store.known_deliveries(&ids).await?;
    let values = context! {
        letters => value(&letters), mails => value(mails), error => error, max_listed => MAX_LISTED,
    };
    Ok(page::show("dead_letters.html", &session, done, values))
}

/// `POST /dead-letters/replay`.
pub async fn replay(console: Data<Console>, form: Act<Replay>) -> Result<HttpResponse, Problem> {
    let operator = form.session.operator.name;
    console.letters.replay(form.fields.id, operator).await?;
    tracing::info!(%operator, "an operator replayed a dead letter");
    Ok(page::redirect("/dead-letters", Some(Done::Replayed)).finish())
}
