//! Every endpoint for programs, once: the routes and the API's description are both made of this list, so neither can have
//! one that the other has not.

use std::sync::LazyLock;

use actix_web::http::Method;
use rekey_core::resources::{
    CUSTOMER_PASSWORD_RESETS, CUSTOMERS, ORGANIZATIONS, RESOURCES, Relationship, Resource,
};

/// All of them, in the order of the description.
pub static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(all);

/// A path and what can be done there.
#[derive(Debug)]
pub struct Endpoint {
    /// How it reads requests and refuses them.
    pub area: Area,
    /// The whole path, with `{id}` where a record's id stands.
    pub path: String,
    /// The value of `Allow`.
    pub allow: String,
    pub operations: Vec<Operation>,
}

/// Endpoints that read requests and refuse them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// JSON:API, for who has an access token.
    Api,
    /// OAuth 2: POST only.
    OAuth,
    /// What anybody may read.
    Open,
}

/// A method of a path.
#[derive(Debug)]
pub struct Operation {
    pub method: Method,
    pub call: Call,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    List(&'static Resource),
    Create(Written),
    Retrieve(&'static Resource),
    /// The one that is the caller's, of which no id is needed.
    Own(&'static Resource),
    Update(Written),
    Delete(Written),
    /// What is related to a record.
    Related(&'static Resource, &'static Relationship),
    /// The identifiers of what is related to a record.
    Identifiers(&'static Resource, &'static Relationship),
    /// `/oauth/token`.
    Token,
    /// `/oauth/revoke`.
    Revoke,
    /// The key set that access tokens are verified with.
    Keys,
    Live,
    Ready,
    /// The API's description itself.
    Description,
}

/// A resource that is not only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Resets,
    Customers,
}

impl Written {
    /// The one that is this resource.
    #[must_use]
    pub fn of(resource: &Resource) -> Option<Self> {
        [Self::Resets, Self::Customers].into_iter().find(|written| written.resource() == resource)
    }

    /// Its definition.
    #[must_use]
    pub fn resource(self) -> &'static Resource {
        match self {
            Self::Resets => &CUSTOMER_PASSWORD_RESETS,
            Self::Customers => &CUSTOMERS,
        }
    }
}

impl Area {
    /// What the paths of the area begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Api => "/api",
            Self::OAuth => "/oauth",
            Self::Open => "",
        }
    }
}

impl Endpoint {
    fn new(area: Area, path: &str, operations: impl IntoIterator<Item = (Method, Call)>) -> Self {
        let operations: Vec<_> = operations.into_iter().collect();
        let allow = operations.iter().map(|(method, _)| match *method {
            Method::GET => "GET, HEAD",
            _ => method.as_str(),
        });
        Self {
            area,
            path: format!("{}{path}", area.prefix()),
            allow: allow.collect::<Vec<_>>().join(", "),
            operations: operations.into_iter().map(|(method, call)| Operation { method, call }).collect(),
        }
    }

    /// Its path in its area.
    #[must_use]
    pub fn path_in_area(&self) -> &str {
        self.path.strip_prefix(self.area.prefix()).unwrap_or(&self.path)
    }
}

fn all() -> Vec<Endpoint> {
    let mut endpoints = vec![
        Endpoint::new(Area::OAuth, "/token", [(Method::POST, Call::Token)]),
        Endpoint::new(Area::OAuth, "/revoke", [(Method::POST, Call::Revoke)]),
        Endpoint::new(Area::Open, "/.well-known/jwks.json", [(Method::GET, Call::Keys)]),
    ];
    // As the vendor has it: the caller's own, which needs no id.
    let own = [(Method::GET, Call::Own(&ORGANIZATIONS))];
    endpoints.push(Endpoint::new(Area::Api, &format!("/{}", ORGANIZATIONS.singular), own));
    for resource in RESOURCES {
        let path = format!("/{}/{{id}}", resource.name);
        let mut list = Vec::new();
        let mut record = vec![(Method::GET, Call::Retrieve(resource))];
        if resource.listed {
            list.push((Method::GET, Call::List(resource)));
        }
        if let Some(written) = Written::of(resource) {
            list.push((Method::POST, Call::Create(written)));
            record.push((Method::PATCH, Call::Update(written)));
            record.push((Method::DELETE, Call::Delete(written)));
        }
        if !list.is_empty() {
            endpoints.push(Endpoint::new(Area::Api, &format!("/{}", resource.name), list));
        }
        endpoints.push(Endpoint::new(Area::Api, &path, record));
        for relationship in resource.relationships {
            let name = relationship.name;
            let related = [(Method::GET, Call::Related(resource, relationship))];
            endpoints.push(Endpoint::new(Area::Api, &format!("{path}/{name}"), related));
            let identifiers = [(Method::GET, Call::Identifiers(resource, relationship))];
            endpoints.push(Endpoint::new(Area::Api, &format!("{path}/relationships/{name}"), identifiers));
        }
    }
    endpoints.extend([
        Endpoint::new(Area::Open, "/livez", [(Method::GET, Call::Live)]),
        Endpoint::new(Area::Open, "/readyz", [(Method::GET, Call::Ready)]),
        Endpoint::new(Area::Open, "/openapi.json", [(Method::GET, Call::Description)]),
    ]);
    endpoints
}
