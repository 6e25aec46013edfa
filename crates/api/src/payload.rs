//! Bodies of requests: read whole, up to a limit, in bounded time, never decompressed.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header,
    web::{self, BytesMut},
};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::{api::Api, jsonapi::error::Problem};

/// How long a body may take: 64 KiB at 5 KiB/s, a bad mobile connection's rate, and some.
const TIME: Duration = Duration::from_secs(15);

/// Reads a body of at most `server.max_body_bytes`. What announces itself as longer is refused unread.
pub async fn read(request: &HttpRequest, mut payload: web::Payload) -> Result<web::Bytes, Problem> {
    let limit = Api::of(request)?.max_body_bytes;
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Problem::TooLarge);
    }
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::InvalidDataFormat("The request's body is broken off."))?;
            if body.len() + chunk.len() > limit {
                return Err(Problem::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    timeout(TIME, whole).await.unwrap_or(Err(Problem::RequestTimeout))
}
