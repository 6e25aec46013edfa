//! Each organization's pages: templates, texts and look. They are read and checked at the start, and when they are read again.

use std::path::PathBuf;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use arc_swap::ArcSwap;
use minijinja::{
    Environment, context,
    value::{Serde, Value},
};
use rekey_core::organizations::{PerOrganization, Slug};
use rekey_runtime::config::{Auth, Brand, HostedPages, OrganizationSettings, Server, Support};
use rekey_texts::{Language, SayError, Texts, TextsError};

use super::{
    assets,
    page::Page,
    samples,
    templates::{self, TemplateError},
    translation::Translation,
};

/// The pages of all organizations, as a request finds them: they can be replaced while the program runs.
pub type SharedPages = ArcSwap<Pages>;

/// The pages of all organizations.
pub struct Pages {
    sites: PerOrganization<Site>,
    /// Whether browsers reach the pages over https.
    pub https: bool,
    /// The origin of the pages.
    pub public_url: String,
    /// The domain below which organizations have their hosts.
    pub domain: String,
}

/// One organization's pages.
pub struct Site {
    templates: Environment<'static>,
    pub texts: Texts,
    pub brand: Brand,
    pub settings: HostedPages,
}

/// Why an organization's pages can't be built.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// A text is malformed.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A text can't be rendered.
    #[error(transparent)]
    Say(#[from] SayError),
    /// A template is malformed.
    #[error("{}{error}", folder.as_ref().map(|folder| format!("{}: ", folder.display())).unwrap_or_default())]
    Template { folder: Option<PathBuf>, error: TemplateError },
}

/// Only our stylesheet and script are loaded, forms are sent only to us, and no other page may frame ours.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
                   frame-ancestors 'none'; base-uri 'none'";
/// Browser features that no page uses. Browsers ignore names that they don't know.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

impl Pages {
    /// Reads the organizations' texts and templates, and renders each page in each language, so that none fails later.
    ///
    /// # Errors
    /// For the first text or template that is wrong, in one line.
    pub fn new(
        server: &Server,
        auth: &Auth,
        organizations: &PerOrganization<OrganizationSettings>,
    ) -> Result<Self, PagesError> {
        Ok(Self {
            sites: sites(organizations)?,
            https: server.public_url.is_https(),
            public_url: server.public_url.as_str().to_owned(),
            domain: auth.domain.clone(),
        })
    }

    /// Returns these pages with other settings of the organizations.
    ///
    /// # Errors
    /// Like [`Pages::new`].
    pub fn rebuild(&self, organizations: &PerOrganization<OrganizationSettings>) -> Result<Self, PagesError> {
        Ok(Self {
            sites: sites(organizations)?,
            https: self.https,
            public_url: self.public_url.clone(),
            domain: self.domain.clone(),
        })
    }

    /// Returns the host name at which the vendor's clients look for an organization.
    pub fn default_domain(&self, organization: &Slug) -> String {
        format!("{organization}.{}", self.domain)
    }

    /// Returns the pages of that organization, or the ones of organizations without settings of their own.
    pub fn for_organization(&self, organization: Option<&Slug>) -> &Site {
        organization.map_or_else(|| self.sites.default_value(), |slug| self.sites.get(slug))
    }
}

/// Reads an organization's texts and templates for its pages, and renders each page.
///
/// # Errors
/// Like [`Pages::new`].
pub fn check_pages(settings: &OrganizationSettings) -> Result<(), PagesError> {
    Site::new(settings, &Texts::built_in(Language::English)?).map(drop)
}

fn sites(organizations: &PerOrganization<OrganizationSettings>) -> Result<PerOrganization<Site>, PagesError> {
    let texts = Texts::built_in(Language::English)?;
    organizations.try_map(|settings| Site::new(settings, &texts))
}

impl Site {
    fn new(settings: &OrganizationSettings, built_in: &Texts) -> Result<Self, PagesError> {
        let folder = settings.folder.as_deref();
        let texts = built_in.overlaid(folder, &settings.languages.default, &settings.languages.time_zone)?;
        let wrong = |error| PagesError::Template { folder: settings.folder.clone(), error };
        let site = Self {
            templates: templates::compile(folder).map_err(wrong)?,
            texts,
            brand: settings.brand.clone(),
            settings: settings.pages.clone(),
        };
        for language in Language::ALL {
            for page in samples::all(&site.texts.reader(language))? {
                // With and without a name and other languages.
                for (shop, languages) in [(None, Vec::new()), (Some("Shop"), others(language))] {
                    site.html(language, shop, &page, &languages)
                        .map_err(|error| wrong(TemplateError::malformed(&error)))?;
                }
            }
        }
        Ok(site)
    }

    /// Answers with this page. `shop` is the organization's name, if it is known.
    pub fn answer(
        &self,
        language: Language,
        shop: Option<&str>,
        page: &Page<'_>,
        languages: &[Translation],
    ) -> HttpResponse {
        match self.html(language, shop, page, languages) {
            Ok(html) => blank(page.status())
                .content_type("text/html; charset=utf-8")
                .insert_header((header::CONTENT_LANGUAGE, language.tag()))
                .body(html),
            Err(error) => {
                tracing::error!(%error, template = page.template(), "rendering a page failed");
                blank(StatusCode::INTERNAL_SERVER_ERROR).finish()
            }
        }
    }

    /// Renders the page.
    pub fn html(
        &self,
        language: Language,
        shop: Option<&str>,
        page: &Page<'_>,
        languages: &[Translation],
    ) -> Result<String, minijinja::Error> {
        let shop = shop.or(self.brand.logo_text.as_deref());
        let support = self.brand.support.as_ref().map(|support| match support {
            Support::Email(address) => context! { href => format!("mailto:{address}"), text => address },
            Support::Page(url) => context! { href => url, text => short_url(url) },
        });
        self.templates.get_template(page.template())?.render(context! {
            t => self.texts.reader(language).function(),
            lang => language.tag(),
            dir => language.direction().as_str(),
            shop => shop.unwrap_or_default(),
            logo => self.brand.logo_text.as_deref().or(shop),
            support => support,
            styles => assets::style_url(self.brand.color),
            script => assets::script_url(),
            language => language.name(),
            languages => Value::from(Serde(languages)),
            page => Value::from(Serde(page)),
        })
    }
}

/// Returns a URL as people write it.
fn short_url(url: &str) -> &str {
    let bare = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    bare.trim_end_matches('/')
}

/// Returns the links to a page in other languages, for the check of templates.
fn others(language: Language) -> Vec<Translation> {
    Translation::all_but(language, |other| format!("/forgot-password?locale={other}"))
}

/// Returns an answer with the headers of every page.
pub fn blank(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, CSP))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept-Language"))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .insert_header((HeaderName::from_static("permissions-policy"), PERMISSIONS));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, "1"));
    }
    response
}

#[cfg(test)]
mod tests;
