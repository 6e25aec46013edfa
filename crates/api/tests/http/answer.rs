//! An answer of the API, with what tests assert of it.

use reqwest::{Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::app::MEDIA_TYPE;

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// Null where there is no body.
    pub body: Value,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, body }
    }

    /// Returns the document's id.
    pub fn id(&self) -> &str {
        self.body["data"]["id"].as_str().unwrap()
    }

    pub fn attribute(&self, name: &str) -> &Value {
        &self.body["data"]["attributes"][name]
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns a text member of the answer's object.
    pub fn text_of(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name}: {}", self.text))
    }

    /// Asserts that it is one error of OAuth's, with that status and those codes.
    #[track_caller]
    pub fn assert_oauth_error(&self, status: u16, error: &str, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!((self.header("cache-control"), self.header("pragma")), ("no-store", "no-cache"));
        assert_eq!(self.body["error"], error, "{}", self.text);
        assert!(self.body["error_description"].is_string(), "{}", self.text);
        let errors = self.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{}", self.text);
        assert_eq!(
            (&errors[0]["status"], &errors[0]["code"]),
            (&json!(status), &json!(code)),
            "{}",
            self.text
        );
        assert!(errors[0]["title"].is_string() && errors[0]["detail"].is_string(), "{}", self.text);
    }

    /// Asserts that it is one JSON:API error with that status and code, and where it points.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str, pointer: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), MEDIA_TYPE);
        let errors = self.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{}", self.text);
        assert_eq!(errors[0]["status"], status.to_string());
        assert_eq!(errors[0]["code"], code);
        assert!(errors[0]["title"].is_string() && errors[0]["detail"].is_string(), "{}", self.text);
        assert_eq!(errors[0]["source"]["pointer"].as_str(), pointer);
    }
}
