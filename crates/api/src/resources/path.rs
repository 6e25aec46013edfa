//! Ids in paths.

use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::jsonapi::error::Problem;

/// The `{id}` of a path. No record has a malformed id: 404.
pub struct PathId<T>(pub T);

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            request.match_info().get("id").and_then(|id| id.parse().ok()).map(Self).ok_or(Problem::NotFound),
        )
    }
}
