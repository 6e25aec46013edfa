//! A request for a hosted page, and the ways to answer it.

use std::sync::Arc;

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    dev,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Payload},
};
use futures_util::future::LocalBoxFuture;
use rekey_core::{
    caller::{Actor, Caller},
    clients::RegisteredClient,
    locale::Locale,
    organizations::{Organization, Slug},
};
use rekey_texts::{Arg, Language, Reader, SayError};
use serde::de::DeserializeOwned;

use super::{
    client::{LookUp, find_client},
    cookie::{CookieSpec, LINK_TTL},
    form,
    link_query::LinkQuery,
    page::Page,
    params::{PageParams, host_organization},
    paths,
    site::{Pages, SharedPages, Site, blank},
    translation::Translation,
};
use crate::{
    auth::clients::ClientDirectory,
    caller,
    jsonapi::error::{Problem, whole_seconds},
};

/// A request for a page: the organization whose page it is, and the reader's languages.
pub struct PageContext {
    pub params: PageParams,
    pub query: LinkQuery,
    pages: Arc<Pages>,
    request: HttpRequest,
    /// The reader's languages, best first.
    locales: Vec<Locale>,
    /// The sales channel as which resets can be requested, if one is named and has self-service.
    client: Result<Option<Arc<RegisteredClient>>, Problem>,
    /// The organization, as far as it is known.
    slug: Option<Slug>,
    shop_name: Option<String>,
}

impl FromRequest for PageContext {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (pages, clients) = <(Data<SharedPages>, Data<ClientDirectory>)>::extract(&request).await?;
            Ok(Self::new(request, pages.load_full(), LookUp::Store(&clients)).await)
        })
    }
}

/// Returns the page that shows a problem.
pub async fn problem_page(request: &HttpRequest, problem: &Problem) -> Result<HttpResponse, Error> {
    let (pages, clients) = <(Data<SharedPages>, Data<ClientDirectory>)>::extract(request).await?;
    let look_up = match problem {
        // A caller over its limit must not cause look-ups.
        Problem::TooManyRequests(_) => LookUp::Memory(&clients),
        _ => LookUp::Store(&clients),
    };
    Ok(PageContext::new(request.clone(), pages.load_full(), look_up).await.problem(problem))
}

impl PageContext {
    async fn new(request: HttpRequest, pages: Arc<Pages>, look_up: LookUp<'_>) -> Self {
        let query = LinkQuery::from_request(&request);
        let params = PageParams::from_query(&query);
        let host = host_organization(&request, &pages.domain);
        let client = find_client(&pages, look_up, &params, host.as_ref()).await;
        let locales = params.locale.clone().into_iter().chain(caller::locales(&request)).collect();
        let slug = params.organization.clone().or(host);
        let mut context = Self { params, query, pages, request, locales, client, slug, shop_name: None };
        if let Ok(Some(client)) = context.client.clone() {
            context.set_organization(&client.organization);
        }
        context
    }

    /// Makes this a page of that organization.
    pub fn set_organization(&mut self, organization: &Organization) {
        self.slug = Some(organization.slug.clone());
        self.shop_name = Some(organization.name.clone());
    }

    /// Returns the sales channel as which the page requests resets.
    pub fn client(&self) -> Result<Arc<RegisteredClient>, Problem> {
        self.client.clone()?.ok_or(Problem::NotFound)
    }

    /// Returns the pages of the organization.
    pub fn site(&self) -> &Site {
        self.pages.for_organization(self.slug.as_ref())
    }

    /// Returns the caller with the languages in which it gets the mails that it causes.
    pub fn caller(&self, actor: Actor) -> Caller {
        Caller { locales: self.locales.clone(), ..caller::from_request(&self.request, actor) }
    }

    /// Whether the form was sent from a page of this service.
    pub fn is_same_origin(&self) -> bool {
        form::is_same_origin(self.request.headers(), &self.pages.public_url)
    }

    /// Reads the fields of the form.
    pub async fn read_form<F: DeserializeOwned>(&self, body: Payload) -> Result<F, Problem> {
        form::read(&self.request, body).await
    }

    /// Returns the value of a cookie.
    pub fn cookie(&self, cookie: CookieSpec) -> Option<String> {
        cookie.read(&self.request, self.pages.https)
    }

    /// Whether the pages are served over https.
    pub fn is_https(&self) -> bool {
        self.pages.https
    }

    /// Returns the texts in the reader's language.
    pub fn reader(&self) -> Reader {
        self.site().texts.reader(self.language())
    }

    /// Returns a text in the reader's language.
    pub fn text(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.or_empty(self.reader().say(key, args))
    }

    /// Logs a text that can't be rendered, which is a bug, and returns an empty one instead.
    pub fn or_empty<T: Default>(&self, text: Result<T, SayError>) -> T {
        text.unwrap_or_else(|error| {
            tracing::error!(%error, path = self.request.path(), "rendering a text of a page failed");
            T::default()
        })
    }

    fn language(&self) -> Language {
        self.site().texts.choose(&self.locales)
    }

    /// Returns the URL on which a new link can be requested, if there is one.
    pub fn new_link_url(&self) -> Option<String> {
        matches!(self.client, Ok(Some(_))).then(|| self.params.url(paths::FORGOT_PASSWORD))
    }

    /// Returns the URL of the shop's own sign-in page.
    pub fn login_url(&self) -> Option<&str> {
        self.site().settings.login_url.as_deref()
    }

    /// Only moves the id and token of a link that was opened into its cookie, as mail scanners open links, too; the cookie is removed
    /// unless `is_link` finds both well-formed. `None` if the URL has neither: other parameters say nothing about a link.
    pub fn open_link(
        &self,
        cookie: CookieSpec,
        is_link: impl FnOnce(&str, &str) -> bool,
    ) -> Option<HttpResponse> {
        let link = match ["id", "token"].map(|name| self.query.value(name)) {
            [None, None] => return None,
            [id, token] => id.zip(token).filter(|(id, token)| is_link(id, token)),
        };
        Some(self.keep_link(cookie, link))
    }

    /// Puts a link's id and token into its cookie, or removes it, and redirects to the cookie's page.
    pub fn keep_link(&self, cookie: CookieSpec, link: Option<(&str, &str)>) -> HttpResponse {
        let held = match link {
            Some((id, token)) => cookie.cookie(format!("{id}.{token}"), LINK_TTL, self.is_https()),
            None => cookie.removal(self.is_https()),
        };
        self.redirect(cookie.path, Some(held))
    }

    /// Returns this page's URL, with a secret in it only where the page has no cookie for it: see [`paths::own_params`].
    pub fn own_url(&self) -> String {
        self.own_url_with(&self.params)
    }

    fn own_url_with(&self, params: &PageParams) -> String {
        let path = self.request.path();
        let others = paths::own_params(path).iter();
        params.url_with(path, others.filter_map(|&name| Some((name, self.query.value(name)?))))
    }

    fn own_url_in(&self, language: Language) -> String {
        self.own_url_with(&PageParams { locale: language.tag().parse().ok(), ..self.params.clone() })
    }

    /// Answers with this page.
    pub fn show(&self, page: &Page<'_>) -> HttpResponse {
        let language = self.language();
        let languages = if page.can_be_reloaded() {
            Translation::all_but(language, |other| self.own_url_in(other))
        } else {
            Vec::new()
        };
        self.site().answer(language, self.shop_name.as_deref(), page, &languages)
    }

    /// Redirects to another page, so that a reload sends no form again.
    pub fn redirect(&self, path: &str, cookie: Option<Cookie<'_>>) -> HttpResponse {
        let mut answer = blank(StatusCode::SEE_OTHER);
        answer.insert_header((header::LOCATION, self.params.url(path)));
        if let Some(cookie) = cookie {
            answer.cookie(cookie);
        }
        answer.finish()
    }

    /// Answers a form that was not sent from a page of this service.
    pub fn csrf_rejected(&self) -> HttpResponse {
        self.show(&Page::CsrfRejected { again: self.own_url() })
    }

    fn problem(&self, problem: &Problem) -> HttpResponse {
        let again = self.own_url();
        let page = match problem {
            Problem::Busy | Problem::Unavailable => Page::Busy { again },
            Problem::NotFound => Page::NotFound,
            Problem::TooManyRequests(_) => Page::TooMany { again },
            other => Page::Failed { status: other.status_code(), again },
        };
        let mut response = self.show(&page);
        match problem {
            Problem::MethodNotAllowed(allow) => {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            Problem::TooManyRequests(wait) => {
                response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(*wait).into());
            }
            _ => {}
        }
        response
    }
}
