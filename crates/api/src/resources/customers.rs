//! Writing `/api/customers`, and reading one customer. Lists and relationships are in [`super::reading`].

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    customers::service::{CustomerError, CustomerService, CustomerUpdate},
    email::EmailAddress,
    ids::CustomerId,
    resources::CUSTOMERS,
};

use self::attributes::{EMAIL, PASSWORD};
use super::path::PathId;
use crate::{
    auth::principal::{CanCreateCustomer, CanManageCustomer, Permitted},
    jsonapi::{
        body::Body,
        document::Documents,
        error::{Fault, Problem},
        query::Query,
    },
};

/// The names of the attributes that are written and not plain.
pub mod attributes {
    pub const EMAIL: &str = "email";
    pub const PASSWORD: &str = "password";
}

/// `POST`: with or without a password.
pub async fn create(
    principal: Permitted<CanCreateCustomer>,
    customers: Data<CustomerService>,
    documents: Data<Documents>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let view = query.one(&CUSTOMERS, principal.audience())?;
    let mut input = body.read(&CUSTOMERS, None).await?;
    let email = input.required::<EmailAddress>(EMAIL);
    let password = input.password(PASSWORD);
    let attributes = input.of_new();
    let email = input.finish(email)?;
    let customer =
        customers.create(&principal.client, &principal.caller, email, password, attributes).await?;
    principal.responder(&documents).created(&customer, &view).await
}

/// `GET …/{id}`: an integration reads any customer, a customer itself.
pub async fn retrieve(
    principal: Permitted<CanManageCustomer>,
    documents: Data<Documents>,
    PathId(id): PathId<CustomerId>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    principal.require(id)?;
    let view = query.one(&CUSTOMERS, principal.audience())?;
    let responder = principal.responder(&documents);
    responder.ok(&responder.find(&CUSTOMERS, id).await?, &view).await
}

/// `PATCH …/{id}`. A new address or password invalidates the customer's pending tokens; a new password also ends all its
/// sessions, including the one that asks for it.
pub async fn update(
    principal: Permitted<CanManageCustomer>,
    customers: Data<CustomerService>,
    documents: Data<Documents>,
    PathId(id): PathId<CustomerId>,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    principal.require(id)?;
    let view = query.one(&CUSTOMERS, principal.audience())?;
    let mut input = body.read(&CUSTOMERS, Some(id.as_str())).await?;
    let email = input.optional::<EmailAddress>(EMAIL);
    let password = input.password(PASSWORD);
    let attributes = input.of_change();
    let update = input.finish(Some(CustomerUpdate { email, password, attributes }))?;
    let customer = customers.update(&principal.client, &principal.caller, id, update).await?;
    principal.responder(&documents).ok(&customer.ok_or(Problem::NotFound)?, &view).await
}

/// `DELETE …/{id}`.
pub async fn delete(
    principal: Permitted<CanManageCustomer>,
    customers: Data<CustomerService>,
    PathId(id): PathId<CustomerId>,
) -> Result<HttpResponse, Problem> {
    principal.require(id)?;
    if customers.delete(principal.scope(), &principal.caller, id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::NotFound)
    }
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Taken => Self::attribute(EMAIL, Fault::Taken),
            CustomerError::Password(refusal) => Self::attribute(PASSWORD, refusal.into()),
            CustomerError::Hash(error) => error.into(),
            CustomerError::Store(error) => error.into(),
        }
    }
}
