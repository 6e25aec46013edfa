//! The demo storefront at `/`: the files of `examples/storefront`, and the settings that its script asks for.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS},
    web::{self, ServiceConfig},
};
use serde::Serialize;

use super::seed::{CUSTOMER_EMAIL, CUSTOMER_PASSWORD, SLUG};

/// What a storefront's script may know: everybody who opens the page can read it.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    organization: &'static str,
    domain: String,
    client_id: String,
    customer: Customer,
}

#[derive(Debug, Clone, Serialize)]
struct Customer {
    email: &'static str,
    /// The first one, shown to be typed: it guards nothing.
    password: &'static str,
}

/// A file that is part of the program.
struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const FILES: [File; 5] = [
    File {
        path: "/",
        content_type: HTML,
        content: include_str!("../../../../examples/storefront/index.html"),
    },
    File {
        path: "/new-password",
        content_type: HTML,
        content: include_str!("../../../../examples/storefront/new-password.html"),
    },
    File {
        path: "/shop/style.css",
        content_type: "text/css; charset=utf-8",
        content: include_str!("../../../../examples/storefront/style.css"),
    },
    File {
        path: "/shop/shop.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../../../../examples/storefront/dist/shop.js"),
    },
    File {
        path: "/shop/icon.svg",
        content_type: "image/svg+xml",
        content: include_str!("../../../../examples/storefront/icon.svg"),
    },
];
/// Scripts, styles, calls and frames of this origin alone, nothing inline, and nobody frames the page. Forms are sent by the
/// script, and without it nowhere: a password must not get into a URL.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                   frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

impl Settings {
    /// For a storefront that is the sales channel `client_id` and knows the service as `domain`.
    pub fn new(domain: &str, client_id: String) -> Self {
        let customer = Customer { email: CUSTOMER_EMAIL, password: CUSTOMER_PASSWORD };
        Self { organization: SLUG, domain: domain.to_owned(), client_id, customer }
    }
}

/// Routes for the pages and what they load, and for the settings. None is to be cached: the next build may have others.
pub fn routes(settings: Settings) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        for file in &FILES {
            let answer = move || async move { file.answer() };
            let resource =
                web::resource(file.path).route(web::get().to(answer)).route(web::head().to(answer));
            config.service(resource);
        }
        let settings = settings.clone();
        let answer = move || {
            let answer = HttpResponse::Ok().json(&settings);
            async { answer }
        };
        config.route("/dev/shop.json", web::get().to(answer));
    }
}

impl File {
    fn answer(&self) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(self.content_type)
            .insert_header((CONTENT_SECURITY_POLICY, CSP))
            .insert_header((X_FRAME_OPTIONS, "DENY"))
            .body(self.content)
    }
}
