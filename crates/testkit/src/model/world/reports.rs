//! Reports on mails, and suppressed addresses.

use proptest::{prop_assert_eq, test_runner::TestCaseResult};
use rekey_core::{
    deliveries::reports::{NewReport, Report, ReportKind},
    events::audit::Action,
};

use super::World;
use crate::{conformance::stores::StoreUnderTest, seed, store::prelude::*};

impl<F: StoreUnderTest> World<'_, F> {
    /// A provider reports on a mail, whatever became of it, and names its address if that is to get no mail any more.
    pub(super) async fn report(&mut self, mail: usize, kind: ReportKind, is_named: bool) -> TestCaseResult {
        let mails =
            self.reference.events.iter().filter_map(|(id, event)| Some((*id, event.mail.as_ref()?.reset)));
        let mails: Vec<_> = mails.collect();
        let Some(&(delivery, reset)) = mails.get(mail % mails.len().max(1)) else { return Ok(()) };
        let address = seed::email(&self.customers[self.reference.resets[&reset].customer].1);
        let new = NewReport {
            delivery,
            report: Report { kind, reporter: None, reply: None, detail: None },
            suppress: is_named.then_some(address).into_iter().collect(),
        };
        let recorded = self.store().record_report(&new).await.unwrap();
        prop_assert_eq!(recorded, self.reference.report(delivery, kind, is_named));
        Ok(())
    }

    /// An operator lets mails go to an address again.
    pub(super) async fn lift(&mut self, customer: usize) -> TestCaseResult {
        let (address, audit) =
            (seed::email(&self.customers[customer].1), seed::operator_audit(Action::LiftSuppression));
        let lifted = self.store().lift_suppression(self.scope, &address, &audit).await.unwrap();
        prop_assert_eq!(lifted, self.reference.lift(customer));
        Ok(())
    }
}
