//! Which path leads to which page. Under these paths every answer is a page, refusals too.

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::{StatusCode, header::LOCATION},
    middleware::from_fn,
    web::{self, Data, ServiceConfig, post},
};

use super::{assets, forgot_password, not_me, reset_password, sent, site::blank, visit::Visit};
use crate::{api::Api, jsonapi::error::Problem, limits, routes::read};

/// Adds them.
pub fn add(config: &mut ServiceConfig) {
    config
        .service(
            web::scope(forgot_password::PATH)
                .service(
                    only(web::resource(""), "GET, HEAD, POST")
                        .route(read().to(forgot_password::show))
                        .route(post().to(forgot_password::submit)),
                )
                .service(
                    only(web::resource("/sent"), "GET, HEAD, POST")
                        .route(read().to(sent::show))
                        .route(post().to(sent::submit)),
                )
                .default_service(web::to(not_found))
                .wrap(from_fn(limits::page)),
        )
        .service(
            web::scope(reset_password::PATH)
                .service(
                    only(web::resource(""), "GET, HEAD, POST")
                        .route(read().to(reset_password::show))
                        .route(post().to(reset_password::submit)),
                )
                .default_service(web::to(not_found))
                .wrap(from_fn(limits::page)),
        )
        .service(
            web::scope(not_me::PATH)
                .service(
                    only(web::resource(""), "GET, HEAD, POST")
                        .route(read().to(not_me::show))
                        .route(post().to(not_me::submit)),
                )
                .default_service(web::to(not_found))
                .wrap(from_fn(limits::page)),
        )
        .service(
            web::scope("/pages")
                .service(only(web::resource("/{version}/{color}.css"), "GET, HEAD").route(read().to(style)))
                .service(
                    only(web::resource("/{version}/show-password.js"), "GET, HEAD")
                        .route(read().to(assets::script)),
                )
                .default_service(web::to(not_found)),
        )
        .service(
            only(web::resource("/.well-known/change-password"), "GET, HEAD")
                .route(read().to(change_password)),
        );
}

/// Where password managers send people (W3C, "A Well-Known URL for Changing Passwords").
async fn change_password() -> HttpResponse {
    blank(StatusCode::SEE_OTHER).insert_header((LOCATION, forgot_password::PATH)).finish()
}

async fn style(request: HttpRequest, api: Data<Api>, path: web::Path<(String, String)>) -> HttpResponse {
    match assets::style(&path.0, &path.1) {
        Some(style) => style,
        None => not_found(request, api).await,
    }
}

/// A resource with no other methods than `allow`.
fn only(resource: Resource, allow: &'static str) -> Resource {
    resource.default_service(web::to(move |request: HttpRequest, api: Data<Api>| async move {
        Visit::of(&request, &api).await.failed(&Problem::MethodNotAllowed(allow))
    }))
}

async fn not_found(request: HttpRequest, api: Data<Api>) -> HttpResponse {
    Visit::of(&request, &api).await.failed(&Problem::NotFound)
}
