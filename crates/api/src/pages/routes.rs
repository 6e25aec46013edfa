//! The routes of the hosted pages. Under these paths every answer is a page, also that to a refused request.

use actix_web::{
    Error, HttpResponse, Scope,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::LOCATION},
    middleware::{Next, from_fn},
    web::{self, Data, ServiceConfig, post},
};

use super::{
    assets, context::problem_page, forgot_password, not_me, paths, reset_password, restore_email, sent,
    site::blank,
};
use crate::{
    caller,
    jsonapi::error::Problem,
    limits::{self, Limits},
    methods::{not_found, only, read},
};

/// Adds the routes.
pub fn add(config: &mut ServiceConfig) {
    let forms = |scope: Scope| {
        scope.default_service(web::to(not_found)).wrap(from_fn(problem_pages)).wrap(from_fn(limit))
    };
    let form = |path| only(web::resource(path), "GET, HEAD, POST");
    config
        .service(forms(
            web::scope(paths::FORGOT_PASSWORD)
                .service(
                    form("")
                        .route(read().to(forgot_password::show))
                        .route(post().to(forgot_password::submit)),
                )
                .service(form("/sent").route(read().to(sent::show)).route(post().to(sent::submit))),
        ))
        .service(forms(web::scope(paths::RESET_PASSWORD).service(
            form("").route(read().to(reset_password::show)).route(post().to(reset_password::submit)),
        )))
        .service(forms(
            web::scope(paths::NOT_ME)
                .service(form("").route(read().to(not_me::show)).route(post().to(not_me::submit))),
        ))
        .service(forms(
            web::scope(paths::RESTORE_EMAIL).service(
                form("").route(read().to(restore_email::show)).route(post().to(restore_email::submit)),
            ),
        ))
        .service(
            web::scope("/pages")
                .service(
                    only(web::resource("/{version}/{color}.css"), "GET, HEAD")
                        .route(read().to(assets::style)),
                )
                .service(
                    only(web::resource("/{version}/show-password.js"), "GET, HEAD")
                        .route(read().to(assets::script)),
                )
                .default_service(web::to(not_found))
                .wrap(from_fn(problem_pages)),
        )
        .service(
            only(web::resource("/.well-known/change-password"), "GET, HEAD")
                .route(read().to(change_password))
                .wrap(from_fn(problem_pages)),
        );
}

/// Renders problems as pages.
async fn problem_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    match problem.cloned() {
        Some(problem) => {
            let page = problem_page(response.request(), &problem).await?;
            Ok(response.into_response(page))
        }
        None => Ok(response),
    }
}

/// Limits the forms that each client address sends, and the pages that it opens.
async fn limit(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let status = limits.page(request.method(), caller::address(request.request())).await;
    let mut response = if let Some(wait) = status.and_then(|status| status.wait) {
        let page = problem_page(request.request(), &Problem::TooManyRequests(wait)).await?;
        request.into_response(page)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    limits::add_headers(status, response.headers_mut());
    Ok(response)
}

/// Where password managers send people (W3C, "A Well-Known URL for Changing Passwords").
async fn change_password() -> HttpResponse {
    blank(StatusCode::SEE_OTHER).insert_header((LOCATION, paths::FORGOT_PASSWORD)).finish()
}
