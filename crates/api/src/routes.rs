//! Which path leads where.

use actix_web::{
    HttpResponse, Resource, Route, guard,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use crate::{
    auth::token_endpoint,
    cors, health,
    jsonapi::{error::Problem, negotiation},
    limits,
    pages::reset_password as page,
    resources::{customer_password_resets as resets, customers},
};

/// Adds every route. What has none is a JSON:API error, also outside `/api`.
pub fn add(config: &mut ServiceConfig) {
    config
        .service(
            web::scope("/oauth")
                .configure(oauth)
                .default_service(web::to(not_found))
                .wrap(from_fn(limits::oauth))
                .wrap(from_fn(cors::oauth)),
        )
        .service(
            only(web::resource("/.well-known/jwks.json"), "GET, HEAD").route(read().to(token_endpoint::keys)),
        )
        .service(only(web::resource("/livez"), "GET, HEAD").route(read().to(health::live)))
        .service(only(web::resource("/readyz"), "GET, HEAD").route(read().to(health::ready)))
        .service(
            only(web::resource("/reset-password"), "GET, HEAD, POST")
                .route(read().to(page::show))
                .route(web::post().to(page::submit))
                .wrap(from_fn(limits::page)),
        )
        .service(only(web::resource("/reset-password/style.css"), "GET, HEAD").route(read().to(page::style)))
        .service(
            web::scope("/api")
                .configure(api)
                .default_service(web::to(not_found))
                .wrap(from_fn(negotiation::refuse_other_answers))
                .wrap(from_fn(limits::api))
                .wrap(from_fn(cors::api)),
        )
        .default_service(web::to(not_found));
}

/// What stands under `/oauth` shares one limit, and is read by a client's own pages.
fn oauth(config: &mut ServiceConfig) {
    config.service(only(web::resource("/token"), "POST").route(web::post().to(token_endpoint::token)));
}

fn api(config: &mut ServiceConfig) {
    config
        .service(
            only(web::resource("/customer_password_resets"), "GET, HEAD, POST")
                .route(read().to(resets::list))
                .route(web::post().to(resets::create)),
        )
        .service(
            only(web::resource("/customer_password_resets/{id}"), "GET, HEAD, PATCH, DELETE")
                .route(read().to(resets::retrieve))
                .route(web::patch().to(resets::update))
                .route(web::delete().to(resets::delete)),
        )
        .service(only(web::resource("/customers"), "POST").route(web::post().to(customers::create)))
        .service(only(web::resource("/customers/{id}"), "GET, HEAD").route(read().to(customers::retrieve)));
}

/// A resource with no other methods than `allow`.
fn only(resource: Resource, allow: &'static str) -> Resource {
    resource.default_service(web::to(move || async move {
        Err::<HttpResponse, _>(Problem::MethodNotAllowed(allow))
    }))
}

/// GET, and HEAD, which is GET without the body.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::NotFound)
}
