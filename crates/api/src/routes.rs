//! Which path leads where.

use actix_web::{
    Route,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use rekey_core::resources::{CUSTOMERS, Relationship, Resource};
use rekey_runtime::health;

use crate::{
    cors,
    endpoints::{Area, Call, ENDPOINTS, Endpoint, Written},
    idempotency,
    jsonapi::negotiation,
    limits,
    methods::{not_found, only, read},
    oauth::{self, revocation_endpoint, token_endpoint},
    openapi, pages,
    resources::{customer_password_resets as resets, customers, organization, reading},
    swagger_ui,
};

/// Adds every route. What has none is a JSON:API error, also outside `/api`, but a page where pages are.
pub fn add(config: &mut ServiceConfig) {
    config
        .service(
            web::scope(Area::OAuth.prefix())
                .configure(|config| serve(config, Area::OAuth))
                .default_service(web::to(not_found))
                .wrap(from_fn(oauth::limit))
                .wrap(from_fn(cors::oauth)),
        )
        .configure(pages::routes::add)
        .service(only(web::resource(["/docs", "/docs/"]), "GET, HEAD").route(read().to(swagger_ui::page)))
        .service(only(web::resource("/docs/{file}"), "GET, HEAD").route(read().to(swagger_ui::file)))
        .service(
            web::scope(Area::Api.prefix())
                .configure(|config| serve(config, Area::Api))
                .default_service(web::to(not_found))
                .wrap(from_fn(negotiation::require_acceptable))
                .wrap(from_fn(limits::api))
                .wrap(from_fn(cors::api)),
        )
        .configure(|config| serve(config, Area::Open))
        .default_service(web::to(not_found));
}

/// Adds the endpoints of that area.
fn serve(config: &mut ServiceConfig, area: Area) {
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.area == area) {
        let routes = endpoint.operations.iter().map(|operation| route(operation.call));
        config.service(routes.fold(refusing(endpoint), actix_web::Resource::route));
    }
}

/// The route of an operation.
fn route(call: Call) -> Route {
    match call {
        Call::List(resource) => {
            read().to(move |principal, documents, query| reading::list(resource, principal, documents, query))
        }
        Call::Retrieve(resource) if *resource == CUSTOMERS => read().to(customers::retrieve),
        Call::Retrieve(resource) => read().to(move |principal, documents, id, query| {
            reading::retrieve(resource, principal, documents, id, query)
        }),
        Call::Own(_) => read().to(organization::show),
        Call::Create(Written::Resets) => {
            web::post().to(resets::create).wrap(from_fn(idempotency::answer_once))
        }
        Call::Create(Written::Customers) => {
            web::post().to(customers::create).wrap(from_fn(idempotency::answer_once))
        }
        Call::Update(Written::Resets) => web::patch().to(resets::update),
        Call::Update(Written::Customers) => web::patch().to(customers::update),
        Call::Delete(Written::Resets) => web::delete().to(resets::delete),
        Call::Delete(Written::Customers) => web::delete().to(customers::delete),
        Call::Related(resource, relationship) => related(resource, relationship),
        Call::Identifiers(resource, relationship) => identified(resource, relationship),
        Call::Token => web::post().to(token_endpoint::token),
        Call::Revoke => web::post().to(revocation_endpoint::revoke),
        Call::Keys => read().to(token_endpoint::keys),
        Call::Live => read().to(health::live),
        Call::Ready => read().to(health::ready),
        Call::Description => read().to(openapi::show),
    }
}

fn related(resource: &'static Resource, relationship: &'static Relationship) -> Route {
    read().to(move |principal, documents, id, query| {
        reading::related(resource, relationship, principal, documents, id, query)
    })
}

fn identified(resource: &'static Resource, relationship: &'static Relationship) -> Route {
    read().to(move |principal, documents, id| {
        reading::identifiers(resource, relationship, principal, documents, id)
    })
}

/// An endpoint without a route yet: it refuses every method, in the form of its area.
fn refusing(endpoint: &'static Endpoint) -> actix_web::Resource {
    let resource = web::resource(endpoint.path_in_area());
    match endpoint.area {
        Area::OAuth => resource.default_service(web::to(oauth::only_post)),
        Area::Api | Area::Open => only(resource, &endpoint.allow),
    }
}
