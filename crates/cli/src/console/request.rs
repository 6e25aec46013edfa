//! Who may call what: the session of a request, and the forms that a page of the session sent.

use std::{net::IpAddr, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    cookie::{Cookie, SameSite},
    dev::Payload,
    http::header::{HOST, HeaderValue},
    web::{Data, Form},
};
use rekey_api::{CookieSpec, FormToken, is_same_origin};
use rekey_core::{
    operators::{Operator, OperatorRole, SESSION_MAX_AGE},
    random::OsRandom,
    secrets::OperatorToken,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Console, page::Done, problem::Problem};

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// The cookie with the session's token.
const SESSION: CookieSpec = CookieSpec { name: "rekey_console", path: "/", same_site: SameSite::Strict };

/// The session of an operator. A request without one is led to the sign-in.
pub struct Session {
    pub operator: Operator,
    pub token: OperatorToken,
}

/// A form that a page of the session sent.
pub struct SessionForm<F> {
    pub session: Session,
    pub fields: F,
}

/// The same of an operator who may act.
pub struct Act<F> {
    pub session: Session,
    pub fields: F,
}

/// The fields of every form of a session, with a form's own.
#[derive(Deserialize)]
struct Fields<F> {
    form_token: String,
    #[serde(flatten)]
    own: F,
}

impl Session {
    /// Returns the token of the forms on a page.
    pub fn form_token(&self) -> String {
        FormToken::generate(self.token.expose(), &OsRandom)
    }

    pub fn may_act(&self) -> bool {
        self.operator.role == OperatorRole::Act
    }

    async fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let console = request.app_data::<Data<Console>>().ok_or(Problem::NotFound)?;
        let value = SESSION.read(request, needs_https(request));
        let Some(token) = value.as_deref().and_then(OperatorToken::parse) else {
            // The page after the sign-in: the browser has not kept the cookie.
            let is_lost = request.query_string() == Done::SignedIn.query();
            return Err(Problem::SignedOut(is_lost.then_some(Done::NoCookie)));
        };
        match console.sign_in.operator(&token).await? {
            Some(operator) => Ok(Self { operator, token }),
            None => Err(Problem::SignedOut(Some(Done::Expired))),
        }
    }
}

impl FromRequest for Session {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::read(&request).await })
    }
}

impl<F: DeserializeOwned + 'static> FromRequest for SessionForm<F> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = Form::<Fields<F>>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            check_origin(&request)?;
            let session = Session::read(&request).await?;
            let Fields { form_token, own } = form.await.map_err(|_| Problem::BadRequest)?.into_inner();
            let is_own = FormToken::parse(form_token).is_for(session.token.expose());
            if is_own { Ok(Self { session, fields: own }) } else { Err(Problem::ForeignForm) }
        })
    }
}

impl<F: DeserializeOwned + 'static> FromRequest for Act<F> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = SessionForm::<F>::from_request(request, payload);
        Box::pin(async move {
            let SessionForm { session, fields } = form.await?;
            if session.may_act() { Ok(Self { session, fields }) } else { Err(Problem::ReadOnly) }
        })
    }
}

/// Makes sure that a page of this site sent the form.
pub fn check_origin(request: &HttpRequest) -> Result<(), Problem> {
    let host = host(request);
    let is_own = ["http", "https"]
        .iter()
        .any(|scheme| is_same_origin(request.headers(), &format!("{scheme}://{host}")));
    if is_own { Ok(()) } else { Err(Problem::ForeignForm) }
}

/// Returns the cookie of a session that was opened.
pub fn session_cookie(request: &HttpRequest, token: &OperatorToken) -> Cookie<'static> {
    let ttl = SESSION_MAX_AGE.unsigned_abs();
    SESSION.cookie(token.expose().to_owned(), ttl, needs_https(request))
}

/// Returns what removes the cookie.
pub fn session_removal(request: &HttpRequest) -> Cookie<'static> {
    SESSION.removal(needs_https(request))
}

/// Whether the browser must only send the cookie over https: everywhere but on its own machine. Behind a proxy, the host may be the proxy's
/// own name for this program.
fn needs_https(request: &HttpRequest) -> bool {
    let is_proxied = ["x-forwarded-for", "x-forwarded-proto", "forwarded"]
        .iter()
        .any(|name| request.headers().contains_key(*name));
    is_proxied || !is_loopback(host(request))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Returns the host that the browser asked for, with its port.
fn host(request: &HttpRequest) -> &str {
    let header = request.headers().get(HOST).map(HeaderValue::to_str);
    header.and_then(Result::ok).or_else(|| Some(request.uri().authority()?.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "localhost:8083", "127.0.0.1:8083", "127.8.0.1", "[::1]:8083"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "10.0.0.1:8083", "localhost.example", "127.0.0.1.example", "[::2]", "console.example"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
