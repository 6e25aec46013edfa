//! A client of the API, as a storefront or a back office uses it.

use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use crate::wait::{TIMEOUT, eventually};

/// A client of a running API. It follows no redirects and, by default, keeps no cookies.
#[derive(Clone)]
pub struct Api {
    /// The API's origin, such as `http://127.0.0.1:8080`.
    pub url: String,
    http: Client,
}

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// The JSON body; `null` if there was none.
    pub body: Value,
}

impl Api {
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), http: http(|builder| builder) }
    }

    /// Waits until the API is ready.
    pub async fn ready(&self) {
        self.answers("/readyz").await;
    }

    /// Returns the body of `/readyz`.
    pub async fn readiness(&self) -> Value {
        Answer::of(self.http.get(format!("{}/readyz", self.url)).send().await.unwrap()).await.body
    }

    /// Waits until a page returns 200.
    pub async fn answers(&self, path: &str) {
        let url = format!("{}{path}", self.url);
        eventually(&format!("200 from {url}"), async || {
            let answer = self.http.get(&url).send().await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
        })
        .await;
    }

    /// Requests a token.
    pub async fn grant(&self, request: &Value) -> Answer {
        let sent = self.http.post(format!("{}/oauth/token", self.url)).json(request).send();
        Answer::of(sent.await.unwrap()).await
    }

    /// Requests a token for a client; an integration needs its secret.
    pub async fn token(&self, client_id: &str, secret: Option<&str>) -> String {
        let mut request = json!({"grant_type": "client_credentials", "client_id": client_id});
        if let Some(secret) = secret {
            request["client_secret"] = json!(secret);
        }
        self.grant(&request).await.expect(StatusCode::OK).text("/access_token")
    }

    /// Logs a customer in.
    pub async fn log_in(&self, client_id: &str, email: &str, password: &str) -> Answer {
        let request = json!({"grant_type": "password", "client_id": client_id, "username": email, "password": password});
        self.grant(&request).await
    }

    /// Makes a call under `/api`; the error is the network's.
    pub async fn try_call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Answer, reqwest::Error> {
        Ok(Answer::of(self.request(method, path, token, body).send().await?).await)
    }

    /// Requests a reset with an Idempotency-Key; the error is the network's.
    pub async fn try_reset(&self, token: &str, email: &str, key: &str) -> Result<Answer, reqwest::Error> {
        let request = self.request(Method::POST, "customer_password_resets", token, &reset(email));
        Ok(Answer::of(request.header("idempotency-key", key).send().await?).await)
    }

    fn request(&self, method: Method, path: &str, token: &str, body: &Value) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/{path}", self.url)).bearer_auth(token);
        if body.is_null() {
            return request;
        }
        request.header("content-type", "application/vnd.api+json").body(body.to_string())
    }

    /// Makes a call under `/api`.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        self.try_call(method, path, token, body).await.unwrap()
    }

    /// Creates a customer and returns its id.
    pub async fn create_customer(&self, token: &str, email: &str, password: &str) -> String {
        let body = document("customers", &json!({"email": email, "password": password}));
        let answer = self.call(Method::POST, "customers", token, &body).await;
        answer.expect(StatusCode::CREATED).text("/data/id")
    }

    /// Requests a reset.
    pub async fn create_reset(&self, token: &str, email: &str) -> Answer {
        self.call(Method::POST, "customer_password_resets", token, &reset(email)).await
    }

    /// Sets the new password.
    pub async fn complete(&self, token: &str, id: &str, reset_token: &str, password: &str) -> Answer {
        let attributes = json!({"customer_password": password, "_reset_password_token": reset_token});
        let mut body = document("customer_password_resets", &attributes);
        body["data"]["id"] = json!(id);
        self.call(Method::PATCH, &format!("customer_password_resets/{id}"), token, &body).await
    }
}

impl Answer {
    async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        assert!(text.is_empty() || !body.is_null(), "{status}, and not JSON: {text}");
        Self { status, body }
    }

    /// Asserts the status, and returns the response.
    #[expect(clippy::must_use_candidate, reason = "an assertion: its value is wanted only sometimes")]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Returns the text at a JSON pointer.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} of {}", self.body)).to_owned()
    }
}

/// Returns the document that requests a reset.
#[must_use]
pub fn reset(email: &str) -> Value {
    document("customer_password_resets", &json!({"customer_email": email}))
}

/// Builds an HTTP client with the tests' timeout.
///
/// # Panics
/// If it can't be built.
#[must_use]
pub fn http(more: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Client {
    // Only the first call of a process has an effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    more(Client::builder().redirect(Policy::none()).no_proxy().timeout(TIMEOUT)).build().unwrap()
}

fn document(resource: &str, attributes: &Value) -> Value {
    json!({"data": {"type": resource, "attributes": attributes, "relationships": {}}})
}
