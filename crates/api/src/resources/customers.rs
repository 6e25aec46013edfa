//! `/api/customers`.

use actix_web::{HttpResponse, web::Data};
use rekey_core::{customer::Customer, email::EmailAddress, ids::CustomerId};
use serde_json::json;

use self::attributes::{EMAIL, PASSWORD};
use super::path::PathId;
use crate::{
    api::Api,
    auth::principal::{CustomerReader, Permitted, Registrar, Session},
    jsonapi::{
        body::Body,
        document::{Resource, timestamp},
        error::Problem,
        query::Query,
    },
};

/// The names of the attributes that are written.
pub mod attributes {
    pub const EMAIL: &str = "email";
    pub const PASSWORD: &str = "password";
}

/// The resource's type.
const TYPE: &str = "customers";

/// `POST`: with or without a password.
pub async fn create(
    Permitted(Registrar(session)): Permitted<Registrar>,
    api: Data<Api>,
    _: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let mut attributes = body.read(TYPE, None).await?;
    let email = attributes.required::<EmailAddress>(EMAIL);
    let password = attributes.password(PASSWORD);
    let reference = attributes.reference();
    let email = attributes.finish(email)?;
    let customer =
        api.registration.register(session.scope(), &session.caller, email, password, reference).await?;
    Ok(view(&api, &session, &customer).created())
}

/// `GET …/{id}`: any, for an integration client; itself, for a customer.
pub async fn retrieve(
    Permitted(reader): Permitted<CustomerReader>,
    api: Data<Api>,
    PathId(id): PathId<CustomerId>,
    _: Query,
) -> Result<HttpResponse, Problem> {
    let session = match reader {
        CustomerReader::Integration(session) => session,
        CustomerReader::Own(session, own) if own == id => session,
        CustomerReader::Own(..) => return Err(Problem::Unauthorized),
    };
    let customer = api.registration.find(session.scope(), id).await?.ok_or(Problem::NotFound)?;
    Ok(view(&api, &session, &customer).ok())
}

/// The vendor's attributes; those that belong to its orders, payments and tax rules are what they are for a customer
/// without any.
fn view(api: &Api, session: &Session, customer: &Customer) -> Resource {
    let attributes = json!({
        "email": customer.email.as_str(),
        "status": "prospect",
        "has_password": customer.has_password,
        "total_orders_count": 0,
        "shopper_reference": null,
        "profile_id": null,
        "tax_exemption_code": null,
        "jwt_custom_claim": null,
        "anonymization_info": null,
        "anonymization_status": null,
        "created_at": timestamp(customer.created_at),
        "updated_at": timestamp(customer.updated_at),
        "reference": customer.reference.reference,
        "reference_origin": customer.reference.reference_origin,
        "metadata": customer.reference.metadata,
    });
    let relationships = ["customer_password_resets", "events", "event_stores"];
    Resource::new(&api.public_url, TYPE, customer.id.as_str(), session.scope(), attributes, &relationships)
}
