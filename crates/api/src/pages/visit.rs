//! A request for a page: whose page is wanted, in which language, and the answer.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use rekey_core::{
    caller::{Actor, Caller},
    clients::{ClientKind, RegisteredClient},
    locale::Locale,
    organizations::{Organization, Slug},
};
use rekey_texts::{Arg, Language, Reader, SayError};
use time::Duration;

use super::{
    address::Address,
    forgot_password, not_me,
    page::Page,
    site::{Site, blank},
    view::Translation,
    wish::{Wish, host_organization},
};
use crate::{
    api::Api,
    caller,
    jsonapi::error::{Problem, whole_seconds},
};

/// Somebody at a page.
pub struct Visit<'a> {
    pub api: &'a Api,
    pub request: &'a HttpRequest,
    pub address: Address,
    pub wish: Wish,
    /// The languages of who reads, the dearest first.
    locales: Vec<Locale>,
    /// The sales channel that resets can be asked for as, if one is named and lets its guests do so.
    client: Result<Option<Arc<RegisteredClient>>, Problem>,
    /// Whose page it is, as far as that is known.
    slug: Option<Slug>,
    shop: Option<String>,
}

/// Where clients are looked up.
#[derive(Clone, Copy)]
enum Directory {
    Store,
    /// What this process remembers.
    Memory,
}

impl<'a> Visit<'a> {
    /// Whose page the request means.
    pub async fn of(request: &'a HttpRequest, api: &'a Api) -> Self {
        Self::begin(request, api, Directory::Store).await
    }

    async fn begin(request: &'a HttpRequest, api: &'a Api, directory: Directory) -> Self {
        let address = Address::of(request);
        let wish = Wish::of(&address);
        let host = host_organization(request, &api.pages.domain);
        let client = client(api, directory, &wish, host.as_ref()).await;
        let mut locales = caller::locales(request);
        locales.splice(0..0, wish.locale.clone());
        let slug = wish.organization.clone().or(host);
        let mut visit = Self { api, request, address, wish, locales, client, slug, shop: None };
        if let Ok(Some(client)) = visit.client.clone() {
            visit.is_at(&client.organization);
        }
        visit
    }

    /// Whose page it is turned out.
    pub fn is_at(&mut self, organization: &Organization) {
        self.slug = Some(organization.slug.clone());
        self.shop = Some(organization.name.clone());
    }

    /// The sales channel that the page asks for resets as.
    pub fn client(&self) -> Result<Arc<RegisteredClient>, Problem> {
        self.client.clone()?.ok_or(Problem::NotFound)
    }

    /// The pages of whose page it is.
    pub fn site(&self) -> &'a Site {
        self.api.pages.of(self.slug.as_ref())
    }

    /// Who does this, and in which languages the mails it causes are read.
    pub fn caller(&self, actor: Actor) -> Caller {
        let caller = caller::of(self.request, &self.api.trusted_proxies, actor);
        Caller { locales: self.locales.clone(), ..caller }
    }

    /// Texts in the reader's language.
    pub fn reader(&self) -> Reader {
        self.site().texts.reader(self.language())
    }

    /// A text in the reader's language.
    pub fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.or_nothing(self.reader().say(key, args))
    }

    /// What was said. That it can't be said is a mistake of ours.
    pub fn or_nothing<T: Default>(&self, said: Result<T, SayError>) -> T {
        said.unwrap_or_else(|error| {
            tracing::error!(%error, path = self.request.path(), "a page lacks a text");
            T::default()
        })
    }

    fn language(&self) -> Language {
        self.site().texts.choose(&self.locales)
    }

    /// Where a new link can be asked for.
    pub fn ask_again(&self) -> Option<String> {
        matches!(self.client, Ok(Some(_))).then(|| self.wish.at(forgot_password::PATH))
    }

    /// This page again, without whatever secret was in its address.
    pub fn here(&self) -> String {
        self.here_with(&self.wish)
    }

    fn here_with(&self, wish: &Wish) -> String {
        let path = self.request.path();
        let parts = not_me::PARTS.into_iter().filter(|_| path == not_me::PATH);
        wish.at_with(path, parts.filter_map(|name| Some((name, self.address.value(name)?))))
    }

    fn here_in(&self, language: Language) -> String {
        self.here_with(&Wish { locale: language.tag().parse().ok(), ..self.wish.clone() })
    }

    /// An answer with this page.
    pub fn answer(&self, page: &Page<'_>) -> HttpResponse {
        let language = self.language();
        let languages = if page.can_be_reread() {
            Translation::all_but(language, |other| self.here_in(other))
        } else {
            Vec::new()
        };
        self.site().answer(language, self.shop.as_deref(), page, &languages)
    }

    /// The page after this: a reload of it sends no form again.
    pub fn lead_to(&self, path: &str, cookie: Option<Cookie<'_>>) -> HttpResponse {
        let mut answer = blank(StatusCode::SEE_OTHER);
        answer.insert_header((header::LOCATION, self.wish.at(path)));
        if let Some(cookie) = cookie {
            answer.cookie(cookie);
        }
        answer.finish()
    }

    /// The answer to a form that did not come from our page.
    pub fn foreign(&self) -> HttpResponse {
        self.answer(&Page::Foreign { again: self.here() })
    }

    /// The answer to who comes too often.
    pub fn too_many(&self, wait: Duration) -> HttpResponse {
        let mut response = self.answer(&Page::TooMany { again: self.here() });
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        response
    }

    /// The answer when something is in the way.
    pub fn failed(&self, problem: &Problem) -> HttpResponse {
        match problem {
            Problem::Busy => self.answer(&Page::Busy { again: self.here() }),
            Problem::NotFound => self.answer(&Page::NotFound),
            Problem::MethodNotAllowed(allow) => {
                let mut response = self.broken(StatusCode::METHOD_NOT_ALLOWED);
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
                response
            }
            other => self.broken(other.status_code()),
        }
    }

    fn broken(&self, status: StatusCode) -> HttpResponse {
        self.answer(&Page::Failed { status, again: self.here() })
    }
}

/// The answer to a form that was not looked at: made from memory, for it must cost nothing.
pub async fn too_many(request: &HttpRequest, api: &Api, wait: Duration) -> HttpResponse {
    Visit::begin(request, api, Directory::Memory).await.too_many(wait)
}

/// The sales channel that the address names; else that of the organization that the address, or its host, names; else the
/// deployment's. Only one whose guests may ask for resets.
async fn client(
    api: &Api,
    directory: Directory,
    wish: &Wish,
    host: Option<&Slug>,
) -> Result<Option<Arc<RegisteredClient>>, Problem> {
    if let Some(client_id) = &wish.client_id {
        return find(api, directory, client_id).await;
    }
    let own = |slug| Some((slug, api.pages.of(Some(slug)).settings.client_id.as_deref()?));
    if let Some((slug, client_id)) = wish.organization.as_ref().or(host).and_then(own)
        && let Some(client) = find(api, directory, client_id).await?
        && client.organization.slug == *slug
    {
        return Ok(Some(client));
    }
    // A link says for sure whose it is; a host's name may be any.
    match &api.pages.of(None).settings.client_id {
        Some(client_id) if wish.organization.is_none() => find(api, directory, client_id).await,
        Some(_) | None => Ok(None),
    }
}

async fn find(
    api: &Api,
    directory: Directory,
    client_id: &str,
) -> Result<Option<Arc<RegisteredClient>>, Problem> {
    let found = match directory {
        Directory::Store => api.clients.find(client_id).await.map_err(|error| Problem::from(&*error))?,
        Directory::Memory => api.clients.remembered(client_id).await,
    };
    let asks = |client: &Arc<RegisteredClient>| {
        client.client.kind == ClientKind::SalesChannel && client.client.self_service
    };
    Ok(found.filter(asks))
}
