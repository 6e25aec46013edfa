//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is repeated with its key gets the answer
//! of the first one.

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::{self, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    rt,
    web::{Bytes, Data},
};
use rekey_core::idempotency::{Answer, BeginOutcome, Idempotency, IdempotencyKey, Owner, Ticket};
use tracing::Instrument;

use crate::{
    auth::principal::Principal,
    jsonapi::{
        error::{IDEMPOTENCY_KEY, KeyProblem, Problem},
        negotiation,
    },
    payload,
};

/// The response header that marks a replay.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Runs a request once for each key of its caller. A request without the header passes unchanged.
pub async fn answer_once(
    idempotency: Data<Idempotency>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // The handler refuses a body of another media type, and does nothing else.
    if !request.headers().contains_key(IDEMPOTENCY_KEY) || !negotiation::is_jsonapi(&request) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let (request, payload) = request.into_parts();
    match start(&idempotency, &request, payload).await {
        Ok(Start::Run(ticket, body)) => run(idempotency, ticket, request, body, next).await,
        Ok(Start::Replay(response)) => Ok(ServiceResponse::new(request, response)),
        Err(error) => Ok(ServiceResponse::from_err(error, request)),
    }
}

enum Start {
    /// Run the request with this body.
    Run(Ticket, Bytes),
    /// Send the answer of the first request.
    Replay(HttpResponse),
}

async fn start(idempotency: &Idempotency, request: &HttpRequest, payload: Payload) -> Result<Start, Error> {
    let key = key(request.headers())?;
    let mut principal = Principal::extract(request).await?;
    let owner = Owner::from_caller(principal.scope(), &principal.caller).ok_or(Problem::Unauthorized)?;
    let body = payload::read(request, payload).await?;
    let (method, path, query) = (request.method().as_str(), request.path(), request.query_string());
    let content = [method.as_bytes(), path.as_bytes(), query.as_bytes(), &body[..]];
    match idempotency.begin(owner, &key, &content).await.map_err(Problem::from)? {
        BeginOutcome::Run(ticket) => {
            principal.caller.record = Some(ticket.record);
            request.extensions_mut().insert(principal);
            Ok(Start::Run(ticket, body))
        }
        BeginOutcome::Answered(answer) => Ok(Start::Replay(replay(answer)?)),
        BeginOutcome::OtherRequest => Err(Problem::IdempotencyKey(KeyProblem::Reused).into()),
        BeginOutcome::Running => Err(Problem::IdempotencyKey(KeyProblem::InUse).into()),
    }
}

/// Returns the key, if there is exactly one.
fn key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let key = values.next().and_then(|value| value.to_str().ok()?.trim().parse().ok());
    key.filter(|_| values.next().is_none()).ok_or(Problem::IdempotencyKey(KeyProblem::Invalid))
}

/// Runs the request to its end, also when the caller hangs up: otherwise its key would be in use until the lease ends.
async fn run(
    idempotency: Data<Idempotency>,
    ticket: Ticket,
    request: HttpRequest,
    body: Bytes,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(ServiceRequest::from_parts(request, Payload::from(body)));
    let answer = async {
        let (request, response) = response.await?.into_parts();
        let (response, body) = response.into_parts();
        let body = body::to_bytes(body).await.map_err(|_| Problem::Internal)?;
        Ok::<_, Error>((request, response, body))
    };
    let whole = async move {
        let answer = answer.await;
        let kept = answer.as_ref().ok().filter(|(_, response, _)| is_final(response.status()));
        let kept = kept.map(|(_, response, body)| to_keep(response, body));
        if let Err(error) = idempotency.settle(ticket, kept.as_ref()).await {
            // The caller still gets the answer. Until the lease ends, a repetition is asked to wait.
            tracing::warn!(%error, "storing the answer for its idempotency key failed");
        }
        let (request, response, body) = answer?;
        Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
    };
    rt::spawn(whole.in_current_span()).await.unwrap_or_else(|_| Err(Problem::Internal.into()))
}

/// Whether a repetition should get this answer. Failures, limits and wrong credentials are temporary.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error() && ![StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

fn to_keep(response: &HttpResponse<()>, body: &[u8]) -> Answer {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let header = |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), text(value)?));
    let headers = response.headers().iter().filter_map(header).collect();
    Answer { status: response.status().as_u16(), headers, body: body.to_vec() }
}

fn replay(answer: Answer) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(answer.status).map_err(|_| Problem::Internal)?;
    let mut response = HttpResponse::build(status);
    for header in answer.headers {
        response.append_header(header);
    }
    Ok(response.insert_header((REPLAYED, "true")).body(answer.body))
}
