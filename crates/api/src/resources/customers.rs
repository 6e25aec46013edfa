//! Writing `/api/customers`, and reading one customer. Lists and relationships are in [`super::reading`].

use actix_web::{HttpResponse, web::Data};
use rekey_core::{
    customers::{
        CustomerAttributes,
        anonymization::AnonymizationRequest,
        service::{CustomerError, CustomerService, CustomerUpdate},
    },
    email::EmailAddress,
    ids::CustomerId,
    resources::{
        CUSTOMERS,
        customers::{
            ADD_TAGS, CANCEL_ANONYMIZATION, EMAIL, LOCALE, PASSWORD, REMOVE_TAGS, REQUEST_ANONYMIZATION,
        },
    },
};

use super::path::PathId;
use crate::{
    auth::principal::{CallerKind, CanCreateCustomer, CanManageCustomer, Permitted},
    jsonapi::{
        body::{Attributes, Body},
        document::Documents,
        error::{Problem, ValidationError},
        query::Query,
    },
};

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
    let email = input.required::<EmailAddress>(&EMAIL);
    let password = input.password(&PASSWORD);
    let attributes = read_attributes(&mut input);
    let email = input.finish(email)?;
    let id = customers.create(&principal.client, &principal.caller, email, password, attributes).await?;
    let responder = principal.responder(&documents);
    responder.created(&responder.find(&CUSTOMERS, id).await?, &view).await
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
/// sessions, including the one that asks for it. A customer needs a fresh sign-in for either. Only an integration requests an anonymization.
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
    let email = input.optional::<EmailAddress>(&EMAIL);
    let password = input.password(&PASSWORD);
    let is_integration = principal.kind == CallerKind::Integration;
    let anonymization = if is_integration { read_anonymization(&mut input) } else { None };
    let attributes = read_attributes(&mut input);
    let update = input.finish(Some(CustomerUpdate { email, password, anonymization, attributes }))?;
    if !customers.update(&principal.client, &principal.caller, id, update).await? {
        return Err(Problem::NotFound);
    }
    let responder = principal.responder(&documents);
    responder.ok(&responder.find(&CUSTOMERS, id).await?, &view).await
}

/// `DELETE …/{id}`. A customer needs a fresh sign-in.
pub async fn delete(
    principal: Permitted<CanManageCustomer>,
    customers: Data<CustomerService>,
    PathId(id): PathId<CustomerId>,
) -> Result<HttpResponse, Problem> {
    principal.require(id)?;
    let was_deleted = customers.delete(principal.scope(), &principal.caller, id).await?;
    was_deleted.then(|| HttpResponse::NoContent().finish()).ok_or(Problem::NotFound)
}

/// The attributes that this service only keeps, and those that have no effect.
fn read_attributes(input: &mut Attributes) -> CustomerAttributes {
    input.ignored_text(&ADD_TAGS);
    input.ignored_text(&REMOVE_TAGS);
    CustomerAttributes { locale: input.locale(&LOCALE), common: input.common() }
}

/// The triggers of anonymization; only one of them can be sent.
fn read_anonymization(input: &mut Attributes) -> Option<AnonymizationRequest> {
    let is_requested = input.either(&REQUEST_ANONYMIZATION, &CANCEL_ANONYMIZATION)?;
    Some(if is_requested { AnonymizationRequest::Request } else { AnonymizationRequest::Cancel })
}

impl From<CustomerError> for Problem {
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Taken => Self::attribute(EMAIL.name, ValidationError::Taken),
            CustomerError::StaleSignIn => Self::FreshSignInRequired,
            CustomerError::Conflict => Self::Unavailable,
            CustomerError::Anonymization(asked) => Self::attribute(
                asked.attribute(),
                match asked {
                    AnonymizationRequest::Request => ValidationError::Anonymized,
                    AnonymizationRequest::Cancel => ValidationError::NotRequested,
                },
            ),
            CustomerError::TooManyEmailTries(wait) => Self::TooManyRequests(wait),
            CustomerError::Password(rejected) => Self::attribute(PASSWORD.name, rejected.into()),
            CustomerError::Hash(error) => error.into(),
            CustomerError::Store(error) => error.into(),
        }
    }
}
