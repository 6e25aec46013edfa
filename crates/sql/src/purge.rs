use rekey_core::cleanup::PurgeKind;

/// The records of a kind that may be deleted when they are old. All of these tables have an index of scope and `created_at`.
#[derive(Debug, Clone, Copy)]
pub struct Purgeable {
    pub table: &'static str,
    pub key: &'static str,
    /// The condition that nothing needs the record `x` any more, at the time `t.now`.
    pub condition: &'static str,
    /// The table with parts of these records, and its column with their keys.
    pub dependents: Option<(&'static str, &'static str)>,
}

impl Purgeable {
    #[must_use]
    pub fn for_kind(kind: PurgeKind) -> Self {
        match kind {
            PurgeKind::Resets => Self {
                table: "password_resets",
                key: "id",
                condition: "x.expires_at <= t.now AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.reset_id = x.id
                    AND d.status IN ('queued', 'deferred'))",
                dependents: None,
            },
            PurgeKind::Deliveries => Self {
                table: "deliveries",
                key: "event_id",
                condition: "x.status NOT IN ('queued', 'deferred')
                    AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.event_id = x.event_id)",
                dependents: None,
            },
            PurgeKind::Events => Self {
                table: "events",
                key: "id",
                condition: "x.published_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = x.id
                    AND d.status IN ('queued', 'deferred'))",
                dependents: None,
            },
            PurgeKind::Audit => Self {
                table: "audit_entries",
                key: "id",
                // An import that is continued reads from its entries which customers it has created.
                condition: "NOT EXISTS (SELECT 1 FROM imports i
                    WHERE i.organization_id = x.organization_id AND i.mode = x.mode AND i.created_at <= x.created_at)",
                dependents: Some(("audit_personal_data", "entry_id")),
            },
            // Those that still wait, because their webhook is disabled or its circuit is open, too.
            PurgeKind::EventCallbacks => {
                Self { table: "event_callbacks", key: "id", condition: "TRUE", dependents: None }
            }
            // The other decoys go with their resets.
            PurgeKind::SignInDecoys => Self {
                table: "decoy_audit_entries",
                key: "id",
                condition: "x.resource_type = 'customers'",
                dependents: Some(("decoy_audit_personal_data", "entry_id")),
            },
        }
    }
}
