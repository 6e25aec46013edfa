//! The methods of routes, and the answers to requests that have no route.

use actix_web::{HttpResponse, Resource, Route, guard, web};

use crate::jsonapi::error::Problem;

/// A route for GET, and for HEAD, which is GET without the body.
pub fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Refuses all methods for which the resource has no route. `allow` is the header that lists those that it has.
pub fn only(resource: Resource, allow: &'static str) -> Resource {
    resource.default_service(web::to(move || async move {
        Err::<HttpResponse, _>(Problem::MethodNotAllowed(allow))
    }))
}

/// Refuses a path that doesn't exist.
pub async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::NotFound)
}
