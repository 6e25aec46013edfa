use crate::resources::{EVENT_CALLBACKS, Relationship, Resource, WEBHOOKS};

/// What is shown of a record: which of its fields, and which related records.
#[derive(Debug, Default)]
pub struct View {
    /// The relationships to include.
    pub includes: Vec<Include>,
    /// The number of paths that led to them.
    paths: usize,
    fields: Vec<(&'static Resource, Vec<String>)>,
    /// Whether tokens and the secrets of webhooks are null.
    pub is_redacted: bool,
}

/// A relationship to include.
#[derive(Debug)]
pub struct Include {
    /// The relationship.
    pub relationship: &'static Relationship,
    /// The relationships of the included records to include in turn.
    pub nested: Vec<Include>,
}

impl Include {
    fn is_for_webhooks(&self) -> bool {
        ![&WEBHOOKS, &EVENT_CALLBACKS].contains(&self.relationship.target)
            && self.nested.iter().all(Self::is_for_webhooks)
    }
}

/// The most include paths of a request. Each step of a path is a query, unless paths share it.
pub const MAX_PATHS: usize = 8;
/// The most steps of a path.
pub const MAX_DEPTH: usize = 3;

impl View {
    /// Returns the view for receivers of webhooks: no secret, and the records of these relationships. `None` if one does not exist, or leads to
    /// webhooks or to what they are sent, which is none of another receiver's business.
    #[must_use]
    pub fn for_webhook<'n>(
        resource: &'static Resource,
        relationships: impl IntoIterator<Item = &'n str>,
    ) -> Option<Self> {
        let mut view = Self { is_redacted: true, ..Self::default() };
        view.include(resource, relationships)?;
        view.includes.iter().all(Include::is_for_webhooks).then_some(view)
    }

    /// Adds the fields that are shown of a resource; all are, of one without any. `None` if one does not exist.
    pub fn show_only(&mut self, resource: &'static Resource, fields: Vec<String>) -> Option<()> {
        let known =
            |field: &String| resource.attribute(field).is_some() || resource.relationship(field).is_some();
        fields.iter().all(known).then(|| self.fields.push((resource, fields)))
    }

    /// Whether the field with that name is shown.
    #[must_use]
    pub fn shows(&self, resource: &Resource, field: &str) -> bool {
        let mut asked = self.fields.iter().filter(|(of, _)| *of == resource).peekable();
        asked.peek().is_none() || asked.any(|(_, fields)| fields.iter().any(|asked| asked == field))
    }

    /// Includes the records of relationships, given by their paths (`customer.deliveries`). `None` if one does not exist, or there are too
    /// many.
    pub fn include<'n>(
        &mut self,
        resource: &'static Resource,
        paths: impl IntoIterator<Item = &'n str>,
    ) -> Option<()> {
        for path in paths {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::CUSTOMERS;

    #[test]
    fn a_path_has_three_steps_and_a_view_eight_paths_at_most() {
        let path = "customer_password_resets.customer.customer_password_resets";
        assert!(View::default().include(&CUSTOMERS, [path]).is_some());
        assert!(View::default().include(&CUSTOMERS, [&*format!("{path}.customer")]).is_none());
        assert!(View::default().include(&CUSTOMERS, [path; MAX_PATHS]).is_some());
        assert!(View::default().include(&CUSTOMERS, [path; MAX_PATHS + 1]).is_none());
    }
}
