//! The limits as a middleware.

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::{Ceiling, Limits, add_headers};
use crate::{auth::bearer::BearerToken, caller, jsonapi::error::Problem};

/// Limits the requests under `/api`. It runs before the body is read.
pub async fn api(
    limits: Data<Limits>,
    token: BearerToken,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let address = caller::address(request.request());
    let ceiling = Ceiling::for_request(&request);
    let status = limits.api(request.method(), ceiling, address, token.valid_claims()).await;
    let mut response = match status.and_then(|status| status.wait) {
        Some(wait) => request.into_response(Problem::TooManyRequests(wait).error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    add_headers(status, response.headers_mut());
    Ok(response)
}
