use rekey_core::{
    deliveries::{
        MailName, Status,
        reports::{Recorded, ReportKind},
    },
    ids::EventId,
    scope::Mode,
};

use super::Reference;

impl Reference {
    /// Records a report on a mail, which names its address or none.
    pub(in crate::model) fn report(&mut self, id: EventId, kind: ReportKind, is_named: bool) -> Recorded {
        let mail = self.events.get_mut(&id).unwrap().mail.as_mut().unwrap();
        let was_handed_over = matches!(mail.status, Status::Sent | Status::Bounced);
        if was_handed_over && !mail.reports.contains(&kind) {
            mail.reports.push(kind);
            if kind == ReportKind::Bounced && mail.status == Status::Sent {
                (mail.status, mail.bounced_later) = (Status::Bounced, true);
            }
            if is_named {
                self.suppressed.entry(self.resets[&mail.reset].customer).or_insert(id);
            }
            let name = if mail.is_link { MailName::ResetRequested } else { MailName::PasswordChanged };
            Recorded::New { mail: name, mode: Mode::Test }
        } else if mail.lease_until.is_some() {
            Recorded::Unsettled
        } else if was_handed_over {
            Recorded::Repeated
        } else {
            Recorded::Unknown
        }
    }

    /// Lets mails go to a customer's address again; false if they did.
    pub(in crate::model) fn lift(&mut self, customer: usize) -> bool {
        let was_suppressed = self.suppressed.remove(&customer).is_some();
        self.audit.written += u32::from(was_suppressed);
        was_suppressed
    }
}
