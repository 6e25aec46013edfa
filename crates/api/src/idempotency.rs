//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a call that is repeated under its key gets the answer that
//! the first one got.

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{self, BoxBody, MessageBody},
    dev::{self, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    rt, web,
};
use rekey_core::idempotency::{Answer, BeginOutcome, Idempotency, IdempotencyKey, Owner, Ticket};
use strum::EnumIter;
use tracing::Instrument;

use crate::{
    api::Api,
    auth::principal::{self, Principal},
    jsonapi::{error::Problem, negotiation},
    payload,
};

/// The request's header.
pub const HEADER: &str = "Idempotency-Key";
/// The answer's header that tells a replay.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum KeyProblem {
    /// It is empty, too long, malformed, or stands twice.
    Invalid,
    /// The caller used it for another request.
    Reused,
    /// The call is running.
    InUse,
}

impl KeyProblem {
    /// Status, code, title and detail.
    pub(crate) fn told(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Invalid => (
                StatusCode::BAD_REQUEST,
                "INVALID_IDEMPOTENCY_KEY",
                "Invalid idempotency key",
                "An idempotency key is one value of 1 to 255 visible ASCII characters.",
            ),
            Self::Reused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency key reused",
                "This idempotency key was used for another request.",
            ),
            Self::InUse => (
                StatusCode::CONFLICT,
                "IDEMPOTENCY_KEY_IN_USE",
                "Idempotency key in use",
                "The first request with this idempotency key is still being worked on. Try again later.",
            ),
        }
    }
}

/// Runs a call once for each key of its caller's. Without the header it is handed on as it is.
pub async fn answer_once(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // A body of another kind is refused by the handler, which does nothing else.
    if !request.headers().contains_key(HEADER) || !negotiation::is_ours(&request) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let (http, payload) = request.into_parts();
    match begin(&http, payload).await {
        Ok(Start::Run(call)) => run(http, call, next).await,
        Ok(Start::Answer(response)) => Ok(ServiceResponse::new(http, response)),
        Err(problem) => Ok(ServiceResponse::new(http, problem.error_response())),
    }
}

/// What is to be done with a call.
enum Start {
    Run(Call),
    Answer(HttpResponse),
}

/// A call to run.
struct Call {
    idempotency: Idempotency,
    ticket: Ticket,
    principal: Principal,
    body: web::Bytes,
}

async fn begin(http: &HttpRequest, mut payload: dev::Payload) -> Result<Start, Problem> {
    let key = key(http.headers())?;
    let mut principal = principal::authenticate(http).await?;
    let session = principal.session_mut();
    let owner = Owner::from_caller(session.scope(), &session.caller).ok_or(Problem::Unauthorized)?;
    let payload =
        web::Payload::from_request(http, &mut payload).into_inner().map_err(|_| Problem::Internal)?;
    let body = payload::read(http, payload).await?;

    let idempotency = Api::of(http)?.idempotency.clone();
    let (method, path, query) = (http.method().as_str(), http.path(), http.query_string());
    let call = [method.as_bytes(), path.as_bytes(), query.as_bytes(), &body[..]];
    match idempotency.begin(owner, &key, &call).await? {
        BeginOutcome::Run(ticket) => {
            session.caller.record = Some(ticket.record);
            Ok(Start::Run(Call { idempotency, ticket, principal, body }))
        }
        BeginOutcome::Answered(answer) => replay(answer).map(Start::Answer),
        BeginOutcome::OtherRequest => Err(Problem::IdempotencyKey(KeyProblem::Reused)),
        BeginOutcome::Running => Err(Problem::IdempotencyKey(KeyProblem::InUse)),
    }
}

/// The key, if there is just one.
fn key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let mut values = headers.get_all(HEADER);
    let key = values.next().and_then(|value| value.to_str().ok()?.trim().parse().ok());
    key.filter(|_| values.next().is_none()).ok_or(Problem::IdempotencyKey(KeyProblem::Invalid))
}

/// Runs the call to its end, also when the caller hangs up: otherwise its key would be out of use until the lease ends.
async fn run(
    http: HttpRequest,
    call: Call,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Call { idempotency, ticket, principal, body } = call;
    http.extensions_mut().insert(principal);
    let call = next.call(ServiceRequest::from_parts(http, dev::Payload::from(body)));
    let whole = async move {
        let answered = async {
            let (http, response) = call.await?.into_parts();
            let (response, body) = response.into_parts();
            let body = body::to_bytes(body).await.map_err(|_| Problem::Internal)?;
            Ok::<_, Error>((http, response, body))
        };
        let answered = answered.await;
        let kept = answered.as_ref().ok().filter(|(_, response, _)| is_final(response.status()));
        let kept = kept.map(|(_, response, body)| answer(response, body));
        if let Err(error) = idempotency.settle(ticket, kept.as_ref()).await {
            // The call is done, and its caller is told so. Until the lease ends, a repetition is asked to wait.
            tracing::warn!(%error, "an answer is not kept");
        }
        let (http, response, body) = answered?;
        Ok(ServiceResponse::new(http, response.set_body(BoxBody::new(body))))
    };
    rt::spawn(whole.in_current_span()).await.unwrap_or_else(|_| Err(Problem::Internal.into()))
}

/// Whether a repeated call should get this answer: not one of a failure, a limit or a credential, which pass.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error() && ![StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

fn answer(response: &HttpResponse<()>, body: &[u8]) -> Answer {
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
