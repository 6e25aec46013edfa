use rekey_core::resources::{Audience, Relationship, Resource};

use super::{Problem, QueryProblem, family, names};

/// What is shown of a record: which of its fields, and which related records.
#[derive(Debug, Default)]
pub struct View {
    /// The relationships whose records are included.
    pub includes: Vec<Include>,
    /// The number of paths that led to them.
    paths: usize,
    fields: Vec<(&'static Resource, Vec<String>)>,
}

/// A relationship whose records are included.
#[derive(Debug)]
pub struct Include {
    pub relationship: &'static Relationship,
    /// The relationships of these records whose records are included.
    pub nested: Vec<Include>,
}

/// The most include paths of a request. Each step of a path is a query, unless paths share it.
pub const MAX_PATHS: usize = 8;
/// The most steps of a path.
pub const MAX_DEPTH: usize = 3;

impl View {
    pub(super) fn read(
        pairs: &[(String, String)],
        resource: &'static Resource,
        audience: Audience,
    ) -> Result<Self, Problem> {
        let mut view = Self::default();
        for (name, value) in pairs {
            match family(name) {
                "include" => {
                    let error = || Problem::Query(QueryProblem::Include, name.clone());
                    view.include(resource, value).ok_or_else(error)?;
                }
                "fields" => {
                    let error = || Problem::Query(QueryProblem::Field, name.clone());
                    let fields = read_fields(resource, name, value).ok_or_else(error)?;
                    view.fields.push(fields);
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

    /// Whether the field with that name is shown.
    #[must_use]
    pub fn shows(&self, resource: &Resource, field: &str) -> bool {
        let mut asked = self.fields.iter().filter(|(of, _)| *of == resource).peekable();
        asked.peek().is_none() || asked.any(|(_, fields)| fields.iter().any(|asked| asked == field))
    }

    fn include(&mut self, resource: &'static Resource, paths: &str) -> Option<()> {
        for path in names(paths) {
            self.paths += 1;
            let (mut at, mut resource) = (&mut self.includes, resource);
            for (depth, name) in path.split('.').enumerate() {
                let relationship = resource.relationship(name).filter(|_| depth < MAX_DEPTH)?;
                let position = at.iter().position(|include| include.relationship.name == name);
                let position = position.unwrap_or_else(|| {
                    at.push(Include { relationship, nested: Vec::new() });
                    at.len() - 1
                });
                at = &mut at.get_mut(position)?.nested;
                resource = relationship.target;
            }
        }
        (self.paths <= MAX_PATHS).then_some(())
    }
}

/// Reads `fields[TYPE]=a,b`, and `fields=a,b` for the resource itself.
fn read_fields(
    resource: &'static Resource,
    name: &str,
    value: &str,
) -> Option<(&'static Resource, Vec<String>)> {
    let of = match name.strip_prefix("fields[").and_then(|rest| rest.strip_suffix(']')) {
        Some(named) => Resource::named(named)?,
        None if name == "fields" && !value.is_empty() => resource,
        None => return None,
    };
    let fields: Vec<String> = names(value).map(str::to_owned).collect();
    let known = |field: &String| of.attribute(field).is_some() || of.relationship(field).is_some();
    fields.iter().all(known).then_some((of, fields))
}
