//! Where links lead: the pages behind the templates, `pages.login_url`, and the clients that the settings name.

use std::{collections::BTreeMap, error::Error};

use futures_util::future::join_all;
use rekey_core::{
    clients::{ClientKind, ClientStore, RegisteredClient},
    organizations::{OrganizationStore, PerOrganization, Slug},
    scope::Mode,
    sessions::TokenScope,
};
use rekey_runtime::config::{
    ConfigError, Configuration, LinkTemplate, LinkValues, OrganizationSettings, Server,
};
use rekey_store_postgres::PostgresStore;
use reqwest::{Client, StatusCode, redirect::Policy};
use serde::Deserialize;

use super::{TIMEOUT, database::unreadable, finding::Finding, not_configured, settings};

const OPEN: &str = "links.open";
const CLIENTS: &str = "pages.client_id";
/// In the place of a reset's id and token, which nobody has.
const ID: &str = "RekeyDoctr";
const TOKEN: &str = "rekeyDoctorRekeyDoctorRekeyDoctorRekeyDocto";

#[derive(Deserialize)]
struct Sections {
    server: Server,
}

/// The settings of those organizations that have their own, by slug, and of all others, without one.
struct Shops {
    slugs: Vec<Slug>,
    settings: PerOrganization<OrganizationSettings>,
}

impl Shops {
    fn load(configuration: &Configuration) -> Result<Self, ConfigError> {
        let settings = configuration.organization_settings()?;
        let slugs = configuration.check_organizations()?.into_iter().map(|(slug, _)| slug).collect();
        Ok(Self { slugs, settings })
    }

    fn each(&self) -> impl Iterator<Item = (Option<&Slug>, &OrganizationSettings)> {
        let own = self.slugs.iter().map(|slug| (Some(slug), self.settings.get(slug)));
        own.chain([(None, self.settings.default_value())])
    }
}

/// Opens each page once.
pub async fn check(configuration: &Configuration) -> Vec<Finding> {
    let server = match settings(configuration, OPEN) {
        Ok(Sections { server }) => server,
        Err(skipped) => return vec![skipped],
    };
    let shops = match Shops::load(configuration) {
        Ok(shops) => shops,
        Err(error) => return vec![not_configured(OPEN, &error)],
    };
    let client = Client::builder().redirect(Policy::none()).timeout(TIMEOUT).build();
    let Ok(client) = client else { return vec![Finding::skipped(OPEN, "TLS can't be set up here")] };
    let pages = pages(&shops, &server);
    let mut findings = join_all(pages.iter().map(|(url, setting)| open(&client, url, setting))).await;
    if !server.public_url.is_https() {
        let found =
            format!("links in mails begin with {}, which is each reader's own machine", server.public_url);
        let fix = "set server.public_url to the https address that customers reach";
        findings.push(Finding::warn("links.public_url", found, fix));
    }
    findings
}

/// Returns the pages by their URLs, with the setting that each comes from.
fn pages(shops: &Shops, server: &Server) -> BTreeMap<String, &'static str> {
    let mut pages = BTreeMap::new();
    for (slug, own) in shops.each() {
        let slug = slug.map_or("shop", Slug::as_str);
        let fill = |template: &LinkTemplate, client_id: Option<&str>| {
            template.fill(LinkValues {
                id: ID,
                token: TOKEN,
                locale: "en",
                organization: slug,
                client_id: own.pages.client_id.as_deref().or(client_id).unwrap_or_default(),
                scope: TokenScope::default().as_str(),
                login_url: own.pages.login_url.as_deref().unwrap_or_default(),
            })
        };
        let shared = own.links.reset_template(&server.public_url, None);
        pages.insert(fill(&shared, None), "links.reset_url_template");
        for (client_id, template) in own.links.clients() {
            pages.insert(fill(template, Some(client_id)), "links.clients");
        }
        if let Some(url) = &own.pages.login_url {
            pages.insert(url.clone(), "pages.login_url");
        }
    }
    // The hosted page, once. In a container, an address of this machine leads to the container itself.
    let hosted = format!("{}/reset-password?", server.public_url);
    let mut is_wanted = server.public_url.is_https();
    pages.retain(|url, setting| {
        if !url.starts_with(&hosted) {
            return true;
        }
        *setting = "server.public_url";
        std::mem::take(&mut is_wanted)
    });
    pages
}

/// Asks for a page. A redirection leads to a page, too; it is not followed, since a page may keep a link's token in a cookie.
async fn open(client: &Client, url: &str, setting: &str) -> Finding {
    // The query has nothing that helps, and the rest says which page it is.
    let shown = url.split('?').next().unwrap_or_default();
    let answered = match client.get(url).send().await {
        Ok(answered) => answered.status(),
        Err(error) => {
            let cause = innermost(&error);
            let fix =
                format!("correct {setting}, or start what serves it; it must be reachable from here, too");
            return Finding::fail(OPEN, format!("{shown} does not answer: {cause}"), fix);
        }
    };
    let found = format!("{shown} answers {}", answered.as_u16());
    if answered.is_success() || answered.is_redirection() {
        Finding::ok(OPEN, found)
    } else if answered.is_server_error() || answered == StatusCode::NOT_FOUND {
        Finding::fail(OPEN, found, format!("correct {setting}, or what serves it"))
    } else {
        // The page may refuse a token that does not exist.
        Finding::warn(
            OPEN,
            found,
            format!("open the link of a real mail, and correct {setting} if it does not work"),
        )
    }
}

/// Returns the last cause of an error, which has no URL in it.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Looks the clients up that the settings name, and the organizations of the folders.
pub async fn clients(configuration: &Configuration, store: &PostgresStore) -> Vec<Finding> {
    let shops = match Shops::load(configuration) {
        Ok(shops) => shops,
        Err(error) => return vec![not_configured(CLIENTS, &error)],
    };
    let mut findings = folders(&shops, store).await;
    for (slug, own) in shops.each() {
        let Some(client_id) = own.pages.client_id.as_deref() else { continue };
        let default = shops.settings.default_value().pages.client_id.as_deref();
        if slug.is_some() && default == Some(client_id) {
            continue;
        }
        findings.push(match store.find_api_client(client_id).await {
            Ok(client) => judge(client_id, slug, client.as_ref()),
            Err(error) => unreadable(CLIENTS, &error),
        });
    }
    findings
}

/// Reports folders of no organization: their settings are read, and used for nobody.
async fn folders(shops: &Shops, store: &PostgresStore) -> Vec<Finding> {
    const CHECK: &str = "organizations";
    let organizations = match store.organizations().await {
        Ok(organizations) => organizations,
        Err(error) => return vec![unreadable(CHECK, &error)],
    };
    if organizations.is_empty() {
        return vec![Finding::warn(CHECK, "there are none", "make one: `rekey organization create`")];
    }
    let is_unknown = |slug: &&Slug| !organizations.iter().any(|known| known.slug == **slug);
    let unknown: Vec<_> = shops.slugs.iter().filter(is_unknown).map(Slug::as_str).collect();
    if unknown.is_empty() {
        return vec![Finding::ok(
            CHECK,
            format!("{}, {} with a folder", organizations.len(), shops.slugs.len()),
        )];
    }
    let found = format!("no organization has the slug of the folder {}", unknown.join(", "));
    vec![Finding::fail(
        CHECK,
        found,
        "rename the folder in organizations.directory: `rekey organization list` has the slugs",
    )]
}

fn judge(client_id: &str, slug: Option<&Slug>, client: Option<&RegisteredClient>) -> Finding {
    let owner = slug.map_or("the deployment", Slug::as_str);
    let fail = |what: &str, fix: &str| Finding::fail(CLIENTS, format!("{client_id} of {owner} {what}"), fix);
    let choose = "set pages.client_id to a sales channel of `rekey client list`";
    let Some(client) = client else {
        return fail("does not exist", choose);
    };
    if client.revoked_at.is_some() {
        fail("is revoked", choose)
    } else if client.kind != ClientKind::SalesChannel {
        fail("is an integration, and no sales channel", choose)
    } else if slug.is_some_and(|slug| client.organization.slug != *slug) {
        fail("is a client of another organization", choose)
    } else if !client.permissions.self_service {
        let fix = format!("`rekey client update {client_id} --allow self-service`, with what else it may do");
        fail("may not ask for resets", &fix)
    } else if client.scope.mode == Mode::Test {
        Finding::warn(CLIENTS, format!("{client_id} of {owner} is for test data: no mail leaves"), choose)
    } else {
        Finding::ok(CLIENTS, format!("{client_id} of {owner} may ask for resets"))
    }
}
