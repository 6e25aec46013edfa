//! The demo storefront at `/`: the files of `examples/storefront`, and the settings that its script fetches.

use std::future::ready;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::{self, ServiceConfig},
};
use serde::Serialize;

use super::seed::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD, SLUG};

/// The settings of the storefront's script, public to everybody who opens the page.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    organization: &'static str,
    domain: String,
    client_id: String,
    customer: Customer,
    /// Whether there is a receiver of webhooks.
    webhooks: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Customer {
    email: &'static str,
    /// The first password, shown so that it can be typed. It protects nothing.
    password: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
/// The files: path, content type and content.
const FILES: [(&str, &str, &str); 5] = [
    ("/", HTML, include_str!("../../../../examples/storefront/index.html")),
    ("/new-password", HTML, include_str!("../../../../examples/storefront/new-password.html")),
    ("/shop/style.css", "text/css; charset=utf-8", include_str!("../../../../examples/storefront/style.css")),
    (
        "/shop/shop.js",
        "text/javascript; charset=utf-8",
        include_str!("../../../../examples/storefront/dist/shop.js"),
    ),
    ("/shop/icon.svg", "image/svg+xml", include_str!("../../../../examples/storefront/icon.svg")),
];
/// Allows scripts, styles, requests and frames of this origin only, and nothing inline or framing. Forms are sent by the script,
/// and not at all without it: a password must not get into a URL.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                   frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

impl Settings {
    /// Makes the settings of a storefront that uses the sales channel `client_id` and the API's `domain`, and shows webhooks where a receiver is.
    pub fn new(domain: &str, client_id: String, webhooks: bool) -> Self {
        let customer = Customer { email: CUSTOMER_EMAIL, password: CUSTOMER_PASSWORD };
        Self { organization: SLUG, domain: domain.to_owned(), client_id, customer, webhooks }
    }
}

/// Returns the routes of the pages, their files and the settings. None may be cached, as the next build may differ.
pub fn routes(settings: Settings) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        for (path, content_type, content) in FILES {
            let respond = move || async move {
                HttpResponse::Ok()
                    .content_type(content_type)
                    .insert_header((CONTENT_SECURITY_POLICY, CSP))
                    .insert_header((X_FRAME_OPTIONS, "DENY"))
                    .body(content)
            };
            let resource = web::resource(path);
            config.service(resource.route(web::get().to(respond)).route(web::head().to(respond)));
        }
        let settings = settings.clone();
        let respond = move || ready(HttpResponse::Ok().json(&settings));
        config.route("/dev/shop.json", web::get().to(respond));
    }
}
