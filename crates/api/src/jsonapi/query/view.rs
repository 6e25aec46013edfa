use rekey_core::{
    documents::View,
    resources::{Audience, Resource},
};

use super::{Problem, QueryProblem, family, names};

/// Reads what is shown of a record of `resource`.
pub(super) fn read(
    pairs: &[(String, String)],
    resource: &'static Resource,
    audience: Audience,
) -> Result<View, Problem> {
    let mut view = View::default();
    for (name, value) in pairs {
        match family(name) {
            "include" => {
                let error = || Problem::Query(QueryProblem::Include, name.clone());
                view.include(resource, names(value)).ok_or_else(error)?;
            }
            "fields" => {
                let error = || Problem::Query(QueryProblem::Field, name.clone());
                let of = shown_resource(resource, name, value).ok_or_else(error)?;
                view.show_only(of, names(value).map(str::to_owned).collect()).ok_or_else(error)?;
            }
            _ => {}
        }
    }
    // Related records are shown to integrations only.
    if audience < Audience::BackOffice && !view.includes.is_empty() {
        return Err(Problem::Unauthorized);
    }
    Ok(view)
}

/// Returns the resource of `fields[TYPE]=a,b`, and of `fields=a,b` the resource itself.
fn shown_resource(resource: &'static Resource, name: &str, value: &str) -> Option<&'static Resource> {
    match name.strip_prefix("fields[").and_then(|rest| rest.strip_suffix(']')) {
        Some(named) => Resource::named(named),
        None => (name == "fields" && !value.is_empty()).then_some(resource),
    }
}
