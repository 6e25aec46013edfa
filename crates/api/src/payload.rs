//! Request bodies: read whole, up to `server.max_body_bytes`, in bounded time, never decompressed.

use std::time::Duration;

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, web::Bytes};
use tokio::time::timeout;

use crate::jsonapi::error::Problem;

/// How long a body may take: 64 KiB at 5 KiB/s, the rate of a bad mobile connection, and some reserve.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Reads a body. One whose `Content-Length` is over the limit is refused unread.
pub async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, &mut payload);
    let Ok(body) = timeout(TIMEOUT, body).await else { return Err(Problem::RequestTimeout) };
    body.map_err(|error| match error.as_error() {
        Some(PayloadError::Overflow) => Problem::TooLarge,
        _ => Problem::InvalidDataFormat("The request's body is broken off."),
    })
}
