use rekey_core::resources::{Audience, Relationship, Resource};

use super::{Problem, QueryProblem, family, names};

/// How much of a record is shown: related records with it, and only some of its fields.
#[derive(Debug, Default)]
pub struct View {
    /// What is included.
    pub includes: Vec<Include>,
    /// How many paths led to the includes.
    paths: usize,
    fields: Vec<(&'static Resource, Vec<String>)>,
}

/// A relationship whose records are included, and theirs.
#[derive(Debug)]
pub struct Include {
    /// The relationship.
    pub relationship: &'static Relationship,
    /// What is included with its records.
    pub nested: Vec<Include>,
}

/// Paths that one request includes at most. Each of their steps is a query, unless another path takes it, too.
pub const MAX_PATHS: usize = 8;
/// Steps of a path at most.
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
                    let refused = || Problem::Query(QueryProblem::Include, name.clone());
                    view.include(resource, value).ok_or_else(refused)?;
                }
                "fields" => {
                    let refused = || Problem::Query(QueryProblem::Field, name.clone());
                    let fields = read_fields(resource, name, value).ok_or_else(refused)?;
                    view.fields.push(fields);
                }
                _ => {}
            }
        }
        // What is related to a record is the back office's business.
        if audience < Audience::BackOffice && !view.includes.is_empty() {
            return Err(Problem::Unauthorized);
        }
        Ok(view)
    }

    /// Whether the attribute with that name is shown.
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
