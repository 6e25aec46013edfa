//! The access token of a request, read once.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest, http::header};

use super::jwt::Claims;
use crate::api::Api;

/// What a request shows for a token.
#[derive(Clone)]
pub enum Presented {
    /// None, or none of ours.
    Nothing,
    /// One of ours that has expired.
    Expired(Arc<Claims>),
    /// One of ours; whether its client or its session are still what they were is another question.
    Good(Arc<Claims>),
}

impl Presented {
    /// What a token says that has not expired.
    pub fn good(&self) -> Option<&Claims> {
        match self {
            Self::Good(claims) => Some(claims),
            Self::Expired(_) | Self::Nothing => None,
        }
    }

    /// What a token of ours says.
    pub fn ours(&self) -> Option<&Claims> {
        match self {
            Self::Good(claims) | Self::Expired(claims) => Some(claims),
            Self::Nothing => None,
        }
    }
}

/// The token of this request.
pub async fn of(request: &HttpRequest) -> Presented {
    if let Some(presented) = request.extensions().get::<Presented>() {
        return presented.clone();
    }
    let presented = read(request).await;
    request.extensions_mut().insert(presented.clone());
    presented
}

async fn read(request: &HttpRequest) -> Presented {
    let (Some(token), Ok(api)) = (token(request), Api::of(request)) else { return Presented::Nothing };
    match api.issuer.read(token).await {
        Ok(claims) if api.issuer.remaining(&claims).is_some() => Presented::Good(claims),
        Ok(claims) => Presented::Expired(claims),
        Err(_) => Presented::Nothing,
    }
}

/// RFC 6750 §2.1. Two of them are none: whoever is in front of us may have looked at the other.
fn token(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
