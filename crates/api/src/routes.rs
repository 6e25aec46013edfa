//! Which path leads where.

use actix_web::{
    HttpResponse, Route, guard,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use rekey_core::resource::{
    CUSTOMER_PASSWORD_RESETS, CUSTOMERS, EVENT_STORES, EVENTS, RESOURCES, Relationship, Resource,
};

use crate::{
    auth::{oauth, revocation_endpoint, token_endpoint},
    cors, health, idempotency,
    jsonapi::{error::Problem, negotiation},
    limits,
    pages::reset_password as page,
    resources::{customer_password_resets as resets, customers, reading},
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
    config
        .service(oauth_endpoint("/token").route(web::post().to(token_endpoint::token)))
        .service(oauth_endpoint("/revoke").route(web::post().to(revocation_endpoint::revoke)));
}

fn api(config: &mut ServiceConfig) {
    config
        .service(
            only(web::resource("/customer_password_resets"), "GET, HEAD, POST")
                .route(listed(&CUSTOMER_PASSWORD_RESETS))
                .route(web::post().to(resets::create).wrap(from_fn(idempotency::answer_once))),
        )
        .service(
            only(web::resource("/customer_password_resets/{id}"), "GET, HEAD, PATCH, DELETE")
                .route(retrieved(&CUSTOMER_PASSWORD_RESETS))
                .route(web::patch().to(resets::update))
                .route(web::delete().to(resets::delete)),
        )
        .service(
            only(web::resource("/customers"), "GET, HEAD, POST")
                .route(listed(&CUSTOMERS))
                .route(web::post().to(customers::create).wrap(from_fn(idempotency::answer_once))),
        )
        .service(
            only(web::resource("/customers/{id}"), "GET, HEAD, PATCH, DELETE")
                .route(read().to(customers::retrieve))
                .route(web::patch().to(customers::update))
                .route(web::delete().to(customers::delete)),
        )
        .service(only(web::resource("/events/{id}"), "GET, HEAD").route(retrieved(&EVENTS)))
        .service(only(web::resource("/event_stores/{id}"), "GET, HEAD").route(retrieved(&EVENT_STORES)));
    for resource in RESOURCES {
        for relationship in resource.relationships {
            config.service(related(resource, relationship)).service(identified(resource, relationship));
        }
    }
}

fn listed(resource: &'static Resource) -> Route {
    read().to(move |permitted, api, query| reading::list(resource, permitted, api, query))
}

fn retrieved(resource: &'static Resource) -> Route {
    read().to(move |permitted, api, id, query| reading::retrieve(resource, permitted, api, id, query))
}

fn related(resource: &'static Resource, relationship: &'static Relationship) -> actix_web::Resource {
    let path = format!("/{}/{{id}}/{}", resource.name, relationship.name);
    only(web::resource(path), "GET, HEAD").route(read().to(move |permitted, api, id, query| {
        reading::related(resource, relationship, permitted, api, id, query)
    }))
}

fn identified(resource: &'static Resource, relationship: &'static Relationship) -> actix_web::Resource {
    let path = format!("/{}/{{id}}/relationships/{}", resource.name, relationship.name);
    only(web::resource(path), "GET, HEAD").route(
        read().to(move |permitted, api, id| reading::identifiers(resource, relationship, permitted, api, id)),
    )
}

/// A resource with no other methods than `allow`.
fn only(resource: actix_web::Resource, allow: &'static str) -> actix_web::Resource {
    resource.default_service(web::to(move || async move {
        Err::<HttpResponse, _>(Problem::MethodNotAllowed(allow))
    }))
}

/// A resource of OAuth's: POST only, and its refusals have OAuth's form.
fn oauth_endpoint(path: &'static str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(oauth::only_post))
}

/// GET, and HEAD, which is GET without the body.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::NotFound)
}
