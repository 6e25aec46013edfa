//! Renders a page by its template.

use minijinja::{Environment, context, value::Serde, value::Value};
use rekey_runtime::config::{Brand, Support};
use rekey_texts::{Language, Reader};
use serde::Serialize;

use super::{assets, page::Page};

/// The look of all pages of an organization.
#[derive(Debug)]
pub struct Look {
    brand: Brand,
    styles: String,
}

impl Look {
    pub fn new(brand: Brand) -> Self {
        Self { styles: assets::style_url(brand.color), brand }
    }

    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// Returns the organization's name: the known one, or else the text of its logo.
    fn name<'a>(&'a self, known: Option<&'a str>) -> Option<&'a str> {
        known.or(self.brand.logo_text.as_deref())
    }
}

/// A link to the page in another language.
#[derive(Debug, Serialize)]
pub struct Translation {
    tag: &'static str,
    dir: &'static str,
    /// The language's name in itself.
    name: &'static str,
    href: String,
}

impl Translation {
    /// Returns the links to all languages but this one.
    pub fn all_but(language: Language, address: impl Fn(Language) -> String) -> Vec<Self> {
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        let translation = |other: Language| Self {
            tag: other.tag(),
            dir: other.direction().as_str(),
            name: other.name(),
            href: address(other),
        };
        others.map(translation).collect()
    }
}

/// Renders the page. `shop` is the organization's name, if it is known.
pub fn html(
    templates: &Environment<'_>,
    look: &Look,
    reader: &Reader,
    shop: Option<&str>,
    page: &Page<'_>,
    languages: &[Translation],
) -> Result<String, minijinja::Error> {
    let language = reader.language();
    let shop = look.name(shop);
    let support = look.brand.support.as_ref().map(|support| match support {
        Support::Email(address) => context! { href => format!("mailto:{address}"), text => address },
        Support::Page(url) => context! { href => url, text => shown(url) },
    });
    templates.get_template(page.template())?.render(context! {
        t => reader.function(),
        lang => language.tag(),
        dir => language.direction().as_str(),
        shop => shop.unwrap_or_default(),
        logo => look.brand.logo_text.as_deref().or(shop),
        support => support,
        styles => &look.styles,
        script => assets::script_url(),
        language => language.name(),
        languages => Value::from(Serde(languages)),
        page => Value::from(Serde(page)),
    })
}

/// Returns a URL as people write it.
fn shown(url: &str) -> &str {
    let bare = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    bare.trim_end_matches('/')
}
