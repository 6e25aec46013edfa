use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{ids::OrganizationId, passwords::HashError};

/// The log-ins in progress at organizations with a [`FailureFloor`](super::failure_floor::FailureFloor), most of which are failures that wait
/// for it.
#[derive(Clone, Default)]
pub(super) struct LogIns(Arc<Mutex<HashMap<OrganizationId, usize>>>);

/// A log-in in progress, which counts for its organization.
pub(super) struct LogInPlace {
    organization: OrganizationId,
    log_ins: LogIns,
}

/// The most log-ins in progress: a few KiB each.
const MAX_LOG_INS: usize = 1_024;

impl LogIns {
    /// Counts a log-in.
    ///
    /// # Errors
    /// When the organization has as many as are left free.
    pub fn enter(&self, organization: OrganizationId) -> Result<LogInPlace, HashError> {
        let mut log_ins = self.lock();
        let all: usize = log_ins.values().sum();
        let own = log_ins.entry(organization).or_default();
        if *own >= MAX_LOG_INS.saturating_sub(all) {
            return Err(HashError::Busy);
        }
        *own += 1;
        Ok(LogInPlace { organization, log_ins: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LogInPlace {
    fn drop(&mut self) {
        let mut log_ins = self.log_ins.lock();
        if let Some(own) = log_ins.get_mut(&self.organization) {
            *own = own.saturating_sub(1);
        }
        log_ins.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn an_organization_may_have_as_many_as_it_leaves_free() {
        let log_ins = LogIns::default();
        let [shop, other] = [OrganizationId::generate(&OsRandom), OrganizationId::generate(&OsRandom)];
        let enter_all =
            |organization| std::iter::from_fn(|| log_ins.enter(organization).ok()).collect::<Vec<_>>();
        let mut places = enter_all(shop);
        let others = enter_all(other);
        assert_eq!([places.len(), others.len()], [512, 256]);
        drop(others);
        assert!(log_ins.enter(shop).is_err());
        places.pop();
        assert!(log_ins.enter(shop).is_ok());
        drop(places);
        assert_eq!(log_ins.lock().len(), 0);
    }
}
