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
    endpoints::{Area, ENDPOINTS, Endpoint, Operation, WritableResource},
    idempotency,
    jsonapi::negotiation,
    limits,
    methods::{not_found, only, read},
    oauth::{self, revocation_endpoint, token_endpoint},
    openapi, pages,
    resources::{customer_password_resets as resets, customers, events, organization, reading, webhooks},
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
                .wrap(from_fn(limits::middleware::api))
                .wrap(from_fn(cors::api)),
        )
        .configure(|config| serve(config, Area::Open))
        .default_service(web::to(not_found));
}

/// Adds the endpoints of that area.
fn serve(config: &mut ServiceConfig, area: Area) {
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.area == area) {
        let routes = endpoint.operations.iter().map(|operation| route(*operation));
        config.service(routes.fold(refusing(endpoint), actix_web::Resource::route));
    }
}

/// The route of an operation.
fn route(operation: Operation) -> Route {
    match operation {
        Operation::List(resource) => {
            read().to(move |principal, documents, query| reading::list(resource, principal, documents, query))
        }
        Operation::Retrieve(resource) if *resource == CUSTOMERS => read().to(customers::retrieve),
        Operation::Retrieve(resource) => read().to(move |principal, documents, id, query| {
            reading::retrieve(resource, principal, documents, id, query)
        }),
        Operation::Own(_) => read().to(organization::show),
        Operation::Create(WritableResource::Resets) => {
            web::post().to(resets::create).wrap(from_fn(idempotency::answer_once))
        }
        Operation::Create(WritableResource::Customers) => {
            web::post().to(customers::create).wrap(from_fn(idempotency::answer_once))
        }
        Operation::Create(WritableResource::Webhooks) => {
            web::post().to(webhooks::create).wrap(from_fn(idempotency::answer_once))
        }
        Operation::Update(WritableResource::Resets) => web::patch().to(resets::update),
        Operation::Update(WritableResource::Customers) => web::patch().to(customers::update),
        Operation::Update(WritableResource::Webhooks) => web::patch().to(webhooks::update),
        Operation::Update(WritableResource::Events) => web::patch().to(events::update),
        Operation::Delete(WritableResource::Resets) => web::delete().to(resets::delete),
        Operation::Delete(WritableResource::Customers) => web::delete().to(customers::delete),
        Operation::Delete(WritableResource::Webhooks) => web::delete().to(webhooks::delete),
        // They have none: see `WritableResource::has_all_writes`.
        Operation::Create(WritableResource::Events) | Operation::Delete(WritableResource::Events) => {
            web::route().to(not_found)
        }
        Operation::Related(resource, relationship) => related(resource, relationship),
        Operation::Identifiers(resource, relationship) => identified(resource, relationship),
        Operation::Token => web::post().to(token_endpoint::token),
        Operation::Revoke => web::post().to(revocation_endpoint::revoke),
        Operation::Keys => read().to(token_endpoint::keys),
        Operation::Live => read().to(health::live),
        Operation::Ready => read().to(health::ready),
        Operation::Description => read().to(openapi::show),
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
