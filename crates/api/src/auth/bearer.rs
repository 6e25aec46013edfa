//! The access token of a request.

use std::{net::IpAddr, sync::Arc};

use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use futures_util::future::LocalBoxFuture;

use super::{
    claims::Claims,
    jwt::{InvalidToken, Issuer},
};
use crate::{caller, jsonapi::error::Problem, limits::Limits};

/// The access token of a request. It is verified once per request.
#[derive(Clone)]
pub enum BearerToken {
    /// There is none, or it was not issued here.
    Missing,
    /// Issued here, and expired.
    Expired(Arc<Claims>),
    /// Issued here, and not expired. Whether its client or its session still exists is checked later.
    Valid(Arc<Claims>),
}

impl BearerToken {
    /// Returns the claims of a token that has not expired.
    pub fn valid_claims(&self) -> Option<&Claims> {
        match self {
            Self::Valid(claims) => Some(claims),
            Self::Expired(_) | Self::Missing => None,
        }
    }

    /// Returns the claims of a token, also of an expired one.
    pub fn claims(&self) -> Option<&Claims> {
        match self {
            Self::Valid(claims) | Self::Expired(claims) => Some(claims),
            Self::Missing => None,
        }
    }
}

impl FromRequest for BearerToken {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().cloned();
        let request = request.clone();
        Box::pin(async move {
            if let Some(known) = known {
                return Ok(known);
            }
            let (issuer, limits) = <(Data<Issuer>, Data<Limits>)>::extract(&request).await?;
            let token = verify(&request, &issuer, &limits).await?;
            request.extensions_mut().insert(token.clone());
            Ok(token)
        })
    }
}

/// Verifies the request's token. Checking a signature costs more than all else that a flood of made-up tokens does, so one that is seen for
/// the first time is not checked after many bad ones from the same address.
async fn verify(request: &HttpRequest, issuer: &Issuer, limits: &Limits) -> Result<BearerToken, Problem> {
    let Some(token) = token(request) else { return Ok(BearerToken::Missing) };
    let remembered = issuer.remembered(token).await;
    let read = match remembered {
        Some(read) => read,
        None => read_unknown(token, issuer, limits, caller::address(request)).await?,
    };
    Ok(match read {
        Ok(claims) if issuer.remaining(&claims).is_some() => BearerToken::Valid(claims),
        Ok(claims) => BearerToken::Expired(claims),
        Err(_) => BearerToken::Missing,
    })
}

async fn read_unknown(
    token: &str,
    issuer: &Issuer,
    limits: &Limits,
    address: Option<IpAddr>,
) -> Result<Result<Arc<Claims>, InvalidToken>, Problem> {
    if let Some(wait) = limits.refuses_unknown_tokens(address).await {
        return Err(Problem::TooManyRequests(wait));
    }
    let read = issuer.read(token).await;
    if read.is_err() {
        limits.bad_token(address).await;
    }
    Ok(read)
}

/// Returns the token (RFC 6750 §2.1). A request with two has none: a proxy in front may have looked at the other one.
fn token(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
